"""Runs natively: python3 -m unittest"""

import unittest

from bellwether import InvalidConfig, InvalidInput, testing
from bellwether.deploy import Analysis, Health
from plugin import {{Pascal}}


def play(stable="lstm_1", health=Health(True), analysis=Analysis(True), **config):
    """Plays a rollout whose checks all end alike; the cases of the actions taken."""
    plugin, settings = {{Pascal}}(), testing.config({{Pascal}}, **config)
    state, actions = b"", []
    while not actions or actions[-1] not in ("promote", "rollback"):
        rollout = testing.rollout(stable, "lstm_2", health=health, analysis=analysis, state=state)
        decision = plugin.next(rollout, settings)
        state = decision.state
        actions.append(decision.action.case)
    return actions


class Tests(unittest.TestCase):
    def test_the_schema_holds(self):
        testing.check_schema({{Pascal}})
        with self.assertRaises(InvalidConfig):
            testing.config({{Pascal}}, shares=[0.5, 0.1])

    def test_a_good_candidate_is_promoted(self):
        step = ["set-weight", "analyse"]
        self.assertEqual(play(), ["check-health", *step, *step, *step, "promote"])
        self.assertEqual(play(stable=None), ["check-health", "promote"])

    def test_a_bad_candidate_goes_back(self):
        self.assertEqual(play(health=Health(False)), ["check-health", "rollback"])
        self.assertEqual(play(analysis=Analysis(False)), ["check-health", "set-weight", "analyse", "rollback"])

    def test_silence_is_no_pass_unless_it_will_do(self):
        self.assertEqual(play(analysis=Analysis(None))[-1], "rollback")
        self.assertEqual(play(analysis=Analysis(None), least_requests=0)[-1], "promote")

    def test_a_foreign_state_is_refused(self):
        with self.assertRaises(InvalidInput):
            {{Pascal}}().next(testing.rollout("a", "b", state=b"foreign"), testing.config({{Pascal}}))


if __name__ == "__main__":
    unittest.main()
