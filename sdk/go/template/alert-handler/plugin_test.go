package main

import (
	"errors"
	"testing"

	"bellwether"
	"bellwether/alerthandler"
	"bellwether/hosttest"
	"bellwether/http"
)

var alert = alerthandler.Alert{
	IdempotencyKey: "drift-7:firing:1",
	ID:             "drift-7",
	Condition:      "data-drift",
	Severity:       alerthandler.Warning,
	Phase:          alerthandler.Firing,
	Summary:        "rsi(14) has drifted",
	StartedAtMs:    1_733_400_000_123,
	Labels:         []alerthandler.Label{{Name: "feature", Value: "rsi(14)"}},
}

func TestSchema(t *testing.T) {
	hosttest.CheckSchema[Config](t, info, `{"url": "https://example.com"}`)
}

func TestDelivery(t *testing.T) {
	host := hosttest.New(t)
	host.SetSecret("token", "s3cret\n")
	host.Respond(func(http.Request) (http.Response, error) { return http.Response{Status: 202}, nil })
	config := hosttest.MustConfig[Config](t, info, `{"url": "https://example.com/hook", "secret": "token"}`)
	if err := ({{Pascal}}{}).Handle(alert, config); err != nil {
		t.Fatal(err)
	}
	sent := host.Requests()[0]
	for name, value := range map[string]string{
		"idempotency-key": "drift-7:firing:1",
		"authorization":   "Bearer s3cret",
		"content-type":    "application/json",
	} {
		if sent.Header(name) != value {
			t.Errorf("%s: %q", name, sent.Header(name))
		}
	}
	body := `{"text":"rsi(14) has drifted","id":"drift-7","severity":"warning","phase":"firing",` +
		`"started_at":"2024-12-05T12:00:00.123Z","labels":{"feature":"rsi(14)"}}`
	if sent.Method != "POST" || sent.URL != "https://example.com/hook" || string(sent.Body) != body {
		t.Errorf("%s %s %s", sent.Method, sent.URL, sent.Body)
	}
}

func TestFailures(t *testing.T) {
	config := hosttest.MustConfig[Config](t, info, `{"url": "https://example.com/hook"}`)
	for _, test := range []struct {
		status int
		err    error
		code   bellwether.Code
	}{
		{503, nil, bellwether.CodeTransient},
		{429, nil, bellwether.CodeTransient},
		{410, nil, "http-410"},
		{0, errors.New("connection refused"), bellwether.CodeTransient},
		{0, &http.Failure{Kind: http.Refused, Message: "not granted"}, bellwether.CodeInvalidConfig},
	} {
		host := hosttest.New(t)
		host.Respond(func(http.Request) (http.Response, error) { return http.Response{Status: test.status}, test.err })
		if err := ({{Pascal}}{}).Handle(alert, config); bellwether.CodeOf(err) != test.code {
			t.Errorf("%d %v: %v", test.status, test.err, err)
		}
	}
}

func TestMissingSecret(t *testing.T) {
	host := hosttest.New(t)
	config := hosttest.MustConfig[Config](t, info, `{"url": "https://example.com/hook", "secret": "token"}`)
	err := {{Pascal}}{}.Handle(alert, config)
	if bellwether.CodeOf(err) != bellwether.CodeInvalidConfig || len(host.Requests()) > 0 {
		t.Error(err)
	}
}
