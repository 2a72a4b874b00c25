"""Makes a class the plugin of its project.

    @bellwether.register
    class MyDrift(bellwether.DriftTest):
        ...

A component exports one class per interface of its kind, found by name in the author's module. This puts them there; off
WebAssembly it only checks the class, so that mistakes show in the first unit test.
"""

from __future__ import annotations

import re
import sys

from .alert import AlertHandler
from .deploy import DeploymentStrategy
from .drift import DriftDetector, DriftTest
from .host import IN_COMPONENT
from .model import Estimator, ModelType
from .plugin import Plugin

#: Kind, world, exported interfaces and functions to write, by base class; the more special class first.
KINDS = {
    Estimator: ("model", "bellwether:model/guest-model", ("Plugin", "Planner", "Estimator"), ("requires", "fit", "predict")),
    ModelType: ("model", "bellwether:model/model", ("Plugin", "Planner"), ("requires", "plan")),
    DriftTest: ("drift-test", "bellwether:drift/drift-test", ("Plugin", "Test"), ("baseline", "test")),
    DriftDetector: ("drift-detector", "bellwether:drift/drift-detector", ("Plugin", "Detector"), ("start", "update")),
    AlertHandler: ("alert-handler", "bellwether:alert/alert-handler", ("Plugin", "Handler"), ("handle",)),
    DeploymentStrategy: ("deployment-strategy", "bellwether:deploy/deployment-strategy", ("Plugin", "Strategy"), ("next",)),
}

#: What was registered, in order: `build` reads the plugin of a project here.
registered: list[type] = []


def base_of(plugin: type) -> type:
    """The kind's base class."""
    for base in KINDS:
        if issubclass(plugin, base):
            return base
    raise TypeError(f"{plugin.__name__} must derive from one of {', '.join(base.__name__ for base in KINDS)}")


def register(plugin: type) -> type:
    """Exports a class as the plugin of its module. Once per project."""
    base = base_of(plugin)
    _, _, exports, functions = KINDS[base]
    _check(plugin, base, functions)
    registered.append(plugin)
    if IN_COMPONENT:
        from .component.exports import classes

        vars(sys.modules[plugin.__module__]).update(classes(exports, plugin))
    return plugin


def _check(plugin: type[Plugin], base: type, functions: tuple[str, ...]) -> None:
    who = plugin.__name__
    if who in KINDS[base][2]:
        raise TypeError(f"`{who}` is a name the component exports: call the class something else")
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", plugin.name):
        raise TypeError(f"{who}.name is {plugin.name!r}: lower-case letters, digits and `-` are wanted, as in plugin.toml")
    if not plugin.version or not plugin.summary:
        raise TypeError(f"{who} needs `version` and `summary`, the same as in plugin.toml")
    missing = [name for name in functions if getattr(plugin, name) is getattr(base, name)]
    if missing:
        raise TypeError(f"{who} is a {base.__name__} and lacks {', '.join(missing)}")
