// Networks as `wit/nn` has them; every operation and number is described there. `NetworkBuilder` writes them.

/** How weights begin. */
export type Initializer =
    | { tag: "constant" | "uniform" | "normal" | "truncated-normal"; val: number }
    | {
          tag:
              | "standard"
              | "zeros"
              | "ones"
              | "glorot-uniform"
              | "glorot-normal"
              | "he-uniform"
              | "he-normal"
              | "lecun-uniform"
              | "lecun-normal"
              | "fan-in-uniform"
              | "orthogonal";
      };

/** A recurrent layer over time. */
export interface Recurrent {
    units: number;
    layers: number;
    bidirectional: boolean;
    returnSequences: boolean;
    kernel: Initializer;
    recurrentKernel: Initializer;
}

/** Convolution over time. */
export interface Conv1d {
    filters: number;
    kernelSize: number;
    stride: number;
    dilation: number;
    causal: boolean;
    bias: boolean;
    kernel: Initializer;
}

/** Element-wise functions; softmax works over the last axis. */
export type Activation = "relu" | "gelu" | "silu" | "tanh" | "sigmoid" | "softplus" | "softmax";

/** How a sequence becomes a vector. */
export type TimePooling = "last" | "mean" | "max" | "attention";

/** How positions are added to a sequence. */
export type Position = "sinusoidal" | "learned";

/** What a node does. */
export type Operation =
    | { tag: "input" | "add" | "multiply" }
    | { tag: "dense"; val: { units: number; bias: boolean; kernel: Initializer } }
    | { tag: "lstm" | "gru"; val: Recurrent }
    | { tag: "conv1d"; val: Conv1d }
    | { tag: "layer-norm" | "dropout" | "concat"; val: number }
    | { tag: "batch-norm"; val: { epsilon: number; momentum: number } }
    | { tag: "attention"; val: { heads: number; causal: boolean; dropout: number } }
    | { tag: "positional-encoding"; val: Position }
    | { tag: "embedding"; val: { categories: number; width: number } }
    | { tag: "activation"; val: Activation }
    | { tag: "slice"; val: { axis: number; start: number; length: number } }
    | { tag: "reshape"; val: number[] }
    | { tag: "time-pooling"; val: TimePooling }
    | { tag: "custom"; val: { name: string; attributes: string } };

/** One step of the network; `inputs` are places of earlier nodes. */
export interface NetworkNode {
    name: string;
    operation: Operation;
    inputs: number[];
}

/** What training makes small, averaged over the batch. */
export type Loss =
    | { tag: "mse" | "mae" | "gaussian-nll" | "bce" }
    | { tag: "huber"; val: number }
    | { tag: "quantile" | "cross-entropy"; val: number[] };

/** A result of the network. */
export interface Output {
    name: string;
    node: number;
    loss: Loss;
    weight: number;
}

/** Numbers of Adam and AdamW. */
export interface Adam {
    beta1: number;
    beta2: number;
    epsilon: number;
    weightDecay: number;
}

/** How gradients become steps. */
export type Optimizer =
    | { tag: "sgd"; val: { momentum: number; nesterov: boolean; weightDecay: number } }
    | { tag: "adam" | "adamw"; val: Adam };

/** Learning rate over the steps of training. */
export type Schedule =
    | { tag: "constant" }
    | { tag: "step" | "reduce-on-plateau"; val: [number, number] }
    | { tag: "cosine" | "warm-up" | "one-cycle"; val: number };

/** When to stop before the last epoch. */
export interface EarlyStopping {
    patience: number;
    minDelta: number;
    restoreBest: boolean;
}

/** How the network is trained unless the job says otherwise. */
export interface Training {
    epochs: number;
    batchSize: number;
    learningRate: number;
    optimizer: Optimizer;
    schedule: Schedule;
    clipNorm: number | null;
    earlyStopping: EarlyStopping | null;
}

/** A whole network. */
export interface Network {
    nodes: NetworkNode[];
    outputs: Output[];
    training: Training;
}
