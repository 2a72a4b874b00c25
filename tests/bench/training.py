"""`make bench-training`: our training core beside PyTorch and ONNX Runtime, in one run, in turn, on this machine's CPU.

    python3 -B tests/bench/training.py [--only lstm,transformer,memory,bars] [--repeats 5] [--seconds 2] [--wait 5] [--json FILE]

PEERS_PYTHON names the interpreter that has torch, onnx and onnxruntime (any virtual environment); a peer that is not
there is left out with its reason. Before anything is timed, both sides show that they compute the same network: the same
weights give the same outputs, and five steps of Adam from the same weights give the same losses.

How the numbers come about: for each row the sides take turns (ours, PyTorch, ours, …), each turn a second or more; the row
shows medians with least and greatest, and the median of the ratios of neighbouring turns. Beside the wall clock stands
work per second of processor time, which a busy machine disturbs less. `others` is what other processes took meanwhile, in
processors, and `quiet` the rounds in which that was at most 0.15: where there are any, only they count; where there is
none, the row is marked `busy` and judged by processor time, or not at all with two threads, because threads of PyTorch
that wait for one another spin.

Training is forward, backward and Adam on batches of 32 in memory, dropout included. Floating point operations are those of
the matrix products, two per multiply-add, backward twice forward. The peak is the faster of both sides' large f32 product.
"""
import argparse
import array
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time

from side import NotRun, Side, processor_seconds

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SHAPES = {"lstm": (60, 5), "transformer": (100, 7)}
TRAIN_TARGET = 2.0
# Least ratio on a GPU, by batch.
DEVICE_TARGETS = {32: 1.0, 256: 1.5}
# (network, peers it is measured against, least ratio)
INFER_TARGETS = {"lstm": (("PyTorch", "ONNX Runtime"), 1.2), "transformer": (("PyTorch",), 1.5)}
MEMORY_TARGET = 1 / 3
FEATURES_TARGET, READ_TARGET = 5e6, 10e6
SAME = 1e-4
BUSY = 0.15


def forward_mflop(network):
    """Million floating point operations of one sample's forward pass."""
    steps, features = SHAPES[network]
    if network == "lstm":
        total, width = 0, features
        for units in (128, 64, 32):
            total += steps * 4 * units * (width + units)
            width = units
        return 2 * (total + width) / 1e6
    width, wide, layers = 128, 256, 4
    layer = 4 * width * width + 2 * width * wide + 2 * steps * width
    return 2 * (steps * features * width + layers * steps * layer + width) / 1e6


# -- the sides ---------------------------------------------------------------------------------------------------------

def build():
    """Compiles our side; its path."""
    # The whole workspace, as every other command: another selection would compile the dependencies again.
    command = ["cargo", "bench", "--workspace", "--bench", "training", "--no-run", "--message-format", "json"]
    out = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    told = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    found = [one["executable"] for one in told if one.get("executable") and one["target"]["name"] == "training"]
    if not found:
        sys.exit("cargo built no benchmark `training`")
    return found[-1]


class Sides:
    """Those that run, by name; those that do not, with the reason."""

    def __init__(self, ours):
        self.ours, self.missing = ours, {}
        self.python = os.environ.get("PEERS_PYTHON", sys.executable)
        self.running = {"ours": self.start("ours")}
        for name in ("PyTorch", "ONNX Runtime"):
            try:
                self.running[name] = self.start(name)
            except NotRun as reason:
                self.missing[name] = str(reason)

    def start(self, name):
        if name == "ours":
            # As the host starts the processes that train: no thread pool beside our own.
            return Side(name, [self.ours, "--serve"], {"CANDLE_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1"})
        module, script = {"PyTorch": ("torch", "peer_torch.py"), "ONNX Runtime": ("onnxruntime", "peer_onnxruntime.py")}[name]
        probe = subprocess.run([self.python, "-c", "import numpy, " + module], capture_output=True, text=True, check=False)
        if probe.returncode:
            why = probe.stderr.strip().splitlines()[-1:] or ["no reason given"]
            raise NotRun("%s has no %s (%s); PEERS_PYTHON can name another interpreter" % (self.python, module, why[0]))
        return Side(name, [self.python, "-B", os.path.join(HERE, script)])

    def __getitem__(self, name):
        if name not in self.running:
            raise NotRun(self.missing[name])
        return self.running[name]

    def close(self):
        for side in self.running.values():
            side.close()


