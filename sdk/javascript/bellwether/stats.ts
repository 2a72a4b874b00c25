// Distribution functions of the host, so that no plugin carries its own.

import { part } from "./host.js";

/** Standard normal cumulative distribution at `x`. */
export const normalCdf = (x: number): number => part("stats").normalCdf(x);

/** Standard normal quantile at probability `p` in (0, 1); NaN outside. */
export const normalQuantile = (p: number): number => part("stats").normalQuantile(p);

/** Upper tail of Student's t with `df` > 0 degrees of freedom; NaN for a bad `df`. */
export const studentTSf = (x: number, df: number): number => part("stats").studentTSf(x, df);

/** Upper tail of chi-squared with `df` > 0 degrees of freedom; NaN for a bad `df`. */
export const chiSquaredSf = (x: number, df: number): number => part("stats").chiSquaredSf(x, df);

/** Upper tail of F with `d1`, `d2` > 0 degrees of freedom; NaN for bad ones. */
export const fisherFSf = (x: number, d1: number, d2: number): number => part("stats").fisherFSf(x, d1, d2);

/** Regularised incomplete beta function I_x(a, b), `a`, `b` > 0, x in [0, 1]; NaN outside. */
export const betaRegularized = (a: number, b: number, x: number): number => part("stats").betaRegularized(a, b, x);

/** Natural logarithm of the gamma function, `x` > 0. */
export const lnGamma = (x: number): number => part("stats").lnGamma(x);
