// {{name}}: has the mean of a stream changed? The test of Page (1954) and Hinkley (1971), in both directions: deviations from
// the running mean are summed, and a sum that rises far above its least value, or falls far below its greatest, is drift.
// After drift the detector begins anew.
package main

import (
	_ "embed"
	"math"

	"bellwether"
	"bellwether/driftdetector"
)

//go:embed config.schema.json
var schema string

var info = bellwether.Info{
	Name:    "{{name}}",
	Version: "0.1.0",
	Summary: "Page-Hinkley test for a change of the mean, in either direction.",
	Schema:  schema,
}

// Config is what the operator may set. The schema has ranges and defaults, so every field is always there.
type Config struct {
	LeastValues uint64  `json:"least_values"`
	Delta       float64 `json:"delta"`
	Threshold   float64 `json:"threshold"`
	Keep        float64 `json:"keep"`
}

// {{Pascal}} is the plugin. It has no fields: every call gets a fresh instance, the sums travel as bytes.
type {{Pascal}} struct{}

func init() { driftdetector.Register(info, {{Pascal}}{}) }

func main() {}

// Start is the state before any value.
func ({{Pascal}}) Start(Config) ([]byte, error) { return begin().write(), nil }

// Update takes some values in order. Missing values and infinities are passed over.
func ({{Pascal}}) Update(bytes []byte, values []float64, config Config) (driftdetector.Advance, error) {
	sums, err := readSums(bytes)
	if err != nil {
		return driftdetector.Advance{}, err
	}
	var events []driftdetector.Event
	for index, value := range values {
		if math.IsNaN(value) || math.IsInf(value, 0) {
			continue
		}
		statistic := sums.take(value, config)
		if sums.count < config.LeastValues {
			continue
		}
		event := driftdetector.Event{Index: uint32(index), Statistic: statistic}
		switch {
		case statistic > config.Threshold:
			event.Severity = driftdetector.Drift
			events, sums = append(events, event), begin()
		case statistic > config.Threshold/2 && !sums.warned:
			events, sums.warned = append(events, event), true
		case statistic < config.Threshold/4:
			// One warning on the way up, not one per value: only when it is well over may another come.
			sums.warned = false
		}
	}
	return driftdetector.Advance{State: sums.write(), Events: events}, nil
}
