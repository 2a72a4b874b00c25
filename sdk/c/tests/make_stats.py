"""Writes stats_expected.h: values of the distribution functions from SciPy.

    pip install scipy==1.17.1 && python make_stats.py > stats_expected.h
"""
from scipy import special, stats

ROWS = {
    "normal_cdf": [(x,) for x in (-37.0, -8.0, -1.96, -0.1, 0.0, 0.5, 1.0, 3.0, 8.0)],
    "normal_quantile": [(p,) for p in (1e-300, 1e-12, 0.001, 0.025, 0.3, 0.5, 0.9, 0.999999, 1 - 1e-12)],
    "student_t_sf": [(x, df) for x in (-3.0, 0.0, 0.7, 2.0, 40.0) for df in (0.5, 1.0, 10.0, 3000.0)],
    "chi_squared_sf": [(x, df) for x in (1e-3, 0.7, 5.0, 100.0) for df in (0.5, 1.0, 7.0, 90.0, 2000.0)],
    "fisher_f_sf": [(x, a, b) for x in (0.01, 1.0, 4.0, 30.0) for a, b in ((1.0, 1.0), (2.0, 30.0), (40.0, 3.0), (500.0, 700.0))],
    "beta_regularized": [(a, b, x) for a, b in ((0.5, 0.5), (2.0, 5.0), (30.0, 0.3), (900.0, 1100.0)) for x in (0.0, 0.01, 0.45, 0.9, 1.0)],
    "ln_gamma": [(x,) for x in (1e-8, 0.1, 0.5, 1.0, 1.5, 2.0, 17.0, 1e5)],
}
FUNCTIONS = {
    "normal_cdf": stats.norm.cdf,
    "normal_quantile": stats.norm.ppf,
    "student_t_sf": stats.t.sf,
    "chi_squared_sf": stats.chi2.sf,
    "fisher_f_sf": stats.f.sf,
    "beta_regularized": special.betainc,
    "ln_gamma": special.gammaln,
}

print("/* Made by make_stats.py with SciPy 1.17.1; do not edit. */")
for name, rows in ROWS.items():
    print(f"static const double {name}[][4] = {{")
    for row in rows:
        arguments = ", ".join(repr(float(value)) for value in (*row, *[0.0] * (3 - len(row))))
        print(f"    {{{arguments}, {float(FUNCTIONS[name](*row))!r}}},")
    print("};")
