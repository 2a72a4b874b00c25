"""Turns what a component does not have into Python exceptions, and printing into log lines.

A component has no files, no clock and no entropy of its own; where componentize-py replaces WASI by stubs, asking for one
ends the call with a trap that says nothing. So the usual ways of asking are refused here first, in words. Installed at the
beginning of every call and not before: while the component is made, modules are read from real files.
"""

from __future__ import annotations

import builtins
import io
import os
import sys
import time
from importlib.machinery import BuiltinImporter, FrozenImporter
from typing import Any, Callable

from .. import log
from ..errors import Internal
from ..host import Missing, interface

CLOCKS = "time time_ns monotonic monotonic_ns perf_counter perf_counter_ns process_time process_time_ns sleep".split()


class LogStream(io.TextIOBase):
    """A standard stream whose lines go to the host's log."""

    def __init__(self, level: log.Level):
        self._level, self._rest = level, ""

    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            log.write(self._level, line)
        return len(text)

    def flush(self) -> None:
        if self._rest:
            log.write(self._level, self._rest)
            self._rest = ""


class NoMoreImports:
    """Stands in front of the finders of modules: there are no files to find one in."""

    def find_spec(self, name: str, _path: Any = None, _target: Any = None) -> None:
        raise ModuleNotFoundError(f"`{name}` was not imported when the component was made: import it at the top of a module", name=name)


def refusal(why: str) -> Callable:
    """A function that raises."""

    def refuse(*_arguments: Any, **_options: Any) -> Any:
        raise Internal(why)

    return refuse


def install() -> None:
    """Refuses what is not there. Doing it twice does no harm."""
    sys.stdout, sys.stderr = LogStream(log.Level.INFO), LogStream(log.Level.WARN)
    sys.meta_path[:] = [BuiltinImporter, FrozenImporter, NoMoreImports()]
    builtins.open = io.open = refusal("a component has no files: read them at the top of a module, while it is made")
    if not isinstance(interface("outgoing_handler"), Missing):
        # Made with the host's WASI, which answers clocks and entropy in its own way.
        return
    os.urandom = refusal("a component has no entropy: draw from bellwether.random, which the host seeds")
    for name in CLOCKS:
        setattr(time, name, refusal("a component has no clock: use the times that come as arguments"))
