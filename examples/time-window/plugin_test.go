package main

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"bellwether"
	"bellwether/hosttest"
	"bellwether/state"
	"bellwether/strategy"
)

// host answers what the strategy asks for, and moves the clock as a controller would.
type host struct {
	config   Config
	rollout  strategy.Rollout
	health   func(checks int) *strategy.Health
	analysis *strategy.Analysis
}

func begin(t *testing.T, given, now string) *host {
	t.Helper()
	rollout := hosttest.Rollout("lstm_BTC_1", "lstm_BTC_2")
	rollout.NowMs = at(t, now).UnixMilli()
	return &host{
		config:   hosttest.MustConfig[Config](t, info, given),
		rollout:  rollout,
		health:   func(int) *strategy.Health { return &strategy.Health{Passed: true} },
		analysis: &strategy.Analysis{Passed: new(true)},
	}
}

// play runs a rollout to its end: the actions, and the reason for the last.
func (h *host) play(t *testing.T) (actions []string, reason string) {
	t.Helper()
	checks := 0
	for range 20 {
		decision, err := TimeWindow{}.Next(h.rollout, h.config)
		if err != nil {
			t.Fatal(err)
		}
		again, _ := TimeWindow{}.Next(h.rollout, h.config)
		if !reflect.DeepEqual(decision, again) || decision.Reason == "" {
			t.Errorf("not the same twice, or without a reason: %v, %v", decision, again)
		}
		actions = append(actions, decision.Action.String())
		h.rollout.State = decision.State
		switch action := decision.Action.(type) {
		case strategy.CheckHealth:
			checks++
			h.rollout.Health = h.health(checks)
			h.rollout.NowMs += 1500
		case strategy.Analyse:
			h.rollout.Analysis = h.analysis
			h.rollout.NowMs += 1000 * int64(action.Seconds)
		case strategy.PauseFor:
			h.rollout.NowMs += 1000 * int64(action.Seconds)
		case strategy.Promote, strategy.Rollback:
			return actions, decision.Reason
		}
	}
	t.Fatalf("no end: %q", actions)
	return nil, ""
}

const week = `{"shares": [0.2], "observe_seconds": 60, "least_requests": 5, "time_zone": "Europe/Berlin"}`

var steps = []string{"check-health", "set-weight 0.2 0", "analyse 60 5"}

func TestRollouts(t *testing.T) {
	for _, test := range []struct {
		name, given, now string
		actions          []string
	}{
		{"within a window", week, "2025-01-06T10:00:00Z", []string{"promote"}},
		// Berlin is an hour ahead: 09:00 there is 08:00Z. The check takes 1.5 s and the analysis a minute.
		{"in the morning", week, "2025-01-06T07:00:00Z", []string{"pause-for 3539", "check-health", "promote"}},
		{"over the weekend", week, "2025-01-03T18:00:00Z", []string{"pause-for 223139", "check-health", "promote"}},
		{"over a weekend an hour shorter", week, "2025-03-28T18:00:00Z", []string{"pause-for 219539", "check-health", "promote"}},
		{"over a weekend an hour longer", week, "2025-10-24T18:00:00Z", []string{"pause-for 223139", "check-health", "promote"}},
		{"the analysis outlasts the window", week, "2025-01-06T15:29:30Z", []string{"pause-for 59369", "check-health", "promote"}},
	} {
		actions, reason := begin(t, test.given, test.now).play(t)
		if !slices.Equal(actions, slices.Concat(steps, test.actions)) {
			t.Errorf("%s: %q %s", test.name, actions, reason)
		}
	}
}

func TestWaitsNoLongerThanAllowed(t *testing.T) {
	given := `{"shares": [], "longest_wait_seconds": 3600, "time_zone": "Europe/Berlin"}`
	actions, _ := begin(t, given, "2025-01-06T07:00:10Z").play(t)
	if !slices.Equal(actions, []string{"check-health", "pause-for 3589", "check-health", "promote"}) {
		t.Errorf("%q", actions)
	}
	actions, reason := begin(t, given, "2025-01-06T16:00:00Z").play(t)
	if len(actions) != 2 || reason != "no window opens until Mon 2025-01-06 18:00 +01:00, the longest to wait" {
		t.Errorf("%q %s", actions, reason)
	}
	// The limit counts from the first time it was ready, not from the last wait.
	patient := begin(t, given, "2025-01-06T16:00:00Z")
	patient.rollout.State = progress{since: at(t, "2025-01-06T07:00:00Z").UnixMilli()}.at(waiting)
	if actions, reason := patient.play(t); len(actions) != 1 || actions[0][:8] != "rollback" {
		t.Errorf("%q %s", actions, reason)
	}
}

