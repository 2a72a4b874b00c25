package main

import (
	"math"

	"bellwether/state"
)

// sums is the detector between two values.
type sums struct {
	count          uint64
	mean           float64
	rise, least    float64
	fall, greatest float64
	warned         bool
}

func begin() sums { return sums{least: math.MaxFloat64, greatest: -math.MaxFloat64} }

// take adds a value and gives the larger of both statistics, a finite number.
func (s *sums) take(value float64, config Config) float64 {
	s.count++
	s.mean += (value - s.mean) / float64(s.count)
	deviation := value - s.mean
	s.rise = bounded(config.Keep*s.rise + deviation - config.Delta)
	s.fall = bounded(config.Keep*s.fall + deviation + config.Delta)
	s.least = min(s.least, s.rise)
	s.greatest = max(s.greatest, s.fall)
	return bounded(max(s.rise-s.least, s.greatest-s.fall))
}

// bounded keeps sums of huge values finite: the host takes no infinity.
func bounded(value float64) float64 {
	if math.IsNaN(value) {
		return 0
	}
	return max(-math.MaxFloat64, min(value, math.MaxFloat64))
}

func (s sums) write() []byte {
	warned := uint64(0)
	if s.warned {
		warned = 1
	}
	numbers := []float64{bounded(s.mean), s.rise, s.least, s.fall, s.greatest}
	return state.NewWriter(info.Name, 1).Uint64(s.count).Uint64(warned).Numbers(numbers).Finish()
}

// readSums checks what comes back: it may be another plugin's, or damaged.
func readSums(bytes []byte) (sums, error) {
	reader := state.Open(bytes, info.Name, 1)
	count, warned, numbers := reader.Uint64(), reader.Uint64(), reader.Numbers()
	if len(numbers) != 5 {
		reader.Refuse("it has %d sums, not 5", len(numbers))
		numbers = make([]float64, 5)
	}
	for _, number := range numbers {
		if math.IsNaN(number) || math.IsInf(number, 0) {
			reader.Refuse("a sum is %v", number)
		}
	}
	return sums{count, numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], warned == 1}, reader.Finish()
}
