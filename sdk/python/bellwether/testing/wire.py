"""Keeps the requests of a test and answers them as it says."""

from __future__ import annotations

from typing import Any, Callable, Optional

#: What was sent.
requests: list[Any] = []

responder: Optional[Callable[[Any], Any]] = None


def exchange(request: Any, _url: Any) -> Any:
    from ..http import Failure

    requests.append(request)
    if responder is None:
        raise Failure("refused", "no responder is set for this test: call testing.respond_with")
    return responder(request)
