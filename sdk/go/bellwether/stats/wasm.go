//go:build wasip1

package stats

import host "bellwether/internal/wit/imports/bellwether_host_stats"

func normalCDF(x float64) float64             { return host.NormalCdf(x) }
func normalQuantile(p float64) float64        { return host.NormalQuantile(p) }
func studentTSF(x, df float64) float64        { return host.StudentTSf(x, df) }
func chiSquaredSF(x, df float64) float64      { return host.ChiSquaredSf(x, df) }
func fisherFSF(x, d1, d2 float64) float64     { return host.FisherFSf(x, d1, d2) }
func betaRegularized(a, b, x float64) float64 { return host.BetaRegularized(a, b, x) }
func lnGamma(x float64) float64               { return host.LnGamma(x) }
