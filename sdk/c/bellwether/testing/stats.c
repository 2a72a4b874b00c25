/* The host's distribution functions, natively. Accurate to 1e-9 and better; arguments outside give NaN.
 *
 * Incomplete beta: the continued fraction of Didonato and Morris (1992) by Lentz's method, on the side where it converges.
 * Incomplete gamma: its series below a + 1, its continued fraction above. Normal quantile: Newton steps on the tail from a
 * rough start (Abramowitz and Stegun 26.2.23).
 */
#include <math.h>

#include "testing.h"

#define SQRT_2 1.41421356237309504880
#define SQRT_2_PI 2.50662827463100050242
#define TINY 1e-300

static bool positive(double value) {
    return value > 0.0 && isfinite(value);
}

double bw_normal_cdf(double x) {
    return 0.5 * erfc(-x / SQRT_2);
}

double bw_normal_quantile(double p) {
    if (!(p > 0.0 && p < 1.0)) {
        return NAN;
    }
    if (p == 0.5) {
        return 0.0;
    }
    /* The upper tail of q = -quantile(tail), where erfc keeps all its digits. */
    double tail = p < 0.5 ? p : 1.0 - p, t = sqrt(-2.0 * log(tail));
    double q = t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
    for (int step = 0; step < 6; step++) {
        double excess = (0.5 * erfc(q / SQRT_2) - tail) * SQRT_2_PI * exp(0.5 * q * q);
        q += excess / (1.0 - 0.5 * q * excess);
    }
    return p < 0.5 ? -q : q;
}

double bw_ln_gamma(double x) {
    return x > 0.0 ? lgamma(x) : NAN;
}

static double away_from_zero(double value) {
    return fabs(value) < TINY ? TINY : value;
}

/* The continued fraction of the incomplete beta function. */
static double beta_fraction(double a, double b, double x) {
    double c = 1.0, d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0)), value = d;
    for (int m = 1; m < 100000; m++) {
        double even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / away_from_zero(1.0 + even * d);
        c = away_from_zero(1.0 + even / c);
        value *= c * d;
        d = 1.0 / away_from_zero(1.0 + odd * d);
        c = away_from_zero(1.0 + odd / c);
        value *= c * d;
        if (fabs(c * d - 1.0) < 1e-15) {
            break;
        }
    }
    return value;
}

double bw_beta_regularized(double a, double b, double x) {
    if (!positive(a) || !positive(b) || !(x >= 0.0 && x <= 1.0)) {
        return NAN;
    }
    if (x == 0.0 || x == 1.0) {
        return x;
    }
    double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
    if (x < (a + 1.0) / (a + b + 2.0)) {
        return front * beta_fraction(a, b, x) / a;
    }
    return 1.0 - front * beta_fraction(b, a, 1.0 - x) / b;
}

double bw_student_t_sf(double x, double df) {
    if (!positive(df) || isnan(x)) {
        return NAN;
    }
    if (isinf(x)) {
        return x > 0.0 ? 0.0 : 1.0;
    }
    double half_both_tails = 0.5 * bw_beta_regularized(df / 2.0, 0.5, df / (df + x * x));
    return x >= 0.0 ? half_both_tails : 1.0 - half_both_tails;
}

double bw_fisher_f_sf(double x, double d1, double d2) {
    if (!positive(d1) || !positive(d2) || isnan(x)) {
        return NAN;
    }
    if (x <= 0.0) {
        return 1.0;
    }
    return isinf(x) ? 0.0 : bw_beta_regularized(d2 / 2.0, d1 / 2.0, d2 / (d2 + d1 * x));
}

/* Upper regularised incomplete gamma function, a > 0, x > 0. */
static double gamma_upper(double a, double x) {
    double front = exp(a * log(x) - x - lgamma(a));
    if (x < a + 1.0) {
        double term = 1.0 / a, sum = term;
        for (int n = 1; n < 100000 && fabs(term) > 1e-17 * sum; n++) {
            term *= x / (a + n);
            sum += term;
        }
        return 1.0 - front * sum;
    }
    double b = x + 1.0 - a, c = 1.0 / TINY, d = 1.0 / b, value = d;
    for (int n = 1; n < 100000; n++) {
        double factor = -n * (n - a);
        b += 2.0;
        d = 1.0 / away_from_zero(factor * d + b);
        c = away_from_zero(b + factor / c);
        value *= c * d;
        if (fabs(c * d - 1.0) < 1e-15) {
            break;
        }
    }
    return front * value;
}

double bw_chi_squared_sf(double x, double df) {
    if (!positive(df) || isnan(x)) {
        return NAN;
    }
    if (x <= 0.0) {
        return 1.0;
    }
    return isinf(x) ? 0.0 : gamma_upper(df / 2.0, x / 2.0);
}
