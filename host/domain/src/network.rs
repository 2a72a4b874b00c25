//! A network as a value: nodes, outputs, default training. Mirrors `wit/nn/nn.wit` item for item, which documents each
//! operation; the shapes it implies are worked out in [`shape`], the weights it holds are listed in [`weight`].
//!
//! Nothing here computes. `compute` compiles it.

use serde::{Deserialize, Serialize};

mod rules;
pub mod shape;
pub mod weight;

/// How weights begin.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "value")]
pub enum Initializer {
    /// The operation's own default.
    #[default]
    Standard,
    /// All zero.
    Zeros,
    /// All one.
    Ones,
    /// One value everywhere.
    Constant(f64),
    /// Uniform in ±bound.
    Uniform(f64),
    /// Normal with this standard deviation.
    Normal(f64),
    /// Uniform in ±sqrt(6 / (fan-in + fan-out)).
    GlorotUniform,
    /// Normal with variance 2 / (fan-in + fan-out).
    GlorotNormal,
    /// Uniform in ±sqrt(6 / fan-in).
    HeUniform,
    /// Normal with variance 2 / fan-in.
    HeNormal,
    /// Uniform in ±sqrt(3 / fan-in).
    LecunUniform,
    /// Normal with variance 1 / fan-in.
    LecunNormal,
    /// Uniform in ±1 / sqrt(fan-in), as PyTorch begins dense and convolutional layers.
    FanInUniform,
    /// Normal with this standard deviation, drawn again beyond two of them.
    TruncatedNormal(f64),
    /// Rows or columns orthonormal.
    Orthogonal,
}

/// y = x·W + b over the last axis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dense {
    /// Width of the output.
    pub units: u32,
    /// Add b.
    pub bias: bool,
    /// Initial W, [in, units].
    pub kernel: Initializer,
}

/// An LSTM or GRU.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recurrent {
    /// Width of the state per direction.
    pub units: u32,
    /// Stacked layers.
    pub layers: u32,
    /// Also backwards in time, concatenated.
    pub bidirectional: bool,
    /// Give every step, not only the last.
    pub return_sequences: bool,
    /// Initial input weights.
    pub kernel: Initializer,
    /// Initial recurrent weights.
    pub recurrent_kernel: Initializer,
}

/// Convolution over time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conv1d {
    /// Output channels.
    pub filters: u32,
    /// Steps a filter covers.
    pub kernel_size: u32,
    /// Step between outputs.
    pub stride: u32,
    /// Step between taps.
    pub dilation: u32,
    /// Pad on the left only.
    pub causal: bool,
    /// Add a bias per filter.
    pub bias: bool,
    /// Initial weights.
    pub kernel: Initializer,
}

/// Multi-head self-attention.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attention {
    /// Heads; divides the width.
    pub heads: u32,
    /// A step sees only itself and earlier ones.
    pub causal: bool,
    /// Dropout on the attention weights.
    pub dropout: f64,
}

/// Normalisation over the batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchNorm {
    /// Added to the variance.
    pub epsilon: f64,
    /// Share of the old running statistics kept.
    pub momentum: f64,
}

/// How positions are added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Position {
    /// Sines and cosines.
    Sinusoidal,
    /// One learned vector per step.
    Learned,
}

/// A vector per category.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Embedding {
    /// Number of categories.
    pub categories: u32,
    /// Width of a vector.
    pub width: u32,
}

/// Element-wise functions; softmax works over the last axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names are the definitions")]
pub enum Activation {
    Relu,
    Gelu,
    Silu,
    Tanh,
    Sigmoid,
    Softplus,
    Softmax,
}

/// How a sequence becomes a vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimePooling {
    /// The last step.
    Last,
    /// The mean over time.
    Mean,
    /// The maximum over time.
    Max,
    /// A learned weighted mean.
    Attention,
}

/// A range of one axis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slice {
    /// Axis, the batch not counted.
    pub axis: u32,
    /// First element.
    pub start: u32,
    /// Number of elements.
    pub length: u32,
}

