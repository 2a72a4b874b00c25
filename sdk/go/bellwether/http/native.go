//go:build !wasip1

package http

import (
	"errors"

	"bellwether/internal/native"
)

func exchange(request Request, _ target) (Response, *Failure) {
	answer := native.Answerer()
	if answer == nil {
		return Response{}, &Failure{Refused, "no receiver is set for this test"}
	}
	var headers [][2]string
	for _, header := range request.Headers {
		headers = append(headers, [2]string{header.Name, header.Value})
	}
	status, answered, body, err := answer(request.Method, request.URL, headers, request.Body)
	if err != nil {
		if failure, ok := errors.AsType[*Failure](err); ok {
			return Response{}, failure
		}
		return Response{}, &Failure{Unreachable, err.Error()}
	}
	response := Response{Status: status, Body: body}
	for _, header := range answered {
		response.Headers = append(response.Headers, Header{header[0], header[1]})
	}
	return response, nil
}
