// Package bellwether is the SDK for plugins written in Go: what a plugin says of itself, how its configuration reaches it
// and how it answers when it cannot do what it was asked.
//
// The kind of a plugin is a package of its own (drifttest, driftdetector, alerthandler, strategy, model, guestmodel) with
// one interface to implement and one function, Register, to call from init. What the host offers is a package each too:
// data, stats, random, log, clock, secrets, progress, http. Compiled natively all of them answer from package hosttest, so
// `go test` needs no WebAssembly.
//
// Importing two kinds in one program is a mistake: each brings the exports of its world.
package bellwether

import (
	"bytes"
	"encoding/json"
	"io"
)

// Info is what a plugin says of itself.
type Info struct {
	// Name is what it is called by; equals `name` in plugin.toml. Lower-case letters, digits and `-`.
	Name string
	// Version is its semantic version; equals `version` in plugin.toml.
	Version string
	// Summary is one sentence for lists.
	Summary string
	// Schema is the JSON Schema (2020-12) of the configuration: an object with "additionalProperties": false, and a
	// default and a description for each property. The host fills in the defaults and refuses what the schema refuses
	// before the plugin sees it. Empty: no configuration. Kept in a file of its own with go:embed.
	Schema string
}

// Checker is a configuration that can refuse itself after it was read: for what a schema cannot say, such as two settings
// that exclude each other. Return [InvalidConfig].
type Checker interface{ Check() error }

// NoConfig is the configuration of a plugin that has none.
type NoConfig struct{}

// noSchema is the schema of NoConfig.
const noSchema = `{"type": "object", "properties": {}, "additionalProperties": false}`

// ConfigSchema is the schema the host is told.
func (i Info) ConfigSchema() string {
	if i.Schema == "" {
		return noSchema
	}
	return i.Schema
}

// ReadConfig reads and checks a configuration as the exported functions do: unknown members are refused, and what
// [Checker] refuses.
func ReadConfig[C any](name, text string) (C, error) {
	var config C
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&config); err != nil {
		return config, InvalidConfig("%s: %v", name, err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return config, InvalidConfig("%s: one JSON document expected", name)
	}
	if checker, ok := any(config).(Checker); ok {
		return config, checker.Check()
	}
	if checker, ok := any(&config).(Checker); ok {
		return config, checker.Check()
	}
	return config, nil
}