/// An operation by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomOperation {
    /// The operation.
    pub name: String,
    /// Its attributes, a JSON object.
    pub attributes: String,
}

/// What a node does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "op", content = "with")]
#[expect(missing_docs, reason = "documented in wit/nn/nn.wit, which this mirrors")]
pub enum Operation {
    Input,
    Dense(Dense),
    Lstm(Recurrent),
    Gru(Recurrent),
    Conv1d(Conv1d),
    LayerNorm(f64),
    BatchNorm(BatchNorm),
    Attention(Attention),
    PositionalEncoding(Position),
    Embedding(Embedding),
    Dropout(f64),
    Activation(Activation),
    Add,
    Multiply,
    Concat(u32),
    Slice(Slice),
    Reshape(Vec<u32>),
    TimePooling(TimePooling),
    Custom(CustomOperation),
}

/// One step of the network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Unique in the network; errors and weights carry it.
    pub name: String,
    /// What it does.
    pub operation: Operation,
    /// What it reads: places of earlier nodes.
    pub inputs: Vec<u32>,
}

/// What training makes small, averaged over the batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "with")]
pub enum Loss {
    /// Squared error.
    Mse,
    /// Absolute error.
    Mae,
    /// Quadratic within ±delta, linear beyond.
    Huber(f64),
    /// Pinball loss at each probability.
    Quantile(Vec<f64>),
    /// Normal with mean and log-variance.
    GaussianNll,
    /// Binary cross-entropy of a logit.
    Bce,
    /// Cross-entropy of logits, with class weights.
    CrossEntropy(Vec<f64>),
}

/// A result of the network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// Name, for example `prediction`.
    pub name: String,
    /// The node it is read from.
    pub node: u32,
    /// What is made small.
    pub loss: Loss,
    /// Share in the total loss.
    pub weight: f64,
}

/// Stochastic gradient descent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sgd {
    /// Momentum in [0, 1).
    pub momentum: f64,
    /// Look ahead.
    pub nesterov: bool,
    /// L2 penalty added to the gradient.
    pub weight_decay: f64,
}

/// Adam's numbers, also AdamW's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adam {
    /// Decay of the mean of gradients.
    pub beta1: f64,
    /// Decay of the mean of squares.
    pub beta2: f64,
    /// Added to the root.
    pub epsilon: f64,
    /// L2 penalty (Adam) or decoupled decay (AdamW).
    pub weight_decay: f64,
}

/// How gradients become steps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "with")]
#[expect(missing_docs, reason = "documented on the structs they hold")]
pub enum Optimizer {
    Sgd(Sgd),
    Adam(Adam),
    Adamw(Adam),
}

/// Learning rate over the steps of training.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "with")]
pub enum Schedule {
    /// The same throughout.
    Constant,
    /// Multiplied by a factor every so many epochs: (epochs, factor).
    Step(u32, f64),
    /// Half a cosine down to this share of the start.
    Cosine(f64),
    /// Linear from zero over this many steps.
    WarmUp(u32),
    /// Up and down again: share of steps spent rising.
    OneCycle(f64),
    /// (patience in epochs, factor).
    ReduceOnPlateau(u32, f64),
}

/// When to stop before the last epoch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlyStopping {
    /// Epochs without improvement to wait.
    pub patience: u32,
    /// Least fall of the validation loss that counts.
    pub min_delta: f64,
    /// Return the best epoch's weights.
    pub restore_best: bool,
}

/// How the network is trained unless the job says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// Most passes over the data.
    pub epochs: u32,
    /// Samples per step.
    pub batch_size: u32,
    /// Step size.
    pub learning_rate: f64,
    /// How gradients become steps.
    pub optimizer: Optimizer,
    /// The learning rate over time.
    pub schedule: Schedule,
    /// Most Euclidean norm of all gradients together.
    pub clip_norm: Option<f64>,
    /// When to stop early.
    pub early_stopping: Option<EarlyStopping>,
}

/// A whole network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// The nodes, each after all it reads.
    pub nodes: Vec<Node>,
    /// The results, at least one.
    pub outputs: Vec<Output>,
    /// Default training.
    pub training: Training,
}
