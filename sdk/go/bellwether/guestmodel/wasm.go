//go:build wasip1

package guestmodel

// The exports a model type has besides package model's.

import (
	"bellwether/data"
	"bellwether/internal/abi/types"
	"bellwether/internal/guest"
	_ "bellwether/internal/wit/exports/estimator"
	export "bellwether/internal/wit/exports/export_bellwether_model_estimator"
	host "bellwether/internal/wit/imports/bellwether_host_data"
)

func init() {
	export.Fit = func(train, validation *host.Windows, config string) types.Result[[]byte, guest.Error] {
		defer guest.Report()
		first, drop := data.LendWindows(train)
		defer drop()
		later, dropLater := data.LendWindows(validation)
		defer dropLater()
		return guest.Answer(called.fit(first, later, config))
	}
	export.Predict = func(state []byte, inputs *host.Windows, config string) types.Result[[]float64, guest.Error] {
		defer guest.Report()
		windows, drop := data.LendWindows(inputs)
		defer drop()
		return guest.Answer(called.predict(state, windows, config))
	}
}
