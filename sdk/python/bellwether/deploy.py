"""Deployment strategies: how an endpoint moves from one model version to another."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional, Sequence

from .plugin import Config, Plugin
from .values import Variant


@dataclass(frozen=True)
class Measurement:
    """One version's measurements since the current step began."""

    #: Predictions answered. With zero requests every other figure is absent: no data is not a pass.
    requests: int = 0
    #: Predictions that failed.
    errors: int = 0
    #: Median latency in milliseconds.
    latency_p50_ms: Optional[float] = None
    #: 99th percentile of latency in milliseconds.
    latency_p99_ms: Optional[float] = None
    #: Live metrics: (name, value, count of outcomes behind it).
    metrics: list[tuple[str, float, int]] = field(default_factory=list)


@dataclass(frozen=True)
class Side:
    """One side of a rollout."""

    #: The model version.
    model_id: str
    #: Share of the endpoint's predictions it answers, 0 to 1.
    share: float = 0.0
    #: Share of predictions it is shown without answering, 0 to 1.
    shadow: float = 0.0
    #: What was measured in this step.
    measured: Measurement = Measurement()


@dataclass(frozen=True)
class Health:
    """The host's own check of the candidate: it loads, answers probes, with finite numbers, within the latency bound."""

    #: All of it passed.
    passed: bool
    #: Probes answered.
    probes: int = 0
    #: Slowest probe in milliseconds.
    slowest_ms: float = 0.0
    #: What failed, for a person; empty when it passed.
    reasons: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Analysis:
    """An analysis the host ran because the strategy asked for it."""

    #: The verdict; None when there was too little data to say.
    passed: Optional[bool]
    #: What was compared.
    reasons: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class AnalysisRequest:
    """What to measure before deciding again."""

    #: Names of metrics to compare; empty for errors and latency only.
    metrics: list[str]
    #: How long to measure, in seconds.
    seconds: int
    #: Least requests on the candidate for a verdict.
    least_requests: int


@dataclass(frozen=True)
class Weight:
    """Traffic to give the candidate."""

    #: Share of predictions the candidate answers, 0 to 1.
    share: float
    #: Share of predictions it is shown without answering, 0 to 1.
    shadow: float


@dataclass(frozen=True)
class Replicas:
    """How many of an endpoint's replicas run the candidate."""

    #: Replicas on the candidate.
    updated: int
    #: Replicas in all.
    total: int


class Pause(Variant):
    """How a pause ends: `seconds` or `until-approved`."""

    CASES = {"seconds": int, "until-approved": None}


class Action(Variant):
    """What happens next. `action.case` says which: `set-weight`, `pause`, ..."""

    CASES = {
        "set-weight": Weight,
        "set-replicas": Replicas,
        "pause": Pause,
        "check-health": None,
        "analyse": AnalysisRequest,
        "promote": None,
        "rollback": str,
    }

    @staticmethod
    def set_weight(share: float, shadow: float = 0.0) -> Action:
        """Sets the candidate's traffic."""
        return Action("set-weight", Weight(share, shadow))

    @staticmethod
    def set_replicas(updated: int, total: int) -> Action:
        """Sets how many replicas run the candidate."""
        return Action("set-replicas", Replicas(updated, total))

    @staticmethod
    def pause(seconds: int) -> Action:
        """Waits so many seconds."""
        return Action("pause", Pause("seconds", seconds))

    @staticmethod
    def pause_until_approved() -> Action:
        """Waits for a person."""
        return Action("pause", Pause("until-approved"))

    @staticmethod
    def check_health() -> Action:
        """Runs the host's health check of the candidate; its result is in the next call."""
        return Action("check-health")

    @staticmethod
    def analyse(seconds: int, least_requests: int, metrics: Sequence[str] = ()) -> Action:
        """Measures; the result is in the next call."""
        return Action("analyse", AnalysisRequest(list(metrics), seconds, least_requests))

    @staticmethod
    def promote() -> Action:
        """The candidate becomes the stable version. Ends the rollout."""
        return Action("promote")

    @staticmethod
    def rollback(reason: str) -> Action:
        """Back to the stable version, with the reason for a person. Ends the rollout."""
        return Action("rollback", reason)


@dataclass(frozen=True)
class Step:
    """A step that was taken."""

    #: Number of the step, from 0.
    number: int
    #: What was done.
    action: Action
    #: Seconds since it was done.
    seconds_ago: float


@dataclass(frozen=True)
class Rollout:
    """Everything a strategy may know."""

    #: The rollout's id.
    id: str
    #: The endpoint that is moving.
    endpoint: str
    #: The version that serves now; None on a first deployment.
    stable: Optional[Side]
    #: The version that wants to.
    candidate: Side
    #: Steps taken so far, oldest first.
    steps: list[Step] = field(default_factory=list)
    #: Seconds since the rollout began.
    elapsed_seconds: float = 0.0
    #: The controller's clock, milliseconds since 1970-01-01T00:00:00Z.
    now_ms: int = 0
    #: Result of the last `check-health`, if one ran.
    health: Optional[Health] = None
    #: Result of the last `analyse`, if one ran.
    analysis: Optional[Analysis] = None
    #: A person approved the current pause.
    approved: bool = False
    #: The strategy's own state from its last decision; empty at first.
    state: bytes = b""


@dataclass
class Decision:
    """What to do, and what to remember."""

    #: The next action.
    action: Action
    #: Why, for the rollout's history.
    reason: str
    #: State for the next call, at most 64 KiB.
    state: bytes = b""

    @staticmethod
    def rollback(reason: str) -> Decision:
        """Back to the stable version; the same reason is given to people and kept in the history."""
        return Decision(Action.rollback(reason), reason)


class DeploymentStrategy(Plugin):
    """A deployment strategy."""

    def next(self, rollout: Rollout, config: Config) -> Decision:
        """Decides the next action; the host carries it out, stores it and calls again. The same arguments must give the
        same decision. What has to be remembered goes into `Decision.state` and comes back in `Rollout.state`."""
        raise NotImplementedError
