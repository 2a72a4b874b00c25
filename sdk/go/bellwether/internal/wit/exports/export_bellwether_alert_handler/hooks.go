//go:build wasip1

// Package export_bellwether_alert_handler is what the generated exports call. They look for functions; variables that the package of the kind
// fills in are called alike and spare a circle of imports.
package export_bellwether_alert_handler

import (
	"bellwether/internal/abi/types"
	handler "bellwether/internal/wit/imports/bellwether_alert_handler"
	common "bellwether/internal/wit/imports/bellwether_types_common"
)

// Handle is the interface's function of that name.
var Handle func(alert handler.Alert, config string) types.Result[types.Unit, common.Error]
