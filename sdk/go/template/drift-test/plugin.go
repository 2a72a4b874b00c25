// {{name}}: has the distribution of a column moved? The population stability index: with p and q the shares of reference and
// current data in bins cut at the reference's quantiles, the sum of (q - p)·ln(q / p).
//
// It never reads the column: the host computes quantiles and counts natively, so a million rows cost no more than ten.
package main

import (
	_ "embed"
	"math"
	"slices"

	"bellwether"
	"bellwether/data"
	"bellwether/drifttest"
	"bellwether/state"
)

//go:embed config.schema.json
var schema string

var info = bellwether.Info{
	Name:    "{{name}}",
	Version: "0.1.0",
	Summary: "Population stability index over the reference's quantile bins.",
	Schema:  schema,
}

// Config is what the operator may set. The schema has ranges and defaults, so every field is always there.
type Config struct {
	Bins      int     `json:"bins"`
	Threshold float64 `json:"threshold"`
}

// {{Pascal}} is the plugin. It has no fields: what must last goes through the host as bytes.
type {{Pascal}} struct{}

func init() { drifttest.Register(info, {{Pascal}}{}) }

func main() {}

// Accepts says: one numeric column at a time, at least 30 values on either side.
func ({{Pascal}}) Accepts() drifttest.Acceptance { return drifttest.Univariate(30) }

// Baseline keeps the edges of the bins and the reference's counts in them.
func ({{Pascal}}) Baseline(reference data.Frame, config Config) ([]byte, error) {
	column, err := reference.OnlyColumn()
	if err != nil {
		return nil, err
	}
	if column.Moments().Count == 0 {
		return nil, bellwether.InvalidInput("the reference has no value")
	}
	probabilities := make([]float64, config.Bins-1)
	for place := range probabilities {
		probabilities[place] = float64(place+1) / float64(config.Bins)
	}
	// Equal quantiles, where many values are the same, make one edge.
	edges := slices.Compact(column.Quantiles(probabilities))
	if !ascending(edges) {
		return nil, bellwether.InvalidInput("the reference has no finite quantiles to cut bins at")
	}
	writer := state.NewWriter(info.Name, 1).Numbers(edges)
	for _, count := range column.Histogram(edges) {
		writer.Uint64(count)
	}
	return writer.Finish(), nil
}

// Test compares the counts in the same bins.
func ({{Pascal}}) Test(baseline []byte, current data.Frame, config Config) (drifttest.Outcome, error) {
	edges, expected, err := readBaseline(baseline)
	if err != nil {
		return drifttest.Outcome{}, err
	}
	column, err := current.OnlyColumn()
	if err != nil {
		return drifttest.Outcome{}, err
	}
	found := column.Histogram(edges)
	if total(found) == 0 {
		return drifttest.Outcome{}, bellwether.InvalidInput("the current data have no value")
	}
	index := stability(expected, found)
	return drifttest.Outcome{
		Statistic:      index,
		Score:          index,
		Threshold:      config.Threshold,
		Drifted:        index >= config.Threshold,
		ReferenceCount: total(expected),
		CurrentCount:   total(found),
		Detail:         map[string]any{"edges": edges, "reference": expected, "current": found},
	}, nil
}

// readBaseline checks what comes back: it may be another plugin's, or damaged.
func readBaseline(baseline []byte) (edges []float64, counts []uint64, err error) {
	reader := state.Open(baseline, info.Name, 1)
	edges = reader.Numbers()
	for range len(edges) + 1 {
		counts = append(counts, reader.Uint64())
	}
	if !ascending(edges) {
		reader.Refuse("its edges do not ascend")
	}
	if total(counts) == 0 {
		reader.Refuse("it has no counts")
	}
	return edges, counts, reader.Finish()
}

func ascending(edges []float64) bool {
	for place, edge := range edges {
		if math.IsNaN(edge) || math.IsInf(edge, 0) || place > 0 && edge <= edges[place-1] {
			return false
		}
	}
	return true
}

// stability is the index. Half a value is added to every bin: an empty one would make it infinite.
func stability(expected, found []uint64) float64 {
	half := 0.5 * float64(len(expected))
	index := 0.0
	for bin := range expected {
		p := (float64(expected[bin]) + 0.5) / (float64(total(expected)) + half)
		q := (float64(found[bin]) + 0.5) / (float64(total(found)) + half)
		index += (q - p) * math.Log(q/p)
	}
	return index
}

func total(counts []uint64) uint64 {
	sum := uint64(0)
	for _, count := range counts {
		sum += count
	}
	return sum
}
