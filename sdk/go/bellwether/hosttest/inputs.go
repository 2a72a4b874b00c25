package hosttest

import (
	"fmt"

	"bellwether/data"
	"bellwether/internal/memory"
	"bellwether/strategy"
)

// Column is a numeric column.
func Column(name string, values ...float64) data.Column {
	return data.Column{ColumnSource: memory.Column{Label: name, Values: values}}
}

// Categorical is a column of categories.
func Categorical(name string, values ...float64) data.Column {
	return data.Column{ColumnSource: memory.Column{Label: name, Sort: data.Categorical, Values: values}}
}

// Frame is a frame of columns of this package. It panics when they differ in length.
func Frame(columns ...data.Column) data.Frame {
	frame := memory.Frame{}
	for _, column := range columns {
		if column.Len() != columns[0].Len() {
			panic("the columns of a frame have one length")
		}
		frame = append(frame, column.ColumnSource.(memory.Column))
	}
	return data.Frame{FrameSource: frame}
}

// Windows are model inputs: values row-major [sample, step, feature], and one target per sample (nil when predicting). It
// panics when the numbers do not fill whole samples or the targets are neither none nor one per sample.
func Windows(features []string, steps uint32, values, targets []float64) data.Windows {
	width := len(features) * int(steps)
	if width == 0 || len(values)%width != 0 {
		panic(fmt.Sprintf("%d numbers are no windows of %d", len(values), width))
	}
	if len(targets) != 0 && len(targets) != len(values)/width {
		panic("one target per sample")
	}
	return data.Windows{WindowsSource: memory.Windows{Labels: features, Length: steps, Values: values, Goals: targets}}
}

// Rollout is a rollout that just began: candidate against stable (empty: a first deployment), nothing measured.
func Rollout(stable, candidate string) strategy.Rollout {
	rollout := strategy.Rollout{
		ID:        "rollout-1",
		Endpoint:  "BTC-USDT",
		Candidate: strategy.Side{ModelID: candidate},
		NowMs:     1_733_486_400_000,
	}
	if stable != "" {
		rollout.Stable = &strategy.Side{ModelID: stable, Share: 1}
	}
	return rollout
}
