//go:build wasip1

// Package export_bellwether_types_plugin is what the generated exports call. They look for functions; variables that the package of the kind
// fills in are called alike and spare a circle of imports.
package export_bellwether_types_plugin

import plugin "bellwether/internal/wit/imports/bellwether_types_plugin"

// Describe is the interface's function of that name.
var Describe func() plugin.Description
