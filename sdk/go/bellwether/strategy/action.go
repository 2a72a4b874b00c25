package strategy

import (
	"fmt"
	"strings"
)

// Action is what happens next: one of the types below. Two are told apart by a type switch.
type Action interface {
	// String names the action with its numbers, for histories and tests.
	String() string
	action()
}

// SetWeight sets the candidate's traffic.
type SetWeight struct {
	// Share is the share of predictions the candidate answers, 0 to 1.
	Share float64
	// Shadow is the share of predictions it is shown without answering, 0 to 1.
	Shadow float64
}

// SetReplicas sets how many of the endpoint's replicas run the candidate.
type SetReplicas struct {
	// Updated is replicas on the candidate.
	Updated uint32
	// Total is replicas in all.
	Total uint32
}

// PauseFor waits.
type PauseFor struct {
	// Seconds is how long.
	Seconds uint32
}

// PauseUntilApproved waits for a person.
type PauseUntilApproved struct{}

// CheckHealth runs the host's health check of the candidate; its result is in the next call.
type CheckHealth struct{}

// Analyse measures; the result is in the next call.
type Analyse struct {
	// Metrics are names of metrics to compare; empty for errors and latency only.
	Metrics []string
	// Seconds is how long to measure.
	Seconds uint32
	// LeastRequests is the least requests on the candidate for a verdict.
	LeastRequests uint64
}

// Promote makes the candidate the stable version. Ends the rollout.
type Promote struct{}

// Rollback goes back to the stable version. Ends the rollout.
type Rollback struct {
	// Reason is why, for a person.
	Reason string
}

func (SetWeight) action()          {}
func (SetReplicas) action()        {}
func (PauseFor) action()           {}
func (PauseUntilApproved) action() {}
func (CheckHealth) action()        {}
func (Analyse) action()            {}
func (Promote) action()            {}
func (Rollback) action()           {}

func (a SetWeight) String() string        { return fmt.Sprintf("set-weight %v %v", a.Share, a.Shadow) }
func (a SetReplicas) String() string      { return fmt.Sprintf("set-replicas %d/%d", a.Updated, a.Total) }
func (a PauseFor) String() string         { return fmt.Sprintf("pause-for %d", a.Seconds) }
func (PauseUntilApproved) String() string { return "pause-until-approved" }
func (CheckHealth) String() string        { return "check-health" }
func (Promote) String() string            { return "promote" }
func (a Rollback) String() string         { return "rollback: " + a.Reason }

func (a Analyse) String() string {
	text := fmt.Sprintf("analyse %d %d", a.Seconds, a.LeastRequests)
	if len(a.Metrics) > 0 {
		text += " " + strings.Join(a.Metrics, ",")
	}
	return text
}
