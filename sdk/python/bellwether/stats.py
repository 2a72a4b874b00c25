"""Distribution functions, so that no plugin carries its own. In a component the host computes them."""

from __future__ import annotations

from .host import interface

_host = interface("stats")


def normal_cdf(x: float) -> float:
    """Standard normal cumulative distribution."""
    return _host.normal_cdf(x)


def normal_quantile(p: float) -> float:
    """Standard normal quantile at a probability in (0, 1); NaN outside."""
    return _host.normal_quantile(p)


def student_t_sf(x: float, df: float) -> float:
    """Upper tail of Student's t with `df` > 0 degrees of freedom; NaN for a bad `df`."""
    return _host.student_t_sf(x, df)


def chi_squared_sf(x: float, df: float) -> float:
    """Upper tail of chi-squared with `df` > 0 degrees of freedom; NaN for a bad `df`."""
    return _host.chi_squared_sf(x, df)


def fisher_f_sf(x: float, d1: float, d2: float) -> float:
    """Upper tail of F with `d1`, `d2` > 0 degrees of freedom; NaN for bad ones."""
    return _host.fisher_f_sf(x, d1, d2)


def beta_regularized(a: float, b: float, x: float) -> float:
    """Regularised incomplete beta function I_x(a, b), `a`, `b` > 0, x in [0, 1]; NaN outside."""
    return _host.beta_regularized(a, b, x)


def ln_gamma(x: float) -> float:
    """Natural logarithm of the gamma function, `x` > 0."""
    return _host.ln_gamma(x)
