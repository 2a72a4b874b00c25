// {{name}}: posts each alert as a short JSON message, as chat services take them.
//
// The receiver gets the idempotency key as a header and may drop repeats by it. An answer of 2xx is a delivery; package http
// decides which failures the host tries again.
package main

import (
	_ "embed"
	"strings"
	"time"

	"bellwether"
	"bellwether/alerthandler"
	"bellwether/http"
	"bellwether/secrets"
)

//go:embed config.schema.json
var schema string

var info = bellwether.Info{
	Name:    "{{name}}",
	Version: "0.1.0",
	Summary: "Posts each alert as a short JSON message to a URL.",
	Schema:  schema,
}

// Config is what the operator may set. The schema has ranges and defaults, so every field is always there.
type Config struct {
	URL            string `json:"url"`
	Secret         string `json:"secret"`
	TimeoutSeconds int64  `json:"timeout_seconds"`
}

// message is what is posted.
type message struct {
	Text      string            `json:"text"`
	ID        string            `json:"id"`
	Severity  string            `json:"severity"`
	Phase     string            `json:"phase"`
	StartedAt string            `json:"started_at"`
	Labels    map[string]string `json:"labels"`
}

// {{Pascal}} is the plugin.
type {{Pascal}} struct{}

func init() { alerthandler.Register(info, {{Pascal}}{}) }

func main() {}

// Handle delivers one alert.
func ({{Pascal}}) Handle(alert alerthandler.Alert, config Config) error {
	headers := []http.Header{{Name: "idempotency-key", Value: alert.IdempotencyKey}}
	if config.Secret != "" {
		token, ok := secrets.Get(config.Secret)
		if !ok {
			return bellwether.InvalidConfig("the secret `%s` is not mapped to this plugin, or is not set", config.Secret)
		}
		headers = append(headers, http.Header{Name: "authorization", Value: "Bearer " + strings.TrimSpace(token)})
	}
	timeout := time.Duration(config.TimeoutSeconds) * time.Second
	_, err := http.PostJSON(config.URL, headers, compose(alert), timeout)
	return err
}

func compose(alert alerthandler.Alert) message {
	labels := map[string]string{}
	for _, label := range alert.Labels {
		labels[label.Name] = label.Value
	}
	text := alert.Summary
	if alert.Phase == alerthandler.Resolved {
		text = "Over: " + text
	}
	return message{
		Text:      text,
		ID:        alert.ID,
		Severity:  string(alert.Severity),
		Phase:     string(alert.Phase),
		StartedAt: alert.StartedAt().Format("2006-01-02T15:04:05.000Z07:00"),
		Labels:    labels,
	}
}