# -- measuring ---------------------------------------------------------------------------------------------------------

class Row:
    """One line of the table: rates of each side over all rounds, a turn of each side in each."""

    def __init__(self, what, unit, target=None, against=(), mflop=None, threads=1):
        self.what, self.unit, self.target, self.against = what, unit, target, against
        self.mflop, self.threads = mflop, threads
        self.rounds, self.rates, self.reasons, self.quiet = [], {}, {}, 0

    def measure(self, sides, options, names, **question):
        for _ in range(options.repeats):
            wait_for_quiet(options.wait)
            turns = {}
            for name in names:
                if name in self.reasons:
                    continue
                try:
                    turns[name] = sides[name].rate(**question)
                except NotRun as reason:
                    self.reasons[name] = str(reason)
            self.rounds.append(turns)
        # Rounds that others disturbed count only where there is no other.
        quiet = [turns for turns in self.rounds if turns and all(rate["others"] <= BUSY for rate in turns.values())]
        self.quiet = len(quiet)
        for name in names:
            if name not in self.reasons:
                self.rates[name] = [turns[name] for turns in quiet or self.rounds]
        return self

    def values(self, name, clock):
        return [rate[clock] for rate in self.rates[name]]

    def median(self, name, clock="wall"):
        return statistics.median(self.values(name, clock)) if name in self.rates else None

    def others(self):
        return max((statistics.median(self.values(name, "others")) for name in self.rates), default=0.0)

    def best_peer(self):
        peers = [name for name in self.against if name in self.rates]
        return max(peers, key=lambda name: self.median(name, "cpu"), default=None)

    def ratio(self, clock):
        peer = self.best_peer()
        if peer is None or "ours" not in self.rates:
            return None
        return statistics.median(mine / theirs for mine, theirs in zip(self.values("ours", clock), self.values(peer, clock)))


def wait_for_quiet(limit):
    """Waits until the machine is quiet for half a second, at most so many seconds."""
    began = time.monotonic()
    while time.monotonic() - began < limit:
        _, before = processor_seconds()
        time.sleep(0.5)
        _, after = processor_seconds()
        if (after - before) / 0.5 <= BUSY:
            return


def number(value):
    if value is None:
        return "-"
    for limit, divisor, letter in ((1e6, 1e6, "M"), (1e5, 1e3, "k")):
        if value >= limit:
            return "%.2f%s" % (value / divisor, letter)
    return "%.0f" % value if value >= 100 else "%.1f" % value


def cell(row, name):
    if name not in row.rates:
        return "not run" if name in row.reasons else "-"
    values = row.values(name, "wall")
    return "%s (%s..%s)" % (number(statistics.median(values)), number(min(values)), number(max(values)))


def verdict(row):
    if row.target is None:
        return ""
    reached = row.ratio("wall") if row.against else row.median("ours")
    if reached is None:
        return "not measured"
    wanted = "%.1fx" % row.target if row.against else number(row.target)
    # Where others took the processors, the wall clock says little: processor time decides, and that is said. With more
    # than one thread not even it does: threads of PyTorch that wait for one another spin, and spinning is processor time.
    if row.others() > BUSY:
        if row.threads > 1:
            return "not judged: busy (>= %s)" % wanted
        reached = row.ratio("cpu") if row.against else row.median("ours", "cpu")
        wanted += " by CPU time"
    return "%s (>= %s)" % ("met" if reached >= row.target else "MISSED", wanted)


