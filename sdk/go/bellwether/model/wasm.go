//go:build wasip1

package model

// The exports of a model type: from the bindings' records to this package's and back.

import (
	"bellwether"
	"bellwether/internal/abi/types"
	"bellwether/internal/guest"
	export "bellwether/internal/wit/exports/export_bellwether_model_planner"
	_ "bellwether/internal/wit/exports/planner"
	wire "bellwether/internal/wit/imports/bellwether_model_planner"
)

func init() {
	export.Requires = func(config string) types.Result[wire.Requirements, guest.Error] {
		defer guest.Report()
		needs, err := called.requires(config)
		return guest.Answer(wire.Requirements(needs), err)
	}
	export.Plan = func(config string, input wire.InputShape, target wire.Target) types.Result[wire.TrainingPlan, guest.Error] {
		defer guest.Report()
		planned, err := called.plan(config, InputShape(input), Target{target.Kind, target.Horizon, Task(target.Task)})
		if err != nil {
			return guest.Answer(wire.TrainingPlan{}, err)
		}
		return guest.Answer(wirePlan(planned))
	}
	export.SearchSpace = func() []wire.HyperParameter {
		defer guest.Report()
		space := called.searchSpace()
		sent := make([]wire.HyperParameter, len(space))
		for place, parameter := range space {
			sent[place] = wire.HyperParameter{Name: parameter.Name, Values: wireRange(parameter.values)}
		}
		return sent
	}
}

func wirePlan(plan Plan) (wire.TrainingPlan, error) {
	switch p := plan.(type) {
	case Network:
		network, err := p.Wire()
		return wire.MakeTrainingPlanNetwork(network), err
	case Ensemble:
		members := make([]wire.Member, len(p.Members))
		for place, member := range p.Members {
			config, err := guest.Object(member.Config)
			if err != nil {
				return wire.TrainingPlan{}, err
			}
			members[place] = wire.Member{ModelType: member.ModelType, Config: config, Weight: member.Weight}
		}
		return wire.MakeTrainingPlanMembers(wire.Ensemble{Members: members, Combine: uint8(p.Combine)}), nil
	case Guest:
		return wire.MakeTrainingPlanGuest(wire.GuestModel(p)), nil
	default:
		return wire.TrainingPlan{}, bellwether.Internal("the plugin planned nothing")
	}
}

func wireRange(values values) wire.Range {
	switch values.kind {
	case 0:
		return wire.MakeRangeWhole(types.Tuple3[int64, int64, bool]{F0: values.whole[0], F1: values.whole[1], F2: values.log})
	case 1:
		return wire.MakeRangeReal(types.Tuple3[float64, float64, bool]{F0: values.real[0], F1: values.real[1], F2: values.log})
	default:
		return wire.MakeRangeChoice(values.choices)
	}
}
