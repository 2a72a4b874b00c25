package bellwethertests

import (
	_ "embed"
	"encoding/json"
	"math"
	"testing"

	"bellwether/stats"
)

//go:embed testdata/stats.json
var scipy []byte

func TestDistributionsAreThoseOfScipy(t *testing.T) {
	var cases []struct {
		Name      string
		Arguments []float64
		Value     float64
	}
	if err := json.Unmarshal(scipy, &cases); err != nil || len(cases) < 200 {
		t.Fatal(len(cases), err)
	}
	for _, test := range cases {
		a := append(test.Arguments, 0, 0)
		found := map[string]func() float64{
			"normal-cdf":       func() float64 { return stats.NormalCDF(a[0]) },
			"normal-quantile":  func() float64 { return stats.NormalQuantile(a[0]) },
			"student-t-sf":     func() float64 { return stats.StudentTSF(a[0], a[1]) },
			"chi-squared-sf":   func() float64 { return stats.ChiSquaredSF(a[0], a[1]) },
			"fisher-f-sf":      func() float64 { return stats.FisherFSF(a[0], a[1], a[2]) },
			"beta-regularized": func() float64 { return stats.BetaRegularized(a[0], a[1], a[2]) },
			"ln-gamma":         func() float64 { return stats.LnGamma(a[0]) },
		}[test.Name]()
		if math.Abs(found-test.Value) > 1e-12+1e-9*math.Abs(test.Value) {
			t.Errorf("%s%v: %v, not %v", test.Name, test.Arguments, found, test.Value)
		}
	}
}

func TestBadParametersAreNaN(t *testing.T) {
	for name, found := range map[string]float64{
		"quantile of 0":      stats.NormalQuantile(0),
		"quantile of 1":      stats.NormalQuantile(1),
		"no freedom":         stats.StudentTSF(1, 0),
		"negative freedom":   stats.ChiSquaredSF(1, -1),
		"freedom of NaN":     stats.FisherFSF(1, math.NaN(), 1),
		"beta of no a":       stats.BetaRegularized(0, 1, 0.5),
		"beta outside":       stats.BetaRegularized(1, 1, 1.5),
		"a statistic of NaN": stats.ChiSquaredSF(math.NaN(), 1),
	} {
		if !math.IsNaN(found) {
			t.Errorf("%s: %v", name, found)
		}
	}
}
