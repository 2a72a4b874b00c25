package main

import (
	"slices"
	"testing"

	"bellwether"
	"bellwether/hosttest"
	"bellwether/state"
	"bellwether/strategy"
)

func TestSchema(t *testing.T) { hosttest.CheckSchema[Config](t, info, "{}") }

// play runs a rollout: health and analysis are what the host answers throughout.
func play(t *testing.T, given string, health *strategy.Health, analysis *strategy.Analysis) []string {
	t.Helper()
	config := hosttest.MustConfig[Config](t, info, given)
	rollout := hosttest.Rollout("lstm_BTC_1", "lstm_BTC_2")
	var actions []string
	for range 20 {
		decision, err := {{Pascal}}{}.Next(rollout, config)
		if err != nil {
			t.Fatal(err)
		}
		actions = append(actions, decision.Action.String())
		rollout.State = decision.State
		switch decision.Action.(type) {
		case strategy.CheckHealth:
			rollout.Health = health
		case strategy.Analyse:
			rollout.Analysis = analysis
		case strategy.Promote, strategy.Rollback:
			return actions
		}
	}
	t.Fatalf("no end: %v", actions)
	return nil
}

func TestRollouts(t *testing.T) {
	well, ill := &strategy.Health{Passed: true}, &strategy.Health{Reasons: []string{"probe 2 answered NaN", "too slow"}}
	passed, silent := &strategy.Analysis{Passed: new(true)}, &strategy.Analysis{}
	worse := &strategy.Analysis{Passed: new(false), Reasons: []string{"mae 2 against 1"}}
	two := `{"shares": [0.1, 1], "observe_seconds": 60, "least_requests": 5}`
	for _, test := range []struct {
		name, given string
		health      *strategy.Health
		analysis    *strategy.Analysis
		actions     []string
	}{
		{"all is well", two, well, passed, []string{
			"check-health", "set-weight 0.1 0", "analyse 60 5", "set-weight 1 0", "analyse 60 5", "promote"}},
		{"an unhealthy candidate", two, ill, passed, []string{
			"check-health", "rollback: the candidate failed its health check: probe 2 answered NaN; too slow"}},
		{"no check", two, nil, passed, []string{"check-health", "rollback: the health check gave no result"}},
		{"a worse candidate", two, well, worse, []string{
			"check-health", "set-weight 0.1 0", "analyse 60 5", "rollback: the candidate did worse: mae 2 against 1"}},
		{"too little data", two, well, silent, []string{
			"check-health", "set-weight 0.1 0", "analyse 60 5", "rollback: too few requests for a verdict: no reason given"}},
		{"silence will do", `{"shares": [1], "least_requests": 0}`, well, silent, []string{
			"check-health", "set-weight 1 0", "analyse 300 0", "promote"}},
	} {
		if actions := play(t, test.given, test.health, test.analysis); !slices.Equal(actions, test.actions) {
			t.Errorf("%s: %q", test.name, actions)
		}
	}
}

func TestSharesAscend(t *testing.T) {
	if _, err := hosttest.Config[Config](info, `{"shares": [0.5, 0.1]}`); bellwether.CodeOf(err) != bellwether.CodeInvalidConfig {
		t.Error(err)
	}
}

func TestForeignStates(t *testing.T) {
	config := hosttest.MustConfig[Config](t, info, "{}")
	for _, bytes := range [][]byte{[]byte("foreign"), state.NewWriter(info.Name, 1).Uint64(99).Finish()} {
		rollout := hosttest.Rollout("a", "b")
		rollout.State = bytes
		if _, err := ({{Pascal}}{}).Next(rollout, config); bellwether.CodeOf(err) != bellwether.CodeInvalidInput {
			t.Errorf("%q: %v", bytes, err)
		}
	}
}
