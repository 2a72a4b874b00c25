"""Values and calls between a plugin and the generated bindings, against a few of those written out by hand.

What `bindings` holds is what componentize-py generates for the contract, cut down to what is tried here.
"""

import dataclasses
import enum
import sys
import types
import typing
import unittest
from dataclasses import dataclass
from typing import Generic, List, Optional, Tuple, TypeVar, Union
from unittest import mock

from bellwether import InvalidInput, Other, deploy, drift, log, testing
from bellwether.component import exports
from bellwether.component.codec import case_of, lift, lower
from bellwether.deploy import Action

bindings = types.SimpleNamespace()


def record(name, **members):
    made = dataclasses.make_dataclass(name, members.items())
    setattr(bindings, name, made)
    return made


Weight = record("Weight", share=float, shadow=float)
Seconds, UntilApproved = record("Pause_Seconds", value=int), record("Pause_UntilApproved")
Pause = Union[Seconds, UntilApproved]
SetWeight, CheckHealth = record("Action_SetWeight", value=Weight), record("Action_CheckHealth")
ActionPause, Rollback = record("Action_Pause", value=Pause), record("Action_Rollback", value=str)
AnyAction = Union[SetWeight, CheckHealth, ActionPause, Rollback]
Decision = record("Decision", action=AnyAction, reason=str, state=bytes)
Step = record("Step", number=int, action=AnyAction, seconds_ago=float)
Scope, ColumnKind = enum.Enum("Scope", "UNIVARIATE MULTIVARIATE"), enum.Enum("ColumnKind", "NUMERIC CATEGORICAL")
Acceptance = record("Acceptance", scope=Scope, kinds=List[ColumnKind], least_rows=int)
Outcome = record(
    "Outcome",
    statistic=float,
    p_value=Optional[float],
    score=float,
    threshold=float,
    drifted=bool,
    reference_count=int,
    current_count=int,
    detail=str,
)
Value = TypeVar("Value")


@dataclass(frozen=True)
class Err(Generic[Value], Exception):
    value: Value


def outcome(**members):
    plain = {"statistic": 1, "score": 2, "threshold": 3, "drifted": 0, "reference_count": 4, "current_count": 5}
    return drift.Outcome(**{**plain, **members})


class Codec(unittest.TestCase):
    def test_records_become_those_of_the_bindings(self):
        found = lower(outcome(detail={"a": [1.5, float("nan")]}), Outcome)
        self.assertEqual(found, Outcome(1.0, None, 2.0, 3.0, False, 4, 5, '{"a":[1.5,null]}'))
        self.assertIsInstance(found.statistic, float)
        self.assertIsInstance(found.drifted, bool)
        self.assertEqual(lower(drift.Acceptance(), Acceptance), Acceptance(Scope.UNIVARIATE, [ColumnKind.NUMERIC], 30))

    def test_variants_go_out_and_come_back(self):
        for action, expected in (
            (Action.set_weight(1, 0), SetWeight(Weight(1.0, 0.0))),
            (Action.check_health(), CheckHealth()),
            (Action.pause(30), ActionPause(Seconds(30))),
            (Action.pause_until_approved(), ActionPause(UntilApproved())),
            (Action.rollback("why"), Rollback("why")),
        ):
            self.assertEqual(lower(action, AnyAction), expected)
            self.assertEqual(lift(expected, Action), action)
        self.assertEqual(lift(Step(1, CheckHealth(), 0.5), deploy.Step), deploy.Step(1, Action.check_health(), 0.5))
        self.assertEqual([case_of(SetWeight), case_of(UntilApproved)], ["set-weight", "until-approved"])

    def test_what_would_trap_is_told(self):
        for value, hint in (
            (outcome(reference_count=-1), Outcome),
            (outcome(statistic="x"), Outcome),
            (drift.Acceptance(least_rows=1 << 32), Acceptance),
            (Action.promote(), AnyAction),
            (deploy.Decision({"kind": "promote"}, ""), Decision),
            (3, bytearray),
        ):
            with self.assertRaises((ValueError, TypeError)):
                lower(value, hint)
        self.assertEqual(lower(outcome(current_count=1 << 40), Outcome).current_count, 1 << 40)
        self.assertEqual(lower("a\ud800", str), "a?")
        self.assertEqual(lower((-5, 5, False), Tuple[int, int, bool]), (-5, 5, False))

    def test_json_is_text_outside_and_a_dict_inside(self):
        self.assertEqual((lift('{"a": 1}', dict), lift([("a", "b")], dict)), ({"a": 1}, {"a": "b"}))


