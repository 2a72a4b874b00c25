//go:build wasip1

// Package export_bellwether_drift_test is what the generated exports call. They look for functions; variables that the package of the kind
// fills in are called alike and spare a circle of imports.
package export_bellwether_drift_test

import (
	"bellwether/internal/abi/types"
	test "bellwether/internal/wit/imports/bellwether_drift_test"
	data "bellwether/internal/wit/imports/bellwether_host_data"
	common "bellwether/internal/wit/imports/bellwether_types_common"
)

// The interface's functions.
var (
	Accepts  func() test.Acceptance
	Baseline func(reference *data.Frame, config string) types.Result[[]byte, common.Error]
	Test     func(baseline []byte, current *data.Frame, config string) types.Result[test.Outcome, common.Error]
)
