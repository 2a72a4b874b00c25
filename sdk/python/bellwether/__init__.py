"""Bellwether SDK for Python: write a plugin as a class, build it as a WebAssembly component.

    import bellwether

    @bellwether.register
    class MyDrift(bellwether.DriftTest):
        name, version, summary = "my-drift", "0.1.0", "..."

        def baseline(self, reference, config): ...
        def test(self, baseline, current, config): ...

The modules follow the contract in wit/: `drift`, `alert`, `deploy`, `model`, `network` for the kinds, `log`, `stats`,
`random`, `clock`, `secrets`, `progress`, `http` for what the host offers, `state` for bytes that last, `testing` for unit
tests. Standard library only.
"""

from . import alert, clock, deploy, drift, http, log, model, network, progress, random, secrets, state, stats, training
from .alert import AlertHandler
from .builder import NetworkBuilder
from .data import Column, ColumnKind, Frame, Moments, Windows
from .deploy import DeploymentStrategy
from .drift import DriftDetector, DriftTest
from .errors import Error, Internal, InvalidConfig, InvalidInput, Other, Transient, Unsupported
from .model import Estimator, ModelType
from .plugin import Config, Plugin, settings
from .register import register
from .state import Reader, Writer

__version__ = "0.1.0"

__all__ = [
    "AlertHandler",
    "Column",
    "ColumnKind",
    "Config",
    "DeploymentStrategy",
    "DriftDetector",
    "DriftTest",
    "Error",
    "Estimator",
    "Frame",
    "Internal",
    "InvalidConfig",
    "InvalidInput",
    "ModelType",
    "Moments",
    "NetworkBuilder",
    "Other",
    "Plugin",
    "Reader",
    "Transient",
    "Unsupported",
    "Windows",
    "Writer",
    "alert",
    "clock",
    "deploy",
    "drift",
    "http",
    "log",
    "model",
    "network",
    "progress",
    "random",
    "register",
    "secrets",
    "settings",
    "state",
    "stats",
    "training",
]
