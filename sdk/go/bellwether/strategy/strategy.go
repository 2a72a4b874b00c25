// Package strategy is the kind `deployment-strategy`: how an endpoint moves from one model version to another. The host's
// controller carries out, stores and waits; a strategy only says what comes next, from what it is told.
package strategy

import (
	"fmt"

	"bellwether"
	"bellwether/internal/guest"
)

// Plugin is a strategy with a configuration of type C.
type Plugin[C any] interface {
	// Next decides the next action; the host carries it out, stores it and calls again. The same arguments must give the
	// same decision: the time is Rollout.NowMs. What has to be remembered goes into Decision.State and comes back in
	// Rollout.State.
	Next(rollout Rollout, config C) (Decision, error)
}

// Decision is what to do, and what to remember.
type Decision struct {
	// Action is what comes next.
	Action Action
	// Reason is why, for the rollout's history.
	Reason string
	// State is for the next call, at most 64 KiB.
	State []byte
}

// Decide is a decision with a reason made from a format and nothing to remember.
func Decide(action Action, format string, arguments ...any) Decision {
	return Decision{Action: action, Reason: fmt.Sprintf(format, arguments...)}
}

// GoBack is a decision to go back to the stable version; people and the history get the same reason.
func GoBack(format string, arguments ...any) Decision {
	reason := fmt.Sprintf(format, arguments...)
	return Decision{Action: Rollback{Reason: reason}, Reason: reason}
}

// Remember is the decision with a state for the next call.
func (d Decision) Remember(state []byte) Decision {
	d.State = state
	return d
}

// Rollout is everything a strategy may know.
type Rollout struct {
	// ID is the rollout's id.
	ID string
	// Endpoint is the endpoint that is moving.
	Endpoint string
	// Stable is the version that serves now; nil on a first deployment.
	Stable *Side
	// Candidate is the version that wants to.
	Candidate Side
	// Steps are the steps taken so far, oldest first.
	Steps []Step
	// ElapsedSeconds is seconds since the rollout began.
	ElapsedSeconds float64
	// NowMs is the controller's clock, milliseconds since 1970-01-01T00:00:00Z.
	NowMs int64
	// Health is the result of the last CheckHealth; nil when none ran.
	Health *Health
	// Analysis is the result of the last Analyse; nil when none ran.
	Analysis *Analysis
	// Approved: a person approved the current pause.
	Approved bool
	// State is the strategy's own state from its last decision; empty at first.
	State []byte
}

// Side is one side of a rollout.
type Side struct {
	// ModelID is the model version.
	ModelID string
	// Share is the share of the endpoint's predictions it answers, 0 to 1.
	Share float64
	// Shadow is the share of predictions it is shown without answering, 0 to 1.
	Shadow float64
	// Measured is what was measured in this step.
	Measured Measurement
}

// Measurement is one version's measurements since the current step began. Without requests there is no other figure: no
// data is not a pass.
type Measurement struct {
	// Requests is predictions answered.
	Requests uint64
	// Errors is predictions that failed.
	Errors uint64
	// LatencyP50Ms is the median latency in milliseconds.
	LatencyP50Ms *float64
	// LatencyP99Ms is the 99th percentile of latency in milliseconds.
	LatencyP99Ms *float64
	// Metrics are live metric values.
	Metrics []Metric
}

// Metric is a live metric value.
type Metric struct {
	// Name is the metric.
	Name string
	// Value is its value.
	Value float64
	// Outcomes is how many outcomes are behind it.
	Outcomes uint64
}

// Health is the host's own check of the candidate.
type Health struct {
	// Passed: all of it.
	Passed bool
	// Probes is probes answered.
	Probes uint32
	// SlowestMs is the slowest probe in milliseconds.
	SlowestMs float64
	// Reasons is what failed, for a person; empty when it passed.
	Reasons []string
}

// Analysis is an analysis the host ran because the strategy asked for it.
type Analysis struct {
	// Passed is the verdict; nil when there was too little data to say.
	Passed *bool
	// Reasons is what was compared.
	Reasons []string
}

// Step is a step that was taken.
type Step struct {
	// Number is the number of the step, from 0.
	Number uint32
	// Action is what was done.
	Action Action
	// SecondsAgo is seconds since it was done.
	SecondsAgo float64
}

// called is the plugin with its configuration still text.
var called struct {
	next func(rollout Rollout, config string) (Decision, error)
}

// Register makes the program this plugin. Call it once, from init: main does not run in a component.
func Register[C any](info bellwether.Info, plugin Plugin[C]) {
	guest.Introduce(info)
	called.next = func(rollout Rollout, text string) (Decision, error) {
		config, err := bellwether.ReadConfig[C](info.Name, text)
		if err != nil {
			return Decision{}, err
		}
		return plugin.Next(rollout, config)
	}
}
