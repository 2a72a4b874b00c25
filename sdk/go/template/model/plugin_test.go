package main

import (
	"math"
	"slices"
	"testing"

	"bellwether"
	"bellwether/data"
	"bellwether/hosttest"
	"bellwether/model"
	"bellwether/state"
)

func TestSchema(t *testing.T) {
	hosttest.CheckSchema[Config](t, info, "{}")
	hosttest.CheckSearchSpace[Config](t, info, {{Pascal}}{}.SearchSpace(), "{}")
}

var nothing = hosttest.Windows([]string{"a", "b"}, 1, nil, nil)

func fit(t *testing.T, given string, train data.Windows) ([]byte, error) {
	t.Helper()
	return {{Pascal}}{}.Fit(train, nothing, hosttest.MustConfig[Config](t, info, given))
}

func predict(t *testing.T, bytes []byte, inputs data.Windows) ([]float64, error) {
	t.Helper()
	return {{Pascal}}{}.Predict(bytes, inputs, hosttest.MustConfig[Config](t, info, "{}"))
}

func TestPlan(t *testing.T) {
	plan, err := {{Pascal}}{}.Plan(Config{1}, model.InputShape{SequenceLength: 1, Features: []string{"a"}}, model.Target{})
	if err != nil || plan != (model.Guest{Scaled: true, LastStepOnly: true}) {
		t.Error(plan, err)
	}
}

func TestRidge(t *testing.T) {
	rows := []float64{1, 2, 2, 1, 3, 5, 4, 3, 5, 8, 6, 5}
	bytes, err := fit(t, `{"strength": 0.5}`, hosttest.Windows([]string{"a", "b"}, 1, rows, []float64{1, 3, 2, 5, 4, 6.5}))
	if err != nil {
		t.Fatal(err)
	}
	found, err := predict(t, bytes, hosttest.Windows([]string{"a", "b"}, 1, []float64{0, 0, 7, 4}, nil))
	// sklearn.linear_model.Ridge(alpha=0.5)
	expected := []float64{0.6354870495495493, 8.311585022522525}
	if err != nil || math.Abs(found[0]-expected[0]) > 1e-12 || math.Abs(found[1]-expected[1]) > 1e-12 {
		t.Error(found, err)
	}
}

func TestOnlyTheLastStepCounts(t *testing.T) {
	long := hosttest.Windows([]string{"a", "b"}, 2, []float64{9, 9, 1, 2, 9, 9, 2, 1, 9, 9, 3, 5}, []float64{1, 3, 2})
	short := hosttest.Windows([]string{"a", "b"}, 1, []float64{1, 2, 2, 1, 3, 5}, []float64{1, 3, 2})
	one, err := fit(t, "{}", long)
	other, failed := fit(t, "{}", short)
	if err != nil || failed != nil || !slices.Equal(one, other) {
		t.Error(err, failed)
	}
}

func TestProbabilitiesStayBetweenZeroAndOne(t *testing.T) {
	bytes, err := fit(t, `{"strength": 0.001}`, hosttest.Windows([]string{"a"}, 1, []float64{1, 2, 3, 4}, []float64{0, 0, 1, 1}))
	if err != nil {
		t.Fatal(err)
	}
	found, err := predict(t, bytes, hosttest.Windows([]string{"a"}, 1, []float64{-9, 9}, nil))
	if err != nil || found[0] != 0 || found[1] != 1 {
		t.Error(found, err)
	}
}

func TestUnusableData(t *testing.T) {
	for name, train := range map[string]data.Windows{
		"no sample":  nothing,
		"missing":    hosttest.Windows([]string{"a"}, 1, []float64{1, math.NaN()}, []float64{1, 2}),
		"infinite":   hosttest.Windows([]string{"a"}, 1, []float64{1, 2}, []float64{1, math.Inf(1)}),
		"huge":       hosttest.Windows([]string{"a"}, 1, []float64{math.MaxFloat64, -math.MaxFloat64}, []float64{1, 2}),
		"no targets": hosttest.Windows([]string{"a"}, 1, []float64{1, 2}, nil),
	} {
		if _, err := fit(t, "{}", train); bellwether.CodeOf(err) != bellwether.CodeInvalidInput {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestForeignStatesAndFeatures(t *testing.T) {
	bytes, err := fit(t, "{}", hosttest.Windows([]string{"a"}, 1, []float64{1, 2, 3}, []float64{1, 2, 3}))
	if err != nil {
		t.Fatal(err)
	}
	one := hosttest.Windows([]string{"a"}, 1, []float64{1}, nil)
	other := hosttest.Windows([]string{"b"}, 1, []float64{1}, nil)
	short := state.NewWriter(info.Name, 1).Texts([]string{"a"}).Number(1).Numbers(nil).Uint64(0).Finish()
	for _, test := range []struct {
		bytes  []byte
		inputs data.Windows
	}{{bytes, other}, {[]byte("foreign"), one}, {bytes[:len(bytes)-1], one}, {short, one}} {
		if _, err := predict(t, test.bytes, test.inputs); bellwether.CodeOf(err) != bellwether.CodeInvalidInput {
			t.Errorf("%q: %v", test.bytes, err)
		}
	}
}
