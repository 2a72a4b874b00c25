"""Secrets the operator mapped to this plugin by name (`wants.secrets`). They cannot be listed; never log one."""

from __future__ import annotations

from typing import Optional

from .host import interface

_host = interface("secrets")


def get(name: str) -> Optional[str]:
    """The value of a granted secret; None when it was not granted or is not set. Natively what `testing.set_secret` set."""
    return _host.get(name)
