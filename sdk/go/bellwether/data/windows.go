package data

import (
	"fmt"
	"iter"
)

// WindowsSource is what windows are made of: the host, or memory in tests.
type WindowsSource interface {
	// Samples is the number of samples.
	Samples() uint64
	// Steps is the number of time steps per window.
	Steps() uint32
	// Features are the names of the features, in order.
	Features() []string
	// Read gives samples offset to offset + count, row-major [sample, step, feature], clipped to the data and to 131072
	// numbers.
	Read(offset uint64, count uint32) []float64
	// ReadLast gives only the last time step of each window, [sample, feature].
	ReadLast(offset uint64, count uint32) []float64
	// ReadTargets gives targets offset to offset + count; empty when predicting.
	ReadTargets(offset uint64, count uint32) []float64
}

// Windows are model inputs: samples of some time steps of some features, and one target each.
type Windows struct{ WindowsSource }

// Chunk is some samples in a row.
type Chunk struct {
	// First is the place of the first sample.
	First uint64
	// Width is numbers per sample: steps times features for whole windows, features for last rows.
	Width int
	// Values are the numbers, sample after sample.
	Values []float64
}

// Samples gives each sample's place and its Width numbers.
func (c Chunk) Samples() iter.Seq2[uint64, []float64] {
	return func(yield func(uint64, []float64) bool) {
		for start := 0; start+c.Width <= len(c.Values); start += c.Width {
			if !yield(c.First+uint64(start/c.Width), c.Values[start:start+c.Width]) {
				return
			}
		}
	}
}

// Chunks gives whole windows, row-major [step, feature] per sample, about 65536 numbers at a time. A window larger than
// the host gives in one call (131072 numbers) panics.
func (w Windows) Chunks() iter.Seq[Chunk] {
	return w.pieces(int(w.Steps())*len(w.Features()), w.Read)
}

// LastRows gives only the last time step of each window, one number per feature: enough for models without memory, and
// LastStepOnly in the plan spares the host the rest.
func (w Windows) LastRows() iter.Seq[Chunk] {
	return w.pieces(len(w.Features()), w.ReadLast)
}

// Targets are the targets of all samples; empty when predicting.
func (w Windows) Targets() []float64 {
	var targets []float64
	for {
		piece := w.ReadTargets(uint64(len(targets)), chunk)
		if len(piece) == 0 {
			return targets
		}
		targets = append(targets, piece...)
	}
}

func (w Windows) pieces(width int, read func(uint64, uint32) []float64) iter.Seq[Chunk] {
	return func(yield func(Chunk) bool) {
		if width == 0 {
			return
		}
		count, samples := uint32(max(chunk/width, 1)), w.Samples()
		for first := uint64(0); first < samples; {
			values := read(first, count)
			if len(values) < width {
				panic(fmt.Sprintf("a sample of %d numbers is more than the host gives in one call", width))
			}
			if !yield(Chunk{First: first, Width: width, Values: values}) {
				return
			}
			first += uint64(len(values) / width)
		}
	}
}
