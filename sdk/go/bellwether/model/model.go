// Package model is the kind `model` for networks and ensembles: a model type plans what the host trains and serves natively
// and never sees data itself. A model type that fits itself is package guestmodel, which exports what this one does and more.
package model

import (
	"encoding/json"

	"bellwether"
	"bellwether/internal/guest"
	"bellwether/network"
)

// Plugin is a model type with a configuration of type C.
type Plugin[C any] interface {
	// Requires is what the model needs under a configuration: the features and the window it wants when the job names
	// none, and the least training samples.
	Requires(config C) (Requirements, error)
	// Plan is what to train under a configuration. Pure.
	Plan(config C, input InputShape, target Target) (Plan, error)
	// SearchSpace is settings worth tuning, with their ranges; nil for none.
	SearchSpace() []HyperParameter
}

// InputShape is what the model will be shown.
type InputShape struct {
	// SequenceLength is time steps per window.
	SequenceLength uint32
	// Features are features per step, by name, in order.
	Features []string
}

// Task is a kind of question.
type Task uint8

const (
	// Regression: a real number.
	Regression Task = iota
	// Binary: a probability that something happens; a network's output is a logit.
	Binary
)

// Target is what is predicted.
type Target struct {
	// Kind is `return`, `direction`, `price` or `realized-volatility`.
	Kind string
	// Horizon is bars ahead.
	Horizon uint32
	// Task is Regression, or Binary for `direction`.
	Task Task
}

// Plan is what the host is to train: Network, Ensemble or Guest.
type Plan interface{ plan() }

// Network is a network, trained and served natively.
type Network struct{ network.Network }

// Ensemble is several model types together.
type Ensemble struct {
	// Members are at least two.
	Members []Member
	// Combine is how they combine.
	Combine Combination
}

// Guest is a model the component fits itself; only package guestmodel can plan it.
type Guest struct {
	// Scaled gives it features scaled as a network's are; else raw.
	Scaled bool
	// LastStepOnly: it only reads each window's last time step, so the host need not build whole windows.
	LastStepOnly bool
}

func (Network) plan()  {}
func (Ensemble) plan() {}
func (Guest) plan()    {}

// Member is one model of an ensemble.
type Member struct {
	// ModelType is the name of its model type.
	ModelType string
	// Config is its configuration: what encoding/json makes an object of; nil for an empty one.
	Config any
	// Weight is its weight, for Weighted.
	Weight float64
}

// Combination is how the members' predictions become one.
type Combination uint8

// Ways to combine.
const (
	Mean Combination = iota
	Weighted
	Median
	Stacking
)

// Requirements is what the model needs before it can be planned.
type Requirements struct {
	// Features are what it wants when the job names none, for example `rsi(14)`.
	Features []string
	// SequenceLength is time steps per window when the job names none.
	SequenceLength uint32
	// LeastRows is the least training samples.
	LeastRows uint32
}

// StationaryFeatures say where a market stands and have kept their scale over years: returns, ranges and volatilities
// instead of prices and volumes, which no model can know beyond those it has seen. A good default for any model type.
func StationaryFeatures() []string {
	return []string{
		"log-return", "log-range", "body", "realized-volatility(6)", "realized-volatility(24)", "realized-volatility(168)",
		"volume-zscore(24)", "hour-sin", "hour-cos",
	}
}

// HyperParameter is a setting worth tuning: make it with Whole, Real or Choice.
type HyperParameter struct {
	// Name is the name of a property of the configuration.
	Name string

	values values
}

type values struct {
	kind    uint8
	whole   [2]int64
	real    [2]float64
	log     bool
	choices []string
}

// Whole is whole numbers from low to high, evenly.
func Whole(name string, low, high int64) HyperParameter {
	return HyperParameter{name, values{kind: 0, whole: [2]int64{low, high}}}
}

// Real is real numbers from low to high, evenly.
func Real(name string, low, high float64) HyperParameter {
	return HyperParameter{name, values{kind: 1, real: [2]float64{low, high}}}
}

// Choice is one of these values, each what encoding/json makes of it.
func Choice(name string, choices ...any) HyperParameter {
	texts := make([]string, len(choices))
	for place, choice := range choices {
		text, err := json.Marshal(choice)
		if err != nil {
			panic(err)
		}
		texts[place] = string(text)
	}
	return HyperParameter{name, values{kind: 2, choices: texts}}
}

// ByRatio spreads a range of numbers by ratio instead of evenly.
func (h HyperParameter) ByRatio() HyperParameter {
	h.values.log = true
	return h
}

// Trials are the bounds of a range or its choices, as JSON: what a test tries.
func (h HyperParameter) Trials() []json.RawMessage {
	bounds := []any{h.values.whole[0], h.values.whole[1]}
	switch h.values.kind {
	case 1:
		bounds = []any{h.values.real[0], h.values.real[1]}
	case 2:
		bounds = nil
		for _, choice := range h.values.choices {
			bounds = append(bounds, json.RawMessage(choice))
		}
	}
	trials := make([]json.RawMessage, len(bounds))
	for place, bound := range bounds {
		trials[place], _ = json.Marshal(bound)
	}
	return trials
}

// called is the plugin with its configuration still text.
var called struct {
	requires    func(config string) (Requirements, error)
	plan        func(config string, input InputShape, target Target) (Plan, error)
	searchSpace func() []HyperParameter
}

// Register makes the program this plugin. Call it once, from init: main does not run in a component.
func Register[C any](info bellwether.Info, plugin Plugin[C]) {
	guest.Introduce(info)
	called.requires = func(text string) (Requirements, error) {
		config, err := bellwether.ReadConfig[C](info.Name, text)
		if err != nil {
			return Requirements{}, err
		}
		return plugin.Requires(config)
	}
	called.plan = func(text string, input InputShape, target Target) (Plan, error) {
		config, err := bellwether.ReadConfig[C](info.Name, text)
		if err != nil {
			return nil, err
		}
		return plugin.Plan(config, input, target)
	}
	called.searchSpace = plugin.SearchSpace
}
