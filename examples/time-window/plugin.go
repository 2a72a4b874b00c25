// time-window: a deployment strategy that promotes only within given hours.
//
// check health -> (set share -> measure) for each share -> (wait for a window -> check health) -> promote
//
// Steps are taken at any hour; only the promotion waits. A failed check or analysis goes back to the stable version. So does
// a verdict the host could not reach for lack of requests, unless least_requests is 0, and a window that opens too late. After
// a wait the candidate is checked again, for hours have passed since it was measured. A first deployment has no stable version
// to share traffic with: it goes from the check straight to the window.
//
// It must not ask for the time: Rollout.NowMs is the controller's, and the same rollout always gives the same decision.
package main

import (
	_ "embed"
	"math"
	"strings"
	"time"

	"bellwether"
	"bellwether/strategy"
)

//go:embed config.schema.json
var schema string

var info = bellwether.Info{
	Name:    "time-window",
	Version: "0.1.0",
	Summary: "Moves traffic in measured steps and promotes only within given hours.",
	Schema:  schema,
}

// TimeWindow is the plugin. It has no fields: what must last goes through the host as bytes.
type TimeWindow struct{}

func init() { strategy.Register(info, TimeWindow{}) }

func main() {}

// Next decides from what is given alone.
func (TimeWindow) Next(rollout strategy.Rollout, config Config) (strategy.Decision, error) {
	progress, err := readProgress(rollout.State, config)
	if err != nil {
		return strategy.Decision{}, err
	}
	switch progress.stage {
	case begun:
		decision := strategy.Decide(strategy.CheckHealth{}, "check the candidate before it gets traffic")
		return decision.Remember(progress.at(checked)), nil
	case checked:
		if why := failedHealth(rollout.Health); why != "" {
			return strategy.GoBack("%s", why), nil
		}
		return step(rollout, config, progress)
	case moved:
		request := strategy.Analyse{Metrics: config.Metrics, Seconds: config.ObserveSeconds, LeastRequests: config.LeastRequests}
		decision := strategy.Decide(request, "measure the candidate at a share of %v", config.Shares[progress.shares-1])
		return decision.Remember(progress.at(measured)), nil
	case measured:
		if why := failedAnalysis(rollout.Analysis, config.LeastRequests); why != "" {
			return strategy.GoBack("%s", why), nil
		}
		return step(rollout, config, progress)
	case waiting:
		return gate(rollout, config, progress)
	default:
		if why := failedHealth(rollout.Health); why != "" {
			return strategy.GoBack("%s", why), nil
		}
		return gate(rollout, config, progress)
	}
}

// step takes the next share; when there is none, it is time to promote.
func step(rollout strategy.Rollout, config Config, progress progress) (strategy.Decision, error) {
	if rollout.Stable == nil || progress.shares == len(config.Shares) {
		progress.since = rollout.NowMs
		return gate(rollout, config, progress)
	}
	share := config.Shares[progress.shares]
	progress.shares++
	decision := strategy.Decide(strategy.SetWeight{Share: share}, "move a share of %v to the candidate", share)
	return decision.Remember(progress.at(moved)), nil
}

// gate promotes when a window is open, and otherwise waits for one.
func gate(rollout strategy.Rollout, config Config, progress progress) (strategy.Decision, error) {
	hours, err := config.hours()
	if err != nil {
		return strategy.Decision{}, err
	}
	now := time.UnixMilli(rollout.NowMs)
	if hours.open(now) {
		if progress.stage == waiting {
			decision := strategy.Decide(strategy.CheckHealth{}, "a window is open: check the candidate again after the wait")
			return decision.Remember(progress.at(rechecked)), nil
		}
		return strategy.Decide(strategy.Promote{}, "the candidate is well and a window is open"), nil
	}
	limit := time.UnixMilli(progress.since).Add(time.Duration(config.LongestWaitSeconds) * time.Second)
	opening, found := hours.next(now, limit)
	if !found {
		return strategy.GoBack("no window opens until %s, the longest to wait", hours.text(limit)), nil
	}
	seconds := uint32(math.Ceil(opening.Sub(now).Seconds()))
	decision := strategy.Decide(strategy.PauseFor{Seconds: seconds}, "wait for the window that opens %s", hours.text(opening))
	return decision.Remember(progress.at(waiting)), nil
}

// failedHealth is why the last health check is no pass; empty when it is one.
func failedHealth(health *strategy.Health) string {
	switch {
	case health == nil:
		return "the health check gave no result"
	case health.Passed:
		return ""
	}
	return "the candidate failed its health check: " + listed(health.Reasons)
}

// failedAnalysis is why the last analysis is no pass; empty when it is one.
func failedAnalysis(analysis *strategy.Analysis, leastRequests uint64) string {
	switch {
	case analysis == nil:
		return "the analysis gave no result"
	case analysis.Passed == nil && leastRequests > 0:
		return "too little data for a verdict: " + listed(analysis.Reasons)
	case analysis.Passed == nil || *analysis.Passed:
		return ""
	}
	return "the candidate did worse: " + listed(analysis.Reasons)
}

func listed(reasons []string) string {
	if len(reasons) == 0 {
		return "no reason given"
	}
	return strings.Join(reasons, "; ")
}
