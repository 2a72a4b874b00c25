// Package data has the numbers the host owns: columns, frames of columns, windows.
//
// They are read in pieces, so a plugin chooses between holding all of them and holding a part; the aggregates (Moments,
// Quantiles, Histogram) are computed by the host without the numbers crossing at all. All of it is lent for one call: keep
// numbers, not columns. Natively the same types hold numbers given by hosttest.
package data

import "iter"

// chunk is rows or numbers asked for in one call: half of what the host allows, half a megabyte.
const chunk = 1 << 16

// ColumnKind is what the numbers in a column mean.
type ColumnKind uint8

const (
	// Numeric: real numbers; NaN is a missing value.
	Numeric ColumnKind = iota
	// Categorical: whole numbers that name categories; NaN is a missing value.
	Categorical
)

// Moments are sums over the present (not NaN) values of a column; NaN when there is none.
type Moments struct {
	// Count is how many values are present.
	Count uint64
	// Missing is how many are not.
	Missing uint64
	// Mean is the arithmetic mean.
	Mean float64
	// Variance is the population variance, which divides by Count.
	Variance float64
	// Minimum is the smallest value.
	Minimum float64
	// Maximum is the largest value.
	Maximum float64
}

// ColumnSource is what a column is made of: the host, or memory in tests.
type ColumnSource interface {
	// Name is the column's name, for example `rsi(14)`.
	Name() string
	// Kind is what the numbers mean.
	Kind() ColumnKind
	// Len is the number of rows, missing values included.
	Len() uint64
	// Read gives rows offset to offset + count, clipped to the column and to 131072 rows.
	Read(offset uint64, count uint32) []float64
	// Moments are count, mean, variance and range of the present values.
	Moments() Moments
	// Quantiles of the present values by linear interpolation between order statistics (type 7), for probabilities in
	// [0, 1]; NaN for a column without values or a probability outside.
	Quantiles(probabilities []float64) []float64
	// Histogram counts present values in the bins between ascending edges: n edges give n + 1 counts, the first below
	// edges[0], the last at or above the last edge; a value on an edge counts to the bin on its right.
	Histogram(edges []float64) []uint64
}

// Column is one column of 64-bit floats, in row order. NaN is a missing value.
type Column struct{ ColumnSource }

// Chunks gives the rows in order in pieces of 65536, for columns too large to hold.
func (c Column) Chunks() iter.Seq[[]float64] {
	return func(yield func([]float64) bool) {
		for offset := uint64(0); ; {
			piece := c.Read(offset, chunk)
			if len(piece) == 0 || !yield(piece) {
				return
			}
			offset += uint64(len(piece))
		}
	}
}

// Values are all rows, missing values as NaN.
func (c Column) Values() []float64 {
	values := make([]float64, 0, c.Len())
	for piece := range c.Chunks() {
		values = append(values, piece...)
	}
	return values
}

// Present are the rows that have a value.
func (c Column) Present() []float64 {
	present := make([]float64, 0, c.Len())
	for piece := range c.Chunks() {
		for _, value := range piece {
			if value == value {
				present = append(present, value)
			}
		}
	}
	return present
}
