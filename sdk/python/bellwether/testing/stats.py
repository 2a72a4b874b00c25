"""The host's distribution functions in Python, to about twelve digits.

The incomplete beta and gamma functions are Lentz's continued fractions and a power series, each where it converges fast
(Press et al., Numerical Recipes, 3rd ed., 6.2 and 6.4). Arguments outside a domain give NaN, as the contract says.
"""

from __future__ import annotations

import math
from statistics import NormalDist

#: Where a continued fraction stops, and what stands for a zero in it.
EPSILON, TINY = 1e-16, 1e-300


def normal_cdf(x: float) -> float:
    return math.nan if math.isnan(x) else 0.5 * math.erfc(-x / math.sqrt(2.0))


def normal_quantile(p: float) -> float:
    return NormalDist().inv_cdf(p) if 0.0 < p < 1.0 else math.nan


def student_t_sf(x: float, df: float) -> float:
    if not _positive(df) or math.isnan(x):
        return math.nan
    if math.isinf(x):
        return 0.0 if x > 0 else 1.0
    half = 0.5 * beta_regularized(df / 2.0, 0.5, df / (df + x * x))
    return half if x >= 0 else 1.0 - half


def chi_squared_sf(x: float, df: float) -> float:
    if not _positive(df) or math.isnan(x):
        return math.nan
    if x <= 0:
        return 1.0
    return 0.0 if math.isinf(x) else _gamma_upper(df / 2.0, x / 2.0)


def fisher_f_sf(x: float, d1: float, d2: float) -> float:
    if not _positive(d1) or not _positive(d2) or math.isnan(x):
        return math.nan
    if x <= 0:
        return 1.0
    return 0.0 if math.isinf(x) else beta_regularized(d2 / 2.0, d1 / 2.0, d2 / (d2 + d1 * x))


def beta_regularized(a: float, b: float, x: float) -> float:
    if not (_positive(a) and _positive(b) and 0.0 <= x <= 1.0):
        return math.nan
    if x in (0.0, 1.0):
        return x
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1.0) / (a + b + 2.0):
        return front * _beta_fraction(a, b, x) / a
    return 1.0 - front * _beta_fraction(b, a, 1.0 - x) / b


def ln_gamma(x: float) -> float:
    return math.lgamma(x) if x > 0 else math.nan


def _positive(value: float) -> bool:
    return value > 0 and math.isfinite(value)


def _nonzero(value: float) -> float:
    return TINY if abs(value) < TINY else value


def _beta_fraction(a: float, b: float, x: float) -> float:
    c, d = 1.0, 1.0 / _nonzero(1.0 - (a + b) * x / (a + 1.0))
    result, m = d, 0
    while True:
        m += 1
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for factor in (even, odd):
            d = 1.0 / _nonzero(1.0 + factor * d)
            c = _nonzero(1.0 + factor / c)
            result *= d * c
        # The last factor is 1 up to rounding; the count bounds what rounding keeps from settling.
        if abs(d * c - 1.0) <= EPSILON or m > 10_000:
            return result


def _gamma_upper(a: float, x: float) -> float:
    front = math.exp(a * math.log(x) - x - math.lgamma(a))
    if x < a + 1.0:
        term = total = 1.0 / a
        n = 0
        while abs(term) > EPSILON * abs(total) and n < 100_000:
            n += 1
            term *= x / (a + n)
            total += term
        return 1.0 - front * total
    b = x + 1.0 - a
    c, d = 1.0 / TINY, 1.0 / _nonzero(b)
    result, n = d, 0
    while True:
        n += 1
        factor = -n * (n - a)
        b += 2.0
        d = 1.0 / _nonzero(factor * d + b)
        c = _nonzero(b + factor / c)
        result *= d * c
        if abs(d * c - 1.0) <= EPSILON or n > 100_000:
            return front * result
