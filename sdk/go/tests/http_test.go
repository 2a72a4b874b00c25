package bellwethertests

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"bellwether/hosttest"
	"bellwether/http"
)

func TestFailuresAreSortedByWhetherAnotherTryHelps(t *testing.T) {
	for _, test := range []struct {
		status   int
		err      error
		expected string
	}{
		{204, nil, ""},
		{503, nil, "transient: the receiver answered 503: busy"},
		{429, nil, "transient: "},
		{425, nil, "transient: "},
		{408, nil, "transient: "},
		{404, nil, "http-404: the receiver answered 404: busy"},
		{301, nil, "http-301: "},
		{0, &http.Failure{Kind: http.Unreachable, Message: "refused"}, "transient: https://example.com: refused"},
		{0, errors.New("refused"), "transient: "},
		{0, &http.Failure{Kind: http.Refused, Message: "not granted"}, "invalid-config: https://example.com: not granted"},
		{0, &http.Failure{Kind: http.Broken, Message: "certificate expired"}, "http-failed: "},
	} {
		host := hosttest.New(t)
		host.Respond(func(http.Request) (http.Response, error) {
			return http.Response{Status: test.status, Body: []byte(" busy ")}, test.err
		})
		_, err := http.PostJSON("https://example.com/hook", nil, 1, time.Second)
		if test.expected == "" && err != nil || test.expected != "" && (err == nil || !strings.HasPrefix(err.Error(), test.expected)) {
			t.Errorf("%d %v: %v", test.status, test.err, err)
		}
	}
}

func TestRequestsCarryWhatWasGiven(t *testing.T) {
	host := hosttest.New(t)
	host.Respond(func(http.Request) (http.Response, error) {
		return http.Response{Status: 200, Headers: []http.Header{{Name: "x-a", Value: "b"}}, Body: []byte("ok")}, nil
	})
	headers := []http.Header{{Name: "X-B", Value: "c"}}
	answer, err := http.Send(http.Request{Method: "PUT", URL: "http://Example.com?q", Headers: headers})
	if err != nil || answer.Header("X-A") != "b" || string(answer.Body) != "ok" {
		t.Error(answer, err)
	}
	if sent := host.Requests()[0]; sent.Method != "PUT" || sent.Header("x-b") != "c" {
		t.Error(sent)
	}
}

func TestURLsAndHeadersAreCheckedAndNotRepeated(t *testing.T) {
	hosttest.New(t).Respond(func(http.Request) (http.Response, error) { return http.Response{Status: 200}, nil })
	for url, expected := range map[string]string{
		"https://example.com/a?b=c#d":  "",
		"http://[::1]:8080":            "",
		"ftp://example.com":            "must begin with",
		"example.com":                  "must begin with",
		"https:///a":                   "names no host",
		"https://:80/a":                "names no host",
		"https://me:s3cret@example.io": "must not carry",
		"https://example.com/a b":      "control character",
	} {
		_, err := http.Send(http.Request{Method: "GET", URL: url})
		text := fmt.Sprint(err)
		if (err == nil) != (expected == "") || !strings.Contains(text, expected) || strings.Contains(text, "s3cret") {
			t.Errorf("%s: %v", url, err)
		}
	}
	for _, header := range []http.Header{{Name: "x-a", Value: "b\r\nx-c: d"}, {Name: "x a", Value: "b"}, {Name: "", Value: "b"}} {
		if _, err := http.Send(http.Request{Method: "GET", URL: "https://example.com", Headers: []http.Header{header}}); err == nil {
			t.Errorf("%q was sent", header)
		}
	}
}

func TestNobodyAnswersUnlessSet(t *testing.T) {
	hosttest.New(t)
	if _, err := http.Send(http.Request{Method: "GET", URL: "https://example.com"}); err == nil {
		t.Error("an answer from nobody")
	}
}
