//go:build wasip1

// Package export_bellwether_model_estimator is what the generated exports call. They look for functions; variables that the package of the kind
// fills in are called alike and spare a circle of imports.
package export_bellwether_model_estimator

import (
	"bellwether/internal/abi/types"
	data "bellwether/internal/wit/imports/bellwether_host_data"
	common "bellwether/internal/wit/imports/bellwether_types_common"
)

// The interface's functions.
var (
	Fit     func(train, validation *data.Windows, config string) types.Result[[]byte, common.Error]
	Predict func(state []byte, inputs *data.Windows, config string) types.Result[[]float64, common.Error]
)
