//go:build wasip1

package driftdetector

// The world's exports: from the bindings' records to this package's and back.

import (
	"bellwether/internal/abi/types"
	"bellwether/internal/guest"
	_ "bellwether/internal/wit/exports/drift_detector"
	export "bellwether/internal/wit/exports/export_bellwether_drift_detector"
	wire "bellwether/internal/wit/imports/bellwether_drift_detector"
)

func init() {
	export.Start = func(config string) types.Result[[]byte, guest.Error] {
		defer guest.Report()
		return guest.Answer(called.start(config))
	}
	export.Update = func(state []byte, values []float64, config string) types.Result[wire.Advance, guest.Error] {
		defer guest.Report()
		return guest.Answer(advance(called.update(state, values, config)))
	}
}

func advance(found Advance, err error) (wire.Advance, error) {
	events := make([]wire.Event, len(found.Events))
	for place, event := range found.Events {
		events[place] = wire.Event{Index: event.Index, Severity: wire.Severity(event.Severity), Statistic: event.Statistic}
	}
	return wire.Advance{State: found.State, Events: events}, err
}