func TestTheCandidateIsCheckedAfterAWait(t *testing.T) {
	sick := begin(t, week, "2025-01-06T07:00:00Z")
	sick.health = func(checks int) *strategy.Health {
		return &strategy.Health{Passed: checks == 1, Reasons: []string{"probe 2 answered NaN", "too slow"}}
	}
	actions, reason := sick.play(t)
	if len(actions) != 6 || reason != "the candidate failed its health check: probe 2 answered NaN; too slow" {
		t.Errorf("%q %s", actions, reason)
	}
	// A check that outlasts the window waits for the next.
	late := begin(t, week, "2025-01-06T07:00:00Z")
	late.health = func(checks int) *strategy.Health {
		if checks == 2 {
			late.rollout.NowMs += (8 * time.Hour).Milliseconds()
		}
		return &strategy.Health{Passed: true}
	}
	actions, _ = late.play(t)
	waits := []string{"pause-for 3539", "check-health", "pause-for 57598", "check-health", "promote"}
	if !slices.Equal(actions, slices.Concat(steps, waits)) {
		t.Errorf("%q", actions)
	}
}

func TestWhatFailsGoesBack(t *testing.T) {
	ill := func(int) *strategy.Health { return &strategy.Health{} }
	none := func(int) *strategy.Health { return nil }
	worse := &strategy.Analysis{Passed: new(false), Reasons: []string{"2 % failed"}}
	for _, test := range []struct {
		name     string
		given    string
		health   func(int) *strategy.Health
		analysis *strategy.Analysis
		reason   string
	}{
		{"ill", week, ill, nil, "the candidate failed its health check: no reason given"},
		{"unchecked", week, none, nil, "the health check gave no result"},
		{"unmeasured", week, nil, nil, "the analysis gave no result"},
		{"worse", week, nil, worse, "the candidate did worse: 2 % failed"},
		{"silent", week, nil, &strategy.Analysis{Reasons: []string{"3 of 5"}}, "too little data for a verdict: 3 of 5"},
		{"silence will do", `{"least_requests": 0}`, nil, &strategy.Analysis{}, "the candidate is well and a window is open"},
	} {
		played := begin(t, test.given, "2025-01-06T10:00:00Z")
		played.analysis = test.analysis
		if test.health != nil {
			played.health = test.health
		}
		if _, reason := played.play(t); reason != test.reason {
			t.Errorf("%s: %s", test.name, reason)
		}
	}
}

func TestAFirstDeploymentHasNobodyToShareWith(t *testing.T) {
	first := begin(t, week, "2025-01-06T10:00:00Z")
	first.rollout.Stable = nil
	if actions, _ := first.play(t); !slices.Equal(actions, []string{"check-health", "promote"}) {
		t.Errorf("%q", actions)
	}
}

func TestPausesOfAnyLengthEnd(t *testing.T) {
	// The controller may wake early or late, and odd milliseconds must not leave it a moment before the window.
	for _, ms := range []int64{0, 1, 499, 999} {
		odd := begin(t, week, "2025-01-06T07:00:00Z")
		odd.rollout.NowMs += ms
		if actions, _ := odd.play(t); len(actions) != 6 {
			t.Errorf("%d ms: %q", ms, actions)
		}
	}
}

func TestForeignStates(t *testing.T) {
	config := hosttest.MustConfig[Config](t, info, week)
	write := func(stage, shares uint64) []byte {
		return state.NewWriter(info.Name, 1).Uint64(stage).Uint64(shares).Uint64(0).Finish()
	}
	for _, bytes := range [][]byte{[]byte("foreign"), write(0, 0), write(9, 0), write(2, 0), write(3, 2), write(1, 0)[:20]} {
		rollout := hosttest.Rollout("a", "b")
		rollout.State = bytes
		if _, err := (TimeWindow{}).Next(rollout, config); bellwether.CodeOf(err) != bellwether.CodeInvalidInput {
			t.Errorf("%q: %v", bytes, err)
		}
	}
}
