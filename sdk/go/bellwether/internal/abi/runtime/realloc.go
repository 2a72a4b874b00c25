//go:build wasip1

package runtime

import "unsafe"

// reallocate is how the host gets memory in this component. It is called between instructions of an import or before an
// export, where nothing may be called outside; so neither this nor what the scheduler does meanwhile leaves the component:
// the adapter answers all of WASI by itself.
//
//go:wasmexport cabi_realloc
func reallocate(old unsafe.Pointer, oldSize, align, size uint32) unsafe.Pointer {
	pointer := Allocate(&received, uintptr(size), uintptr(align))
	if old != nil && oldSize > 0 && pointer != nil {
		copy(unsafe.Slice((*byte)(pointer), size), unsafe.Slice((*byte)(old), oldSize))
	}
	return pointer
}
