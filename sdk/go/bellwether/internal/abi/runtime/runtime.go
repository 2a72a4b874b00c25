// Package runtime is what the generated bindings need of memory and handles. It answers to the names of the bindings
// generator's own support library, which is on no registry that can be counted on.
//
// Memory the host fills through cabi_realloc is Go memory, pinned until the bindings have made a Go value of it. From then
// on the value keeps it alive, so the pins are taken off at once (Received): a plugin that reads a long column in pieces
// would otherwise hold all of them until its call ends.
package runtime

import (
	"runtime"
	"unsafe"
)

// Handle is the place of a resource in the component's table; 0 when it was given away or dropped.
type Handle struct{ value int32 }

// MakeHandle wraps a handle.
func MakeHandle(value int32) *Handle { return &Handle{value} }

// Use is the handle; it must not have been given away.
func (h *Handle) Use() int32 {
	if h.value == 0 {
		panic("a resource of the host was used after it was dropped or given away")
	}
	return h.value
}

// Take gives the handle away.
func (h *Handle) Take() int32 {
	value := h.Use()
	h.value = 0
	return value
}

// TakeOrNil is Take, 0 when there is nothing to give.
func (h *Handle) TakeOrNil() int32 {
	value := h.value
	h.value = 0
	return value
}

// Set puts a handle back that could not be given away.
func (h *Handle) Set(value int32) {
	if h.value != 0 {
		panic("a resource of the host was given twice")
	}
	h.value = value
}

// received pins what the host fills.
var received runtime.Pinner

// Unpin takes the pins off what the host has filled so far.
func Unpin() { received.Unpin() }

// Received takes the pins off a value that came from the host and passes it on.
func Received[T any](value T) T {
	Unpin()
	return value
}

// Allocate gives pinned memory for size bytes. It holds no Go pointers: what it refers to is pinned by the same pinner.
func Allocate(pinner *runtime.Pinner, size, align uintptr) unsafe.Pointer {
	if size == 0 {
		return nil
	}
	pointer := allocate(size, align)
	pinner.Pin(pointer)
	return pointer
}

func allocate(size, align uintptr) unsafe.Pointer {
	switch align {
	case 1:
		return unsafe.Pointer(unsafe.SliceData(make([]uint8, size)))
	case 2:
		return unsafe.Pointer(unsafe.SliceData(make([]uint16, (size+1)/2)))
	case 4:
		return unsafe.Pointer(unsafe.SliceData(make([]uint32, (size+3)/4)))
	case 8:
		return unsafe.Pointer(unsafe.SliceData(make([]uint64, (size+7)/8)))
	default:
		panic("the component model aligns to 1, 2, 4 or 8 bytes")
	}
}
