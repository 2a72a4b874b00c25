//go:build wasip1

// Package export_bellwether_drift_detector is what the generated exports call. They look for functions; variables that the package of the kind
// fills in are called alike and spare a circle of imports.
package export_bellwether_drift_detector

import (
	"bellwether/internal/abi/types"
	detector "bellwether/internal/wit/imports/bellwether_drift_detector"
	common "bellwether/internal/wit/imports/bellwether_types_common"
)

// The interface's functions.
var (
	Start  func(config string) types.Result[[]byte, common.Error]
	Update func(state []byte, values []float64, config string) types.Result[detector.Advance, common.Error]
)
