"""Columns, frames and windows in memory. They answer as the host's do, with the methods of the generated bindings, so that
`data` cannot tell them apart."""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import Optional, Sequence

from ..data import ColumnKind, Moments
from ..state import pack

#: Numbers one call gives at most.
LIMIT = 131_072


class MemoryColumn:
    """A column."""

    def __init__(self, name: str, values: Sequence[Optional[float]], kind: ColumnKind = ColumnKind.NUMERIC):
        """`None` is a missing value, as NaN is."""
        self._name, self._kind = name, kind
        self._values = [math.nan if value is None else float(value) for value in values]

    def name(self) -> str:
        return self._name

    def kind(self) -> ColumnKind:
        return self._kind

    def len(self) -> int:
        return len(self._values)

    def read(self, offset: int, count: int) -> list[float]:
        return self._values[offset : offset + min(count, LIMIT)]

    def read_bytes(self, offset: int, count: int) -> bytes:
        return pack(self.read(offset, count))

    def moments(self) -> Moments:
        present = self._present()
        missing = len(self._values) - len(present)
        if not present:
            return Moments(0, missing, math.nan, math.nan, math.nan, math.nan)
        count = len(present)
        mean = _total(present) / count
        # What rounding left of the mean is taken off the squares (Chan, Golub and LeVeque 1983).
        rest = _total(value - mean for value in present)
        squares = _total((value - mean) * (value - mean) for value in present)
        variance = (squares - rest * rest / count) / count
        return Moments(count, missing, mean, max(variance, 0.0) if variance == variance else variance, min(present), max(present))

    def quantiles(self, probabilities: Sequence[float]) -> list[float]:
        present = sorted(self._present())
        return [_quantile(present, probability) for probability in probabilities]

    def histogram(self, edges: Sequence[float]) -> list[int]:
        counts = [0] * (len(edges) + 1)
        for value in self._present():
            counts[bisect_right(edges, value)] += 1
        return counts

    def _present(self) -> list[float]:
        return [value for value in self._values if value == value]


def _total(values) -> float:
    # Plain addition in order: what the host does, infinities included.
    total = 0.0
    for value in values:
        total += value
    return total


def _quantile(present: Sequence[float], probability: float) -> float:
    if not present or not 0.0 <= probability <= 1.0:
        return math.nan
    place = probability * (len(present) - 1)
    below = math.floor(place)
    share = place - below
    if share == 0.0 or below == len(present) - 1:
        return present[below]
    low, high = present[below], present[below + 1]
    return min(low + share * (high - low), high)


class MemoryFrame:
    """Columns of one length."""

    def __init__(self, columns: Sequence[MemoryColumn]):
        self._columns = list(columns)

    def rows(self) -> int:
        return self._columns[0].len() if self._columns else 0

    def names(self) -> list[str]:
        return [column.name() for column in self._columns]

    def column(self, index: int) -> Optional[MemoryColumn]:
        return self._columns[index] if 0 <= index < len(self._columns) else None


class MemoryWindows:
    """Model inputs; `values` is row-major [sample, step, feature]."""

    def __init__(self, features: Sequence[str], steps: int, values: Sequence[float], targets: Sequence[float]):
        self._features, self._steps = list(features), steps
        self._values, self._targets = [float(value) for value in values], [float(target) for target in targets]

    def samples(self) -> int:
        return len(self._values) // self._width() if self._width() else 0

    def steps(self) -> int:
        return self._steps

    def features(self) -> list[str]:
        return list(self._features)

    def read(self, offset: int, count: int) -> list[float]:
        width = self._width()
        samples = min(count, max(LIMIT // max(width, 1), 1))
        return self._values[offset * width : (offset + samples) * width]

    def read_bytes(self, offset: int, count: int) -> bytes:
        return pack(self.read(offset, count))

    def read_last(self, offset: int, count: int) -> list[float]:
        features, width = len(self._features), self._width()
        last = min(offset + min(count, LIMIT // max(features, 1)), self.samples())
        return [number for sample in range(offset, last) for number in self._values[(sample + 1) * width - features : (sample + 1) * width]]

    def targets(self, offset: int, count: int) -> list[float]:
        return self._targets[offset : offset + min(count, LIMIT)]

    def _width(self) -> int:
        return self._steps * len(self._features)
