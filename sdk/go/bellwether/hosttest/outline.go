package hosttest

import (
	"fmt"
	"strings"

	"bellwether/network"
)

// Outline is a network for people: a line `name <- what it reads` per node but the input, with the width, share or function
// that the operation has, as in `dense_1(1) <- dropout_2`.
func Outline(built network.Network) []string {
	var lines []string
	for _, node := range built.Nodes {
		if len(node.Inputs) == 0 {
			continue
		}
		var inputs []string
		for _, input := range node.Inputs {
			inputs = append(inputs, built.Nodes[input].Name)
		}
		lines = append(lines, node.Name+number(node.Operation)+" <- "+strings.Join(inputs, ", "))
	}
	return lines
}

func number(operation network.Operation) string {
	switch o := operation.(type) {
	case network.Dense:
		return fmt.Sprintf("(%d)", o.Units)
	case network.LSTM:
		return fmt.Sprintf("(%d)", o.Units)
	case network.GRU:
		return fmt.Sprintf("(%d)", o.Units)
	case network.Conv:
		return fmt.Sprintf("(%d)", o.Filters)
	case network.Attention:
		return fmt.Sprintf("(%d)", o.Heads)
	case network.Dropout:
		return fmt.Sprintf("(%v)", o.Share)
	case network.Activation:
		return "(" + []string{"relu", "gelu", "silu", "tanh", "sigmoid", "softplus", "softmax"}[o] + ")"
	case network.Reshape:
		return fmt.Sprintf("(%v)", o.Shape)
	default:
		return ""
	}
}
