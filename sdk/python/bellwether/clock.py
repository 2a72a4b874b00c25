"""The time, for alert handlers whose `plugin.toml` wants one (`clock = true`) and were granted it."""

from __future__ import annotations

from .host import interface

_host = interface("clock")


def now_ms() -> int:
    """Milliseconds since 1970-01-01T00:00:00Z. Natively what `testing.set_now_ms` set, 0 at first."""
    return _host.now_ms()
