package bellwethertests

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"bellwether"
	"bellwether/hosttest"
	"bellwether/model"
)

type settings struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

func (s settings) Check() error {
	if s.Low > s.High {
		return bellwether.InvalidConfig("`low` is above `high`")
	}
	return nil
}

var info = bellwether.Info{
	Name: "sample",
	Schema: `{"type": "object", "additionalProperties": false, "properties": {
		"low": {"type": "number", "default": 1, "description": "From."},
		"high": {"type": "number", "default": 2, "description": "To."}
	}}`,
}

func TestConfigurations(t *testing.T) {
	hosttest.CheckSchema[settings](t, info, "{}")
	hosttest.CheckSchema[bellwether.NoConfig](t, bellwether.Info{Name: "none"}, "{}")
	for given, expected := range map[string]string{
		`{}`:           "",
		`{"low": 3}`:   "`low` is above `high`",
		`{"least": 3}`: "unknown field",
		`{"low": "3"}`: "sample: json",
		`[]`:           "is an object",
	} {
		_, err := hosttest.Config[settings](info, given)
		switch {
		case expected == "" && err != nil:
			t.Errorf("%s: %v", given, err)
		case expected != "" && (bellwether.CodeOf(err) != bellwether.CodeInvalidConfig || !strings.Contains(err.Error(), expected)):
			t.Errorf("%s: %v", given, err)
		}
	}
	if _, err := bellwether.ReadConfig[settings]("sample", `{} {}`); err == nil {
		t.Error("two documents are none")
	}
}

func TestErrorsKeepTheirCode(t *testing.T) {
	wrapped := fmt.Errorf("column 3: %w", bellwether.Transient("busy"))
	if !errors.Is(wrapped, &bellwether.Error{Code: bellwether.CodeTransient}) {
		t.Error(wrapped)
	}
	for err, code := range map[error]bellwether.Code{
		wrapped:                               bellwether.CodeTransient,
		errors.New("odd"):                     bellwether.CodeInternal,
		bellwether.Errorf("http-404", "gone"): "http-404",
	} {
		if found := bellwether.CodeOf(err); found != code {
			t.Errorf("%v: %s", err, found)
		}
	}
}

func TestSearchSpaces(t *testing.T) {
	space := []model.HyperParameter{model.Real("low", 0.5, 2).ByRatio(), model.Choice("high", 2, 3.5)}
	hosttest.CheckSearchSpace[settings](t, info, space, "{}")
	if trials := model.Whole("n", 1, 9).Trials(); string(trials[0]) != "1" || string(trials[1]) != "9" {
		t.Error(trials)
	}
}
