// Package drifttest is the kind `drift-test`: a test of current data against a baseline made from reference data.
package drifttest

import (
	"bellwether"
	"bellwether/data"
	"bellwether/internal/guest"
)

// Plugin is a drift test with a configuration of type C. It is called on a fresh instance each time: what must last goes
// through the host as bytes.
type Plugin[C any] interface {
	// Accepts says what the test can be given; the host checks it before calling.
	Accepts() Acceptance
	// Baseline condenses reference data to bytes the host stores with the model version. Called once, at training.
	Baseline(reference data.Frame, config C) ([]byte, error)
	// Test compares current data with a baseline this plugin made. The same arguments must give the same outcome.
	Test(baseline []byte, current data.Frame, config C) (Outcome, error)
}

// Acceptance is what a test can be given.
type Acceptance struct {
	// Multivariate: all columns together in one call; else the host calls once per column, with a frame of that column.
	Multivariate bool
	// Kinds are the kinds of column it understands.
	Kinds []data.ColumnKind
	// LeastRows is the least present rows on either side for a verdict.
	LeastRows uint32
}

// Univariate is one numeric column at a time with at least leastRows present values on either side.
func Univariate(leastRows uint32) Acceptance {
	return Acceptance{Kinds: []data.ColumnKind{data.Numeric}, LeastRows: leastRows}
}

// Multivariate is all numeric columns together with at least leastRows present values on either side.
func Multivariate(leastRows uint32) Acceptance {
	return Acceptance{Multivariate: true, Kinds: []data.ColumnKind{data.Numeric}, LeastRows: leastRows}
}

// Outcome is the verdict on one comparison. Its numbers must be finite.
type Outcome struct {
	// Statistic is the test statistic, in the test's own unit.
	Statistic float64
	// PValue is the probability of a statistic at least this extreme without drift; nil for plain distances.
	PValue *float64
	// Score is how far the data moved, on a scale where larger is further and Threshold is the line.
	Score float64
	// Threshold is the score at which this test calls drift.
	Threshold float64
	// Drifted is the verdict.
	Drifted bool
	// ReferenceCount is present values on the reference side.
	ReferenceCount uint64
	// CurrentCount is present values on the current side.
	CurrentCount uint64
	// Detail is what a chart needs (bins, quantiles): what encoding/json makes an object of; nil for an empty one.
	Detail any
}

// called is the plugin with its configuration still text.
var called struct {
	accepts  func() Acceptance
	baseline func(reference data.Frame, config string) ([]byte, error)
	test     func(baseline []byte, current data.Frame, config string) (Outcome, error)
}

// Register makes the program this plugin. Call it once, from init: main does not run in a component.
func Register[C any](info bellwether.Info, plugin Plugin[C]) {
	guest.Introduce(info)
	called.accepts = plugin.Accepts
	called.baseline = func(reference data.Frame, text string) ([]byte, error) {
		config, err := bellwether.ReadConfig[C](info.Name, text)
		if err != nil {
			return nil, err
		}
		return plugin.Baseline(reference, config)
	}
	called.test = func(baseline []byte, current data.Frame, text string) (Outcome, error) {
		config, err := bellwether.ReadConfig[C](info.Name, text)
		if err != nil {
			return Outcome{}, err
		}
		return plugin.Test(baseline, current, config)
	}
}
