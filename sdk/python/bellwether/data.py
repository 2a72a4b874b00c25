"""Columns, frames and windows: numbers the host owns and lends for one call.

Bulk numbers cross as packed bytes and arrive as `array('d')`, which costs about a fiftieth of a list of floats. Ask for
an aggregate (`moments`, `quantiles`, `histogram`) where one will do: the host computes it and no number crosses. What a
column or a frame really is, a handle of the host's or numbers in memory (`testing`), does not matter here.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from enum import Enum
from typing import Any, Callable, Iterator, Optional, Sequence

from .errors import InvalidInput
from .state import unpack

#: Numbers read at once; the host gives at most 131 072.
CHUNK = 65_536


class ColumnKind(Enum):
    """What the numbers in a column mean."""

    #: Real numbers; NaN is a missing value.
    NUMERIC = "numeric"
    #: Whole numbers that name categories; NaN is a missing value.
    CATEGORICAL = "categorical"


@dataclass(frozen=True)
class Moments:
    """Sums over the present (not NaN) values of a column."""

    #: Present values.
    count: int
    #: Missing values (NaN).
    missing: int
    #: Arithmetic mean; NaN when there is no value.
    mean: float
    #: Population variance (divides by `count`); NaN when there is no value.
    variance: float
    #: Smallest value; NaN when there is no value.
    minimum: float
    #: Largest value; NaN when there is no value.
    maximum: float


class Column:
    """One column of 64-bit floats, in row order. NaN is a missing value."""

    def __init__(self, source: Any):
        self._source = source

    @property
    def name(self) -> str:
        """The column's name, for example `rsi(14)`."""
        return self._source.name()

    @property
    def kind(self) -> ColumnKind:
        """What the numbers mean."""
        return ColumnKind[self._source.kind().name]

    def __len__(self) -> int:
        """Number of rows, missing values included."""
        return self._source.len()

    def read(self, offset: int, count: int) -> array:
        """Rows `offset .. offset + count`, clipped to the column and to what the host gives in one call (131 072)."""
        return unpack(self._source.read_bytes(offset, count))

    def chunks(self) -> Iterator[array]:
        """The rows in order, in pieces of 65 536: for columns too large to hold."""
        offset = 0
        while True:
            chunk = self.read(offset, CHUNK)
            if not chunk:
                return
            yield chunk
            offset += len(chunk)

    def values(self) -> array:
        """All rows, missing values as NaN."""
        values = array("d")
        for chunk in self.chunks():
            values.extend(chunk)
        return values

    def present(self) -> array:
        """The rows that have a value."""
        # Only NaN differs from itself.
        return array("d", (value for value in self.values() if value == value))

    def moments(self) -> Moments:
        """Count, mean, variance and range of the present values."""
        found = self._source.moments()
        return Moments(found.count, found.missing, found.mean, found.variance, found.minimum, found.maximum)

    def quantiles(self, probabilities: Sequence[float]) -> list[float]:
        """Quantiles of the present values by linear interpolation between order statistics (type 7), for probabilities in
        [0, 1]; NaN for a column without values or a probability outside."""
        return self._source.quantiles([float(probability) for probability in probabilities])

    def histogram(self, edges: Sequence[float]) -> list[int]:
        """Counts of present values between ascending edges: n edges give n + 1 counts, the first below `edges[0]`, the
        last at or above the last edge; a value on an edge counts to the bin on its right. Raises `InvalidInput` for edges
        that do not ascend: the host would end the call."""
        edges = [float(edge) for edge in edges]
        if not all(low < high for low, high in zip(edges, edges[1:])) or any(edge != edge for edge in edges):
            raise InvalidInput("the edges of a histogram must ascend and hold no NaN")
        return self._source.histogram(edges)


class Frame:
    """Columns of one length."""

    def __init__(self, source: Any):
        self._source = source

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self._source.rows()

    @property
    def names(self) -> list[str]:
        """Names of the columns, in order."""
        return self._source.names()

    def column(self, index: int) -> Optional[Column]:
        """The column at a place in `names`; None past the end."""
        found = self._source.column(index)
        return None if found is None else Column(found)

    def columns(self) -> Iterator[Column]:
        """The columns, in order."""
        index = 0
        while (column := self.column(index)) is not None:
            yield column
            index += 1

    def only_column(self) -> Column:
        """The one column of the frame a univariate test is given. Raises `InvalidInput` when there are none or several."""
        first = self.column(0)
        if first is None:
            raise InvalidInput("the frame has no column")
        if self.column(1) is not None:
            raise InvalidInput(f"one column expected, {len(self.names)} given: {', '.join(self.names)}")
        return first


@dataclass(frozen=True)
class Chunk:
    """Some samples in a row."""

    #: Place of the first sample.
    first: int
    #: Numbers per sample: steps · features for whole windows, features for last rows.
    width: int
    #: The numbers, sample after sample.
    values: array

    def __len__(self) -> int:
        """Number of samples."""
        return len(self.values) // self.width

    def samples(self) -> Iterator[array]:
        """The samples, each `width` numbers."""
        for start in range(0, len(self.values), self.width):
            yield self.values[start : start + self.width]


class Windows:
    """`samples` windows of `steps` time steps of some features, and one target each."""

    def __init__(self, source: Any):
        self._source = source

    @property
    def samples(self) -> int:
        """Number of samples."""
        return self._source.samples()

    @property
    def steps(self) -> int:
        """Time steps per window."""
        return self._source.steps()

    @property
    def features(self) -> list[str]:
        """Names of the features, in order."""
        return self._source.features()

    def chunks(self) -> Iterator[Chunk]:
        """Whole windows, row-major [step, feature] per sample, about 65 536 numbers at a time. Raises `InvalidInput` when
        one window is larger than the host gives in one call (131 072 numbers)."""
        return self._pieces(self.steps * len(self.features), lambda first, count: unpack(self._source.read_bytes(first, count)))

    def last_rows(self) -> Iterator[Chunk]:
        """Only the last time step of each window, one number per feature: enough for models without memory, and
        `last_step_only` in the plan spares the host the rest."""
        # Windows of one step are their last row, and whole windows come as bytes.
        if self.steps == 1:
            return self.chunks()
        return self._pieces(len(self.features), lambda first, count: array("d", self._source.read_last(first, count)))

    def targets(self) -> array:
        """The targets of all samples; empty when predicting."""
        targets = array("d")
        while part := self._source.targets(len(targets), CHUNK):
            targets.extend(part)
        return targets

    def _pieces(self, width: int, read: Callable[[int, int], array]) -> Iterator[Chunk]:
        """Reads pieces until all samples are there."""
        samples = self.samples if width else 0
        count, first = max(CHUNK // max(width, 1), 1), 0
        while first < samples:
            values = read(first, count)
            if len(values) < width:
                raise InvalidInput(f"a sample of {width} numbers is more than the host gives in one call")
            chunk = Chunk(first, width, values)
            yield chunk
            first += len(chunk)
