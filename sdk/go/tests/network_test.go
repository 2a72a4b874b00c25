package bellwethertests

import (
	"slices"
	"testing"

	"bellwether/hosttest"
	"bellwether/network"
)

func TestLayersAreNamedAndWired(t *testing.T) {
	net := network.New()
	x := net.Input()
	a := net.LSTM(x, network.Recurrent{Units: 8, Sequences: true})
	b := net.LSTM(a, network.Recurrent{Units: 8, Sequences: true})
	head := net.Name(net.Dense(net.Add(a, b), 1), "head")
	net.Output("prediction", head, network.MSE{})
	built := net.Build()
	expected := []string{"lstm_1(8) <- input", "lstm_2(8) <- lstm_1", "add_1 <- lstm_1, lstm_2", "head(1) <- add_1"}
	if outline := hosttest.Outline(built); !slices.Equal(outline, expected) {
		t.Error(outline)
	}
	if built.Outputs[0].Node != 4 || built.Outputs[0].Weight != 1 || built.Training.LearningRate != 1e-3 {
		t.Error(built.Outputs, built.Training)
	}
}

func TestEveryOperationHasAMethod(t *testing.T) {
	net := network.New()
	window := net.Input()
	hour := net.Embedding(net.Reshape(net.Slice(window, 1, 0, 1), 60), 24, 8)
	x := net.DenseWith(window, network.Dense{Units: 8, WithoutBias: true, Kernel: network.HeUniform})
	branch := net.Conv(x, network.Conv{Filters: 8, KernelSize: 3, Dilation: 2, WithoutBias: true})
	branch = net.Activation(net.BatchNormWith(branch, network.BatchNorm{Epsilon: 1e-5, Momentum: 0.9}), network.Silu)
	x = net.Multiply(net.Add(x, branch), x)
	x = net.Attention(net.Positions(net.LayerNorm(x), network.Learned), network.Attention{Heads: 2, Causal: true})
	x = net.Dropout(net.GRU(net.BatchNorm(x), network.Recurrent{Units: 4, Sequences: true}), 0.1)
	x = net.Pool(net.Concat(1, x, hour), network.Attentive)
	x = net.Operation(network.Custom{Name: "own", Attributes: "{}"}, x)
	net.WeightedOutput("prediction", net.Dense(x, 1), network.Huber{Delta: 1}, 0.5).Training(network.Training{Epochs: 1})
	expected := []string{
		"slice_1 <- input", "reshape_1([60]) <- slice_1", "embedding_1 <- reshape_1", "dense_1(8) <- input",
		"conv_1(8) <- dense_1", "batch_norm_1 <- conv_1", "activation_1(silu) <- batch_norm_1", "add_1 <- dense_1, activation_1",
		"multiply_1 <- add_1, dense_1", "layer_norm_1 <- multiply_1", "positions_1 <- layer_norm_1", "attention_1(2) <- positions_1",
		"batch_norm_2 <- attention_1", "gru_1(4) <- batch_norm_2", "dropout_1(0.1) <- gru_1", "concat_1 <- dropout_1, embedding_1",
		"pool_1 <- concat_1", "operation_1 <- pool_1", "dense_2(1) <- operation_1",
	}
	if outline := hosttest.Outline(net.Build()); !slices.Equal(outline, expected) {
		t.Errorf("%q", outline)
	}
}
