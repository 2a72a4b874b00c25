#!/usr/bin/env python3
"""Trains every model type on one series and prints how each did on the held-out part, beside the naive forecast and HAR.

    python3 examples/volatility/compare.py btcusdt_1h.csv --symbol BTC/USDT

Starts a host of its own in a folder that vanishes, imports the bars, trains one model type after the other as models.json
says, and prints a table in Markdown. Wants Python 3.9 or newer and a built `bellwether` (`make build`), nothing else.
"""

import argparse
import json
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent


def built() -> str:
    """The binary that `make build` leaves."""
    command = ["cargo", "metadata", "--format-version", "1", "--no-deps"]
    said = subprocess.run(command, cwd=HERE.parent.parent, capture_output=True, text=True, check=True)
    return json.loads(said.stdout)["target_directory"] + "/release/bellwether"


class Host:
    """A host of our own, and calls of its API."""

    def __init__(self, binary: str, folder: str, threads: int):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{free.getsockname()[1]}"
        self.url, self.data = f"http://{address}", pathlib.Path(folder, "data")
        self.binary, self.log = binary, open(pathlib.Path(folder, "log"), "w")
        command = [binary, "serve", "--bind", address, "--data", str(self.data), "--set", f"training.threads={threads}"]
        self.process = subprocess.Popen(command, cwd=folder, stdout=self.log, stderr=self.log)
        for _ in range(200):
            try:
                urllib.request.urlopen(self.url + "/readyz", timeout=1).close()
                return
            except OSError:
                time.sleep(0.1)
        sys.exit(f"the host did not come up; see {self.log.name}")

    def call(self, path: str, body=None):
        headers = {"Authorization": "Bearer " + (self.data / "token").read_text().strip(), "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(self.url + path, data, headers), timeout=60) as answer:
            return json.load(answer)

    def bars(self, path: str, symbol: str, interval: str) -> None:
        flags = ["--symbol", symbol, "--interval", interval, "--url", self.url, "--token-file", str(self.data / "token")]
        subprocess.run([self.binary, "data", "import", path, *flags], check=True, stdout=sys.stderr)

    def train(self, request: dict) -> "tuple[dict, float]":
        """The job's version and the seconds it took."""
        began = time.monotonic()
        job = self.call("/mlops/api/training/jobs", request)
        while job["state"] in ("queued", "running"):
            time.sleep(0.5)
            job = self.call("/mlops/api/training/jobs/" + job["job_id"])
        if job["state"] != "succeeded":
            raise RuntimeError(job.get("error") or job["state"])
        return self.call("/mlops/api/models/" + job["model_id"]), time.monotonic() - began

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


def requests(symbol: str, interval: str, seed: "int | None", only: "list[str]"):
    """(model type, request) for every model of models.json."""
    plan = json.loads((HERE / "models.json").read_text())
    for model_type, model in plan["models"].items():
        if only and model_type not in only:
            continue
        model = dict(model)
        config = {**(plan["network"] if model.pop("network", False) else {}), **model.pop("config", {})}
        request = {**plan["request"], **model, "model_type": model_type, "symbol": symbol, "interval": interval, "config": config}
        yield model_type, request if seed is None else {**request, "seed": seed}


def main() -> None:
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("bars", help="CSV with the columns timestamp,open,high,low,close,volume")
    flags.add_argument("--symbol", required=True)
    flags.add_argument("--interval", default="1h")
    flags.add_argument("--seed", type=int, help="instead of the one in models.json")
    flags.add_argument("--only", nargs="*", default=[], metavar="TYPE", help="these model types")
    flags.add_argument("--threads", type=int, default=2)
    flags.add_argument("--bellwether", help="the binary; the one `make build` leaves, if not said")
    given = flags.parse_args()
    print("| model | mse | skill vs naive | R² | right direction | samples | training |")
    print("|---|---|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        host = Host(given.bellwether or built(), folder, given.threads)
        try:
            host.bars(str(pathlib.Path(given.bars).resolve()), given.symbol, given.interval)
            for model_type, request in requests(given.symbol, given.interval, given.seed, given.only):
                try:
                    version, seconds = host.train(request)
                except RuntimeError as error:
                    print(f"| {model_type} | failed: {error} | | | | | |", flush=True)
                    continue
                got = version["metrics"]
                print(
                    f"| {model_type} | {got['mse']:.4f} | {got['skill']:.3f} | {got['r2_score']:.3f} | {got['accuracy']:.3f}"
                    f" | {got['samples']} | {seconds:.0f} s |",
                    flush=True,
                )
                if model_type == "har":
                    print(f"| naive | {got['baseline_mse']:.4f} | 0 | {1 - got['baseline_mse'] * (1 - got['r2_score']) / got['mse']:.3f} | | {got['samples']} | |", flush=True)
        finally:
            host.stop()


if __name__ == "__main__":
    main()
