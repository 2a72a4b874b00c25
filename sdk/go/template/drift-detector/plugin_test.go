package main

import (
	"math"
	"slices"
	"testing"

	"bellwether"
	"bellwether/driftdetector"
	"bellwether/hosttest"
	"bellwether/state"
)

func TestSchema(t *testing.T) { hosttest.CheckSchema[Config](t, info, "{}") }

// stepped is 100 numbers of a sawtooth about 0, then 100 of the same about jump.
func stepped(jump float64) []float64 {
	values := make([]float64, 200)
	for place := range values {
		values[place] = float64(place%7) - 3
		if place >= 100 {
			values[place] += jump
		}
	}
	return values
}

// detect gives the values to the detector in pieces and joins the events.
func detect(t *testing.T, values []float64, piece int) []driftdetector.Event {
	t.Helper()
	config := hosttest.MustConfig[Config](t, info, "{}")
	bytes, err := {{Pascal}}{}.Start(config)
	if err != nil {
		t.Fatal(err)
	}
	var events []driftdetector.Event
	for first := 0; first < len(values); first += piece {
		advance, err := {{Pascal}}{}.Update(bytes, values[first:min(first+piece, len(values))], config)
		if err != nil {
			t.Fatal(err)
		}
		for _, event := range advance.Events {
			event.Index += uint32(first)
			events = append(events, event)
		}
		bytes = advance.State
	}
	return events
}

func TestDriftIsWhereRiverHasIt(t *testing.T) {
	// river.drift.PageHinkley(min_instances=30, delta=0.005, threshold=50, alpha=0.9999) over the same values
	for jump, places := range map[float64][]uint32{5: {107}, -5: {109}, 0: nil} {
		var found []uint32
		for _, event := range detect(t, stepped(jump), 200) {
			if event.Severity == driftdetector.Drift {
				found = append(found, event.Index)
			}
		}
		if !slices.Equal(found, places) {
			t.Errorf("a jump by %v: %v, not %v", jump, found, places)
		}
	}
}

func TestPiecesGiveTheSameEvents(t *testing.T) {
	whole := detect(t, stepped(5), 200)
	if len(whole) < 2 || whole[0].Severity != driftdetector.Warning {
		t.Errorf("a warning comes first: %v", whole)
	}
	for _, piece := range []int{1, 7, 103} {
		if pieces := detect(t, stepped(5), piece); !slices.Equal(whole, pieces) {
			t.Errorf("pieces of %d: %v, not %v", piece, pieces, whole)
		}
	}
}

func TestHugeAndMissingValues(t *testing.T) {
	for _, value := range []float64{math.NaN(), math.Inf(1), math.MaxFloat64, -math.MaxFloat64, 0} {
		values := slices.Repeat([]float64{value, -value}, 50)
		for _, event := range detect(t, values, 10) {
			if math.IsNaN(event.Statistic) || math.IsInf(event.Statistic, 0) {
				t.Errorf("%v: %v", value, event)
			}
		}
	}
}

func TestForeignStates(t *testing.T) {
	config := hosttest.MustConfig[Config](t, info, "{}")
	numbers := func(values ...float64) []byte {
		return state.NewWriter(info.Name, 1).Uint64(1).Uint64(0).Numbers(values).Finish()
	}
	for _, bytes := range [][]byte{nil, []byte("foreign"), numbers(1), numbers(1, 2, math.NaN(), 4, 5)} {
		if _, err := ({{Pascal}}{}).Update(bytes, []float64{1}, config); bellwether.CodeOf(err) != bellwether.CodeInvalidInput {
			t.Errorf("%q: %v", bytes, err)
		}
	}
}
