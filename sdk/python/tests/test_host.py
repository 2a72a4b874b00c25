"""What stands in for the host answers as the host does."""

import json
import math
import pathlib
import unittest

from bellwether import InvalidInput, clock, log, progress, random, secrets, stats, testing

FIXTURE = json.loads(pathlib.Path(__file__).with_name("fixtures").joinpath("stats.json").read_text())


class Stats(unittest.TestCase):
    def test_functions_are_those_of_scipy(self):
        for call in FIXTURE["calls"]:
            found = getattr(stats, call["function"])(*call["arguments"])
            self.assertLessEqual(abs(found - call["expected"]), 1e-9 * max(abs(call["expected"]), 1e-3), call)

    def test_bad_arguments_give_nan_and_infinities_their_limits(self):
        for value in (
            stats.student_t_sf(1.0, 0.0),
            stats.chi_squared_sf(math.nan, 1.0),
            stats.fisher_f_sf(1.0, 0.0, 1.0),
            stats.beta_regularized(1.0, 1.0, 2.0),
            stats.normal_quantile(1.0),
            stats.normal_cdf(math.nan),
            stats.ln_gamma(0.0),
        ):
            self.assertTrue(math.isnan(value))
        self.assertEqual((stats.student_t_sf(math.inf, 3), stats.student_t_sf(-math.inf, 3)), (0.0, 1.0))
        self.assertEqual((stats.chi_squared_sf(math.inf, 3), stats.chi_squared_sf(-1, 3)), (0.0, 1.0))


class Data(unittest.TestCase):
    def test_aggregates_are_those_of_numpy(self):
        column = testing.frame({"a": FIXTURE["column"]}).only_column()
        moments = column.moments()
        self.assertEqual((moments.count, moments.missing, moments.minimum, moments.maximum), (8, 2, 1.0, 9.0))
        self.assertAlmostEqual(moments.mean, FIXTURE["mean"], delta=1e-12)
        self.assertAlmostEqual(moments.variance, FIXTURE["variance"], delta=1e-12)
        for found, expected in zip(column.quantiles(FIXTURE["probabilities"]), FIXTURE["quantiles"]):
            self.assertAlmostEqual(found, expected, delta=1e-12)
        self.assertEqual(column.histogram(FIXTURE["edges"]), [0, 2, 3, 2, 1])

    def test_a_column_is_read_whole_and_in_pieces(self):
        column = testing.column("a", range(200_000))
        self.assertEqual([len(chunk) for chunk in column.chunks()], [65_536, 65_536, 65_536, 3_392])
        self.assertEqual((len(column.values()), len(column.read(199_999, 10)), len(column.read(0, 200_000))), (200_000, 1, 131_072))
        self.assertEqual(list(testing.column("a", [1, None, 2]).present()), [1.0, 2.0])

    def test_a_frame_has_columns_of_one_length(self):
        frame = testing.frame({"a": [1, 2], "b": [3, 4]})
        self.assertEqual((frame.rows, frame.names, [column.name for column in frame.columns()]), (2, ["a", "b"], ["a", "b"]))
        self.assertIsNone(frame.column(2))
        with self.assertRaises(InvalidInput):
            frame.only_column()
        with self.assertRaises(ValueError):
            testing.frame({"a": [1], "b": [1, 2]})
        for edges in ([2, 1], [1, math.nan]):
            with self.assertRaises(InvalidInput):
                frame.column(0).histogram(edges)

    def test_nothing_has_no_moments(self):
        column = testing.column("a", [None])
        self.assertTrue(math.isnan(column.moments().mean) and math.isnan(column.quantiles([0.5])[0]))
        self.assertEqual((column.moments().count, column.histogram([0.0])), (0, [0, 0]))

    def test_windows_come_whole_and_as_last_rows(self):
        values = [[[step, 10 * step] for step in range(sample, sample + 3)] for sample in range(30_000)]
        windows = testing.windows(["a", "b"], values, range(30_000))
        chunks = list(windows.chunks())
        self.assertEqual([len(chunk) for chunk in chunks], [10_922, 10_922, 8_156])
        self.assertEqual(list(next(chunks[1].samples())), [10_922, 109_220, 10_923, 109_230, 10_924, 109_240])
        last = [row for chunk in windows.last_rows() for row in chunk.samples()]
        self.assertEqual((len(last), list(last[-1])), (30_000, [30_001, 300_010]))
        self.assertEqual((windows.samples, windows.steps, windows.targets()[-1]), (30_000, 3, 29_999))


class Small(unittest.TestCase):
    def setUp(self):
        testing.reset()

    def test_one_seed_gives_the_hosts_numbers(self):
        # Drawn by a host in a call whose seed is 0: three uniform, then three normal numbers.
        self.assertEqual(list(random.uniform(3)), [0.7090754154265618, 0.46592172228961015, 0.6991432426747317])
        self.assertEqual(list(random.normal(3)), [0.19005183343433446, 1.2623157929908873, 1.5561676724908782])
        testing.seed(1)
        self.assertNotEqual(random.uniform(1)[0], 0.7090754154265618)
        numbers = random.normal(20_000)
        mean = sum(numbers) / len(numbers)
        self.assertLess(abs(mean), 0.02)
        self.assertLess(abs(sum((number - mean) ** 2 for number in numbers) / len(numbers) - 1), 0.03)

    def test_shuffles_are_permutations(self):
        self.assertEqual(sorted(random.shuffled(100)), list(range(100)))
        self.assertEqual((random.shuffled(0), random.shuffled(1)), ([], [0]))
        self.assertTrue(all(0 <= random.below(3) < 3 for _ in range(100)))

    def test_what_is_set_is_given(self):
        self.assertEqual((clock.now_ms(), secrets.get("token")), (0, None))
        testing.set_now_ms(5)
        testing.set_secret("token", "hunter2")
        self.assertEqual((clock.now_ms(), secrets.get("token")), (5, "hunter2"))
        log.warn("ü" * 4096)
        self.assertEqual(testing.logged(), [("warn", "ü" * 2048)])
        testing.stop_after(2)
        self.assertEqual([progress.report(1, 3), progress.report(2, 3)], [True, False])
        self.assertEqual(testing.reported()[1][:2], (2, 3))


if __name__ == "__main__":
    unittest.main()
