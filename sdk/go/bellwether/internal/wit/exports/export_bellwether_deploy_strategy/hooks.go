//go:build wasip1

// Package export_bellwether_deploy_strategy is what the generated exports call. They look for functions; variables that the package of the kind
// fills in are called alike and spare a circle of imports.
package export_bellwether_deploy_strategy

import (
	"bellwether/internal/abi/types"
	strategy "bellwether/internal/wit/imports/bellwether_deploy_strategy"
	common "bellwether/internal/wit/imports/bellwether_types_common"
)

// Next is the interface's function of that name.
var Next func(rollout strategy.Rollout, config string) types.Result[strategy.Decision, common.Error]
