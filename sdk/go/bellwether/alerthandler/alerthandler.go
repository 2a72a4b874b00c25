// Package alerthandler is the kind `alert-handler`: it carries alerts to where people see them.
package alerthandler

import (
	"encoding/json"
	"time"

	"bellwether"
	"bellwether/internal/guest"
)

// Plugin is a handler with a configuration of type C.
type Plugin[C any] interface {
	// Handle delivers one alert. The host tries again later, with the same idempotency key, on [bellwether.Transient] only;
	// package http maps its failures so.
	Handle(alert Alert, config C) error
}

// Severity is how bad an alert is: Info, Warning or Critical.
type Severity string

// Phase is where an alert is in its life: Firing or Resolved.
type Phase string

// The words of the contract.
const (
	Info     Severity = "info"
	Warning  Severity = "warning"
	Critical Severity = "critical"
	Firing   Phase    = "firing"
	Resolved Phase    = "resolved"
)

// Label is one of the pairs that tell alerts of one condition apart.
type Label struct{ Name, Value string }

// Alert is one alert, as it stands now.
type Alert struct {
	// IdempotencyKey stays the same over retries of one delivery: receivers use it to drop repeats.
	IdempotencyKey string
	// ID is the alert's id.
	ID string
	// Condition is the condition that holds, for example `data-drift`.
	Condition string
	// Severity is how bad it is.
	Severity Severity
	// Phase is firing, or over.
	Phase Phase
	// Summary is one sentence for a person.
	Summary string
	// ModelID is the model version concerned; empty when none is.
	ModelID string
	// Symbol is the symbol concerned; empty when none is.
	Symbol string
	// StartedAtMs is when it started firing, milliseconds since 1970-01-01T00:00:00Z.
	StartedAtMs int64
	// Labels tell alerts of one condition apart.
	Labels []Label
	// Detail is measurements behind it, a JSON object.
	Detail json.RawMessage
}

// StartedAt is when it started firing, in UTC.
func (a Alert) StartedAt() time.Time { return time.UnixMilli(a.StartedAtMs).UTC() }

// called is the plugin with its configuration still text.
var called struct {
	handle func(alert Alert, config string) error
}

// Register makes the program this plugin. Call it once, from init: main does not run in a component.
func Register[C any](info bellwether.Info, plugin Plugin[C]) {
	guest.Introduce(info)
	called.handle = func(alert Alert, text string) error {
		config, err := bellwether.ReadConfig[C](info.Name, text)
		if err != nil {
			return err
		}
		return plugin.Handle(alert, config)
	}
}
