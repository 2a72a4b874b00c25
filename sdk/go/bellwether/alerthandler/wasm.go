//go:build wasip1

package alerthandler

// The world's export: from the bindings' record to this package's.

import (
	"encoding/json"

	"bellwether/internal/abi/types"
	"bellwether/internal/guest"
	_ "bellwether/internal/wit/exports/alert_handler"
	export "bellwether/internal/wit/exports/export_bellwether_alert_handler"
	wire "bellwether/internal/wit/imports/bellwether_alert_handler"
)

func init() {
	export.Handle = func(alert wire.Alert, config string) types.Result[types.Unit, guest.Error] {
		defer guest.Report()
		return guest.Answer(types.Unit{}, called.handle(read(alert), config))
	}
}

func read(alert wire.Alert) Alert {
	labels := make([]Label, len(alert.Labels))
	for place, pair := range alert.Labels {
		labels[place] = Label{pair.F0, pair.F1}
	}
	return Alert{
		IdempotencyKey: alert.IdempotencyKey,
		ID:             alert.Id,
		Condition:      alert.Condition,
		Severity:       []Severity{Info, Warning, Critical}[alert.Severity],
		Phase:          []Phase{Firing, Resolved}[alert.Phase],
		Summary:        alert.Summary,
		ModelID:        text(alert.ModelId),
		Symbol:         text(alert.Symbol),
		StartedAtMs:    alert.StartedAtMs,
		Labels:         labels,
		Detail:         json.RawMessage(alert.Detail),
	}
}

func text(option types.Option[string]) string {
	if option.IsNone() {
		return ""
	}
	return option.Some()
}
