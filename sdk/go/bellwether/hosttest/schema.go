package hosttest

import (
	"encoding/json"
	"fmt"
	"maps"
	"testing"

	"bellwether"
	"bellwether/model"
)

// schema is what of a JSON Schema these checks read.
type schema struct {
	Type                 string
	AdditionalProperties *bool
	Properties           map[string]map[string]json.RawMessage
}

// Config is the configuration a plugin gets when the operator gives this JSON object: the schema's defaults filled in as
// the host does, then read and checked. The schema's ranges are the host's to check, not this function's.
func Config[C any](info bellwether.Info, given string) (C, error) {
	var none C
	described, err := read(info)
	if err != nil {
		return none, err
	}
	filled, laid := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	for name, property := range described.Properties {
		if value, ok := property["default"]; ok {
			filled[name] = value
		}
	}
	if err := json.Unmarshal([]byte(given), &laid); err != nil {
		return none, bellwether.InvalidConfig("a configuration is an object: %v", err)
	}
	maps.Copy(filled, laid)
	text, err := json.Marshal(filled)
	if err != nil {
		return none, err
	}
	return bellwether.ReadConfig[C](info.Name, string(text))
}

// MustConfig is Config for settings that must be right.
func MustConfig[C any](t testing.TB, info bellwether.Info, given string) C {
	t.Helper()
	config, err := Config[C](info, given)
	if err != nil {
		t.Fatal(err)
	}
	return config
}

// CheckSchema checks a plugin's schema the way the host will: an object that refuses unknown properties, describes each,
// and whose defaults with required (a JSON object of the properties without a default) make a configuration the plugin reads.
func CheckSchema[C any](t testing.TB, info bellwether.Info, required string) {
	t.Helper()
	described, err := read(info)
	if err != nil {
		t.Fatal(err)
	}
	if described.Type != "object" {
		t.Errorf("the schema must describe an object")
	}
	if described.AdditionalProperties == nil || *described.AdditionalProperties {
		t.Errorf("the schema must refuse unknown properties: \"additionalProperties\": false")
	}
	for name, property := range described.Properties {
		if _, ok := property["description"]; !ok {
			t.Errorf("property `%s` has no description", name)
		}
	}
	if _, err := Config[C](info, required); err != nil {
		t.Errorf("the schema's defaults are no configuration: %v", err)
	}
}

// CheckSearchSpace checks that every setting a model type offers to tune is a property of its schema, and that its bounds
// and choices make configurations the plugin takes, each over the settings in required (a JSON object).
func CheckSearchSpace[C any](t testing.TB, info bellwether.Info, space []model.HyperParameter, required string) {
	t.Helper()
	described, err := read(info)
	if err != nil {
		t.Fatal(err)
	}
	for _, parameter := range space {
		if _, ok := described.Properties[parameter.Name]; !ok {
			t.Errorf("`%s` is no property of the schema", parameter.Name)
		}
		for _, value := range parameter.Trials() {
			given := map[string]json.RawMessage{}
			if err := json.Unmarshal([]byte(required), &given); err != nil {
				t.Fatal(err)
			}
			given[parameter.Name] = value
			text, _ := json.Marshal(given)
			if _, err := Config[C](info, string(text)); err != nil {
				t.Errorf("`%s` = %s, offered for tuning, is refused: %v", parameter.Name, value, err)
			}
		}
	}
}

func read(info bellwether.Info) (schema, error) {
	var described schema
	if err := json.Unmarshal([]byte(info.ConfigSchema()), &described); err != nil {
		return described, fmt.Errorf("the schema is no JSON: %w", err)
	}
	return described, nil
}
