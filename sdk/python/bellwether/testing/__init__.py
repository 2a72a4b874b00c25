"""Stands in for the host in a plugin's own tests, natively: `python3 -m unittest` needs no WebAssembly.

    column = testing.frame({"rsi(14)": [30.0, None, 70.0]}).only_column()
    assert list(column.present()) == [30.0, 70.0]

Secrets, the time, answers and what was logged stay until `reset`, which a test calls in `setUp`.
"""

from __future__ import annotations

import json
from typing import Any, Callable, Mapping, Optional, Sequence

from ..alert import Alert, Phase, Severity
from ..data import Column, ColumnKind, Frame, Windows
from ..deploy import Rollout, Side
from ..model import InputShape, ModelType, Target, Task
from ..network import Network
from ..plugin import Config, Plugin, read_config, schema_text
from ..values import json_text
from . import clock, log, progress, random, secrets, wire
from .memory import MemoryColumn, MemoryFrame, MemoryWindows


def reset() -> None:
    """Forgets secrets, log, requests and reports; time and seed are 0 again."""
    log.lines.clear()
    secrets.values.clear()
    wire.requests.clear()
    progress.reports.clear()
    clock.now, wire.responder, progress.stop_at = 0, None, None
    random.seed(0)


def column(name: str, values: Sequence[Optional[float]], kind: ColumnKind = ColumnKind.NUMERIC) -> Column:
    """A column. None is a missing value, as NaN is."""
    return Column(MemoryColumn(name, values, kind))


def frame(columns: Mapping[str, Sequence[Optional[float]]]) -> Frame:
    """A frame of numeric columns."""
    if len({len(values) for values in columns.values()}) > 1:
        raise ValueError("the columns of a frame have one length")
    return Frame(MemoryFrame([MemoryColumn(name, values) for name, values in columns.items()]))


def windows(features: Sequence[str], values: Sequence[Sequence[Any]], targets: Sequence[float] = ()) -> Windows:
    """Windows: `values[sample][step][feature]`, and one target per sample (none when predicting). With one feature
    `values[sample][step]` will do."""
    samples = [[step if isinstance(step, (list, tuple)) else [step] for step in sample] for sample in values]
    steps = len(samples[0]) if samples else 1
    if any(len(sample) != steps or any(len(step) != len(features) for step in sample) for sample in samples):
        raise ValueError(f"every sample must have {steps} steps of {len(features)} features")
    if len(targets) not in (0, len(samples)):
        raise ValueError("one target per sample, or none")
    return Windows(MemoryWindows(features, steps, [number for sample in samples for step in sample for number in step], targets))


def rollout(stable: Optional[str], candidate: str, **members: Any) -> Rollout:
    """A rollout that just began, `candidate` against `stable`, nothing measured; `members` replace those of `Rollout`."""
    began = {"id": "rollout-1", "endpoint": "BTC-USDT", "stable": Side(stable, share=1.0) if stable else None}
    return Rollout(**{**began, "candidate": Side(candidate), **members})


def alert(**members: Any) -> Alert:
    """A firing alert; `members` replace those of `Alert`."""
    firing = {
        "idempotency_key": "alert-1-1",
        "id": "alert-1",
        "condition": "data-drift",
        "severity": Severity.WARNING,
        "phase": Phase.FIRING,
        "summary": "Drift in rsi(14).",
    }
    return Alert(**{**firing, **members})


def config(plugin: type[Plugin], **given: Any) -> Config:
    """The configuration a plugin gets when the operator gives `given`: the schema's defaults filled in as the host does,
    then parsed and checked. Raises what the plugin raises."""
    properties = json.loads(schema_text(plugin)).get("properties", {})
    filled = {name: schema["default"] for name, schema in properties.items() if "default" in schema}
    return read_config(plugin(), json_text({**filled, **given}))


def check_schema(plugin: type[Plugin], **required: Any) -> None:
    """Checks a plugin's schema the way the host will: an object that names every setting, describes it, and whose defaults
    with `required` (the settings without a default) make a configuration the plugin takes. Raises `AssertionError`."""
    schema = json.loads(schema_text(plugin))
    assert schema.get("type") == "object", "config_schema must describe an object"
    assert schema.get("additionalProperties") is False, "config_schema must refuse unknown settings"
    for name, about in schema.get("properties", {}).items():
        assert isinstance(about.get("description"), str), f"setting `{name}` has no description"
        assert "default" in about or name in required, f"setting `{name}` has no default and is not in `required`"
    config(plugin, **required)


def check_search_space(plugin: type[ModelType], **required: Any) -> None:
    """Checks that every setting a model type offers to tune is one of its schema, and that bounds and choices make
    configurations it takes. Raises `AssertionError`."""
    properties = json.loads(schema_text(plugin)).get("properties", {})
    for parameter in plugin().search_space():
        assert parameter.name in properties, f"`{parameter.name}` is no setting of config_schema"
        values = parameter.values.value
        tried = [json.loads(value) for value in values] if parameter.values.case == "choice" else values[:2]
        for value in tried:
            config(plugin, **{**required, parameter.name: value})


def plan(plugin: type[ModelType], steps: int, features: Sequence[str], kind: str = "return", **given: Any) -> Any:
    """What a model type plans for windows of `steps` steps; binary for the target `direction`."""
    task = Task.BINARY if kind == "direction" else Task.REGRESSION
    return plugin().plan(config(plugin, **given), InputShape(steps, list(features)), Target(kind, 1, task))


def outline(network: Network) -> list[str]:
    """A network as lines like `lstm_1 <- input`, to compare in a test."""
    names = [node.name for node in network.nodes]
    return [f"{node.name} <- {', '.join(names[place] for place in node.inputs)}" for node in network.nodes if node.inputs]


def seed(number: int) -> None:
    """Draws from `random` what the host draws in a call with this seed."""
    random.seed(number)


def set_secret(name: str, value: str) -> None:
    """Sets a secret."""
    secrets.values[name] = value


def set_now_ms(now: int) -> None:
    """Sets the time, milliseconds since 1970-01-01T00:00:00Z."""
    clock.now = now


def respond_with(responder: Callable[[Any], Any]) -> None:
    """Answers HTTP requests: `responder` gets an `http.Request` and returns an `http.Response` or raises `http.Failure`."""
    wire.responder = responder


def requests() -> list[Any]:
    """The HTTP requests sent so far."""
    return list(wire.requests)


def logged() -> list[tuple[str, str]]:
    """Level and message of the lines logged so far."""
    return list(log.lines)


def reported() -> list[tuple[int, int, float, float]]:
    """What a fit reported so far: done, total, training loss, validation loss."""
    return list(progress.reports)


def stop_after(reports: int) -> None:
    """Asks a fit to stop at its report of this number."""
    progress.stop_at = reports
