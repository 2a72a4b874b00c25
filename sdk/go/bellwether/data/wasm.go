//go:build wasip1

package data

// The host's columns, frames and windows behind the sources. Columns are handles of the component and are dropped with
// their frame at the end of the call: a cleanup by the garbage collector could call the host at a moment it must not.

import (
	"bellwether/internal/abi/runtime"
	host "bellwether/internal/wit/imports/bellwether_host_data"
)

type hostColumn struct{ column *host.Column }

func (c hostColumn) Name() string     { return runtime.Received(c.column.Name()) }
func (c hostColumn) Kind() ColumnKind { return ColumnKind(c.column.Kind()) }
func (c hostColumn) Len() uint64      { return c.column.Len() }
func (c hostColumn) Moments() Moments { return Moments(c.column.Moments()) }

func (c hostColumn) Read(offset uint64, count uint32) []float64 {
	return runtime.Received(c.column.Read(offset, count))
}

func (c hostColumn) Quantiles(probabilities []float64) []float64 {
	return runtime.Received(c.column.Quantiles(probabilities))
}

func (c hostColumn) Histogram(edges []float64) []uint64 {
	return runtime.Received(c.column.Histogram(edges))
}

type hostFrame struct {
	frame   *host.Frame
	columns map[uint32]*host.Column
}

// Lend wraps a frame the host lent; the function it gives hands everything back.
func Lend(frame *host.Frame) (Frame, func()) {
	source := &hostFrame{frame, map[uint32]*host.Column{}}
	return Frame{source}, source.drop
}

func (f *hostFrame) Rows() uint64    { return f.frame.Rows() }
func (f *hostFrame) Names() []string { return runtime.Received(f.frame.Names()) }

func (f *hostFrame) Column(index uint32) (Column, bool) {
	if column, ok := f.columns[index]; ok {
		return Column{hostColumn{column}}, true
	}
	found := f.frame.Column(index)
	if found.IsNone() {
		return Column{}, false
	}
	f.columns[index] = found.Some()
	return Column{hostColumn{found.Some()}}, true
}

func (f *hostFrame) drop() {
	for _, column := range f.columns {
		column.Drop()
	}
	f.frame.Drop()
}

type hostWindows struct{ windows *host.Windows }

// LendWindows wraps windows the host lent; the function it gives hands them back.
func LendWindows(windows *host.Windows) (Windows, func()) {
	return Windows{hostWindows{windows}}, windows.Drop
}

func (w hostWindows) Samples() uint64    { return w.windows.Samples() }
func (w hostWindows) Steps() uint32      { return w.windows.Steps() }
func (w hostWindows) Features() []string { return runtime.Received(w.windows.Features()) }

func (w hostWindows) Read(offset uint64, count uint32) []float64 {
	return runtime.Received(w.windows.Read(offset, count))
}

func (w hostWindows) ReadLast(offset uint64, count uint32) []float64 {
	return runtime.Received(w.windows.ReadLast(offset, count))
}

func (w hostWindows) ReadTargets(offset uint64, count uint32) []float64 {
	return runtime.Received(w.windows.Targets(offset, count))
}
