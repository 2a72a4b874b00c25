// Package types has the generic values of the component model that the generated bindings name. It answers to the names of
// the bindings generator's own support library, which is on no registry that can be counted on.
package types

// Unit is the value of a result that has none.
type Unit struct{}

// Tags of Option and Result.
const (
	OptionNone uint8 = 0
	OptionSome uint8 = 1
	ResultOk   uint8 = 0
	ResultErr  uint8 = 1
)

// Option is a value or nothing.
type Option[T any] struct {
	some  bool
	value T
}

// Some is an option with a value.
func Some[T any](value T) Option[T] { return Option[T]{true, value} }

// None is an option without one.
func None[T any]() Option[T] { return Option[T]{} }

// Of is the option of a pointer.
func Of[T any](pointer *T) Option[T] {
	if pointer == nil {
		return None[T]()
	}
	return Some(*pointer)
}

// Pointer is the value, or nil.
func (o Option[T]) Pointer() *T {
	if !o.some {
		return nil
	}
	return &o.value
}

// Tag tells which it is.
func (o Option[T]) Tag() uint8 {
	if o.some {
		return OptionSome
	}
	return OptionNone
}

// IsNone is true without a value.
func (o Option[T]) IsNone() bool { return !o.some }

// Some is the value; it must be there.
func (o Option[T]) Some() T {
	if !o.some {
		panic("an option without a value was read")
	}
	return o.value
}

// Result is a value or an error.
type Result[T, E any] struct {
	failed bool
	ok     T
	err    E
}

// Ok is a result that succeeded.
func Ok[T, E any](value T) Result[T, E] { return Result[T, E]{ok: value} }

// Err is a result that failed.
func Err[T, E any](err E) Result[T, E] { return Result[T, E]{failed: true, err: err} }

// Tag tells which it is.
func (r Result[T, E]) Tag() uint8 {
	if r.failed {
		return ResultErr
	}
	return ResultOk
}

// IsErr is true for a result that failed.
func (r Result[T, E]) IsErr() bool { return r.failed }

// Ok is the value; it must be there.
func (r Result[T, E]) Ok() T {
	if r.failed {
		panic("a result that failed was read as a value")
	}
	return r.ok
}

// Err is the error; it must be there.
func (r Result[T, E]) Err() E {
	if !r.failed {
		panic("a result that succeeded was read as an error")
	}
	return r.err
}

// Tuple2 is a pair.
type Tuple2[A, B any] struct {
	F0 A
	F1 B
}

// Tuple3 is a triple.
type Tuple3[A, B, C any] struct {
	F0 A
	F1 B
	F2 C
}