class Strategy(deploy.DeploymentStrategy):
    name, version, summary = "s", "0.1.0", "A strategy."

    def next(self, rollout, config):
        if rollout.endpoint == "input":
            raise InvalidInput("bad")
        if rollout.endpoint == "other":
            raise Other("code", "message")
        if rollout.endpoint == "broken":
            return 1 / 0
        if rollout.endpoint == "wrong":
            return None
        return deploy.Decision(Action.pause(5), f"{rollout.steps[0].action.case} {rollout.now_ms}", b"s")


class Calls(unittest.TestCase):
    def setUp(self):
        testing.reset()
        names = ("InvalidConfig", "InvalidInput", "Unsupported", "Transient", "Internal")
        common = types.ModuleType("wit_world.imports.common")
        for name in names:
            setattr(common, f"Error_{name}", dataclasses.make_dataclass(f"Error_{name}", [("value", str)]))
        common.Error_Other = dataclasses.make_dataclass("Error_Other", [("value", Tuple[str, str])])
        world, into, out = (types.ModuleType(name) for name in ("wit_world", "wit_world.imports", "wit_world.exports"))
        strategy, runtime = types.ModuleType("wit_world.exports.strategy"), types.ModuleType("componentize_py_types")
        strategy.Decision, runtime.Err = Decision, Err
        into.common, out.strategy, world.imports, world.exports = common, strategy, into, out
        loaded = {module.__name__: module for module in (world, into, out, common, strategy, runtime)}
        # Guards take away files and clocks for good; in a component every call begins with a fresh one.
        for patched in (mock.patch.dict(sys.modules, loaded), mock.patch.object(exports, "install", lambda: None)):
            patched.start()
            self.addCleanup(patched.stop)
        self.common, self.strategy = common, exports.classes(("Strategy",), Strategy)["Strategy"]()

    def call(self, endpoint, config="{}"):
        nothing = deploy.Measurement()
        side = types.SimpleNamespace(model_id="a", share=0.0, shadow=0.0, measured=nothing)
        steps = [Step(0, CheckHealth(), 1.0)]
        rollout = types.SimpleNamespace(
            id="r", endpoint=endpoint, stable=None, candidate=side, steps=steps, elapsed_seconds=1.0, now_ms=7,
            health=None, analysis=None, approved=False, state=b"",
        )  # fmt: skip
        return self.strategy.next(rollout, config)

    def error(self, endpoint, config="{}"):
        with self.assertRaises(Err) as caught:
            self.call(endpoint, config)
        return caught.exception.value

    def test_an_answer_goes_out(self):
        self.assertEqual(self.call("fine"), Decision(ActionPause(Seconds(5)), "check-health 7", b"s"))

    def test_errors_are_those_of_the_contract(self):
        self.assertEqual(self.error("input"), self.common.Error_InvalidInput("bad"))
        self.assertEqual(self.error("other"), self.common.Error_Other(("code", "message")))
        self.assertIsInstance(self.error("fine", "[]"), self.common.Error_InvalidConfig)

    def test_what_nobody_expected_is_internal_and_logged(self):
        found = self.error("broken")
        self.assertIsInstance(found, self.common.Error_Internal)
        self.assertRegex(found.value, r"ZeroDivisionError: division by zero \(test_component.py, line \d+, in next\)")
        self.assertIsInstance(self.error("wrong"), self.common.Error_Internal)
        self.assertEqual(testing.logged()[0][0], "error")
        self.assertIn("in next", testing.logged()[0][1])

    def test_printing_is_logging(self):
        from bellwether.component.guards import LogStream

        stream = LogStream(log.Level.INFO)
        print("a\nb", end="", file=stream)
        stream.flush()
        self.assertEqual(testing.logged(), [("info", "a"), ("info", "b")])


if __name__ == "__main__":
    unittest.main()
