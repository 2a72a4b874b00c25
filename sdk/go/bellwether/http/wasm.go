//go:build wasip1

package http

// One exchange over wasi:http. Every handle is dropped here, children before parents: a cleanup by the garbage collector could
// call the host at a moment it must not.

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"bellwether/internal/abi/runtime"
	"bellwether/internal/abi/types"
	outgoing "bellwether/internal/wit/imports/wasi_http_outgoing_handler"
	wasi "bellwether/internal/wit/imports/wasi_http_types"
	streams "bellwether/internal/wit/imports/wasi_io_streams"
)

// piece is what BlockingWriteAndFlush takes at most.
const piece = 4096

func exchange(request Request, target target) (Response, *Failure) {
	defer runtime.Unpin()
	composed, failure := compose(request, target)
	if failure != nil {
		return Response{}, failure
	}
	defer composed.Drop()
	body := composed.Body()
	if body.IsErr() {
		return Response{}, broken("the request has no body to write")
	}
	defer body.Ok().Drop()
	handled := outgoing.Handle(composed, timeouts(request.Timeout))
	if handled.IsErr() {
		return Response{}, failed(handled.Err())
	}
	waiting := handled.Ok()
	defer waiting.Drop()
	if failure := write(body.Ok(), request.Body); failure != nil {
		return Response{}, failure
	}
	ready := waiting.Subscribe()
	ready.Block()
	ready.Drop()
	answer := waiting.Get()
	if answer.IsNone() || answer.Some().IsErr() {
		return Response{}, broken("no answer though one was announced")
	}
	if answer.Some().Ok().IsErr() {
		return Response{}, failed(answer.Some().Ok().Err())
	}
	response := answer.Some().Ok().Ok()
	defer response.Drop()
	return read(response)
}

func compose(request Request, target target) (*wasi.OutgoingRequest, *Failure) {
	fields := wasi.MakeFields()
	defer fields.Drop()
	for _, header := range request.Headers {
		if fields.Append(header.Name, []byte(header.Value)).IsErr() {
			return nil, &Failure{Refused, fmt.Sprintf("the header `%s` is not allowed", header.Name)}
		}
	}
	composed := wasi.MakeOutgoingRequest(fields)
	scheme := wasi.MakeSchemeHttp()
	if target.secure {
		scheme = wasi.MakeSchemeHttps()
	}
	refused := ""
	if composed.SetMethod(method(request.Method)).IsErr() {
		refused = "method"
	} else if composed.SetScheme(types.Some(scheme)).IsErr() {
		refused = "scheme"
	} else if composed.SetAuthority(types.Some(target.authority)).IsErr() {
		refused = "authority"
	} else if composed.SetPathWithQuery(types.Some(target.path)).IsErr() {
		refused = "path"
	}
	if refused != "" {
		composed.Drop()
		return nil, &Failure{Refused, "the " + refused + " of the request is none"}
	}
	return composed, nil
}

func method(name string) wasi.Method {
	switch name {
	case "GET":
		return wasi.MakeMethodGet()
	case "POST":
		return wasi.MakeMethodPost()
	case "PUT":
		return wasi.MakeMethodPut()
	case "PATCH":
		return wasi.MakeMethodPatch()
	case "DELETE":
		return wasi.MakeMethodDelete()
	default:
		return wasi.MakeMethodOther(name)
	}
}

// timeouts are wishes: a host that does not take one bounds the call by itself.
func timeouts(timeout time.Duration) types.Option[*wasi.RequestOptions] {
	if timeout <= 0 {
		return types.None[*wasi.RequestOptions]()
	}
	options, wish := wasi.MakeRequestOptions(), types.Some(uint64(timeout))
	options.SetConnectTimeout(wish)
	options.SetFirstByteTimeout(wish)
	options.SetBetweenBytesTimeout(wish)
	return types.Some(options)
}

func write(body *wasi.OutgoingBody, content []byte) *Failure {
	opened := body.Write()
	if opened.IsErr() {
		return broken("the request's body was taken twice")
	}
	stream := opened.Ok()
	for len(content) > 0 {
		count := min(len(content), piece)
		if stream.BlockingWriteAndFlush(content[:count]).IsErr() {
			stream.Drop()
			return &Failure{Unreachable, "the connection broke while the request was sent"}
		}
		content = content[count:]
	}
	// The stream is a child of the body and must be gone before the body is finished.
	stream.Drop()
	if finished := wasi.OutgoingBodyFinish(body, types.None[*wasi.Fields]()); finished.IsErr() {
		return failed(finished.Err())
	}
	return nil
}

func read(response *wasi.IncomingResponse) (Response, *Failure) {
	answer := Response{Status: int(response.Status())}
	headers := response.Headers()
	for _, entry := range headers.Entries() {
		if utf8.Valid(entry.F1) {
			answer.Headers = append(answer.Headers, Header{strings.ToLower(entry.F0), string(entry.F1)})
		}
	}
	headers.Drop()
	consumed := response.Consume()
	if consumed.IsErr() {
		return answer, broken("the answer's body was taken twice")
	}
	defer consumed.Ok().Drop()
	opened := consumed.Ok().Stream()
	if opened.IsErr() {
		return answer, broken("the answer's body was taken twice")
	}
	stream := opened.Ok()
	defer stream.Drop()
	for len(answer.Body) < AnswerLimit {
		part := runtime.Received(stream.BlockingRead(uint64(min(AnswerLimit-len(answer.Body), 1<<16))))
		if part.IsErr() {
			if part.Err().Tag() == streams.StreamError_Closed {
				return answer, nil
			}
			part.Err().LastOperationFailed().Drop()
			return answer, &Failure{Unreachable, "the connection broke while the answer was read"}
		}
		answer.Body = append(answer.Body, part.Ok()...)
	}
	return answer, nil
}

func failed(code wasi.ErrorCode) *Failure {
	switch code.Tag() {
	case wasi.ErrorCode_DnsTimeout, wasi.ErrorCode_DnsError:
		return &Failure{Unreachable, "the name could not be resolved"}
	case wasi.ErrorCode_DestinationNotFound, wasi.ErrorCode_DestinationUnavailable:
		return &Failure{Unreachable, "the destination is not there"}
	case wasi.ErrorCode_ConnectionRefused:
		return &Failure{Unreachable, "the connection was refused"}
	case wasi.ErrorCode_ConnectionTimeout, wasi.ErrorCode_ConnectionReadTimeout, wasi.ErrorCode_ConnectionWriteTimeout,
		wasi.ErrorCode_HttpResponseTimeout:
		return &Failure{Unreachable, "time ran out"}
	case wasi.ErrorCode_ConnectionTerminated, wasi.ErrorCode_ConnectionLimitReached, wasi.ErrorCode_HttpResponseIncomplete:
		return &Failure{Unreachable, "the connection broke"}
	case wasi.ErrorCode_InternalError:
		if why := code.InternalError(); !why.IsNone() {
			return &Failure{Unreachable, strings.Clone(why.Some())}
		}
		return &Failure{Unreachable, "the host could not send the request"}
	case wasi.ErrorCode_DestinationIpProhibited, wasi.ErrorCode_DestinationIpUnroutable:
		return &Failure{Refused, "its address is forbidden"}
	case wasi.ErrorCode_HttpRequestDenied:
		return &Failure{Refused, "the host does not allow the request"}
	default:
		// The rest say how a message or a certificate is wrong: sending it again changes nothing.
		return broken(fmt.Sprintf("the exchange failed (wasi:http error %d)", code.Tag()))
	}
}

func broken(message string) *Failure { return &Failure{Broken, message} }
