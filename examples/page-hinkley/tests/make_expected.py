"""Writes expected.h: three fixed streams and where River's Page-Hinkley test reports drift in them.

    pip install river==0.26.1 && python make_expected.py > expected.h

River (online-ml/river, BSD-3-Clause) is the outside implementation. The streams come from Python's own generator with fixed
seeds; `categories` is the one of River's documentation, which states a change at 1006.
"""
import random

from river import drift

MODES = ["up", "down", "both"]


def categories():
    rng = random.Random(12345)
    return [float(value) for value in rng.choices([0, 1], k=1000) + rng.choices(range(4, 8), k=1000)]


def bits():
    rng = random.Random(1)
    shares = [0.2] * 500 + [0.8] * 600 + [0.3] * 500
    return [float(rng.random() < share) for share in shares]


def levels():
    rng = random.Random(7)
    means = [0.0] * 300 + [1.5] * 300 + [-1.0] * 300 + [-0.5] * 300
    return [round(rng.gauss(mean, 1.0), 3) for mean in means]


STREAMS = {"categories": categories(), "bits": bits(), "levels": levels()}

CASES = [
    ("categories", 50.0, 0.005, 0.9999, 30, "both"),
    ("categories", 10.0, 0.5, 0.999, 100, "up"),
    ("categories", 7.0, 0.1, 0.95, 1, "down"),
    ("bits", 20.0, 0.005, 0.9999, 30, "up"),
    ("bits", 20.0, 0.005, 0.9999, 30, "down"),
    ("bits", 20.0, 0.05, 0.999, 30, "both"),
    ("levels", 50.0, 0.005, 0.9999, 30, "both"),
    ("levels", 25.0, 0.1, 1.0, 30, "up"),
    ("levels", 25.0, 0.1, 1.0, 30, "down"),
    ("levels", 12.0, 0.25, 0.99, 50, "both"),
    ("levels", 15.0, 0.25, 0.99, 50, "both"),
]


def run(values, threshold, delta, alpha, least, mode):
    detector = drift.PageHinkley(min_instances=least, delta=delta, threshold=threshold, alpha=alpha, mode=mode)
    found = []
    for index, value in enumerate(values):
        detector.update(value)
        if detector.drift_detected:
            rise = detector._sum_increase - detector._min_increase
            fall = detector._max_decrease - detector._sum_decrease
            statistic = {"up": rise, "down": fall, "both": max(rise, fall)}[mode]
            found.append((index, statistic))
    return found


def rows(texts, width):
    line = "   "
    for text in texts:
        if len(line) + len(text) + 2 > width:
            yield line
            line = "   "
        line += f" {text},"
    yield line


print("/* Made by make_expected.py with River 0.26.1; do not edit. */")
for name, values in STREAMS.items():
    print(f"static const double {name}[] = {{")
    print("\n".join(rows([f"{value:g}" for value in values], 130)))
    print("};\n")
print("static const struct {")
print("    const double *stream;\n    size_t count;\n    const char *config;\n    size_t drifts;")
print("    struct {\n        uint32_t index;\n        double statistic;\n    } drift[16];")
print("} expected[] = {")
for name, threshold, delta, alpha, least, mode in CASES:
    found = run(STREAMS[name], threshold, delta, alpha, least, mode)
    config = (
        f'{{\\"threshold\\": {threshold}, \\"delta\\": {delta}, \\"forgetting\\": {alpha}, '
        f'\\"min_instances\\": {least}, \\"direction\\": \\"{mode}\\"}}'
    )
    drifts = ",\n      ".join(f"{{{index}, {statistic!r}}}" for index, statistic in found[:16])
    print(f'    {{{name}, {len(STREAMS[name])},\n     "{config}",\n     {len(found)}, {{{drifts}}}}},')
    assert len(found) <= 16, (name, len(found))
print("};")
