// Package stats has the host's distribution functions, so that no plugin carries its own.
package stats

// NormalCDF is the standard normal cumulative distribution at x.
func NormalCDF(x float64) float64 { return normalCDF(x) }

// NormalQuantile is the standard normal quantile at probability p in (0, 1); NaN outside.
func NormalQuantile(p float64) float64 { return normalQuantile(p) }

// StudentTSF is the upper tail of Student's t with df > 0 degrees of freedom; NaN for a bad df.
func StudentTSF(x, df float64) float64 { return studentTSF(x, df) }

// ChiSquaredSF is the upper tail of chi-squared with df > 0 degrees of freedom; NaN for a bad df.
func ChiSquaredSF(x, df float64) float64 { return chiSquaredSF(x, df) }

// FisherFSF is the upper tail of F with d1, d2 > 0 degrees of freedom; NaN for bad ones.
func FisherFSF(x, d1, d2 float64) float64 { return fisherFSF(x, d1, d2) }

// BetaRegularized is the regularised incomplete beta function I_x(a, b), a, b > 0, x in [0, 1]; NaN outside.
func BetaRegularized(a, b, x float64) float64 { return betaRegularized(a, b, x) }

// LnGamma is the natural logarithm of the gamma function, x > 0.
func LnGamma(x float64) float64 { return lnGamma(x) }
