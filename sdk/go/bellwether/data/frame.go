package data

import (
	"iter"
	"strings"

	"bellwether"
)

// FrameSource is what a frame is made of: the host, or memory in tests.
type FrameSource interface {
	// Rows is the number of rows.
	Rows() uint64
	// Names are the names of the columns, in order.
	Names() []string
	// Column is the column at a place in Names; false past the end.
	Column(index uint32) (Column, bool)
}

// Frame is columns of one length.
type Frame struct{ FrameSource }

// Columns gives the columns in order.
func (f Frame) Columns() iter.Seq[Column] {
	return func(yield func(Column) bool) {
		for index := uint32(0); ; index++ {
			column, ok := f.Column(index)
			if !ok || !yield(column) {
				return
			}
		}
	}
}

// OnlyColumn is the one column a univariate test is given. None and several are an invalid-input error.
func (f Frame) OnlyColumn() (Column, error) {
	names := f.Names()
	if len(names) == 0 {
		return Column{}, bellwether.InvalidInput("the frame has no column")
	}
	if len(names) > 1 {
		return Column{}, bellwether.InvalidInput("one column expected, %d given: %s", len(names), strings.Join(names, ", "))
	}
	column, ok := f.Column(0)
	if !ok {
		return Column{}, bellwether.InvalidInput("the frame has no column")
	}
	return column, nil
}
