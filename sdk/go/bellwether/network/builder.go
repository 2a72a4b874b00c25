package network

import "fmt"

// Builder builds a Network. Each operation gives the value to go on from.
type Builder struct {
	network Network
	counts  map[string]int
}

// New is an empty network with the default training.
func New() *Builder {
	return &Builder{Network{Training: DefaultTraining()}, map[string]int{}}
}

// Input is the feature window, [time, features].
func (b *Builder) Input() Value { return b.node("input", Input{}) }

// Dense is y = x·W + b over the last axis.
func (b *Builder) Dense(x Value, units uint32) Value { return b.node("dense", Dense{Units: units}, x) }

// DenseWith is the same with settings of its own.
func (b *Builder) DenseWith(x Value, layer Dense) Value { return b.node("dense", layer, x) }

// LSTM is long short-term memory.
func (b *Builder) LSTM(x Value, layer Recurrent) Value { return b.node("lstm", LSTM{layer}, x) }

// GRU is a gated recurrent unit.
func (b *Builder) GRU(x Value, layer Recurrent) Value { return b.node("gru", GRU{layer}, x) }

// Conv is a convolution over time.
func (b *Builder) Conv(x Value, layer Conv) Value { return b.node("conv", layer, x) }

// LayerNorm normalises over the last axis, 1e-5 added to the variance.
func (b *Builder) LayerNorm(x Value) Value { return b.node("layer_norm", LayerNorm{1e-5}, x) }

// BatchNorm normalises over the batch, 1e-3 added to the variance, momentum 0.99.
func (b *Builder) BatchNorm(x Value) Value { return b.BatchNormWith(x, BatchNorm{1e-3, 0.99}) }

// BatchNormWith is the same with numbers of its own.
func (b *Builder) BatchNormWith(x Value, layer BatchNorm) Value {
	return b.node("batch_norm", layer, x)
}

// Attention is multi-head self-attention.
func (b *Builder) Attention(x Value, layer Attention) Value { return b.node("attention", layer, x) }

// Positions adds positions to a sequence.
func (b *Builder) Positions(x Value, position Position) Value {
	return b.node("positions", position, x)
}

// Embedding is a vector per category: [time] or [] of whole numbers to [.., width].
func (b *Builder) Embedding(x Value, categories, width uint32) Value {
	return b.node("embedding", Embedding{categories, width}, x)
}

// Dropout zeroes a share in [0, 1) of the values while training.
func (b *Builder) Dropout(x Value, share float64) Value { return b.node("dropout", Dropout{share}, x) }

// Activation is an element-wise function.
func (b *Builder) Activation(x Value, function Activation) Value {
	return b.node("activation", function, x)
}

// Add is the sum of two or more values of one shape.
func (b *Builder) Add(values ...Value) Value { return b.node("add", Add{}, values...) }

// Multiply is the element-wise product of two or more values of one shape.
func (b *Builder) Multiply(values ...Value) Value { return b.node("multiply", Multiply{}, values...) }

// Concat joins two or more values along an axis, from 0; the batch is not counted.
func (b *Builder) Concat(axis uint32, values ...Value) Value {
	return b.node("concat", Concat{axis}, values...)
}

// Slice is length elements of an axis, the first at start.
func (b *Builder) Slice(x Value, axis, start, length uint32) Value {
	return b.node("slice", Slice{axis, start, length}, x)
}

// Reshape is the same numbers in another shape, without the batch.
func (b *Builder) Reshape(x Value, shape ...uint32) Value {
	return b.node("reshape", Reshape{shape}, x)
}

// Pool makes a sequence a vector.
func (b *Builder) Pool(x Value, pooling Pooling) Value { return b.node("pool", pooling, x) }

// Operation is any operation, also those without a method here.
func (b *Builder) Operation(operation Operation, inputs ...Value) Value {
	return b.node("operation", operation, inputs...)
}

// Name gives a node a name of its own.
func (b *Builder) Name(value Value, name string) Value {
	b.network.Nodes[value].Name = name
	return value
}

// Output makes a vector a result of the network that training brings near the target.
func (b *Builder) Output(name string, value Value, loss Loss) *Builder {
	return b.WeightedOutput(name, value, loss, 1)
}

// WeightedOutput is the same with a share in the total loss, above 0.
func (b *Builder) WeightedOutput(name string, value Value, loss Loss, weight float64) *Builder {
	b.network.Outputs = append(b.network.Outputs, Output{name, value, loss, weight})
	return b
}

// Training is how the network is trained unless the job says otherwise.
func (b *Builder) Training(training Training) *Builder {
	b.network.Training = training
	return b
}

// Build gives the network.
func (b *Builder) Build() Network { return b.network }

func (b *Builder) node(kind string, operation Operation, inputs ...Value) Value {
	b.counts[kind]++
	name := fmt.Sprintf("%s_%d", kind, b.counts[kind])
	if kind == "input" && b.counts[kind] == 1 {
		// There is one input nearly always: it needs no number.
		name = kind
	}
	b.network.Nodes = append(b.network.Nodes, Node{name, operation, inputs})
	return Value(len(b.network.Nodes) - 1)
}
