// Package state writes baselines, fitted models and other states as bytes: a tag and a version in front, little-endian
// numbers behind; the layout of the Rust SDK's.
//
// What comes back from the host may be another plugin's, an older version's or damaged. Reader checks every length before
// it allocates. It remembers its first error, so a state is read in a row and checked once, at Finish.
package state

import (
	"encoding/binary"
	"math"
	"unicode/utf8"

	"bellwether"
)

// Writer writes a state.
type Writer struct{ bytes []byte }

// NewWriter begins a state of this kind and layout. Raise version whenever the layout changes.
func NewWriter(tag string, version uint32) *Writer {
	writer := &Writer{}
	writer.Text(tag)
	writer.bytes = binary.LittleEndian.AppendUint32(writer.bytes, version)
	return writer
}

// Uint64 writes a whole number.
func (w *Writer) Uint64(value uint64) *Writer {
	w.bytes = binary.LittleEndian.AppendUint64(w.bytes, value)
	return w
}

// Number writes a real number, bit for bit.
func (w *Writer) Number(value float64) *Writer { return w.Uint64(math.Float64bits(value)) }

// Numbers writes real numbers with their count.
func (w *Writer) Numbers(values []float64) *Writer {
	w.Uint64(uint64(len(values)))
	for _, value := range values {
		w.Number(value)
	}
	return w
}

// Text writes a text.
func (w *Writer) Text(text string) *Writer { return w.Bytes([]byte(text)) }

// Bytes writes bytes with their count: a part with a layout of its own.
func (w *Writer) Bytes(part []byte) *Writer {
	w.Uint64(uint64(len(part)))
	w.bytes = append(w.bytes, part...)
	return w
}

// Texts writes texts with their count.
func (w *Writer) Texts(texts []string) *Writer {
	w.Uint64(uint64(len(texts)))
	for _, text := range texts {
		w.Text(text)
	}
	return w
}

// Finish gives the bytes.
func (w *Writer) Finish() []byte { return w.bytes }

// Reader reads a state in the order it was written. After its first error every method gives a zero value; Finish tells.
type Reader struct {
	rest []byte
	tag  string
	err  error
}

// Open opens a state. One of another kind or version is refused with an invalid-input error, which Finish returns.
func Open(bytes []byte, tag string, version uint32) *Reader {
	reader := &Reader{rest: bytes, tag: tag}
	if reader.Text() != tag || reader.err != nil {
		reader.err = bellwether.InvalidInput("these %d bytes are not a `%s` state", len(bytes), tag)
		return reader
	}
	if found := reader.take(4); found != nil && binary.LittleEndian.Uint32(found) != version {
		reader.err = bellwether.InvalidInput("`%s` state of version %d, this plugin reads version %d: make it again",
			tag, binary.LittleEndian.Uint32(found), version)
	}
	return reader
}

// Uint64 reads a whole number.
func (r *Reader) Uint64() uint64 {
	bytes := r.take(8)
	if bytes == nil {
		return 0
	}
	return binary.LittleEndian.Uint64(bytes)
}

// Number reads a real number.
func (r *Reader) Number() float64 { return math.Float64frombits(r.Uint64()) }

// Numbers reads real numbers with their count.
func (r *Reader) Numbers() []float64 {
	bytes := r.counted(8)
	values := make([]float64, len(bytes)/8)
	for place := range values {
		values[place] = math.Float64frombits(binary.LittleEndian.Uint64(bytes[8*place:]))
	}
	return values
}

// Text reads a text.
func (r *Reader) Text() string {
	bytes := r.counted(1)
	if !utf8.Valid(bytes) {
		r.Refuse("its text is no text")
		return ""
	}
	return string(bytes)
}

// Bytes reads bytes, as many as were written.
func (r *Reader) Bytes() []byte { return r.counted(1) }

// Texts reads texts with their count.
func (r *Reader) Texts() []string {
	count := r.Uint64()
	// Each text takes at least its eight bytes of length, so a false count fails before it costs memory.
	if count > uint64(len(r.rest)/8) {
		r.damaged()
		return nil
	}
	texts := make([]string, count)
	for place := range texts {
		texts[place] = r.Text()
	}
	return texts
}

// Refuse records that the state cannot be right for a reason only the plugin knows, such as a negative variance. The first
// reason is kept.
func (r *Reader) Refuse(format string, arguments ...any) {
	if r.err == nil {
		why := bellwether.InvalidInput(format, arguments...).(*bellwether.Error).Message
		r.err = bellwether.InvalidInput("the `%s` state is damaged: %s", r.tag, why)
	}
}

// Err is the first error so far.
func (r *Reader) Err() error { return r.err }

// Finish is the first error; bytes left over are one.
func (r *Reader) Finish() error {
	if len(r.rest) > 0 {
		r.damaged()
	}
	return r.err
}

func (r *Reader) take(count int) []byte {
	if r.err != nil {
		return nil
	}
	if len(r.rest) < count {
		r.damaged()
		return nil
	}
	head := r.rest[:count]
	r.rest = r.rest[count:]
	return head
}

func (r *Reader) counted(width uint64) []byte {
	count := r.Uint64()
	if count > uint64(len(r.rest))/width {
		r.damaged()
		return nil
	}
	return r.take(int(count * width))
}

func (r *Reader) damaged() { r.Refuse("its lengths do not fit its bytes") }
