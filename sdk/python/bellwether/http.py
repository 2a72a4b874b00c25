"""Outgoing HTTP for alert handlers.

The host sends the request with its own client and only to origins the operator granted (`wants.http`). What goes wrong
comes back as the error the host's retry understands: `Transient` for what another try may cure (no connection, a
time-out, 408, 425, 429 and every 5xx), something else for what it cannot. Redirects are not followed: they could lead to
an origin nobody granted. Natively requests go to the responder of `testing.respond_with`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Mapping, Optional
from urllib.parse import urlsplit

from .errors import Error, InvalidConfig, Other, Transient
from .host import IN_COMPONENT
from .values import json_text

if IN_COMPONENT:
    from .component import wire as _wire
else:
    from .testing import wire as _wire

#: Most bytes read of an answer; the rest is left unread.
ANSWER_LIMIT = 1 << 20


@dataclass(frozen=True)
class Request:
    """A request."""

    #: `GET`, `POST`, ...
    method: str
    #: `https://host[:port]/path?query`.
    url: str
    #: Names and values.
    headers: tuple[tuple[str, str], ...] = ()
    #: The body.
    body: bytes = b""
    #: Most seconds to connect, to the first byte and between bytes, each. The host's limit on the call stands above.
    timeout: float = 10.0


@dataclass(frozen=True)
class Response:
    """An answer."""

    #: Status code.
    status: int
    #: Names, in lower case, and values that are text.
    headers: tuple[tuple[str, str], ...] = ()
    #: At most `ANSWER_LIMIT` bytes of the body.
    body: bytes = b""

    @property
    def text(self) -> str:
        """The body as text; what is no UTF-8 is replaced."""
        return self.body.decode("utf-8", "replace")

    def header(self, name: str) -> Optional[str]:
        """The first header of a name, whatever its case."""
        return next((value for found, value in self.headers if found.lower() == name.lower()), None)

    def success(self) -> Response:
        """The response itself when its status is 2xx; else raises the error for it."""
        if 200 <= self.status < 300:
            return self
        message = f"the receiver answered {self.status}: {self.text[:200].strip()}"
        if self.status in (408, 425, 429) or self.status >= 500:
            raise Transient(message)
        raise Other(f"http-{self.status}", message)


class Failure(Exception):
    """A request without an answer. `kind` says whether another try may help: `unreachable` (it may), `refused` (the host
    or its rules say no) or `broken` (a certificate, the protocol, a message that cannot be sent)."""

    def __init__(self, kind: str, message: str):
        super().__init__(message)
        self.kind, self.message = kind, message

    def as_error(self, origin: str) -> Error:
        """The plugin's error for it."""
        message = f"{origin}: {self.message}"
        if self.kind == "unreachable":
            return Transient(message)
        if self.kind == "refused":
            return InvalidConfig(f"{message} (has the operator granted this origin?)")
        return Other("http-failed", message)


@dataclass(frozen=True)
class Url:
    """The parts of a URL that `wasi:http` wants apart."""

    scheme: str
    authority: str
    #: Path and query, at least `/`.
    path: str

    @property
    def origin(self) -> str:
        """Scheme and authority."""
        return f"{self.scheme}://{self.authority}"

    @staticmethod
    def parse(text: str) -> Url:
        """Reads a URL. A fragment is left out; a user name or a password is refused, for it would end up in logs."""
        if "@" in text.partition("://")[2].partition("/")[0]:
            raise InvalidConfig("a URL to call must not carry a user name or a password: use a header and a secret")
        if re.search(r"[\x00-\x20\x7f]", text):
            raise InvalidConfig(f"{text!r} is not a URL to call: it contains a space or a control character")
        try:
            parts = urlsplit(text)
        except ValueError as error:
            raise InvalidConfig(f"{text!r} is not a URL to call: {error}") from None
        if parts.scheme not in ("http", "https"):
            raise InvalidConfig(f"{text!r} is not a URL to call: it must begin with https:// or http://")
        if not parts.netloc or parts.netloc.startswith(":"):
            raise InvalidConfig(f"{text!r} is not a URL to call: it names no host")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return Url(parts.scheme, parts.netloc.lower(), path)


def send(request: Request) -> Response:
    """Sends a request and returns the answer whatever its status. Raises `InvalidConfig` for a bad URL or header and for an
    origin that was not granted, `Transient` where another try may succeed."""
    url = Url.parse(request.url)
    for name, value in request.headers:
        # A name is a token and a value has no control character: a line break would start another header.
        if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name) or re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value):
            raise InvalidConfig(f"`{name!a}` is not a header that can be sent")
    try:
        return _wire.exchange(request, url)
    except Failure as failure:
        raise failure.as_error(url.origin) from None


def post_json(url: str, body: Any, headers: Optional[Mapping[str, str]] = None, timeout: float = 10.0) -> Response:
    """Posts a JSON document and returns the answer when its status is 2xx. `content-type` is set unless `headers` has it."""
    sent = dict(headers or {})
    if not any(name.lower() == "content-type" for name in sent):
        sent["content-type"] = "application/json"
    return send(Request("POST", url, tuple(sent.items()), json_text(body).encode(), timeout)).success()