def show(title, rows, names, out=sys.stdout):
    head = ["", *("%s /s" % name for name in names), "ratio", "ratio per CPU-s", "others", "quiet", "target"]
    lines = [head]
    for row in rows:
        ratios = ["%.2f" % ratio if ratio else "-" for ratio in (row.ratio("wall"), row.ratio("cpu"))]
        others = "%.2f%s" % (row.others(), " busy" if row.others() > BUSY else "")
        lines.append([row.what, *(cell(row, name) for name in names), *ratios, others, "%d/%d" % (row.quiet, len(row.rounds)), verdict(row)])
    widths = [max(len(line[at]) for line in lines) for at in range(len(head))]
    print("\n" + title, file=out)
    for at, line in enumerate(lines):
        print("  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip(), file=out)
        if at == 0:
            print("  ".join("-" * width for width in widths), file=out)
    for row in rows:
        for name, reason in row.reasons.items():
            print("  %s: %s not run: %s" % (row.what, name, reason), file=out)


def show_operations(rows, peaks):
    """GFLOP/s of each row, its share of the peak with as many threads, and the ratio that the peak itself would have over
    the best peer: more is not to be had from f32 products on this machine."""
    print("\nGFLOP/s (share of the f32 product's peak in this run: %s)" % ", ".join(
        "%d thread%s %.0f" % (threads, "s" if threads > 1 else "", peak) for threads, peak in sorted(peaks.items())))
    for row in rows:
        parts = []
        for name in row.rates:
            speed = row.median(name) * row.mflop / 1e3
            share = " (%.0f %%)" % (100 * speed / peaks[row.threads]) if peaks.get(row.threads) else ""
            parts.append("%s %.0f%s" % (name, speed, share))
        peer = row.best_peer()
        if peer and peaks.get(row.threads):
            parts.append("at the peak the ratio would be %.2f" % (peaks[row.threads] / (row.median(peer) * row.mflop / 1e3)))
        print("  %-38s %s" % (row.what, "   ".join(parts) or "not run"))


# -- the same network --------------------------------------------------------------------------------------------------

def normal_file(path, count):
    with open(path, "wb") as file:
        array.array("f", (random.gauss(0, 1) for _ in range(count))).tofile(file)


def far(some, others):
    """Greatest difference, relative to one or to the value where that is greater."""
    if len(some) != len(others):
        return float("inf")
    return max(abs(one - other) / max(1.0, abs(other)) for one, other in zip(some, others))


def same_network(sides, network, folder):
    """Loads the same weights everywhere. True when all that run agree, False when not."""
    random.seed(11)
    steps, features = SHAPES[network]
    at = lambda name: os.path.join(folder, network + name)  # noqa: E731
    weights, onnx, windows, targets, ours = at(".safetensors"), at(".onnx"), at(".windows"), at(".targets"), at(".ours")
    normal_file(windows, 32 * steps * features)
    normal_file(targets, 32)
    agree, exported = True, {"onnx": "needs PyTorch, which writes the network"}

    def compare(what, mine, theirs):
        nonlocal agree
        difference = far(mine, theirs)
        agree &= difference <= SAME
        print("  %-12s %-44s %.1e %s" % (network, what, difference, "" if difference <= SAME else "DIFFERENT NETWORKS"))

    try:
        if "PyTorch" in sides.running:
            exported = sides["PyTorch"].ask(do="export", network=network, weights=weights, onnx=onnx)
        else:
            sides["ours"].ask(do="start", network=network, to=weights)
        sides["ours"].ask(do="load", network=network, weights=weights)
    except NotRun as reason:
        print("  %-12s ours not run: %s" % (network, reason))
    if exported["onnx"]:
        print("  %-12s ONNX Runtime not run: %s" % (network, exported["onnx"]))
    elif "ONNX Runtime" in sides.running:
        sides["ONNX Runtime"].ask(do="load", network=network, onnx=onnx)
    if "PyTorch" not in sides.running:
        return agree
    theirs = sides["PyTorch"].ask(do="outputs", network=network, windows=windows)["outputs"]
    for name in ("ours", "ONNX Runtime"):
        try:
            compare("32 outputs, %s beside PyTorch" % name, sides[name].ask(do="outputs", network=network, windows=windows)["outputs"], theirs)
        except NotRun as reason:
            print("  %-12s %s not compared: %s" % (network, name, reason))
    for threads in (1, 2):
        try:
            question = {"network": network + "-plain", "windows": windows, "targets": targets, "steps": 5, "threads": threads}
            sides["ours"].ask(do="start", network=network + "-plain", to=ours)
            mine = sides["ours"].ask(do="losses", **question)["losses"]
            compare("5 losses under Adam, %d thread%s" % (threads, "s" if threads > 1 else ""), mine,
                    sides["PyTorch"].ask(do="losses", weights=ours, **question)["losses"])
        except NotRun as reason:
            print("  %-12s losses not compared: %s" % (network, reason))
    return agree


# -- the rows ----------------------------------------------------------------------------------------------------------

def train_rows(sides, networks, options):
    names = [name for name in ("ours", "PyTorch") if name in sides.running]
    peaks, rows = {}, []
    for threads in (1, 2):
        row = Row("f32 product, %d threads" % threads, "GFLOP", threads=threads)
        row.measure(sides, options, names, do="gemm", threads=threads, seconds=options.seconds / 2)
        peaks[threads] = max((row.median(name) for name in row.rates), default=None)
        rows.append(row)
    show("Large product, GFLOP per second", rows, names)
    rows = []
    for network in networks:
        for threads in (1, 2):
            row = Row("train %s, batch 32, %d threads" % (network, threads), "samples", TRAIN_TARGET if threads == 2 else None,
                      ("PyTorch",), 3 * forward_mflop(network), threads)
            rows.append(row.measure(sides, options, names, do="train", network=network, threads=threads, seconds=options.seconds))
    show("Training: samples per second", rows, names)
    show_operations(rows, peaks)
    return rows, peaks


def device_rows(sides, networks, options):
    """Training on a GPU: small batches, where starting kernels is what costs, and large ones."""
    names = [name for name in ("ours", "PyTorch") if name in sides.running]
    rows = []
    for network in networks:
        for batch, target in DEVICE_TARGETS.items():
            row = Row("train %s, batch %d, %s" % (network, batch, options.device), "samples", target, ("PyTorch",))
            question = {"network": network, "threads": 1, "batch": batch, "device": options.device, "seconds": options.seconds}
            rows.append(row.measure(sides, options, names, do="train", **question))
    show("Training on %s: samples per second" % options.device, rows, names)
    return rows


def infer_rows(sides, networks, options, peaks):
    names = list(sides.running)
    rows = []
    for network in networks:
        against, target = INFER_TARGETS[network]
        for batch in (1, 32, 256):
            row = Row("infer %s, batch %d, 1 thread" % (network, batch), "samples", target, against, forward_mflop(network))
            rows.append(row.measure(sides, options, names, do="infer", network=network, batch=batch, seconds=options.seconds / 2))
    show("Inference on one thread: samples per second", rows, names)
    show_operations(rows, peaks)
    return rows


def memory(sides, networks, options):
    """Peak resident memory: of a fresh process that does nothing but train the network for a moment, and of the worker
    process in which the whole product trains it, which also holds its plugins, its data and its connection to the host."""
    print("\nPeak memory of a process that trains, MiB")
    for network in networks:
        peaks = {}

        def alone(name):
            if name not in sides.running:
                raise NotRun(sides.missing[name])
            side = sides.start(name)
            try:
                side.ask(do="train", network=network, threads=2, seconds=options.seconds)
                return side.ask(do="memory")["peak_mib"]
            finally:
                side.close()

        def worker(_):
            side = sides.start("ours")
            try:
                return side.ask(do="worker-memory", network=network)["peak_mib"]
            finally:
                side.close()

        for name, measure in (("ours", alone), ("our worker", worker), ("PyTorch", alone)):
            try:
                peaks[name] = measure(name)
            except NotRun as reason:
                print("  %s: %s not run: %s" % (network, name, reason))
        text = "   ".join("%s %.0f" % pair for pair in peaks.items())
        greatest = max((peaks[name] for name in ("ours", "our worker") if name in peaks), default=None)
        if "PyTorch" in peaks and greatest is not None:
            share = greatest / peaks["PyTorch"]
            text += "   share %.2f  %s (<= %.2f)" % (share, "met" if share <= MEMORY_TARGET else "MISSED", MEMORY_TARGET)
        print("  %-34s %s" % (network, text or "not run"))


def bars_rows(sides, options):
    rows = [
        Row("20 features of each bar", "bars", FEATURES_TARGET).measure(
            sides, options, ["ours"], do="features", rows=1_000_000, seconds=options.seconds),
        Row("Parquet to columns, minutes", "bars", READ_TARGET).measure(
            sides, options, ["ours"], do="read", interval="1m", rows=2_000_000, seconds=options.seconds),
        Row("Parquet to columns, hours", "bars", READ_TARGET).measure(
            sides, options, ["ours"], do="read", interval="1h", rows=70_000, seconds=options.seconds),
    ]
    show("Bars per second, one thread", rows, ["ours"])
    for row in rows:
        if "ours" in row.rates:
            print("  %-34s %s per CPU-s" % (row.what, number(row.median("ours", "cpu"))))
    return rows


def machine():
    with open("/proc/cpuinfo") as info:
        lines = info.read().splitlines()
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown processor")
    flags = next((line for line in lines if line.startswith("flags")), "")
    wide = [flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_tile") if flag in flags.split()]
    return "%s, %d CPUs, %s" % (model, os.cpu_count(), " ".join(wide))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="lstm,transformer,memory,bars", help="what to measure")
    parser.add_argument("--repeats", type=int, default=5, help="turns per side and row")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of a turn")
    parser.add_argument("--wait", type=float, default=5.0, help="seconds to wait for a quiet machine before each round, at most")
    parser.add_argument("--ours", help="our benchmark, built already")
    parser.add_argument("--device", help="train on this device instead, as cuda:0, and measure nothing else")
    parser.add_argument("--json", help="also write every turn here")
    options = parser.parse_args()
    only = options.only.split(",")
    networks = [network for network in SHAPES if network in only]

    sides = Sides(options.ours or build())
    print(machine())
    print(", ".join("%s %s" % (name, side.about["version"]) for name, side in sides.running.items()))
    for name, reason in sides.missing.items():
        print("%s not run: %s" % (name, reason))
    rows, agree = [], True
    with tempfile.TemporaryDirectory() as folder:
        if options.device:
            rows += device_rows(sides, networks, options)
        elif networks:
            print("\nThe same network: greatest relative difference, at most %.0e" % SAME)
            agree = all([same_network(sides, network, folder) for network in networks])
            trained, peaks = train_rows(sides, networks, options)
            rows += trained + infer_rows(sides, networks, options, peaks)
    if "memory" in only and not options.device:
        memory(sides, networks or list(SHAPES), options)
    if "bars" in only and not options.device:
        rows += bars_rows(sides, options)
    if options.json:
        with open(options.json, "w") as file:
            json.dump([{"what": row.what, "rounds": row.rounds, "not_run": row.reasons} for row in rows], file, indent=1)
    sides.close()
    if not agree:
        sys.exit("the sides do not compute the same network: the ratios mean nothing")


if __name__ == "__main__":
    main()
