//go:build wasip1

package network

// From this package's types to the bindings' records.

import (
	"fmt"

	"bellwether"
	"bellwether/internal/abi/types"
	wire "bellwether/internal/wit/imports/bellwether_nn_network"
)

// Wire is the contract's network.
func (n Network) Wire() (network wire.Network, err error) {
	defer func() {
		// A nil operation, loss or optimizer is the only way to get here: the author forgot one.
		if fault := recover(); fault != nil {
			err = bellwether.Internal("the network cannot be sent: %v", fault)
		}
	}()
	for _, node := range n.Nodes {
		inputs := make([]uint32, len(node.Inputs))
		for place, input := range node.Inputs {
			inputs[place] = uint32(input)
		}
		sent := wire.Node{Name: node.Name, Operation: wireOperation(node.Operation), Inputs: inputs}
		network.Nodes = append(network.Nodes, sent)
	}
	for _, output := range n.Outputs {
		sent := wire.Output{Name: output.Name, Node: uint32(output.Node), Loss: wireLoss(output.Loss), Weight: output.Weight}
		network.Outputs = append(network.Outputs, sent)
	}
	network.Training = wireTraining(n.Training)
	return network, nil
}

func wireOperation(operation Operation) wire.Operation {
	switch o := operation.(type) {
	case Input:
		return wire.MakeOperationInput()
	case Dense:
		return wire.MakeOperationDense(wire.Dense{Units: o.Units, Bias: !o.WithoutBias, Kernel: wireInitializer(o.Kernel)})
	case LSTM:
		return wire.MakeOperationLstm(wireRecurrent(o.Recurrent))
	case GRU:
		return wire.MakeOperationGru(wireRecurrent(o.Recurrent))
	case Conv:
		return wire.MakeOperationConv1d(wireConv(o))
	case LayerNorm:
		return wire.MakeOperationLayerNorm(o.Epsilon)
	case BatchNorm:
		return wire.MakeOperationBatchNorm(wire.BatchNorm(o))
	case Attention:
		return wire.MakeOperationAttention(wire.Attention(o))
	case Position:
		return wire.MakeOperationPositionalEncoding(uint8(o))
	case Embedding:
		return wire.MakeOperationEmbedding(wire.Embedding(o))
	case Dropout:
		return wire.MakeOperationDropout(o.Share)
	case Activation:
		return wire.MakeOperationActivation(uint8(o))
	case Add:
		return wire.MakeOperationAdd()
	case Multiply:
		return wire.MakeOperationMultiply()
	case Concat:
		return wire.MakeOperationConcat(o.Axis)
	case Slice:
		return wire.MakeOperationSlice(wire.Slice(o))
	case Reshape:
		return wire.MakeOperationReshape(o.Shape)
	case Pooling:
		return wire.MakeOperationTimePooling(uint8(o))
	case Custom:
		return wire.MakeOperationCustom(wire.CustomOperation(o))
	default:
		panic(fmt.Sprintf("%T is no operation", operation))
	}
}

func wireRecurrent(layer Recurrent) wire.Recurrent {
	return wire.Recurrent{
		Units:           layer.Units,
		Layers:          max(layer.Layers, 1),
		Bidirectional:   layer.Bidirectional,
		ReturnSequences: layer.Sequences,
		Kernel:          wireInitializer(layer.Kernel),
		RecurrentKernel: wireInitializer(layer.RecurrentKernel),
	}
}

func wireConv(layer Conv) wire.Conv1d {
	return wire.Conv1d{
		Filters:    layer.Filters,
		KernelSize: layer.KernelSize,
		Stride:     max(layer.Stride, 1),
		Dilation:   max(layer.Dilation, 1),
		Causal:     !layer.Valid,
		Bias:       !layer.WithoutBias,
		Kernel:     wireInitializer(layer.Kernel),
	}
}

func wireInitializer(initial Initializer) wire.Initializer {
	plain := map[Initializer]func() wire.Initializer{
		{}:            wire.MakeInitializerStandard,
		Zeros:         wire.MakeInitializerZeros,
		Ones:          wire.MakeInitializerOnes,
		GlorotUniform: wire.MakeInitializerGlorotUniform,
		GlorotNormal:  wire.MakeInitializerGlorotNormal,
		HeUniform:     wire.MakeInitializerHeUniform,
		HeNormal:      wire.MakeInitializerHeNormal,
		LecunUniform:  wire.MakeInitializerLecunUniform,
		LecunNormal:   wire.MakeInitializerLecunNormal,
		FanInUniform:  wire.MakeInitializerFanInUniform,
		Orthogonal:    wire.MakeInitializerOrthogonal,
	}
	if make, ok := plain[initial]; ok {
		return make()
	}
	switch initial.kind {
	case 3:
		return wire.MakeInitializerConstant(initial.value)
	case 4:
		return wire.MakeInitializerUniform(initial.value)
	case 5:
		return wire.MakeInitializerNormal(initial.value)
	default:
		return wire.MakeInitializerTruncatedNormal(initial.value)
	}
}

func wireLoss(loss Loss) wire.Loss {
	switch l := loss.(type) {
	case MSE:
		return wire.MakeLossMse()
	case MAE:
		return wire.MakeLossMae()
	case Huber:
		return wire.MakeLossHuber(l.Delta)
	case Quantile:
		return wire.MakeLossQuantile(l.Probabilities)
	case GaussianNLL:
		return wire.MakeLossGaussianNll()
	case BCE:
		return wire.MakeLossBce()
	case CrossEntropy:
		return wire.MakeLossCrossEntropy(l.Weights)
	default:
		panic(fmt.Sprintf("%T is no loss", loss))
	}
}

func wireTraining(training Training) wire.Training {
	sent := wire.Training{
		Epochs:       training.Epochs,
		BatchSize:    training.BatchSize,
		LearningRate: training.LearningRate,
		Optimizer:    wireOptimizer(training.Optimizer),
		Schedule:     wireSchedule(training.Schedule),
	}
	if training.ClipNorm > 0 {
		sent.ClipNorm = types.Some(training.ClipNorm)
	}
	if stopping := training.EarlyStopping; stopping != nil {
		sent.EarlyStopping = types.Some(wire.EarlyStopping(*stopping))
	}
	return sent
}

func wireOptimizer(optimizer Optimizer) wire.Optimizer {
	switch o := optimizer.(type) {
	case SGD:
		return wire.MakeOptimizerSgd(wire.Sgd(o))
	case Adam:
		return wire.MakeOptimizerAdam(wire.Adam(o))
	case AdamW:
		return wire.MakeOptimizerAdamw(wire.Adam(o))
	default:
		panic(fmt.Sprintf("%T is no optimizer", optimizer))
	}
}

func wireSchedule(schedule Schedule) wire.Schedule {
	switch s := schedule.(type) {
	case nil:
		return wire.MakeScheduleConstant()
	case Decay:
		return wire.MakeScheduleStep(types.Tuple2[uint32, float64]{F0: s.Epochs, F1: s.Factor})
	case Cosine:
		return wire.MakeScheduleCosine(s.Floor)
	case WarmUp:
		return wire.MakeScheduleWarmUp(s.Steps)
	case OneCycle:
		return wire.MakeScheduleOneCycle(s.Rise)
	case ReduceOnPlateau:
		return wire.MakeScheduleReduceOnPlateau(types.Tuple2[uint32, float64]{F0: s.Patience, F1: s.Factor})
	default:
		panic(fmt.Sprintf("%T is no schedule", schedule))
	}
}
