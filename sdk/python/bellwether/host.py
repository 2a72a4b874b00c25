"""Finds the host's interfaces: the generated bindings in a component, their stand-ins anywhere else.

Bindings exist only while a component is made and in it. A component's world has the interfaces of its kind and no
others, so one that is not there is an error of the call, said in words, and not of the import.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

from .errors import Internal

#: Whether this runs as WebAssembly.
IN_COMPONENT = sys.platform == "wasi"

#: What `plugin.toml` must ask for to get an interface.
WANTS = {"clock": "clock = true", "secrets": 'secrets = ["..."]', "outgoing_handler": 'http = ["..."]'}


class Missing:
    """Stands for an interface the component was made without."""

    def __init__(self, name: str):
        self._name = name

    def __getattr__(self, _function: str) -> Any:
        name = self._name
        if name in WANTS:
            raise Internal(f"this component was built without `{name}`: write `{WANTS[name]}` under [wants] in plugin.toml")
        raise Internal(f"plugins of this kind have no `{name}`: wit/ says which kind imports what")


def interface(name: str) -> Any:
    """The functions of a host interface, by the name of its generated module."""
    if not IN_COMPONENT:
        return importlib.import_module("bellwether.testing." + name)
    try:
        return importlib.import_module("wit_world.imports." + name)
    except ImportError:
        return Missing(name)
