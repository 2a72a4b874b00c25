// Networks written layer by layer: one method per operation, each returning the node to go on from.
//
// Nodes are named after their operation and counted, unless `name` says otherwise. Shapes are checked by the host, which
// names the node in its errors. The numbers of `defaultTraining` are Keras's: Adam, learning rate 0.001, batches of 32;
// beside them gradients are clipped at norm 1 and training stops after 10 epochs without improvement.

import type {
    Activation,
    Conv1d,
    Initializer,
    Loss,
    Network,
    NetworkNode,
    Operation,
    Output,
    Position,
    Recurrent,
    TimePooling,
    Training,
} from "./contract.js";

const STANDARD: Initializer = { tag: "standard" };

/** Keras's numbers, gradients clipped at norm 1, stopping after 10 epochs without improvement. */
export const defaultTraining = (): Training => ({
    epochs: 100,
    batchSize: 32,
    learningRate: 1e-3,
    optimizer: { tag: "adam", val: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 } },
    schedule: { tag: "constant" },
    clipNorm: 1,
    earlyStopping: { patience: 10, minDelta: 0, restoreBest: true },
});

/** A value in the network being built. */
export interface Node {
    /** Its place in the network. */
    readonly id: number;
}

/** Builds a `Network`. */
export class NetworkBuilder {
    #nodes: NetworkNode[] = [];
    #outputs: Output[] = [];
    #training = defaultTraining();
    #counts = new Map<string, number>();

    /** The feature window, [time, features]. */
    input(): Node {
        return this.#add("input", { tag: "input" });
    }

    /** y = x·W + b over the last axis. */
    dense(x: Node, units: number, options: { bias?: boolean; kernel?: Initializer } = {}): Node {
        return this.#add("dense", { tag: "dense", val: { units, bias: true, kernel: STANDARD, ...options } }, x);
    }

    /** Long short-term memory; one layer, forward, giving its last state unless `options` ask for more. */
    lstm(x: Node, units: number, options: Partial<Omit<Recurrent, "units">> = {}): Node {
        return this.#add("lstm", { tag: "lstm", val: recurrent(units, options) }, x);
    }

    /** Gated recurrent unit; one layer, forward, giving its last state unless `options` ask for more. */
    gru(x: Node, units: number, options: Partial<Omit<Recurrent, "units">> = {}): Node {
        return this.#add("gru", { tag: "gru", val: recurrent(units, options) }, x);
    }

    /** Convolution over time: causal, with bias, step and dilation 1, unless told otherwise. */
    conv(x: Node, filters: number, kernelSize: number, options: Partial<Omit<Conv1d, "filters" | "kernelSize">> = {}): Node {
        const standard = { stride: 1, dilation: 1, causal: true, bias: true, kernel: STANDARD };
        return this.#add("conv", { tag: "conv1d", val: { filters, kernelSize, ...standard, ...options } }, x);
    }

    /** Normalisation over the last axis (Ba et al. 2016), `epsilon` added to the variance. */
    layerNorm(x: Node, epsilon = 1e-5): Node {
        return this.#add("layer_norm", { tag: "layer-norm", val: epsilon }, x);
    }

    /** Normalisation over the batch (Ioffe and Szegedy 2015); `momentum` is the share of the running statistics each step keeps. */
    batchNorm(x: Node, options: { epsilon?: number; momentum?: number } = {}): Node {
        return this.#add("batch_norm", { tag: "batch-norm", val: { epsilon: 1e-3, momentum: 0.99, ...options } }, x);
    }

    /** Multi-head self-attention (Vaswani et al. 2017). */
    attention(x: Node, heads: number, options: { causal?: boolean; dropout?: number } = {}): Node {
        return this.#add("attention", { tag: "attention", val: { heads, causal: false, dropout: 0, ...options } }, x);
    }

    /** Adds positions to a sequence. */
    positions(x: Node, position: Position = "sinusoidal"): Node {
        return this.#add("positions", { tag: "positional-encoding", val: position }, x);
    }

    /** A vector per category: [time] or [] of whole numbers to [.., width]. */
    embedding(x: Node, categories: number, width: number): Node {
        return this.#add("embedding", { tag: "embedding", val: { categories, width } }, x);
    }

    /** Zeros a share in [0, 1) of the values while training (Srivastava et al. 2014). */
    dropout(x: Node, share: number): Node {
        return this.#add("dropout", { tag: "dropout", val: share }, x);
    }

    /** An element-wise function. */
    activation(x: Node, activation: Activation): Node {
        return this.#add("activation", { tag: "activation", val: activation }, x);
    }

    /** The sum of values of one shape; of a residual branch and what it began from, for example. */
    add(...values: Node[]): Node {
        return this.#add("add", { tag: "add" }, ...values);
    }

    /** The element-wise product of values of one shape. */
    multiply(...values: Node[]): Node {
        return this.#add("multiply", { tag: "multiply" }, ...values);
    }

    /** Values joined along an axis, from 0; the batch is not counted. */
    concat(axis: number, ...values: Node[]): Node {
        return this.#add("concat", { tag: "concat", val: axis }, ...values);
    }

    /** `length` elements of an axis (from 0; the batch is not counted), the first at `start`. */
    slice(x: Node, axis: number, start: number, length: number): Node {
        return this.#add("slice", { tag: "slice", val: { axis, start, length } }, x);
    }

    /** The same numbers in another shape, without the batch. */
    reshape(x: Node, ...shape: number[]): Node {
        return this.#add("reshape", { tag: "reshape", val: shape }, x);
    }

    /** A sequence made a vector. */
    pool(x: Node, pooling: TimePooling): Node {
        return this.#add("pool", { tag: "time-pooling", val: pooling }, x);
    }

    /** Any operation, also those without a method here. */
    operation(operation: Operation, ...inputs: Node[]): Node {
        return this.#add("operation", operation, ...inputs);
    }

    /** Gives a node a name of its own: lower-case letters, digits, `-`, `_`, `.`; unique in the network. */
    name(node: Node, name: string): Node {
        (this.#nodes[node.id] as NetworkNode).name = name;
        return node;
    }

    /** Makes a node, a vector, a result of the network that training brings near the target; `weight` is its share in the loss. */
    output(name: string, node: Node, loss: Loss, weight = 1): this {
        this.#outputs.push({ name, node: node.id, loss, weight });
        return this;
    }

    /** How the network is trained unless the job says otherwise: what differs from `defaultTraining`. */
    training(training: Partial<Training>): this {
        this.#training = { ...this.#training, ...training };
        return this;
    }

    /** The network. */
    build(): Network {
        return { nodes: this.#nodes, outputs: this.#outputs, training: this.#training };
    }

    #add(kind: string, operation: Operation, ...inputs: Node[]): Node {
        const count = (this.#counts.get(kind) ?? 0) + 1;
        this.#counts.set(kind, count);
        // There is one input nearly always: it needs no number.
        const name = kind === "input" && count === 1 ? kind : `${kind}_${count}`;
        this.#nodes.push({ name, operation, inputs: inputs.map((input) => input.id) });
        return { id: this.#nodes.length - 1 };
    }
}

function recurrent(units: number, options: Partial<Omit<Recurrent, "units">>): Recurrent {
    const standard = { layers: 1, bidirectional: false, returnSequences: false, kernel: STANDARD, recurrentKernel: STANDARD };
    return { units, ...standard, ...options };
}
