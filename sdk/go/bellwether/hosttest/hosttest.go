// Package hosttest stands in for the host in a plugin's own tests, natively: `go test` needs no WebAssembly.
//
//	host := hosttest.New(t)
//	host.Respond(func(request http.Request) (http.Response, error) { return http.Response{Status: 204}, nil })
//
// The host is one for the process: tests that use New do not run in parallel. What New set is undone at the test's end.
package hosttest

import (
	"slices"
	"sync"
	"testing"

	"bellwether/http"
	"bellwether/internal/native"
)

// Host is the host's side of a test.
type Host struct {
	lock     sync.Mutex
	requests []http.Request
}

// Line is a line of the log: its level (`trace`, `debug`, `info`, `warn`, `error`) and its message.
type Line = native.Line

// New begins with an empty log, no secrets, the time 0, randomness of a fixed seed and nobody who answers requests.
func New(t testing.TB) *Host {
	native.Reset()
	t.Cleanup(native.Reset)
	return &Host{}
}

// SetNow sets the time, milliseconds since 1970-01-01T00:00:00Z.
func (h *Host) SetNow(ms int64) { native.SetNow(ms) }

// SetSecret maps a secret.
func (h *Host) SetSecret(name, value string) { native.SetSecret(name, value) }

// Seed begins randomness anew. Its numbers are not the host's: they serve to test a plugin's logic.
func (h *Host) Seed(seed uint64) { native.SetSeed(seed) }

// StopAt makes progress.Report ask to stop from this step on.
func (h *Host) StopAt(step uint32) { native.SetStop(step) }

// Log is the lines written so far.
func (h *Host) Log() []Line { return native.Lines() }

// Requests are the requests sent so far.
func (h *Host) Requests() []http.Request {
	h.lock.Lock()
	defer h.lock.Unlock()
	return slices.Clone(h.requests)
}

// Respond answers HTTP requests and keeps them for Requests. An error that is no [http.Failure] counts as unreachable.
func (h *Host) Respond(receiver func(http.Request) (http.Response, error)) {
	native.SetExchange(func(method, url string, headers [][2]string, body []byte) (int, [][2]string, []byte, error) {
		request := http.Request{Method: method, URL: url, Body: slices.Clone(body)}
		for _, header := range headers {
			request.Headers = append(request.Headers, http.Header{Name: header[0], Value: header[1]})
		}
		h.lock.Lock()
		h.requests = append(h.requests, request)
		h.lock.Unlock()
		response, err := receiver(request)
		var answered [][2]string
		for _, header := range response.Headers {
			answered = append(answered, [2]string{header.Name, header.Value})
		}
		return response.Status, answered, response.Body, err
	})
}
