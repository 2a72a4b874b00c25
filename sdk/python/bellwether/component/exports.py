"""The classes a component exports: one per interface, each calling the plugin.

They keep the rule that a plugin answers and never traps: an `Error` goes out as the contract's, and any other exception
as `internal`, with the lines it came from in the host's log.
"""

from __future__ import annotations

import typing
from typing import Any, Callable

from .. import log
from ..alert import Alert
from ..data import Frame, Windows
from ..deploy import Rollout
from ..errors import Error
from ..model import InputShape, Target
from ..plugin import Plugin, read_config, schema_text
from .codec import lift, lower
from .guards import install


def answer(call: Callable[[], Any]) -> Any:
    """The answer of a call, or its error as the contract has it."""
    from componentize_py_types import Err
    from wit_world.imports import common

    install()
    try:
        return call()
    except Error as error:
        raised = error
    except (Exception, SystemExit) as error:
        raised = _broken(error)
    names = {"invalid-config": "InvalidConfig", "invalid-input": "InvalidInput"}
    name = names.get(raised.code, raised.code.capitalize())
    message = raised.message.encode("utf-8", "replace").decode()
    case = getattr(common, f"Error_{name}", None)
    raise Err(case(message) if case and name != "Other" else common.Error_Other((raised.code, message))) from None


def plain(call: Callable[[], Any]) -> Any:
    """The answer of a function for which the contract has no error: what goes wrong is logged and ends the call."""
    install()
    try:
        return call()
    except Exception as error:
        _broken(error)
        raise


def _broken(error: BaseException) -> Error:
    """An exception nobody expected: where it came from goes to the log, what it was to the caller."""
    places, step = [], error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        # Without the source lines that `traceback` would show: they are in files, and there are none.
        place = f"{code.co_filename.rpartition('/')[2]}, line {step.tb_lineno}, in {code.co_name}"
        places.append((place, "/bellwether/" in code.co_filename))
        step = step.tb_next
    log.error("\n".join([f"{type(error).__name__}: {error}", *(f"  {place}" for place, _ in reversed(places))]))
    # What a person looks for is the author's line, not the SDK's below it.
    own = [place for place, inside in places if not inside] or [place for place, _ in places] or ["nowhere"]
    return Error(f"{type(error).__name__}: {error} ({own[-1]})")


class Calls:
    """A plugin and how it is called."""

    plugin: Plugin

    def _call(self, function: Callable, *arguments: Any, config: str, to: Any) -> Any:
        """Calls with the parsed configuration last, and lowers what comes back."""
        return answer(lambda: lower(function(*arguments, read_config(self.plugin, config)), to))


class DescribeExport(Calls):
    """`bellwether:types/plugin`."""

    def describe(self) -> Any:
        from wit_world.exports.plugin import Description

        plugin = type(self.plugin)
        return Description(plugin.name, plugin.version, plugin.summary, schema_text(plugin), [])


class TestExport(Calls):
    """`bellwether:drift/test`."""

    def accepts(self) -> Any:
        from wit_world.exports import test

        return plain(lambda: lower(self.plugin.accepts(), test.Acceptance))

    def baseline(self, reference: Any, config: str) -> bytes:
        return self._call(self.plugin.baseline, Frame(reference), config=config, to=bytes)

    def test(self, baseline: bytes, current: Any, config: str) -> Any:
        from wit_world.exports import test

        return self._call(self.plugin.test, baseline, Frame(current), config=config, to=test.Outcome)


class DetectorExport(Calls):
    """`bellwether:drift/detector`."""

    def start(self, config: str) -> bytes:
        return self._call(self.plugin.start, config=config, to=bytes)

    def update(self, state: bytes, values: list, config: str) -> Any:
        from wit_world.exports import detector

        return self._call(self.plugin.update, state, values, config=config, to=detector.Advance)


class HandlerExport(Calls):
    """`bellwether:alert/handler`."""

    def handle(self, alert: Any, config: str) -> None:
        self._call(self._handle, alert, config=config, to=typing.Optional[str])

    def _handle(self, alert: Any, config: Any) -> None:
        self.plugin.handle(lift(alert, Alert), config)


class StrategyExport(Calls):
    """`bellwether:deploy/strategy`."""

    def next(self, rollout: Any, config: str) -> Any:
        from wit_world.exports import strategy

        return self._call(self._next, rollout, config=config, to=strategy.Decision)

    def _next(self, rollout: Any, config: Any) -> Any:
        return self.plugin.next(lift(rollout, Rollout), config)


class PlannerExport(Calls):
    """`bellwether:model/planner`."""

    def requires(self, config: str) -> Any:
        from wit_world.exports import planner

        return self._call(self.plugin.requires, config=config, to=planner.Requirements)

    def plan(self, config: str, input: Any, target: Any) -> Any:
        from wit_world.exports import planner

        return self._call(
            lambda settings: self.plugin.plan(settings, lift(input, InputShape), lift(target, Target)),
            config=config,
            to=planner.TrainingPlan,
        )

    def search_space(self) -> list:
        from wit_world.exports import planner

        return plain(lambda: lower(self.plugin.search_space(), typing.List[planner.HyperParameter]))


class EstimatorExport(Calls):
    """`bellwether:model/estimator`."""

    def fit(self, train: Any, validation: Any, config: str) -> bytes:
        return self._call(self.plugin.fit, Windows(train), Windows(validation), config=config, to=bytes)

    def predict(self, state: bytes, inputs: Any, config: str) -> list:
        return self._call(self.plugin.predict, state, Windows(inputs), config=config, to=typing.List[float])


#: By the name componentize-py looks for.
EXPORTS = {
    "Plugin": DescribeExport,
    "Test": TestExport,
    "Detector": DetectorExport,
    "Handler": HandlerExport,
    "Strategy": StrategyExport,
    "Planner": PlannerExport,
    "Estimator": EstimatorExport,
}


def classes(names: tuple[str, ...], plugin: type) -> dict[str, type]:
    """The classes to export for one plugin."""
    # Loaded now, while there are files to load from; the calls find them loaded.
    import wit_world.exports
    import wit_world.imports.common  # noqa: F401

    return {name: type(name, (EXPORTS[name],), {"plugin": plugin()}) for name in names}
