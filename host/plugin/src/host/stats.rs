//! `bellwether:host/stats`: distribution functions from statrs' special functions. Arguments outside a function's domain
//! give NaN, as the contract says; none of them traps.

use statrs::function::beta::checked_beta_reg;
use statrs::function::erf::{erfc, erfc_inv};
use statrs::function::gamma::{checked_gamma_ur, ln_gamma};

use crate::bindings::base::bellwether::host::stats::Host;
use crate::state::State;

impl Host for State {
    fn normal_cdf(&mut self, x: f64) -> wasmtime::Result<f64> {
        self.host_calls.one_more()?;
        Ok(normal_cdf(x))
    }

    fn normal_quantile(&mut self, p: f64) -> wasmtime::Result<f64> {
        self.host_calls.one_more()?;
        Ok(if p > 0.0 && p < 1.0 { -std::f64::consts::SQRT_2 * erfc_inv(2.0 * p) } else { f64::NAN })
    }

    fn student_t_sf(&mut self, x: f64, df: f64) -> wasmtime::Result<f64> {
        self.host_calls.one_more()?;
        Ok(student_t_sf(x, df))
    }

    fn chi_squared_sf(&mut self, x: f64, df: f64) -> wasmtime::Result<f64> {
        self.host_calls.one_more()?;
        Ok(chi_squared_sf(x, df))
    }

    fn fisher_f_sf(&mut self, x: f64, d1: f64, d2: f64) -> wasmtime::Result<f64> {
        self.host_calls.one_more()?;
        Ok(fisher_f_sf(x, d1, d2))
    }

    fn beta_regularized(&mut self, a: f64, b: f64, x: f64) -> wasmtime::Result<f64> {
        self.host_calls.one_more()?;
        Ok(beta(a, b, x))
    }

    fn ln_gamma(&mut self, x: f64) -> wasmtime::Result<f64> {
        self.host_calls.one_more()?;
        Ok(if x > 0.0 { ln_gamma(x) } else { f64::NAN })
    }
}

fn normal_cdf(x: f64) -> f64 {
    if x.is_nan() { f64::NAN } else { 0.5 * erfc(-x / std::f64::consts::SQRT_2) }
}

fn positive(value: f64) -> bool {
    value > 0.0 && value.is_finite()
}

fn beta(a: f64, b: f64, x: f64) -> f64 {
    if positive(a) && positive(b) && (0.0..=1.0).contains(&x) { checked_beta_reg(a, b, x).unwrap_or(f64::NAN) } else { f64::NAN }
}

fn student_t_sf(x: f64, df: f64) -> f64 {
    if !positive(df) || x.is_nan() {
        return f64::NAN;
    }
    if x.is_infinite() {
        return if x > 0.0 { 0.0 } else { 1.0 };
    }
    let half_both_tails = 0.5 * beta(df / 2.0, 0.5, df / (df + x * x));
    if x >= 0.0 { half_both_tails } else { 1.0 - half_both_tails }
}

fn chi_squared_sf(x: f64, df: f64) -> f64 {
    if !positive(df) || x.is_nan() {
        return f64::NAN;
    }
    if x <= 0.0 {
        return 1.0;
    }
    if x.is_infinite() { 0.0 } else { checked_gamma_ur(df / 2.0, x / 2.0).unwrap_or(f64::NAN) }
}

fn fisher_f_sf(x: f64, d1: f64, d2: f64) -> f64 {
    if !positive(d1) || !positive(d2) || x.is_nan() {
        return f64::NAN;
    }
    if x <= 0.0 {
        return 1.0;
    }
    if x.is_infinite() { 0.0 } else { beta(d2 / 2.0, d1 / 2.0, d2 / (d2 + d1 * x)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values from tables that are known to more digits than are compared (R 4: pnorm, pt, pchisq, pf, pbeta).
    #[test]
    fn tails_agree_with_known_values() {
        let check = |name: &str, value: f64, expected: f64| {
            assert!((value - expected).abs() <= 1e-9 * expected.abs().max(1e-3), "{name}: {value} against {expected}");
        };
        check("normal 1.96", normal_cdf(1.96), 0.975_002_104_851_779_5);
        check("normal -5", normal_cdf(-5.0), 2.866_515_718_791_933e-7);
        check("t 2, 10", student_t_sf(2.0, 10.0), 0.036_694_017_385_370_18);
        check("t -2, 10", student_t_sf(-2.0, 10.0), 0.963_305_982_614_629_8);
        check("t 1, 1", student_t_sf(1.0, 1.0), 0.25);
        check("chi 3.841458820694124, 1", chi_squared_sf(3.841_458_820_694_124, 1.0), 0.05);
        check("chi 2, 2", chi_squared_sf(2.0, 2.0), (-1.0_f64).exp());
        check("f 1, 5, 5", fisher_f_sf(1.0, 5.0, 5.0), 0.5);
        check("f 4, 2, 2", fisher_f_sf(4.0, 2.0, 2.0), 0.2);
        check("beta 2, 2, 0.25", beta(2.0, 2.0, 0.25), 0.156_25);
    }

    #[test]
    fn bad_arguments_give_nan_and_infinities_their_limits() {
        for value in [student_t_sf(1.0, 0.0), student_t_sf(1.0, f64::NAN), chi_squared_sf(1.0, -1.0), chi_squared_sf(f64::NAN, 1.0)] {
            assert!(value.is_nan());
        }
        for value in
            [fisher_f_sf(1.0, 0.0, 1.0), beta(1.0, 1.0, 2.0), beta(0.0, 1.0, 0.5), beta(f64::INFINITY, 1.0, 0.5), normal_cdf(f64::NAN)]
        {
            assert!(value.is_nan());
        }
        assert_eq!((student_t_sf(f64::INFINITY, 3.0), student_t_sf(f64::NEG_INFINITY, 3.0)), (0.0, 1.0));
        assert_eq!((chi_squared_sf(f64::INFINITY, 3.0), chi_squared_sf(-1.0, 3.0)), (0.0, 1.0));
        assert_eq!((normal_cdf(f64::INFINITY), normal_cdf(f64::NEG_INFINITY)), (1.0, 0.0));
    }
}
