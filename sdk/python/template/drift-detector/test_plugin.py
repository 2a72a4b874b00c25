"""Runs natively: python3 -m unittest"""

import unittest

from bellwether import InvalidConfig, InvalidInput, testing
from bellwether.drift import Severity
from plugin import {{Pascal}}

#: Deviation 1 about 0, then about 3.
CALM = [-1.0, 1.0] * 100
MOVED = [2.0, 4.0] * 20


def run(*parts, **config):
    """Events over all parts, each in a call of its own."""
    plugin, settings = {{Pascal}}(), testing.config({{Pascal}}, **config)
    state, events, before = plugin.start(settings), [], 0
    for values in parts:
        advance = plugin.update(state, values, settings)
        state = advance.state
        events += [(before + event.index, event.severity) for event in advance.events]
        before += len(values)
    return events


class Tests(unittest.TestCase):
    def test_the_schema_holds(self):
        testing.check_schema({{Pascal}})

    def test_a_moved_level_is_found(self):
        self.assertEqual(run(CALM), [])
        events = run(CALM + MOVED)
        self.assertEqual(events[:2], [(201, Severity.WARNING), (203, Severity.DRIFT)])
        falling = run(CALM + [-value for value in MOVED])
        self.assertEqual(falling[0][1], Severity.WARNING)

    def test_how_values_are_split_does_not_matter(self):
        values = CALM + MOVED
        self.assertEqual(run(values), run(values[:50], values[50:203], values[203:]))

    def test_missing_and_endless_values_are_passed_over(self):
        self.assertEqual(run([float("nan"), float("inf"), 1e300] * 200), [])
        self.assertEqual(run([1.0] * 200 + [2.0] * 2)[-1][1], Severity.DRIFT)

    def test_what_cannot_be_used_is_refused(self):
        with self.assertRaises(InvalidConfig):
            testing.config({{Pascal}}, warning=9.0)
        with self.assertRaises(InvalidInput):
            {{Pascal}}().update(b"foreign", [1.0], testing.config({{Pascal}}))


if __name__ == "__main__":
    unittest.main()
