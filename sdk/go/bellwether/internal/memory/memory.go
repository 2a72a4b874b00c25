// Package memory has columns, frames and windows in memory, for native tests. They answer as the host's do.
package memory

import (
	"math"
	"slices"

	"bellwether/data"
)

// limit is what one call gives at most.
const limit = 131_072

// Column is a column.
type Column struct {
	Label  string
	Sort   data.ColumnKind
	Values []float64
}

// Name is its name.
func (c Column) Name() string { return c.Label }

// Kind is what its numbers mean.
func (c Column) Kind() data.ColumnKind { return c.Sort }

// Len is its number of rows.
func (c Column) Len() uint64 { return uint64(len(c.Values)) }

// Read gives rows.
func (c Column) Read(offset uint64, count uint32) []float64 {
	return part(c.Values, offset, min(uint64(count), limit), 1)
}

// Moments are those of the present values.
func (c Column) Moments() data.Moments {
	present := c.present()
	count, missing := uint64(len(present)), uint64(len(c.Values)-len(present))
	nan := math.NaN()
	if count == 0 {
		return data.Moments{Missing: missing, Mean: nan, Variance: nan, Minimum: nan, Maximum: nan}
	}
	sum, squares := 0.0, 0.0
	for _, value := range present {
		sum += value
	}
	mean := sum / float64(count)
	for _, value := range present {
		squares += (value - mean) * (value - mean)
	}
	return data.Moments{
		Count: count, Missing: missing, Mean: mean, Variance: squares / float64(count),
		Minimum: present[0], Maximum: present[count-1],
	}
}

// Quantiles are type 7.
func (c Column) Quantiles(probabilities []float64) []float64 {
	sorted := c.present()
	quantiles := make([]float64, len(probabilities))
	for place, probability := range probabilities {
		quantiles[place] = quantile(sorted, probability)
	}
	return quantiles
}

func quantile(sorted []float64, probability float64) float64 {
	if len(sorted) == 0 || !(probability >= 0 && probability <= 1) {
		return math.NaN()
	}
	place := probability * float64(len(sorted)-1)
	below, above := sorted[int(math.Floor(place))], sorted[int(math.Ceil(place))]
	if below == above {
		return below
	}
	return below + (above-below)*(place-math.Floor(place))
}

// Histogram counts between edges.
func (c Column) Histogram(edges []float64) []uint64 {
	counts := make([]uint64, len(edges)+1)
	for _, value := range c.present() {
		bin := 0
		for bin < len(edges) && edges[bin] <= value {
			bin++
		}
		counts[bin]++
	}
	return counts
}

// present are the present values, ascending.
func (c Column) present() []float64 {
	present := slices.DeleteFunc(slices.Clone(c.Values), math.IsNaN)
	slices.Sort(present)
	return present
}

// Frame is columns of one length.
type Frame []Column

// Rows is the number of rows.
func (f Frame) Rows() uint64 {
	if len(f) == 0 {
		return 0
	}
	return f[0].Len()
}

// Names are the names of the columns.
func (f Frame) Names() []string {
	names := make([]string, len(f))
	for place, column := range f {
		names[place] = column.Label
	}
	return names
}

// Column is a column of the frame.
func (f Frame) Column(index uint32) (data.Column, bool) {
	if uint64(index) >= uint64(len(f)) {
		return data.Column{}, false
	}
	return data.Column{ColumnSource: f[index]}, true
}

// Windows are windows.
type Windows struct {
	Labels []string
	Length uint32
	Values []float64
	Goals  []float64
}

func (w Windows) width() uint64 { return uint64(w.Length) * uint64(len(w.Labels)) }

// Samples is the number of samples.
func (w Windows) Samples() uint64 {
	if w.width() == 0 {
		return 0
	}
	return uint64(len(w.Values)) / w.width()
}

// Steps is the number of time steps.
func (w Windows) Steps() uint32 { return w.Length }

// Features are the names of the features.
func (w Windows) Features() []string { return slices.Clone(w.Labels) }

// Read gives whole windows.
func (w Windows) Read(offset uint64, count uint32) []float64 {
	width := max(w.width(), 1)
	return part(w.Values, offset, min(uint64(count), limit/width), width)
}

// ReadLast gives last rows.
func (w Windows) ReadLast(offset uint64, count uint32) []float64 {
	features := uint64(max(len(w.Labels), 1))
	var rows []float64
	for end := w.width(); w.width() > 0 && end <= uint64(len(w.Values)); end += w.width() {
		rows = append(rows, w.Values[end-features:end]...)
	}
	return part(rows, offset, min(uint64(count), limit/features), features)
}

// ReadTargets gives targets.
func (w Windows) ReadTargets(offset uint64, count uint32) []float64 {
	return part(w.Goals, offset, min(uint64(count), limit), 1)
}

// part is count groups of width from group offset, clipped to what there is.
func part(values []float64, offset, count, width uint64) []float64 {
	length := uint64(len(values))
	start := min(offset, length/width) * width
	end := min(start+count*width, length)
	return slices.Clone(values[start:end])
}
