"""One exchange over `wasi:http`.

The module is there only in components of alert handlers whose manifest wants http. Resources are released in the order
the contract of `wasi:http` asks: a stream before the body it belongs to.
"""

from __future__ import annotations

from typing import Any

from ..host import interface

_types, _outgoing, _streams = interface("types"), interface("outgoing_handler"), interface("streams")

#: What `blocking-write-and-flush` takes at most.
WRITE_BYTES = 4096

#: Codes of `wasi:http` after which another try may succeed, and those by which the host says no.
UNREACHABLE = (
    "DnsTimeout DnsError DestinationNotFound DestinationUnavailable ConnectionRefused ConnectionTerminated "
    "ConnectionTimeout ConnectionReadTimeout ConnectionWriteTimeout ConnectionLimitReached HttpResponseIncomplete "
    "HttpResponseTimeout InternalError"
).split()
REFUSED = "DestinationIpProhibited DestinationIpUnroutable HttpRequestDenied".split()

#: Methods `wasi:http` has a case for.
METHODS = "GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH".split()


def exchange(request: Any, url: Any) -> Any:
    """Sends and waits for the answer. Raises `http.Failure`."""
    from componentize_py_types import Err

    from ..http import Failure

    # Looked up first: where the component was made without http, this says so.
    handle = _outgoing.handle
    outgoing = _compose(request, url, Failure, Err)
    try:
        body = outgoing.body()
        waiting = handle(outgoing, _options(request.timeout))
        _write(body, request.body)
        waiting.subscribe().block()
        # The outer result says that the answer was not taken before, the inner one is the answer.
        answer = waiting.get().value
        if isinstance(answer, Err):
            raise _failed(answer.value, Failure)
        return _read(answer.value)
    except Err as error:
        raise _failed(error.value, Failure) from None


def _compose(request: Any, url: Any, failure: type, err: type) -> Any:
    try:
        fields = _types.Fields.from_list([(name, value.encode()) for name, value in request.headers])
    except err as error:
        raise failure("refused", f"a header cannot be sent: {type(error.value).__name__}") from None
    outgoing = _types.OutgoingRequest(fields)
    scheme = _types.Scheme_Https() if url.scheme == "https" else _types.Scheme_Http()
    try:
        if request.method in METHODS:
            outgoing.set_method(getattr(_types, f"Method_{request.method.capitalize()}")())
        else:
            outgoing.set_method(_types.Method_Other(request.method))
        outgoing.set_scheme(scheme)
        outgoing.set_authority(url.authority)
        outgoing.set_path_with_query(url.path)
    except err:
        raise failure("refused", f"{request.method} {url.origin}{url.path} cannot be sent") from None
    return outgoing


def _options(seconds: float) -> Any:
    """Time-outs are wishes: a host that does not take one bounds the call by itself."""
    from componentize_py_types import Err

    options, nanoseconds = _types.RequestOptions(), int(seconds * 1e9)
    for wish in (options.set_connect_timeout, options.set_first_byte_timeout, options.set_between_bytes_timeout):
        try:
            wish(nanoseconds)
        except Err:
            pass
    return options


def _write(body: Any, data: bytes) -> None:
    """Sends what the receiver takes. Where it stops taking, the answer that is waited for next says why."""
    from componentize_py_types import Err

    try:
        with body.write() as stream:
            for start in range(0, len(data), WRITE_BYTES):
                stream.blocking_write_and_flush(data[start : start + WRITE_BYTES])
        _types.OutgoingBody.finish(body, None)
    except Err:
        pass


def _read(answer: Any) -> Any:
    from componentize_py_types import Err

    from ..http import ANSWER_LIMIT, Response

    status, headers = answer.status(), []
    with answer.headers() as fields:
        for name, value in fields.entries():
            try:
                headers.append((name.lower(), value.decode()))
            except UnicodeDecodeError:
                continue
    body = bytearray()
    with answer.consume() as incoming, incoming.stream() as stream:
        try:
            while len(body) < ANSWER_LIMIT:
                body += stream.blocking_read(min(ANSWER_LIMIT - len(body), 1 << 16))
        except Err as error:
            if not isinstance(error.value, _streams.StreamError_Closed):
                raise
    return Response(status, tuple(headers), bytes(body))


def _failed(code: Any, failure: type) -> Exception:
    """Sorts an error code, or what a stream says, by whether another try may help."""
    name = type(code).__name__.partition("_")[2]
    if name == "LastOperationFailed":
        return failure("unreachable", f"the connection broke: {code.value.to_debug_string()}")
    carried = getattr(code, "value", None)
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip() or repr(code)
    message = words if carried is None else f"{words}: {carried}"
    kind = "unreachable" if name in UNREACHABLE else "refused" if name in REFUSED else "broken"
    return failure(kind, message)
