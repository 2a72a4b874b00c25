"""Networks: what the host is to train, as the records of the contract. `builder` writes them layer by layer.

Shapes are checked by the host, which names the node in its errors. The numbers of `Training` are Keras's: Adam, learning
rate 0.001, batches of 32; beside them gradients are clipped at norm 1 and training stops after 10 epochs without
improvement.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Optional, Sequence

from .values import Variant


class Initializer(Variant):
    """How weights begin. `STANDARD` is the operation's own default; wit/nn has the formulas."""

    CASES = {
        **dict.fromkeys(
            "standard zeros ones glorot-uniform glorot-normal he-uniform he-normal lecun-uniform lecun-normal "
            "fan-in-uniform orthogonal".split()
        ),
        **dict.fromkeys("constant uniform normal truncated-normal".split(), float),
    }

    @staticmethod
    def constant(value: float) -> Initializer:
        """One value everywhere."""
        return Initializer("constant", value)

    @staticmethod
    def uniform(bound: float) -> Initializer:
        """Uniform in ±bound."""
        return Initializer("uniform", bound)

    @staticmethod
    def normal(deviation: float) -> Initializer:
        """Normal with this standard deviation."""
        return Initializer("normal", deviation)

    @staticmethod
    def truncated_normal(deviation: float) -> Initializer:
        """Normal with this standard deviation; what falls beyond two of them is drawn again."""
        return Initializer("truncated-normal", deviation)


# One constant for each case without a number: `Initializer.HE_UNIFORM`.
for _case, _payload in Initializer.CASES.items():
    if _payload is None:
        setattr(Initializer, _case.replace("-", "_").upper(), Initializer(_case))

STANDARD = Initializer("standard")


@dataclass(frozen=True)
class Dense:
    """y = x·W + b over the last axis."""

    units: int
    bias: bool = True
    kernel: Initializer = STANDARD


@dataclass(frozen=True)
class Recurrent:
    """A recurrent layer over time. [time, in] -> [time, units], or [units] of the last step."""

    units: int
    layers: int = 1
    #: Also run backwards in time and join both: twice the features.
    bidirectional: bool = False
    #: Give the state at every step, for another layer over time.
    return_sequences: bool = False
    kernel: Initializer = STANDARD
    recurrent_kernel: Initializer = STANDARD


@dataclass(frozen=True)
class Conv1d:
    """Convolution over time. [time, in] -> [time', filters]."""

    filters: int
    kernel_size: int
    stride: int = 1
    dilation: int = 1
    #: Pad on the left only, so that an output never sees a later input. Else no padding: fewer steps come out.
    causal: bool = True
    bias: bool = True
    kernel: Initializer = STANDARD


@dataclass(frozen=True)
class Attention:
    """Multi-head scaled dot-product self-attention (Vaswani et al. 2017)."""

    heads: int
    causal: bool = False
    dropout: float = 0.0


@dataclass(frozen=True)
class BatchNorm:
    """Normalisation over the batch (Ioffe and Szegedy 2015)."""

    epsilon: float = 1e-3
    #: Share of the old running statistics kept per step, in [0, 1): 1 minus what PyTorch calls momentum.
    momentum: float = 0.99


class Position(Enum):
    """How positions are added to a sequence."""

    SINUSOIDAL = "sinusoidal"
    LEARNED = "learned"


@dataclass(frozen=True)
class Embedding:
    """A vector per category."""

    categories: int
    width: int


class Activation(Enum):
    """Element-wise functions; softmax works over the last axis."""

    RELU = "relu"
    GELU = "gelu"
    SILU = "silu"
    TANH = "tanh"
    SIGMOID = "sigmoid"
    SOFTPLUS = "softplus"
    SOFTMAX = "softmax"


class TimePooling(Enum):
    """How a sequence becomes a vector."""

    LAST = "last"
    MEAN = "mean"
    MAX = "max"
    ATTENTION = "attention"


