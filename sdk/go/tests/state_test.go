package bellwethertests

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	"bellwether"
	"bellwether/state"
)

func sample() []byte {
	return state.NewWriter("tag", 2).Texts([]string{"a", "é"}).Numbers([]float64{1, math.NaN()}).
		Number(math.Copysign(0, -1)).Bytes([]byte{7}).Uint64(9).Finish()
}

func TestWhatWasWrittenIsRead(t *testing.T) {
	reader := state.Open(sample(), "tag", 2)
	texts, numbers, number, part, whole := reader.Texts(), reader.Numbers(), reader.Number(), reader.Bytes(), reader.Uint64()
	if err := reader.Finish(); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(texts, []string{"a", "é"}) || numbers[0] != 1 || !math.IsNaN(numbers[1]) ||
		!math.Signbit(number) || !bytes.Equal(part, []byte{7}) || whole != 9 {
		t.Error(texts, numbers, number, part, whole)
	}
}

func TestTheLayoutIsTheRustSDKs(t *testing.T) {
	found := state.NewWriter("ab", 1).Uint64(3).Finish()
	expected := []byte{2, 0, 0, 0, 0, 0, 0, 0, 'a', 'b', 1, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0}
	if !bytes.Equal(found, expected) {
		t.Error(found)
	}
}

func TestForeignOldAndDamagedStatesAreRefused(t *testing.T) {
	check := func(bytes []byte, expected string) {
		t.Helper()
		reader := state.Open(bytes, "tag", 2)
		reader.Texts()
		reader.Numbers()
		reader.Number()
		reader.Bytes()
		reader.Uint64()
		err := reader.Finish()
		if bellwether.CodeOf(err) != bellwether.CodeInvalidInput || !strings.Contains(err.Error(), expected) {
			t.Errorf("%v: %v", bytes, err)
		}
	}
	check(nil, "not a `tag` state")
	check(state.NewWriter("other", 2).Finish(), "not a `tag` state")
	check(state.NewWriter("tag", 1).Finish(), "version 1")
	whole := sample()
	for length := 15; length < len(whole); length++ {
		check(whole[:length], "damaged")
	}
	check(append(slices.Clone(whole), 0), "damaged")
	// A false count fails before it costs memory.
	check(state.NewWriter("tag", 2).Uint64(math.MaxUint64).Finish(), "damaged")
	check(state.NewWriter("tag", 2).Texts(nil).Uint64(math.MaxUint64/8+1).Finish(), "damaged")
}

func TestThePluginsReasonIsKept(t *testing.T) {
	reader := state.Open(state.NewWriter("tag", 2).Finish(), "tag", 2)
	reader.Refuse("a variance of %d", -1)
	reader.Refuse("another")
	if err := reader.Finish(); err == nil || err.Error() != "invalid-input: the `tag` state is damaged: a variance of -1" {
		t.Error(err)
	}
}
