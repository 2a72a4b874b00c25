// Package network says what a network is, layer by layer; the host trains and serves it natively.
//
//	net := network.New()
//	x := net.Input()
//	x = net.LSTM(x, network.Recurrent{Units: 64, Sequences: true})
//	x = net.Dropout(x, 0.2)
//	x = net.LSTM(x, network.Recurrent{Units: 32})
//	net.Output("prediction", net.Dense(x, 1), network.MSE{})
//	plan := net.Build()
//
// Nodes are named after their operation and counted, unless Name says otherwise. Shapes are checked by the host, which
// names the node in its errors. A sequence is [time, features], a vector [features]; "last axis" works on sequences step by
// step and on vectors at once.
package network

// Network is a whole network: a list of nodes in which each reads earlier ones.
type Network struct {
	// Nodes are the nodes, each after all it reads.
	Nodes []Node
	// Outputs are the results, at least one.
	Outputs []Output
	// Training is the default training.
	Training Training
}

// Node is one step of the network.
type Node struct {
	// Name is unique in the network; errors and weights carry it. Lower-case letters, digits, `-`, `_`, `.`.
	Name string
	// Operation is what it does.
	Operation Operation
	// Inputs are the places of what it reads.
	Inputs []Value
}

// Value is a value in a network: the place of the node that gives it.
type Value uint32

// Output is a result of the network.
type Output struct {
	// Name is the name of the output, for example `prediction`.
	Name string
	// Node is the node it is read from; a vector.
	Node Value
	// Loss is what is made small.
	Loss Loss
	// Weight is its share in the total loss, above 0.
	Weight float64
}

// Operation is what a node does: one of the types below.
type Operation interface{ operation() }

type (
	// Input is the feature window [time, features].
	Input struct{}
	// Dense is y = x·W + b over the last axis.
	Dense struct {
		// Units is the width of the output.
		Units uint32
		// WithoutBias leaves b out.
		WithoutBias bool
		// Kernel is the initial W. Standard: Glorot uniform.
		Kernel Initializer
	}
	// LSTM is long short-term memory (Hochreiter and Schmidhuber 1997).
	LSTM struct{ Recurrent }
	// GRU is a gated recurrent unit (Cho et al. 2014) whose reset gate multiplies after the recurrent product.
	GRU struct{ Recurrent }
	// LayerNorm normalises over the last axis (Ba et al. 2016).
	LayerNorm struct {
		// Epsilon is added to the variance.
		Epsilon float64
	}
	// BatchNorm normalises over the batch (Ioffe and Szegedy 2015).
	BatchNorm struct {
		// Epsilon is added to the variance.
		Epsilon float64
		// Momentum is the share of the old running statistics kept per step, in [0, 1).
		Momentum float64
	}
	// Attention is multi-head self-attention (Vaswani et al. 2017).
	Attention struct {
		// Heads must divide the width.
		Heads uint32
		// Causal: a step sees only itself and earlier ones.
		Causal bool
		// Dropout is dropout on the attention weights, in [0, 1).
		Dropout float64
	}
	// Embedding is a vector per category.
	Embedding struct {
		// Categories is the number of categories.
		Categories uint32
		// Width is the width of a vector.
		Width uint32
	}
	// Dropout zeroes a share in [0, 1) of the values while training (Srivastava et al. 2014).
	Dropout struct{ Share float64 }
	// Add is the sum of values of one shape.
	Add struct{}
	// Multiply is the element-wise product of values of one shape.
	Multiply struct{}
	// Concat joins values along an axis, from 0; the batch is not counted.
	Concat struct{ Axis uint32 }
	// Slice is a range of an axis.
	Slice struct{ Axis, Start, Length uint32 }
	// Reshape is the same numbers in another shape, without the batch.
	Reshape struct{ Shape []uint32 }
	// Custom is an operation by name, for hosts that know it, with its attributes as a JSON object.
	Custom struct{ Name, Attributes string }
)

// Recurrent is a recurrent layer over time, giving its last state unless more is asked for.
type Recurrent struct {
	// Units is the width of the state per direction.
	Units uint32
	// Layers is how many are stacked; 0 means 1.
	Layers uint32
	// Bidirectional also runs backwards in time and joins both: twice the features.
	Bidirectional bool
	// Sequences gives the state at every step, for another layer over time.
	Sequences bool
	// Kernel is the initial input weights. Standard: Glorot uniform.
	Kernel Initializer
	// RecurrentKernel is the initial recurrent weights. Standard: orthogonal.
	RecurrentKernel Initializer
}

