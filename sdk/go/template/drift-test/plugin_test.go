package main

import (
	"math"
	"slices"
	"testing"

	"bellwether"
	"bellwether/drifttest"
	"bellwether/hosttest"
	"bellwether/state"
)

func TestSchema(t *testing.T) { hosttest.CheckSchema[Config](t, info, "{}") }

// line is the numbers first, first + step, ...
func line(count int, first, step float64) []float64 {
	values := make([]float64, count)
	for place := range values {
		values[place] = first + step*float64(place)
	}
	return values
}

func run(t *testing.T, given string, reference, current []float64) (drifttest.Outcome, error) {
	t.Helper()
	config := hosttest.MustConfig[Config](t, info, given)
	baseline, err := {{Pascal}}{}.Baseline(hosttest.Frame(hosttest.Column("x", reference...)), config)
	if err != nil {
		return drifttest.Outcome{}, err
	}
	return {{Pascal}}{}.Test(baseline, hosttest.Frame(hosttest.Column("x", current...)), config)
}

func TestIndex(t *testing.T) {
	for _, test := range []struct {
		name    string
		given   string
		current []float64
		index   float64
		drifted bool
	}{
		{"the same data", `{}`, line(100, 0, 1), 0, false},
		// numpy: edges np.quantile(range(100), [.25, .5, .75]), counts + 0.5, sum((q - p) * log(q / p))
		{"moved by a quarter", `{"bins": 4}`, line(100, 25, 1), 1.1311569894218771, true},
		{"a higher line", `{"bins": 4, "threshold": 2}`, line(100, 25, 1), 1.1311569894218771, false},
	} {
		outcome, err := run(t, test.given, line(100, 0, 1), test.current)
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		if math.Abs(outcome.Score-test.index) > 1e-12 || outcome.Drifted != test.drifted {
			t.Errorf("%s: %v %v", test.name, outcome.Score, outcome.Drifted)
		}
	}
}

func TestUnusableData(t *testing.T) {
	constant := slices.Repeat([]float64{1}, 40)
	if outcome, err := run(t, "{}", constant, constant); err != nil || outcome.Drifted {
		t.Errorf("a constant is no drift: %v %v", outcome, err)
	}
	missing := slices.Repeat([]float64{math.NaN()}, 40)
	for _, sides := range [][2][]float64{{nil, constant}, {constant, nil}, {missing, constant}, {constant, missing}} {
		if _, err := run(t, "{}", sides[0], sides[1]); bellwether.CodeOf(err) != bellwether.CodeInvalidInput {
			t.Errorf("%v", err)
		}
	}
}

func TestForeignBaselines(t *testing.T) {
	config := hosttest.MustConfig[Config](t, info, "{}")
	current := hosttest.Frame(hosttest.Column("x", line(40, 0, 1)...))
	for _, baseline := range [][]byte{
		nil,
		[]byte("foreign"),
		state.NewWriter(info.Name, 1).Numbers([]float64{1}).Finish(),
		state.NewWriter(info.Name, 1).Numbers([]float64{2, 1}).Uint64(1).Uint64(1).Uint64(1).Finish(),
		state.NewWriter(info.Name, 1).Numbers(nil).Uint64(0).Finish(),
	} {
		if _, err := ({{Pascal}}{}).Test(baseline, current, config); bellwether.CodeOf(err) != bellwether.CodeInvalidInput {
			t.Errorf("%q: %v", baseline, err)
		}
	}
}
