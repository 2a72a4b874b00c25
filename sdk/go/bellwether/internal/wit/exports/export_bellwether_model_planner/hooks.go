//go:build wasip1

// Package export_bellwether_model_planner is what the generated exports call. They look for functions; variables that the package of the kind
// fills in are called alike and spare a circle of imports.
package export_bellwether_model_planner

import (
	"bellwether/internal/abi/types"
	planner "bellwether/internal/wit/imports/bellwether_model_planner"
	common "bellwether/internal/wit/imports/bellwether_types_common"
)

// The interface's functions.
var (
	Requires    func(config string) types.Result[planner.Requirements, common.Error]
	Plan        func(config string, input planner.InputShape, target planner.Target) types.Result[planner.TrainingPlan, common.Error]
	SearchSpace func() []planner.HyperParameter
)
