"""Runs natively: python3 -m unittest"""

import unittest

from bellwether import InvalidInput, Unsupported, random, testing
from plugin import {{Pascal}}

FEATURES = ["a", "b"]


def sample(count):
    """Windows of one step and y = 1 + 2a - 3b."""
    draws = random.normal(2 * count)
    rows = [[[draws[2 * k], draws[2 * k + 1]]] for k in range(count)]
    return testing.windows(FEATURES, rows, [1 + 2 * a - 3 * b for ((a, b),) in rows])


class Tests(unittest.TestCase):
    def setUp(self):
        testing.reset()
        self.plugin, self.config = {{Pascal}}(), testing.config({{Pascal}}, penalties=[1e-9])

    def test_the_schema_holds(self):
        testing.check_schema({{Pascal}})
        testing.check_search_space({{Pascal}})

    def test_it_finds_the_line_it_was_drawn_from(self):
        state = self.plugin.fit(sample(500), sample(100), self.config)
        found = self.plugin.predict(state, testing.windows(FEATURES, [[[0, 0]], [[1, 1]]]), self.config)
        self.assertAlmostEqual(found[0], 1.0, places=6)
        self.assertAlmostEqual(found[1], 0.0, places=6)

    def test_validation_decides_and_stopping_is_heard(self):
        config = testing.config({{Pascal}}, penalties=[10.0, 1e-9])
        self.plugin.fit(sample(500), sample(100), config)
        self.assertIn("penalty 1e-09 kept", testing.logged()[0][1])
        testing.stop_after(1)
        self.plugin.fit(sample(500), sample(100), config)
        self.assertIn("penalty 10.0 kept", testing.logged()[1][1])

    def test_what_cannot_be_used_is_refused(self):
        state = self.plugin.fit(sample(500), sample(100), self.config)
        for windows in (testing.windows(["b", "a"], [[[1, 1]]]), testing.windows(FEATURES, [[[1, float("nan")]]])):
            with self.assertRaises(InvalidInput):
                self.plugin.predict(state, windows, self.config)
        with self.assertRaises(InvalidInput):
            self.plugin.predict(b"foreign", testing.windows(FEATURES, [[[1, 1]]]), self.config)
        with self.assertRaises(Unsupported):
            testing.plan({{Pascal}}, 1, FEATURES, "direction")


if __name__ == "__main__":
    unittest.main()
