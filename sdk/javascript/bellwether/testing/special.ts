// Distribution functions for tests, exact to about 1e-12 where the host's are; values from SciPy are among the SDK's own tests.
// The incomplete beta and gamma functions are those of Press et al., Numerical Recipes, 3rd edition, 6.1 to 6.4: a series or
// a continued fraction by Lentz's method, whichever converges.

import type { StatsSource } from "../host.js";

const EPSILON = 1e-16;
const TINY = 1e-300;
const ROUNDS = 10_000;

/** Lanczos's coefficients for g = 607/128 (Godfrey 2001). */
const LANCZOS = [
    57.1562356658629235, -59.5979603554754912, 14.1360979747417471, -0.491913816097620199, 0.339946499848118887e-4, 0.465236289270485756e-4,
    -0.983744753048795646e-4, 0.158088703224912494e-3, -0.210264441724104883e-3, 0.217439618115212643e-3, -0.16431810653676389e-3,
    0.844182239838527433e-4, -0.261908384015814087e-4, 0.368991826595316234e-5,
];

export function lnGamma(x: number): number {
    if (!(x > 0)) return Number.NaN;
    if (x === Number.POSITIVE_INFINITY) return x;
    const shifted = x + 5.2421875;
    const series = LANCZOS.reduce((sum, coefficient, place) => sum + coefficient / (x + place + 1), 0.999999999999997092);
    return (x + 0.5) * Math.log(shifted) - shifted + Math.log((2.5066282746310005 * series) / x);
}

/** Lower and upper regularised incomplete gamma function, P(a, x) and Q(a, x). */
function gamma(a: number, x: number): [number, number] {
    if (x <= 0) return [0, 1];
    const front = Math.exp(a * Math.log(x) - x - lnGamma(a));
    if (x < a + 1) {
        let [term, sum] = [1 / a, 1 / a];
        for (let n = 1; n < ROUNDS && Math.abs(term) > Math.abs(sum) * EPSILON; n++) {
            term *= x / (a + n);
            sum += term;
        }
        return [front * sum, 1 - front * sum];
    }
    let b = x + 1 - a;
    let [c, d] = [1 / TINY, 1 / b];
    let h = d;
    for (let n = 1; n < ROUNDS; n++) {
        const factor = -n * (n - a);
        b += 2;
        d = 1 / nonzero(factor * d + b);
        c = nonzero(b + factor / c);
        h *= d * c;
        if (Math.abs(d * c - 1) < EPSILON) break;
    }
    return [1 - front * h, front * h];
}

export function betaRegularized(a: number, b: number, x: number): number {
    if (!positive(a) || !positive(b) || !(x >= 0 && x <= 1)) return Number.NaN;
    return beta(a, b, x, 1 - x);
}

/** The same with 1 - x given apart, for where that difference is known better than it can be computed. */
function beta(a: number, b: number, x: number, y: number): number {
    if (x === 0 || y === 0) return x;
    const front = Math.exp(lnGamma(a + b) - lnGamma(a) - lnGamma(b) + a * logOf(x, y) + b * logOf(y, x));
    return x < (a + 1) / (a + b + 2) ? (front * fraction(a, b, x)) / a : 1 - (front * fraction(b, a, y)) / b;
}

/** ln(x) of x + y = 1, by the smaller of both. */
const logOf = (x: number, y: number): number => (x < y ? Math.log(x) : Math.log1p(-y));

function fraction(a: number, b: number, x: number): number {
    let c = 1;
    let d = 1 / nonzero(1 - ((a + b) * x) / (a + 1));
    let h = d;
    for (let n = 1; n < ROUNDS; n++) {
        const even = (n * (b - n) * x) / ((a + 2 * n - 1) * (a + 2 * n));
        d = 1 / nonzero(1 + even * d);
        c = nonzero(1 + even / c);
        h *= d * c;
        const odd = (-(a + n) * (a + b + n) * x) / ((a + 2 * n) * (a + 2 * n + 1));
        d = 1 / nonzero(1 + odd * d);
        c = nonzero(1 + odd / c);
        h *= d * c;
        if (Math.abs(d * c - 1) < EPSILON) break;
    }
    return h;
}

const nonzero = (value: number): number => (Math.abs(value) < TINY ? TINY : value);
const positive = (value: number): boolean => value > 0 && Number.isFinite(value);

export function normalCdf(x: number): number {
    if (Number.isNaN(x)) return x;
    const tail = Number.isFinite(x) ? gamma(0.5, (x * x) / 2)[1] / 2 : 0;
    return x < 0 ? tail : 1 - tail;
}

/** Acklam's rational approximation (2003), then two steps of Halley's method on the distribution function. */
export function normalQuantile(p: number): number {
    if (!(p > 0 && p < 1)) return Number.NaN;
    if (p > 0.5) return -normalQuantile(1 - p);
    let x = p < 0.02425 ? tailStart(p) : middleStart(p);
    for (let round = 0; round < 2; round++) {
        const step = (normalCdf(x) - p) * Math.sqrt(2 * Math.PI) * Math.exp((x * x) / 2);
        x -= step / (1 + (x * step) / 2);
    }
    return x;
}

function tailStart(p: number): number {
    const q = Math.sqrt(-2 * Math.log(p));
    return (
        polynomial(
            q,
            [-7.784894002430293e-3, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968, 2.938163982698783],
        ) / polynomial(q, [7.784695709041462e-3, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1])
    );
}

function middleStart(p: number): number {
    const q = p - 0.5;
    const r = q * q;
    return (
        (q *
            polynomial(
                r,
                [-39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716, 2.506628277459239],
            )) /
        polynomial(r, [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572, 1])
    );
}

const polynomial = (x: number, coefficients: number[]): number => coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0);

export function studentTSf(x: number, df: number): number {
    if (!positive(df) || Number.isNaN(x)) return Number.NaN;
    if (!Number.isFinite(x)) return x > 0 ? 0 : 1;
    const sum = df + x * x;
    const tail = beta(df / 2, 0.5, df / sum, (x * x) / sum) / 2;
    return x >= 0 ? tail : 1 - tail;
}

export function chiSquaredSf(x: number, df: number): number {
    if (!positive(df) || Number.isNaN(x)) return Number.NaN;
    if (x <= 0) return 1;
    return x === Number.POSITIVE_INFINITY ? 0 : gamma(df / 2, x / 2)[1];
}

export function fisherFSf(x: number, d1: number, d2: number): number {
    if (!positive(d1) || !positive(d2) || Number.isNaN(x)) return Number.NaN;
    if (x <= 0) return 1;
    return x === Number.POSITIVE_INFINITY ? 0 : beta(d2 / 2, d1 / 2, d2 / (d2 + d1 * x), (d1 * x) / (d2 + d1 * x));
}

/** The host's `stats`. */
export const special: StatsSource = {
    normalCdf,
    normalQuantile,
    studentTSf,
    chiSquaredSf,
    fisherFSf,
    betaRegularized,
    lnGamma,
};