// Conv is a convolution over time: causal and with bias unless told otherwise.
type Conv struct {
	// Filters is output channels.
	Filters uint32
	// KernelSize is the steps a filter covers.
	KernelSize uint32
	// Stride is the step between outputs; 0 means 1.
	Stride uint32
	// Dilation is the step between filter taps; 0 means 1.
	Dilation uint32
	// Valid: no padding, so fewer steps come out than go in. Else padded on the left only.
	Valid bool
	// WithoutBias leaves the bias out.
	WithoutBias bool
	// Kernel is the initial weights. Standard: Glorot uniform.
	Kernel Initializer
}

// Position is how positions are added to a sequence.
type Position uint8

// Ways to add positions.
const (
	// Sinusoidal is sines and cosines (Vaswani et al. 2017).
	Sinusoidal Position = iota
	// Learned is one learned vector per step.
	Learned
)

// Activation is an element-wise function.
type Activation uint8

// Element-wise functions; Softmax works over the last axis.
const (
	Relu Activation = iota
	Gelu
	Silu
	Tanh
	Sigmoid
	Softplus
	Softmax
)

// Pooling is how a sequence becomes a vector.
type Pooling uint8

// Ways to pool over time.
const (
	// Last is the last step.
	Last Pooling = iota
	// Mean is the mean over time.
	Mean
	// Max is the maximum over time.
	Max
	// Attentive is a learned weighted mean.
	Attentive
)

func (Input) operation()      {}
func (Dense) operation()      {}
func (LSTM) operation()       {}
func (GRU) operation()        {}
func (Conv) operation()       {}
func (LayerNorm) operation()  {}
func (BatchNorm) operation()  {}
func (Attention) operation()  {}
func (Position) operation()   {}
func (Embedding) operation()  {}
func (Dropout) operation()    {}
func (Activation) operation() {}
func (Add) operation()        {}
func (Multiply) operation()   {}
func (Concat) operation()     {}
func (Slice) operation()      {}
func (Reshape) operation()    {}
func (Pooling) operation()    {}
func (Custom) operation()     {}

// Initializer is how weights begin; its zero value is the operation's own default.
type Initializer struct {
	kind  uint8
	value float64
}

// Initial weights without a number. The fans are those of the weight they fill.
var (
	// Zeros is all zero.
	Zeros = Initializer{kind: 1}
	// Ones is all one.
	Ones = Initializer{kind: 2}
	// GlorotUniform is uniform in ±sqrt(6 / (fan-in + fan-out)) (Glorot and Bengio 2010).
	GlorotUniform = Initializer{kind: 6}
	// GlorotNormal has variance 2 / (fan-in + fan-out).
	GlorotNormal = Initializer{kind: 7}
	// HeUniform is uniform in ±sqrt(6 / fan-in) (He et al. 2015).
	HeUniform = Initializer{kind: 8}
	// HeNormal has variance 2 / fan-in.
	HeNormal = Initializer{kind: 9}
	// LecunUniform is uniform in ±sqrt(3 / fan-in) (LeCun et al. 1998).
	LecunUniform = Initializer{kind: 10}
	// LecunNormal has variance 1 / fan-in.
	LecunNormal = Initializer{kind: 11}
	// FanInUniform is uniform in ±1 / sqrt(fan-in): how PyTorch begins dense and convolutional layers.
	FanInUniform = Initializer{kind: 12}
	// Orthogonal has orthonormal rows or columns (Saxe et al. 2014).
	Orthogonal = Initializer{kind: 14}
)

// Constant is one value everywhere.
func Constant(value float64) Initializer { return Initializer{3, value} }

// Uniform is uniform in ±bound.
func Uniform(bound float64) Initializer { return Initializer{4, bound} }

// Normal has this standard deviation.
func Normal(deviation float64) Initializer { return Initializer{5, deviation} }

// TruncatedNormal has this standard deviation; what falls beyond two of them is drawn again.
func TruncatedNormal(deviation float64) Initializer { return Initializer{13, deviation} }
