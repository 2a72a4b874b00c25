package bellwethertests

import (
	"math"
	"slices"
	"testing"

	"bellwether"
	"bellwether/data"
	"bellwether/hosttest"
)

func TestColumnsAnswerAsTheHostDoes(t *testing.T) {
	numbers := hosttest.Column("a", 3, math.NaN(), 1, 2)
	if numbers.Len() != 4 || !slices.Equal(numbers.Present(), []float64{3, 1, 2}) || numbers.Kind() != data.Numeric {
		t.Error(numbers)
	}
	if m := numbers.Moments(); m.Count != 3 || m.Missing != 1 || m.Mean != 2 || m.Minimum != 1 || m.Maximum != 3 ||
		math.Abs(m.Variance-2.0/3) > 1e-15 {
		t.Error(m)
	}
	if found := numbers.Quantiles([]float64{0, 0.25, 1}); !slices.Equal(found, []float64{1, 1.5, 3}) {
		t.Error(found)
	}
	if !math.IsNaN(numbers.Quantiles([]float64{1.5})[0]) || !math.IsNaN(hosttest.Column("b").Quantiles([]float64{0.5})[0]) {
		t.Error("outside and empty have no quantile")
	}
	if found := numbers.Histogram([]float64{1, 3}); !slices.Equal(found, []uint64{0, 2, 1}) {
		t.Error(found)
	}
	if !math.IsNaN(hosttest.Column("b").Moments().Mean) || hosttest.Categorical("c", 1).Kind() != data.Categorical {
		t.Error("an empty column has no mean")
	}
}

func counting(count int) []float64 {
	values := make([]float64, count)
	for place := range values {
		values[place] = float64(place)
	}
	return values
}

func TestLongColumnsComeInPieces(t *testing.T) {
	numbers := hosttest.Column("a", counting(150_000)...)
	var lengths []int
	for piece := range numbers.Chunks() {
		lengths = append(lengths, len(piece))
	}
	if !slices.Equal(lengths, []int{65_536, 65_536, 18_928}) || !slices.Equal(numbers.Values(), counting(150_000)) {
		t.Error(lengths)
	}
	if len(numbers.Read(0, math.MaxUint32)) != 131_072 || len(numbers.Read(math.MaxUint64, 1)) != 0 {
		t.Error("reads are clipped")
	}
}

func TestWindowsComeInWholeSamples(t *testing.T) {
	inputs := hosttest.Windows([]string{"a", "b", "c"}, 20, counting(180_000), counting(3000))
	var firsts []uint64
	var values, last []float64
	for chunk := range inputs.Chunks() {
		firsts = append(firsts, chunk.First)
		for sample, window := range chunk.Samples() {
			if window[0] != float64(60*sample) {
				t.Fatalf("sample %d begins with %v", sample, window[0])
			}
			values = append(values, window...)
		}
	}
	for chunk := range inputs.LastRows() {
		last = append(last, chunk.Values...)
	}
	if !slices.Equal(firsts, []uint64{0, 1092, 2184}) || !slices.Equal(values, counting(180_000)) {
		t.Error(firsts)
	}
	if len(last) != 9000 || !slices.Equal(last[:4], []float64{57, 58, 59, 117}) {
		t.Error(last[:4])
	}
	if !slices.Equal(inputs.Targets(), counting(3000)) || inputs.Samples() != 3000 {
		t.Error("targets")
	}
	for range hosttest.Windows([]string{"a"}, 1, nil, nil).Chunks() {
		t.Error("no samples have no chunk")
	}
}

func TestAUnivariateFrameHasOneColumn(t *testing.T) {
	a, b := hosttest.Column("a", 1), hosttest.Column("b", 2)
	if column, err := hosttest.Frame(a).OnlyColumn(); err != nil || column.Name() != "a" {
		t.Error(err)
	}
	_, err := hosttest.Frame(a, b).OnlyColumn()
	if err == nil || err.Error() != "invalid-input: one column expected, 2 given: a, b" {
		t.Error(err)
	}
	if _, err := hosttest.Frame().OnlyColumn(); bellwether.CodeOf(err) != bellwether.CodeInvalidInput {
		t.Error(err)
	}
	var names []string
	for column := range hosttest.Frame(a, b).Columns() {
		names = append(names, column.Name())
	}
	if !slices.Equal(names, []string{"a", "b"}) {
		t.Error(names)
	}
}
