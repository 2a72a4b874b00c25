// {{name}}: traffic moves to the candidate in steps.
//
// check health -> (set share -> measure) for each share -> promote
//
// A failed check or analysis goes back to the stable version. So does a verdict the host could not reach for lack of requests,
// unless least_requests is 0. The state is the number of decisions taken, which says where the rollout stands.
package main

import (
	_ "embed"
	"strings"

	"bellwether"
	"bellwether/state"
	"bellwether/strategy"
)

//go:embed config.schema.json
var schema string

var info = bellwether.Info{
	Name:    "{{name}}",
	Version: "0.1.0",
	Summary: "Moves traffic to the candidate in steps, measures after each, promotes.",
	Schema:  schema,
}

// Config is what the operator may set. The schema has ranges and defaults, so every field is always there.
type Config struct {
	Shares         []float64 `json:"shares"`
	ObserveSeconds uint32    `json:"observe_seconds"`
	LeastRequests  uint64    `json:"least_requests"`
	Metrics        []string  `json:"metrics"`
}

// Check refuses what the schema cannot: shares that do not ascend.
func (c Config) Check() error {
	for place := 1; place < len(c.Shares); place++ {
		if c.Shares[place] <= c.Shares[place-1] {
			return bellwether.InvalidConfig("`shares`: %v follows %v; they must ascend", c.Shares[place], c.Shares[place-1])
		}
	}
	return nil
}

// {{Pascal}} is the plugin.
type {{Pascal}} struct{}

func init() { strategy.Register(info, {{Pascal}}{}) }

func main() {}

// Next decides from what is given alone: the same rollout gives the same decision.
func ({{Pascal}}) Next(rollout strategy.Rollout, config Config) (strategy.Decision, error) {
	taken, err := readTaken(rollout.State, config)
	if err != nil {
		return strategy.Decision{}, err
	}
	if taken == 0 {
		return remember(taken, strategy.Decide(strategy.CheckHealth{}, "check the candidate before it gets traffic")), nil
	}
	// After the check decisions alternate: 1 share, 2 measure, 3 share, 4 measure, ...
	step := (taken - 1) / 2
	if taken%2 == 0 {
		request := strategy.Analyse{Metrics: config.Metrics, Seconds: config.ObserveSeconds, LeastRequests: config.LeastRequests}
		return remember(taken, strategy.Decide(request, "measure at a share of %v", config.Shares[step])), nil
	}
	if why := failed(rollout, config, taken == 1); why != "" {
		return strategy.GoBack("%s", why), nil
	}
	if step == len(config.Shares) {
		return strategy.Decide(strategy.Promote{}, "the candidate held at every share"), nil
	}
	share := config.Shares[step]
	return remember(taken, strategy.Decide(strategy.SetWeight{Share: share}, "move a share of %v to the candidate", share)), nil
}

// failed is why the last check or analysis is no pass; empty when it is one.
func failed(rollout strategy.Rollout, config Config, first bool) string {
	health, analysis := rollout.Health, rollout.Analysis
	switch {
	case first && health == nil:
		return "the health check gave no result"
	case first && !health.Passed:
		return "the candidate failed its health check: " + listed(health.Reasons)
	case first:
		return ""
	case analysis == nil:
		return "the analysis gave no result"
	case analysis.Passed == nil && config.LeastRequests > 0:
		return "too few requests for a verdict: " + listed(analysis.Reasons)
	case analysis.Passed != nil && !*analysis.Passed:
		return "the candidate did worse: " + listed(analysis.Reasons)
	}
	return ""
}

func listed(reasons []string) string {
	if len(reasons) == 0 {
		return "no reason given"
	}
	return strings.Join(reasons, "; ")
}

func remember(taken int, decision strategy.Decision) strategy.Decision {
	return decision.Remember(state.NewWriter(info.Name, 1).Uint64(uint64(taken + 1)).Finish())
}

// readTaken is how many decisions were taken; another plugin's state is refused, and one of more shares than there are.
func readTaken(bytes []byte, config Config) (int, error) {
	if len(bytes) == 0 {
		return 0, nil
	}
	reader := state.Open(bytes, info.Name, 1)
	taken := reader.Uint64()
	if taken == 0 || taken > uint64(2*len(config.Shares)+1) {
		reader.Refuse("%d decisions do not fit %d shares", taken, len(config.Shares))
	}
	return int(taken), reader.Finish()
}
