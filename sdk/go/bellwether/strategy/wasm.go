//go:build wasip1

package strategy

// The world's export: from the bindings' records to this package's and back.

import (
	"bellwether"
	"bellwether/internal/abi/types"
	"bellwether/internal/guest"
	_ "bellwether/internal/wit/exports/deployment_strategy"
	export "bellwether/internal/wit/exports/export_bellwether_deploy_strategy"
	wire "bellwether/internal/wit/imports/bellwether_deploy_strategy"
)

func init() {
	export.Next = func(rollout wire.Rollout, config string) types.Result[wire.Decision, guest.Error] {
		defer guest.Report()
		return guest.Answer(decision(called.next(read(rollout), config)))
	}
}

func decision(decided Decision, err error) (wire.Decision, error) {
	if err != nil {
		return wire.Decision{}, err
	}
	action, err := write(decided.Action)
	return wire.Decision{Action: action, Reason: decided.Reason, State: decided.State}, err
}

func write(action Action) (wire.Action, error) {
	switch action := action.(type) {
	case SetWeight:
		return wire.MakeActionSetWeight(wire.Weight{Share: action.Share, Shadow: action.Shadow}), nil
	case SetReplicas:
		return wire.MakeActionSetReplicas(wire.Replicas{Updated: action.Updated, Total: action.Total}), nil
	case PauseFor:
		return wire.MakeActionPause(wire.MakePauseSeconds(action.Seconds)), nil
	case PauseUntilApproved:
		return wire.MakeActionPause(wire.MakePauseUntilApproved()), nil
	case CheckHealth:
		return wire.MakeActionCheckHealth(), nil
	case Analyse:
		request := wire.AnalysisRequest{Metrics: action.Metrics, Seconds: action.Seconds, LeastRequests: action.LeastRequests}
		return wire.MakeActionAnalyse(request), nil
	case Promote:
		return wire.MakeActionPromote(), nil
	case Rollback:
		return wire.MakeActionRollback(action.Reason), nil
	default:
		return wire.MakeActionCheckHealth(), bellwether.Internal("the decision has no action")
	}
}

func readAction(action wire.Action) Action {
	switch action.Tag() {
	case wire.Action_SetWeight:
		return SetWeight(action.SetWeight())
	case wire.Action_SetReplicas:
		return SetReplicas(action.SetReplicas())
	case wire.Action_Pause:
		if action.Pause().Tag() == wire.Pause_UntilApproved {
			return PauseUntilApproved{}
		}
		return PauseFor{action.Pause().Seconds()}
	case wire.Action_CheckHealth:
		return CheckHealth{}
	case wire.Action_Analyse:
		return Analyse(action.Analyse())
	case wire.Action_Promote:
		return Promote{}
	default:
		return Rollback{action.Rollback()}
	}
}

func read(rollout wire.Rollout) Rollout {
	steps := make([]Step, len(rollout.Steps))
	for place, step := range rollout.Steps {
		steps[place] = Step{Number: step.Number, Action: readAction(step.Action), SecondsAgo: step.SecondsAgo}
	}
	found := Rollout{
		ID:             rollout.Id,
		Endpoint:       rollout.Endpoint,
		Candidate:      side(rollout.Candidate),
		Steps:          steps,
		ElapsedSeconds: rollout.ElapsedSeconds,
		NowMs:          rollout.NowMs,
		Approved:       rollout.Approved,
		State:          rollout.State,
	}
	if stable := rollout.Stable.Pointer(); stable != nil {
		found.Stable = new(side(*stable))
	}
	if health := rollout.Health.Pointer(); health != nil {
		found.Health = new(Health(*health))
	}
	if analysis := rollout.Analysis.Pointer(); analysis != nil {
		found.Analysis = &Analysis{Passed: analysis.Passed.Pointer(), Reasons: analysis.Reasons}
	}
	return found
}

func side(side wire.Side) Side {
	metrics := make([]Metric, len(side.Measured.Metrics))
	for place, metric := range side.Measured.Metrics {
		metrics[place] = Metric{Name: metric.F0, Value: metric.F1, Outcomes: metric.F2}
	}
	return Side{
		ModelID: side.ModelId,
		Share:   side.Share,
		Shadow:  side.Shadow,
		Measured: Measurement{
			Requests:     side.Measured.Requests,
			Errors:       side.Measured.Errors,
			LatencyP50Ms: side.Measured.LatencyP50Ms.Pointer(),
			LatencyP99Ms: side.Measured.LatencyP99Ms.Pointer(),
			Metrics:      metrics,
		},
	}
}