@dataclass(frozen=True)
class Slice:
    """A range of one axis, from 0; the batch is not counted."""

    axis: int
    start: int
    length: int


@dataclass(frozen=True)
class CustomOperation:
    """An operation by name, for hosts that know it."""

    name: str
    attributes: dict = field(default_factory=dict)


class Operation(Variant):
    """What a node does."""

    CASES = {
        "input": None,
        "dense": Dense,
        "lstm": Recurrent,
        "gru": Recurrent,
        "conv1d": Conv1d,
        "layer-norm": float,
        "batch-norm": BatchNorm,
        "attention": Attention,
        "positional-encoding": Position,
        "embedding": Embedding,
        "dropout": float,
        "activation": Activation,
        "add": None,
        "multiply": None,
        "concat": int,
        "slice": Slice,
        "reshape": list,
        "time-pooling": TimePooling,
        "custom": CustomOperation,
    }


@dataclass
class Node:
    """One step of the network."""

    #: Unique in the network; errors and weights carry it.
    name: str
    operation: Operation
    #: Places of the nodes it reads, all before it.
    inputs: list[int]


class Loss(Variant):
    """What training makes small, averaged over the batch."""

    CASES = {
        "mse": None,
        "mae": None,
        "huber": float,
        "quantile": list,
        "gaussian-nll": None,
        "bce": None,
        "cross-entropy": list,
    }

    @staticmethod
    def huber(delta: float) -> Loss:
        """Quadratic within ±delta, linear beyond (Huber 1964)."""
        return Loss("huber", delta)

    @staticmethod
    def quantile(probabilities: Sequence[float]) -> Loss:
        """Pinball loss at each probability in (0, 1); the output has one feature per probability."""
        return Loss("quantile", list(probabilities))

    @staticmethod
    def cross_entropy(weights: Sequence[float] = ()) -> Loss:
        """Cross-entropy of logits against a class number, with a weight per class (none: equal)."""
        return Loss("cross-entropy", list(weights))


Loss.MSE, Loss.MAE, Loss.BCE, Loss.GAUSSIAN_NLL = Loss("mse"), Loss("mae"), Loss("bce"), Loss("gaussian-nll")


@dataclass(frozen=True)
class Output:
    """A result of the network."""

    name: str
    #: Place of the node it is read from; a vector.
    node: int
    loss: Loss
    #: Its share in the total loss, above 0.
    weight: float = 1.0


@dataclass(frozen=True)
class Sgd:
    """Stochastic gradient descent."""

    momentum: float = 0.9
    nesterov: bool = False
    weight_decay: float = 0.0


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma and Ba 2015); AdamW (Loshchilov and Hutter 2019) has the same numbers."""

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0


class Optimizer(Variant):
    """How gradients become steps: `Optimizer("adamw", Adam(weight_decay=0.01))`."""

    CASES = {"sgd": Sgd, "adam": Adam, "adamw": Adam}


class Schedule(Variant):
    """Learning rate over the steps of training: `Schedule("step", (30, 0.5))`. wit/nn has what each carries."""

    CASES = {
        "constant": None,
        "step": tuple,
        "cosine": float,
        "warm-up": int,
        "one-cycle": float,
        "reduce-on-plateau": tuple,
    }


@dataclass(frozen=True)
class EarlyStopping:
    """When to stop before the last epoch."""

    patience: int = 10
    min_delta: float = 0.0
    restore_best: bool = True


@dataclass(frozen=True)
class Training:
    """How the network is trained unless the job says otherwise."""

    epochs: int = 100
    batch_size: int = 32
    learning_rate: float = 1e-3
    optimizer: Optimizer = Optimizer("adam", Adam())
    schedule: Schedule = Schedule("constant")
    #: Most Euclidean norm of all gradients together; None for no clipping.
    clip_norm: Optional[float] = 1.0
    early_stopping: Optional[EarlyStopping] = EarlyStopping()


@dataclass
class Network:
    """A whole network."""

    nodes: list[Node]
    outputs: list[Output]
    training: Training = Training()
