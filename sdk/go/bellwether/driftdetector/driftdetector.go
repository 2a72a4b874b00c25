// Package driftdetector is the kind `drift-detector`: a detector that sees one value after another.
package driftdetector

import (
	"bellwether"
	"bellwether/internal/guest"
)

// Plugin is a detector with a configuration of type C. Its state travels as bytes (package state), so it survives restarts.
type Plugin[C any] interface {
	// Start is the state before any value.
	Start(config C) ([]byte, error)
	// Update takes some values in order. Splitting a list over several calls must give the same events.
	Update(state []byte, values []float64, config C) (Advance, error)
}

// Severity is how sure the detector is.
type Severity uint8

const (
	// Warning: it may be drift.
	Warning Severity = iota
	// Drift: it is.
	Drift
)

// String is the word for it.
func (s Severity) String() string { return []string{"warning", "drift"}[s&1] }

// Event is something that happened at one value.
type Event struct {
	// Index is the place of the value in the list given to Update, from 0.
	Index uint32
	// Severity is warning or drift.
	Severity Severity
	// Statistic is the statistic that crossed its bound.
	Statistic float64
}

// Advance is the detector after some values.
type Advance struct {
	// State is what the next Update gets.
	State []byte
	// Events are what happened, in order of Index.
	Events []Event
}

// called is the plugin with its configuration still text.
var called struct {
	start  func(config string) ([]byte, error)
	update func(state []byte, values []float64, config string) (Advance, error)
}

// Register makes the program this plugin. Call it once, from init: main does not run in a component.
func Register[C any](info bellwether.Info, plugin Plugin[C]) {
	guest.Introduce(info)
	called.start = func(text string) ([]byte, error) {
		config, err := bellwether.ReadConfig[C](info.Name, text)
		if err != nil {
			return nil, err
		}
		return plugin.Start(config)
	}
	called.update = func(state []byte, values []float64, text string) (Advance, error) {
		config, err := bellwether.ReadConfig[C](info.Name, text)
		if err != nil {
			return Advance{}, err
		}
		return plugin.Update(state, values, config)
	}
}
