"""The secrets of a test."""

from __future__ import annotations

from typing import Optional

values: dict[str, str] = {}


def get(name: str) -> Optional[str]:
    return values.get(name)
