// Package http is outgoing HTTP for alert handlers, over wasi:http; net/http cannot work here, for there are no sockets.
//
// The host sends the request with its own client and only to origins the operator granted (`http = [...]` under [wants]).
// Failures come back as the errors the host's retry understands: transient for what another try may cure (no connection, a
// time-out, 408, 425, 429 and every 5xx), something else for what it cannot (a refused origin, any other status). Redirects
// are not followed: they could lead to an origin nobody granted.
//
// Natively requests go to the receiver hosttest sets.
package http

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"bellwether"
)

// AnswerLimit is most bytes read of an answer; the rest is left unread.
const AnswerLimit = 1 << 20

// Header is a header's name and value.
type Header struct{ Name, Value string }

// Request is a request.
type Request struct {
	// Method is `GET`, `POST`, ...
	Method string
	// URL is `https://host[:port]/path?query`.
	URL string
	// Headers are its headers.
	Headers []Header
	// Body is its body.
	Body []byte
	// Timeout is most time to connect, to the first byte and between bytes, each; 0 leaves it to the host, whose limit on
	// the whole call stands above.
	Timeout time.Duration
}

// Header is the first value of a name, whatever its case; empty when there is none.
func (r Request) Header(name string) string { return find(r.Headers, name) }

// Response is an answer.
type Response struct {
	// Status is the status code.
	Status int
	// Headers are its headers, names in lower case.
	Headers []Header
	// Body is at most AnswerLimit bytes of the body.
	Body []byte
}

// Header is the first value of a name, whatever its case; empty when there is none.
func (r Response) Header(name string) string { return find(r.Headers, name) }

func find(headers []Header, name string) string {
	for _, header := range headers {
		if strings.EqualFold(header.Name, name) {
			return header.Value
		}
	}
	return ""
}

// Success is nil when the status is 2xx, else the error for it.
func (r Response) Success() error {
	if r.Status >= 200 && r.Status < 300 {
		return nil
	}
	start := []rune(strings.ToValidUTF8(string(r.Body[:min(len(r.Body), 800)]), "\uFFFD"))
	text := strings.TrimSpace(string(start[:min(len(start), 200)]))
	if slices.Contains([]int{408, 425, 429}, r.Status) || r.Status >= 500 && r.Status < 600 {
		return bellwether.Transient("the receiver answered %d: %s", r.Status, text)
	}
	code := bellwether.Code("http-" + strconv.Itoa(r.Status))
	return bellwether.Errorf(code, "the receiver answered %d: %s", r.Status, text)
}

// Send sends a request and gives the answer whatever its status. A bad URL or header and an origin that was not granted are
// invalid-config errors, what another try may cure is a transient one.
func Send(request Request) (Response, error) {
	target, err := parse(request.URL)
	if err != nil {
		return Response{}, err
	}
	for _, header := range request.Headers {
		if !wellFormed(header) {
			return Response{}, bellwether.InvalidConfig("%q is not a header that can be sent", header.Name)
		}
	}
	answer, failure := exchange(request, target)
	if failure != nil {
		return Response{}, failure.in(target)
	}
	return answer, nil
}

// PostJSON posts what encoding/json makes of body and gives the answer when its status is 2xx. Content-type is set unless
// the headers have one.
func PostJSON(url string, headers []Header, body any, timeout time.Duration) (Response, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return Response{}, bellwether.Internal("the body is no JSON: %v", err)
	}
	headers = slices.Clone(headers)
	if find(headers, "content-type") == "" {
		headers = append(headers, Header{"content-type", "application/json"})
	}
	answer, err := Send(Request{Method: "POST", URL: url, Headers: headers, Body: text, Timeout: timeout})
	if err != nil {
		return answer, err
	}
	return answer, answer.Success()
}
