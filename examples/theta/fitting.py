"""Learns a Theta forecast from many windows at once: the smoothing, and how far to trust level and drift.

    target = c0 + c1 · level(a) + c2 · drift(a)

The Theta method itself is c = (0, 1, 1). The least squares error of any a and c follows from means and products of the
windows' values, so these are summed once and every a that is tried costs next to nothing, however many windows there are.
The c are the exact solution for each a; a is the best of a grid, refined by golden sections. Knows nothing of plugins.
"""

import math
from dataclasses import dataclass
from operator import mul

from theta import drift_weights, level_weights

#: Smoothings tried first.
GRID = [place / 50 for place in range(1, 51)]

#: Share of an interval that a golden section keeps, and how often the interval is cut.
GOLDEN, CUTS = (math.sqrt(5) - 1) / 2, 30


@dataclass
class Line:
    """A fitted forecast."""

    smoothing: float
    intercept: float = 0.0
    level: float = 1.0
    drift: float = 1.0

    def weights(self, points):
        """The weights of a window's values, oldest first."""
        levels, drifts = level_weights(points, self.smoothing), drift_weights(points, self.smoothing)
        return [self.level * level + self.drift * drift for level, drift in zip(levels, drifts)]

    def predict(self, columns):
        """One forecast per window; `columns` has a list per point, oldest first."""
        predictions = [self.intercept] * len(columns[0])
        for weight, column in zip(self.weights(len(columns)), columns):
            predictions = [prediction + weight * value for prediction, value in zip(predictions, column)]
        return predictions


class Moments:
    """Means of points and target, and products about them, each divided by the number of windows."""

    def __init__(self, columns, targets):
        count = len(targets)
        self.points = len(columns)
        self.means = [sum(column) / count for column in columns]
        self.mean = sum(targets) / count
        centred = [[value - mean for value in column] for column, mean in zip(columns, self.means)]
        distances = [target - self.mean for target in targets]
        # The matrix is symmetric: one half is summed.
        half = [[sum(map(mul, a, b)) / count for b in centred[: place + 1]] for place, a in enumerate(centred)]
        self.products = [[half[max(i, j)][min(i, j)] for j in range(self.points)] for i in range(self.points)]
        self.effects = [sum(map(mul, column, distances)) / count for column in centred]
        self.variance = sum(map(mul, distances, distances)) / count

    def is_finite(self):
        """Nothing was missing, endless or too large to be squared."""
        return all(map(math.isfinite, [self.variance, *self.effects, *(value for row in self.products for value in row)]))

    def product(self, one, other):
        """The covariance of two sums of the points, by their weights."""
        return sum(weight * sum(map(mul, row, other)) for weight, row in zip(one, self.products))

    def error(self, line):
        """The mean squared error of a line."""
        weights = line.weights(self.points)
        bias = self.mean - line.intercept - sum(map(mul, weights, self.means))
        spread = self.variance - 2 * sum(map(mul, weights, self.effects)) + self.product(weights, weights)
        return max(spread, 0.0) + bias * bias

    def corrected(self, smoothing):
        """The line of least squares for a smoothing."""
        level, drift = level_weights(self.points, smoothing), drift_weights(self.points, smoothing)
        aa, ab, bb = self.product(level, level), self.product(level, drift), self.product(drift, drift)
        ta, tb = sum(map(mul, level, self.effects)), sum(map(mul, drift, self.effects))
        determinant = aa * bb - ab * ab
        if determinant > 1e-12 * aa * bb:
            c1, c2 = (ta * bb - tb * ab) / determinant, (tb * aa - ta * ab) / determinant
        else:
            # Level and drift say the same, or nothing moved: the level alone, or the mean alone.
            c1, c2 = (ta / aa if aa > 0 else 0.0), 0.0
        intercept = self.mean - c1 * sum(map(mul, level, self.means)) - c2 * sum(map(mul, drift, self.means))
        return Line(smoothing, intercept, c1, c2)


def fit(moments, correct):
    """The best line, and its mean squared error. Without `correct` only the smoothing is learned."""

    def tried(smoothing):
        line = moments.corrected(smoothing) if correct else Line(smoothing)
        return moments.error(line), smoothing, line

    best = min(map(tried, GRID), key=lambda found: found[:2])
    low, high = max(best[1] - GRID[0], GRID[0] / 2), min(best[1] + GRID[0], 1.0)
    for _ in range(CUTS):
        left, right = tried(high - GOLDEN * (high - low)), tried(low + GOLDEN * (high - low))
        best = min(best, left, right, key=lambda found: found[:2])
        low, high = (low, right[1]) if left[0] <= right[0] else (left[1], high)
    return best[2], best[0]
