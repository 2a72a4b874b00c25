"""Writes a network layer by layer: one method per operation, each giving the node to go on from.

    net = NetworkBuilder()
    x = net.lstm(net.input(), 64, return_sequences=True)
    x = net.dropout(x, 0.2)
    x = net.lstm(x, 32)
    net.output("prediction", net.dense(x, 1), Loss.MSE)
    network = net.build()

A node is its place in the network. Nodes are named after their operation and counted, unless `name` says otherwise.
"""

from __future__ import annotations

from typing import Any, Optional, Sequence

from .network import (
    Activation,
    Attention,
    BatchNorm,
    Conv1d,
    CustomOperation,
    Dense,
    Embedding,
    Loss,
    Network,
    Node,
    Operation,
    Output,
    Position,
    Recurrent,
    Slice,
    TimePooling,
    Training,
)


class NetworkBuilder:
    """Builds a `Network`."""

    def __init__(self) -> None:
        self._nodes: list[Node] = []
        self._outputs: list[Output] = []
        self._training = Training()
        self._counts: dict[str, int] = {}

    def input(self) -> int:
        """The feature window, [time, features]."""
        return self._add("input", "input", None, [])

    def dense(self, x: int, units: int, **options: Any) -> int:
        """y = x·W + b over the last axis. Options: those of `Dense`."""
        return self._add("dense", "dense", Dense(units, **options), [x])

    def lstm(self, x: int, units: int, **options: Any) -> int:
        """Long short-term memory (Hochreiter and Schmidhuber 1997). Options: those of `Recurrent`."""
        return self._add("lstm", "lstm", Recurrent(units, **options), [x])

    def gru(self, x: int, units: int, **options: Any) -> int:
        """Gated recurrent unit (Cho et al. 2014). Options: those of `Recurrent`."""
        return self._add("gru", "gru", Recurrent(units, **options), [x])

    def conv(self, x: int, filters: int, kernel_size: int, **options: Any) -> int:
        """Convolution over time. Options: those of `Conv1d`."""
        return self._add("conv", "conv1d", Conv1d(filters, kernel_size, **options), [x])

    def layer_norm(self, x: int, epsilon: float = 1e-5) -> int:
        """Normalisation over the last axis (Ba et al. 2016)."""
        return self._add("layer_norm", "layer-norm", epsilon, [x])

    def batch_norm(self, x: int, **options: Any) -> int:
        """Normalisation over the batch. Options: those of `BatchNorm`."""
        return self._add("batch_norm", "batch-norm", BatchNorm(**options), [x])

    def attention(self, x: int, heads: int, **options: Any) -> int:
        """Multi-head self-attention. Options: those of `Attention`."""
        return self._add("attention", "attention", Attention(heads, **options), [x])

    def positions(self, x: int, position: Position) -> int:
        """Adds positions to a sequence."""
        return self._add("positions", "positional-encoding", position, [x])

    def embedding(self, x: int, categories: int, width: int) -> int:
        """A vector per category: [time] or [] of whole numbers to [.., width]."""
        return self._add("embedding", "embedding", Embedding(categories, width), [x])

    def dropout(self, x: int, share: float) -> int:
        """Zeros a share in [0, 1) of the values while training (Srivastava et al. 2014)."""
        return self._add("dropout", "dropout", share, [x])

    def activation(self, x: int, function: Activation) -> int:
        """An element-wise function."""
        return self._add("activation", "activation", function, [x])

    def add(self, *values: int) -> int:
        """The sum of two or more values of one shape."""
        return self._add("add", "add", None, values)

    def multiply(self, *values: int) -> int:
        """The element-wise product of two or more values of one shape."""
        return self._add("multiply", "multiply", None, values)

    def concat(self, values: Sequence[int], axis: int) -> int:
        """Values joined along an axis, from 0; the batch is not counted."""
        return self._add("concat", "concat", axis, values)

    def slice(self, x: int, axis: int, start: int, length: int) -> int:
        """`length` elements of an axis, the first at `start`."""
        return self._add("slice", "slice", Slice(axis, start, length), [x])

    def reshape(self, x: int, shape: Sequence[int]) -> int:
        """The same numbers in another shape, without the batch."""
        return self._add("reshape", "reshape", list(shape), [x])

    def pool(self, x: int, pooling: TimePooling) -> int:
        """A sequence made a vector."""
        return self._add("pool", "time-pooling", pooling, [x])

    def custom(self, name: str, attributes: dict, *inputs: int) -> int:
        """An operation by name, for hosts that know it."""
        return self._add("custom", "custom", CustomOperation(name, attributes), inputs)

    def name(self, node: int, name: str) -> int:
        """Gives a node a name of its own: lower-case letters, digits, `-`, `_`, `.`; unique in the network."""
        self._nodes[node].name = name
        return node

    def output(self, name: str, node: int, loss: Loss, weight: float = 1.0) -> None:
        """Makes a node, a vector, a result of the network that training brings near the target."""
        self._outputs.append(Output(name, node, loss, weight))

    def training(self, training: Training) -> None:
        """How the network is trained unless the job says otherwise."""
        self._training = training

    def build(self) -> Network:
        """The network."""
        return Network(self._nodes, self._outputs, self._training)

    def _add(self, kind: str, case: str, value: Optional[Any], inputs: Sequence[int]) -> int:
        count = self._counts[kind] = self._counts.get(kind, 0) + 1
        # There is one input nearly always: it needs no number.
        name = kind if kind == "input" and count == 1 else f"{kind}_{count}"
        self._nodes.append(Node(name, Operation(case, value), list(inputs)))
        return len(self._nodes) - 1
