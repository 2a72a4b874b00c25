"""Runs natively, in this folder: PYTHONPATH=../../sdk/python python3 -m unittest"""

import json
import math
import pathlib
import unittest

from bellwether import InvalidInput, Unsupported, random, testing
from fitting import Line, Moments, fit
from plugin import Theta
from series import columns_of, ladder
from theta import forecast

FIXTURE = json.loads(pathlib.Path(__file__).with_name("fixtures").joinpath("theta.json").read_text())


def settings(**given):
    return testing.config(Theta, **{"spacing": 1, "points": 8, **given})


def windows(count, targets=True, steps=8):
    """Windows of one feature whose next value is half the last and half the one before."""
    draws, values = random.normal(count + steps), [0.0, 0.0]
    for draw in draws:
        values.append(values[-1] / 2 + values[-2] / 2 + draw)
    samples = [values[place : place + steps] for place in range(count)]
    return testing.windows(["x"], samples, [values[place + steps] for place in range(count)] if targets else [])


class Method(unittest.TestCase):
    def test_forecasts_are_those_of_statsmodels(self):
        for case in FIXTURE["cases"]:
            for ahead, expected in enumerate(case["forecasts"], 1):
                self.assertAlmostEqual(forecast(case["series"], case["smoothing"], ahead), expected, delta=1e-9)

    def test_weights_and_recursion_agree(self):
        series, smoothing, level = [3.0, 1.0, 4.0, 1.0, 5.0], 0.4, 3.0
        for value in series[1:]:
            level += smoothing * (value - level)
        line = Line(smoothing, level=1.0, drift=0.0)
        self.assertAlmostEqual(line.predict([[value] for value in series])[0], level, delta=1e-12)


class Fitting(unittest.TestCase):
    def setUp(self):
        testing.reset()

    def test_a_line_is_found_again(self):
        draws = random.normal(8 * 400)
        columns = [draws[place::8] for place in range(8)]
        truth = Line(0.37, 2.0, 0.9, -0.6)
        line, error = fit(Moments(columns, truth.predict(columns)), correct=True)
        for found, expected in zip((line.smoothing, line.intercept, line.level, line.drift), (0.37, 2.0, 0.9, -0.6)):
            self.assertAlmostEqual(found, expected, delta=1e-5)
        self.assertLess(error, 1e-9)
        plain, _ = fit(Moments(columns, Line(0.37).predict(columns)), correct=False)
        self.assertAlmostEqual(plain.smoothing, 0.37, delta=1e-5)
        self.assertEqual((plain.intercept, plain.level, plain.drift), (0.0, 1.0, 1.0))

    def test_the_error_is_that_of_the_predictions(self):
        draws = random.normal(9 * 200)
        columns, targets = [draws[place:1600:8] for place in range(8)], draws[1600:]
        line = Line(0.2, 0.1, 1.1, 0.5)
        errors = [(found - target) ** 2 for found, target in zip(line.predict(columns), targets)]
        self.assertAlmostEqual(Moments(columns, targets).error(line), sum(errors) / 200, delta=1e-10)


class Series(unittest.TestCase):
    def test_a_window_is_read_from_its_end(self):
        config = settings(spacing=2, points=3)
        found = columns_of(testing.windows(["x"], [[1, 2, 3, 4, 5, 6], [2, 3, 4, 5, 6, 7]]), config, lambda _samples: True)
        self.assertEqual(found, [[2, 3], [4, 5], [6, 7]])

    def test_a_ladder_comes_apart(self):
        returns = [0.01, -0.02, 0.005]
        config = settings(series="log-return", points=3)
        rungs = [sum(returns[-rung:]) for rung in (1, 2, 3)]
        found = columns_of(testing.windows(ladder(config), [[rungs]]), config, lambda _samples: True)
        for column, expected in zip(found, returns):
            self.assertAlmostEqual(column[0], expected, delta=1e-15)
        config = settings(points=3)
        volatility = lambda part: math.log(math.sqrt(sum(value * value for value in part) / len(part)))  # noqa: E731
        found = columns_of(
            testing.windows(ladder(config), [[[volatility(returns[-rung:]) for rung in (1, 2, 3)]]]), config, lambda _samples: True
        )
        for column, value in zip(found, returns):
            self.assertAlmostEqual(column[0], math.log(abs(value)), delta=1e-10)


class Plugin(unittest.TestCase):
    def setUp(self):
        testing.reset()
        self.plugin = Theta()

    def test_the_schema_holds(self):
        testing.check_schema(Theta)
        testing.check_search_space(Theta)
        self.assertEqual(self.plugin.requires(testing.config(Theta)).features[:2], ["realized-volatility(24)", "realized-volatility(48)"])

    def test_it_plans_both_ways(self):
        features = ladder(testing.config(Theta))
        self.assertTrue(testing.plan(Theta, 1, features).value.last_step_only)
        self.assertFalse(testing.plan(Theta, 97, ["realized-volatility(24)"]).value.last_step_only)
        for steps, given in ((1, ["body"]), (97, ["body", "log-range"])):
            with self.assertRaises(InvalidInput):
                testing.plan(Theta, steps, given)
        with self.assertRaises(Unsupported):
            testing.plan(Theta, 1, features, "direction")

    def test_it_learns_and_beats_the_last_value(self):
        config, train, later = settings(), windows(800), windows(200)
        state = self.plugin.fit(train, later, config)
        found = self.plugin.predict(state, later, config)
        errors = [(guess - target) ** 2 for guess, target in zip(found, later.targets())]
        naive = [(window[-1] - target) ** 2 for chunk in later.chunks() for window, target in zip(chunk.samples(), later.targets())]
        self.assertLess(sum(errors), 0.95 * sum(naive))
        self.assertIn("in validation", testing.logged()[0][1])

    def test_asked_to_stop_it_learns_from_what_it_read(self):
        config, train = settings(), windows(20_000)
        testing.stop_after(1)
        self.plugin.fit(train, windows(10), config)
        self.assertEqual([done for done, *_ in testing.reported()], [65_536 // 8])

    def test_what_cannot_be_used_is_refused(self):
        config = settings()
        state = self.plugin.fit(windows(100), windows(10), config)
        nan = testing.windows(["x"], [[1.0] * 7 + [math.nan]])
        for inputs in (nan, testing.windows(["y"], [[1.0] * 8]), testing.windows(["x"], [[1.0] * 9])):
            with self.assertRaises(InvalidInput):
                self.plugin.predict(state, inputs, config)
        for foreign in (b"", b"foreign", state[: len(state) // 2], b"\xff" * len(state)):
            with self.assertRaises(InvalidInput):
                self.plugin.predict(foreign, windows(3, targets=False), config)
        constant = testing.windows(["x"], [[1.0] * 8] * 50, [1.0] * 50)
        same = self.plugin.predict(self.plugin.fit(constant, constant, config), constant, config)
        self.assertTrue(all(abs(value - 1.0) < 1e-12 for value in same))


if __name__ == "__main__":
    unittest.main()
