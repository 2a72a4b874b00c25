"""Drift tests (two samples at once) and drift detectors (value by value)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Optional, Sequence

from .data import ColumnKind, Frame
from .plugin import Config, Plugin


class Scope(Enum):
    """What one call compares."""

    #: One column at a time: the host calls once per column, with a frame of that column.
    UNIVARIATE = "univariate"
    #: All columns together, in one call.
    MULTIVARIATE = "multivariate"


@dataclass(frozen=True)
class Acceptance:
    """What a test can be given. The host checks it before calling."""

    #: One column or all.
    scope: Scope = Scope.UNIVARIATE
    #: Kinds of column it understands.
    kinds: Sequence[ColumnKind] = (ColumnKind.NUMERIC,)
    #: Least present rows on either side for a verdict.
    least_rows: int = 30


@dataclass
class Outcome:
    """The verdict on one comparison. Every number must be finite."""

    #: The test statistic, in the test's own unit.
    statistic: float
    #: How far the data moved, on a scale where larger is further and `threshold` is the line.
    score: float
    #: The score at which this test calls drift.
    threshold: float
    #: The verdict.
    drifted: bool
    #: Present values on the reference side.
    reference_count: int
    #: Present values on the current side.
    current_count: int
    #: Probability of a statistic at least this extreme without drift; None for plain distances.
    p_value: Optional[float] = None
    #: What a chart needs (bins, quantiles).
    detail: dict = field(default_factory=dict)


class DriftTest(Plugin):
    """A test of current data against a baseline made from reference data."""

    def accepts(self) -> Acceptance:
        """What the test can be given: one numeric column with at least 30 values a side unless it says otherwise."""
        return Acceptance()

    def baseline(self, reference: Frame, config: Config) -> bytes:
        """Condenses reference data to bytes the host stores with the model version. Called once, at training."""
        raise NotImplementedError

    def test(self, baseline: bytes, current: Frame, config: Config) -> Outcome:
        """Compares current data with a baseline this plugin made. The same arguments must give the same outcome."""
        raise NotImplementedError


class Severity(Enum):
    """How sure a detector is."""

    WARNING = "warning"
    DRIFT = "drift"


@dataclass(frozen=True)
class Event:
    """Something happened at one value."""

    #: Place of the value in the list given to `update`, from 0.
    index: int
    #: Warning or drift.
    severity: Severity
    #: The statistic that crossed its bound.
    statistic: float


@dataclass
class Advance:
    """A detector after some values."""

    #: The state to pass to the next `update`.
    state: bytes
    #: What happened, in order of `index`.
    events: list[Event] = field(default_factory=list)


class DriftDetector(Plugin):
    """A detector that sees one value after another. Its state travels as bytes (`state`), so it survives restarts."""

    def start(self, config: Config) -> bytes:
        """The state before any value."""
        raise NotImplementedError

    def update(self, state: bytes, values: Sequence[float], config: Config) -> Advance:
        """Takes some values in order. Splitting a list over several calls must give the same events."""
        raise NotImplementedError
