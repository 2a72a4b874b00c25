"""Keeps the log lines of a test."""

from __future__ import annotations

from enum import Enum

Level = Enum("Level", "TRACE DEBUG INFO WARN ERROR")

#: Level and message of each line.
lines: list[tuple[str, str]] = []


def write(level: Level, message: str) -> None:
    lines.append((level.name.lower(), message))
