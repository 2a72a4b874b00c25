"""Model types: what a model is, and, where it is not a network, how it learns.

A model type that plans a network (`network`) or an ensemble never sees data: the host trains and serves it natively. One
that learns by itself derives from `Estimator`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Sequence

from .data import Windows
from .errors import InvalidInput
from .network import Network
from .plugin import Config, Plugin
from .values import Variant, json_text


@dataclass(frozen=True)
class InputShape:
    """What the model will be shown."""

    #: Time steps per window.
    sequence_length: int
    #: Features per step, by name, in order.
    features: list[str]


class Task(Enum):
    """Kind of question."""

    #: A real number.
    REGRESSION = "regression"
    #: A probability that something happens; a network's output is its logit.
    BINARY = "binary"


@dataclass(frozen=True)
class Target:
    """What is predicted."""

    #: `return`, `direction`, `price` or `realized-volatility`.
    kind: str
    #: Bars ahead.
    horizon: int
    #: Regression, or binary for `direction`.
    task: Task


@dataclass(frozen=True)
class Member:
    """One model of an ensemble."""

    #: Name of its model type.
    model_type: str
    #: Its configuration.
    config: dict = field(default_factory=dict)
    #: Its weight, for `weighted`.
    weight: float = 1.0


class Combination(Enum):
    """How the members' predictions become one."""

    MEAN = "mean"
    WEIGHTED = "weighted"
    MEDIAN = "median"
    STACKING = "stacking"


@dataclass(frozen=True)
class Ensemble:
    """An ensemble."""

    #: At least two members.
    members: list[Member]
    #: How they combine.
    combine: Combination = Combination.MEAN


@dataclass(frozen=True)
class GuestModel:
    """A model the component itself fits, through `Estimator`."""

    #: Give it features scaled as a network's are (True) or raw (False).
    scaled: bool = False
    #: It only reads each window's last time step: the host need not build whole windows.
    last_step_only: bool = False


class TrainingPlan(Variant):
    """What the host is to train."""

    CASES = {"network": Network, "members": Ensemble, "guest": GuestModel}

    @staticmethod
    def network(network: Network) -> TrainingPlan:
        """A network, trained and served natively."""
        return TrainingPlan("network", network)

    @staticmethod
    def members(members: Sequence[Member], combine: Combination = Combination.MEAN) -> TrainingPlan:
        """Several model types together."""
        return TrainingPlan("members", Ensemble(list(members), combine))

    @staticmethod
    def guest(scaled: bool = False, last_step_only: bool = False) -> TrainingPlan:
        """This component, through `Estimator`."""
        return TrainingPlan("guest", GuestModel(scaled, last_step_only))


@dataclass(frozen=True)
class Requirements:
    """What the model needs before it can be planned."""

    #: Features it wants when the job names none, for example `rsi(14)`.
    features: Sequence[str]
    #: Time steps per window when the job names none.
    sequence_length: int
    #: Least training samples.
    least_rows: int


class Range(Variant):
    """The values a hyper-parameter may take: (low, high, by ratio), or JSON values."""

    CASES = {"whole": tuple, "real": tuple, "choice": list}


@dataclass(frozen=True)
class HyperParameter:
    """A setting worth tuning."""

    #: Name of a property of the configuration.
    name: str
    #: Values to try.
    values: Range

    @staticmethod
    def whole(name: str, low: int, high: int, log: bool = False) -> HyperParameter:
        """Whole numbers from `low` to `high`, evenly or by ratio (`log`)."""
        return HyperParameter(name, Range("whole", (low, high, log)))

    @staticmethod
    def real(name: str, low: float, high: float, log: bool = False) -> HyperParameter:
        """Real numbers from `low` to `high`, evenly or by ratio (`log`)."""
        return HyperParameter(name, Range("real", (low, high, log)))

    @staticmethod
    def choice(name: str, values: Sequence[Any]) -> HyperParameter:
        """One of these values."""
        return HyperParameter(name, Range("choice", [json_text(value) for value in values]))


class ModelType(Plugin):
    """A model type."""

    def requires(self, config: Config) -> Requirements:
        """What the model needs under a configuration: the features and the window it wants when the job names none, and
        the least training samples."""
        raise NotImplementedError

    def plan(self, config: Config, input: InputShape, target: Target) -> TrainingPlan:
        """What to train under a configuration. Pure."""
        raise NotImplementedError

    def search_space(self) -> list[HyperParameter]:
        """Settings worth tuning, with their ranges. None unless it says otherwise."""
        return []


class Estimator(ModelType):
    """A model type that fits itself."""

    def plan(self, config: Config, input: InputShape, target: Target) -> TrainingPlan:
        """Whole windows, unscaled, unless it says otherwise."""
        return TrainingPlan.guest()

    def fit(self, train: Windows, validation: Windows, config: Config) -> bytes:
        """Learns from `train`; `validation` comes later in time and may steer stopping. Returns the state `predict` reads.
        For the target `price` both parts hold ln(future close / last close), and so do the predictions."""
        raise NotImplementedError

    def predict(self, state: bytes, inputs: Windows, config: Config) -> Sequence[float]:
        """Predicts each sample of `inputs`, in order, in the target's unit (for a binary task a probability)."""
        raise NotImplementedError


#: Features that say where a market stands and have kept their scale over years: returns, ranges and volatilities instead
#: of prices and volumes. A good default for any model type.
STATIONARY_FEATURES = (
    "log-return",
    "log-range",
    "body",
    "realized-volatility(6)",
    "realized-volatility(24)",
    "realized-volatility(168)",
    "volume-zscore(24)",
    "hour-sin",
    "hour-cos",
)


def read_targets(windows: Windows, part: str) -> Sequence[float]:
    """The targets of a part of the data (`part` names it in errors), one finite number per sample. Raises `InvalidInput`."""
    targets = windows.targets()
    if len(targets) != windows.samples:
        raise InvalidInput(f"the {part} part has {len(targets)} targets for {windows.samples} samples")
    for sample, target in enumerate(targets):
        # True for NaN and both infinities, and for nothing else.
        if target - target != 0.0:
            raise InvalidInput(f"the target of {part} sample {sample} is {target}: it must be finite")
    return targets


def check_features(learned: Sequence[str], steps: int, given: Windows) -> None:
    """Checks that windows have the features and the steps a model learned from. Raises `InvalidInput` with both."""
    if list(given.features) != list(learned):
        raise InvalidInput(f"the model learned from [{', '.join(learned)}] and is given [{', '.join(given.features)}]")
    if given.steps != steps:
        raise InvalidInput(f"the model learned from windows of {steps} steps and is given {given.steps}")
