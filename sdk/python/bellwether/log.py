"""Log lines, sent to the host's own log under the plugin's name. Natively `testing.logged` gives them back."""

from __future__ import annotations

from enum import Enum

from .host import interface

_host = interface("log")

#: What the host keeps of one line, in bytes.
LINE_BYTES = 4096


class Level(Enum):
    """How important a line is."""

    TRACE = "trace"
    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"


def write(level: Level, message: str) -> None:
    """Writes one line. The host cuts it at 4 KiB, and counts and drops lines past its limit a second."""
    text = str(message).encode("utf-8", "replace")[:LINE_BYTES].decode("utf-8", "ignore")
    _host.write(_host.Level[level.name], text)


def trace(message: str) -> None:
    """What only the author needs."""
    write(Level.TRACE, message)


def debug(message: str) -> None:
    """What helps to find a fault."""
    write(Level.DEBUG, message)


def info(message: str) -> None:
    """What an operator may want to know."""
    write(Level.INFO, message)


def warn(message: str) -> None:
    """What an operator should look at."""
    write(Level.WARN, message)


def error(message: str) -> None:
    """What went wrong."""
    write(Level.ERROR, message)
