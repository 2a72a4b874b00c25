"""Runs natively: python3 -m unittest"""

import unittest

from bellwether import InvalidInput, testing
from plugin import {{Pascal}}


def run(reference, current, **config):
    plugin, settings = {{Pascal}}(), testing.config({{Pascal}}, **config)
    baseline = plugin.baseline(testing.frame({"x": reference}), settings)
    return plugin.test(baseline, testing.frame({"x": current}), settings)


class Tests(unittest.TestCase):
    def test_the_schema_holds(self):
        testing.check_schema({{Pascal}})

    def test_a_moved_median_is_drift(self):
        reference = list(range(101))
        self.assertFalse(run(reference, [value + 20 for value in reference]).drifted)
        moved = run(reference, [value + 30 for value in reference])
        self.assertEqual((moved.statistic, moved.threshold, moved.drifted), (30.0, 25.0, True))
        self.assertFalse(run(reference, [value + 30 for value in reference], widen=2).drifted)

    def test_missing_values_do_not_count(self):
        outcome = run([1, None, 2, 3], [None, 2, 2, 2])
        self.assertEqual((outcome.reference_count, outcome.current_count, outcome.drifted), (3, 3, False))

    def test_what_cannot_be_compared_is_refused(self):
        plugin, settings = {{Pascal}}(), testing.config({{Pascal}})
        with self.assertRaises(InvalidInput):
            run([], [1, 2, 3])
        with self.assertRaises(InvalidInput):
            plugin.test(b"foreign", testing.frame({"x": [1, 2, 3]}), settings)


if __name__ == "__main__":
    unittest.main()
