"""Makes stats.json: values of scipy 1.17.1's distribution functions, over parameters from small to large."""

import itertools
import json

from scipy import special, stats

cases = []


def add(name, function, *grids):
    for arguments in itertools.product(*grids):
        cases.append({"name": name, "arguments": arguments, "value": float(function(*arguments))})


add("normal-cdf", stats.norm.cdf, [-30.0, -8.0, -1.96, 0.0, 0.3, 1.96, 6.0])
add("normal-quantile", stats.norm.ppf, [1e-300, 1e-10, 0.025, 0.3, 0.5, 0.975, 1 - 1e-12])
add("student-t-sf", stats.t.sf, [-40.0, -2.0, 0.0, 0.1, 2.0, 9.0, 50.0], [0.5, 1.0, 2.5, 10.0, 300.0, 1e5])
add("chi-squared-sf", stats.chi2.sf, [0.01, 0.5, 3.841458820694124, 20.0, 100.0, 1100.0], [0.5, 1.0, 4.0, 99.0, 1000.0])
add("fisher-f-sf", stats.f.sf, [0.01, 0.5, 1.0, 3.0, 30.0], [1.0, 2.5, 10.0, 500.0], [1.0, 7.0, 100.0, 2000.0])
add("beta-regularized", special.betainc, [0.3, 1.0, 5.0, 200.0], [0.5, 2.0, 30.0, 1000.0], [0.0, 1e-6, 0.1, 0.5, 0.9, 1.0])
add("ln-gamma", special.gammaln, [1e-10, 0.5, 1.0, 3.7, 100.0, 1e6])

with open("stats.json", "w", encoding="utf-8") as file:
    file.write("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
