// {{name}}: ridge regression (Hoerl and Kennard 1970) on each window's last row. With X and y centred it makes
// |y - Xw|² + strength·|w|² small; the intercept is free. Targets of 0 and 1 get the line's value clipped to [0, 1].
//
// Rows are streamed: memory grows with the square of the features and not with the samples.
package main

import (
	_ "embed"
	"slices"
	"strings"

	"bellwether"
	"bellwether/data"
	"bellwether/guestmodel"
	"bellwether/model"
	"bellwether/state"
)

//go:embed config.schema.json
var schema string

var info = bellwether.Info{
	Name:    "{{name}}",
	Version: "0.1.0",
	Summary: "Ridge regression on each window's last row, fitted inside the component.",
	Schema:  schema,
}

// most is most features: their products take 32 MB.
const most = 2000

// Config is what the operator may set. The schema has ranges and defaults, so every field is always there.
type Config struct {
	Strength float64 `json:"strength"`
}

// {{Pascal}} is the plugin. It has no fields: what was learned goes through the host as bytes.
type {{Pascal}} struct{}

func init() { guestmodel.Register(info, {{Pascal}}{}) }

func main() {}

// Requires says what is wanted when the job names no features.
func ({{Pascal}}) Requires(Config) (model.Requirements, error) {
	return model.Requirements{Features: model.StationaryFeatures(), SequenceLength: 1, LeastRows: 50}, nil
}

// Plan says that this component fits itself.
func ({{Pascal}}) Plan(_ Config, input model.InputShape, _ model.Target) (model.Plan, error) {
	if len(input.Features) > most {
		return nil, bellwether.InvalidInput("%d features; at most %d are possible", len(input.Features), most)
	}
	return model.Guest{Scaled: true, LastStepOnly: true}, nil
}

// SearchSpace is what a search may vary.
func ({{Pascal}}) SearchSpace() []model.HyperParameter {
	return []model.HyperParameter{model.Real("strength", 0.001, 1000).ByRatio()}
}

// Fit learns from train; with one strength given there is nothing for validation to decide.
func ({{Pascal}}) Fit(train, _ data.Windows, config Config) ([]byte, error) {
	features, targets := train.Features(), train.Targets()
	if len(features) == 0 || len(features) > most {
		return nil, bellwether.InvalidInput("%d features; 1 to %d are possible", len(features), most)
	}
	if uint64(len(targets)) != train.Samples() || len(targets) < 2 {
		return nil, bellwether.InvalidInput("%d samples with %d targets; at least 2 with one each are needed",
			train.Samples(), len(targets))
	}
	sums := newSums(len(features))
	for chunk := range train.LastRows() {
		for sample, row := range chunk.Samples() {
			if !sums.add(row, targets[sample]) {
				return nil, bellwether.InvalidInput("sample %d has a number that is missing or infinite", sample)
			}
		}
	}
	line, err := sums.solve(config.Strength)
	if err != nil {
		return nil, err
	}
	line.features = features
	line.binary = binary(targets)
	return line.write(), nil
}

// Predict gives the line's value for each sample.
func ({{Pascal}}) Predict(bytes []byte, inputs data.Windows, _ Config) ([]float64, error) {
	line, err := readLine(bytes)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(line.features, inputs.Features()) {
		return nil, bellwether.InvalidInput("the model learned from [%s] and is given [%s]",
			strings.Join(line.features, ", "), strings.Join(inputs.Features(), ", "))
	}
	predictions := make([]float64, 0, inputs.Samples())
	for chunk := range inputs.LastRows() {
		for sample, row := range chunk.Samples() {
			prediction, ok := line.at(row)
			if !ok {
				return nil, bellwether.InvalidInput("sample %d has a number that is missing or too large", sample)
			}
			predictions = append(predictions, prediction)
		}
	}
	return predictions, nil
}

// line is what was learned.
type line struct {
	features     []string
	intercept    float64
	coefficients []float64
	binary       bool
}

func (l line) at(row []float64) (float64, bool) {
	value := l.intercept
	for place, coefficient := range l.coefficients {
		value += coefficient * row[place]
	}
	if l.binary {
		value = min(max(value, 0), 1)
	}
	return value, finite(value)
}

func (l line) write() []byte {
	writer := state.NewWriter(info.Name, 1).Texts(l.features).Number(l.intercept).Numbers(l.coefficients)
	if l.binary {
		return writer.Uint64(1).Finish()
	}
	return writer.Uint64(0).Finish()
}

// readLine checks what comes back: it may be another plugin's, or damaged.
func readLine(bytes []byte) (line, error) {
	reader := state.Open(bytes, info.Name, 1)
	found := line{features: reader.Texts(), intercept: reader.Number(), coefficients: reader.Numbers(), binary: reader.Uint64() == 1}
	if len(found.features) != len(found.coefficients) {
		reader.Refuse("%d features have %d coefficients", len(found.features), len(found.coefficients))
	}
	for _, number := range append(found.coefficients, found.intercept) {
		if !finite(number) {
			reader.Refuse("a coefficient is %v", number)
		}
	}
	return found, reader.Finish()
}
