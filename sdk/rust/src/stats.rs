//! Distribution functions of the host, so that no plugin carries its own. Natively the same library answers.

#[cfg(target_family = "wasm")]
use crate::bindings::shared::bellwether::host::stats as source;

/// Standard normal cumulative distribution at `x`.
pub fn normal_cdf(x: f64) -> f64 {
    source::normal_cdf(x)
}

/// Standard normal quantile at probability `p` in (0, 1); NaN outside.
pub fn normal_quantile(p: f64) -> f64 {
    source::normal_quantile(p)
}

/// Upper tail of Student's t with `df` > 0 degrees of freedom; NaN for a bad `df`.
pub fn student_t_sf(x: f64, df: f64) -> f64 {
    source::student_t_sf(x, df)
}

/// Upper tail of chi-squared with `df` > 0 degrees of freedom; NaN for a bad `df`.
pub fn chi_squared_sf(x: f64, df: f64) -> f64 {
    source::chi_squared_sf(x, df)
}

/// Upper tail of F with `d1`, `d2` > 0 degrees of freedom; NaN for bad ones.
pub fn fisher_f_sf(x: f64, d1: f64, d2: f64) -> f64 {
    source::fisher_f_sf(x, d1, d2)
}

/// Regularised incomplete beta function I_x(a, b), `a`, `b` > 0, x in [0, 1]; NaN outside.
pub fn beta_regularized(a: f64, b: f64, x: f64) -> f64 {
    source::beta_regularized(a, b, x)
}

/// Natural logarithm of the gamma function, `x` > 0.
pub fn ln_gamma(x: f64) -> f64 {
    source::ln_gamma(x)
}

#[cfg(not(target_family = "wasm"))]
mod source {
    use statrs::distribution::{ChiSquared, ContinuousCDF, FisherSnedecor, Normal, StudentsT};
    use statrs::function::{beta, gamma};

    pub(super) fn normal_cdf(x: f64) -> f64 {
        Normal::standard().cdf(x)
    }

    pub(super) fn normal_quantile(p: f64) -> f64 {
        if p > 0.0 && p < 1.0 { Normal::standard().inverse_cdf(p) } else { f64::NAN }
    }

    pub(super) fn student_t_sf(x: f64, df: f64) -> f64 {
        StudentsT::new(0.0, 1.0, df).map_or(f64::NAN, |law| law.sf(x))
    }

    pub(super) fn chi_squared_sf(x: f64, df: f64) -> f64 {
        ChiSquared::new(df).map_or(f64::NAN, |law| law.sf(x))
    }

    pub(super) fn fisher_f_sf(x: f64, d1: f64, d2: f64) -> f64 {
        FisherSnedecor::new(d1, d2).map_or(f64::NAN, |law| law.sf(x))
    }

    pub(super) fn beta_regularized(a: f64, b: f64, x: f64) -> f64 {
        beta::checked_beta_reg(a, b, x).unwrap_or(f64::NAN)
    }

    pub(super) fn ln_gamma(x: f64) -> f64 {
        gamma::ln_gamma(x)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn known_values() {
        let check = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-9, "{found} {expected}");
        check(super::normal_cdf(1.96), 0.975_002_104_851_780);
        check(super::student_t_sf(2.0, 10.0), 0.036_694_017_385_370);
        check(super::chi_squared_sf(3.841_458_820_694_124, 1.0), 0.05);
        assert!(super::normal_quantile(1.0).is_nan() && super::student_t_sf(1.0, -1.0).is_nan());
    }
}
