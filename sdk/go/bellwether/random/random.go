// Package random draws numbers from the host's generator (ChaCha8), which is seeded per call from the job's seed: the same
// call draws the same numbers.
//
// math/rand works too and is as repeatable (its seed is fixed), but the host cannot vary it.
package random

// most is what the host gives in one call.
const most = 131_072

// Uniform draws count numbers uniform in [0, 1).
func Uniform(count int) []float64 { return draw(count, uniform) }

// Normal draws count standard normal numbers.
func Normal(count int) []float64 { return draw(count, normal) }

func draw(count int, source func(uint32) []float64) []float64 {
	numbers := make([]float64, 0, max(count, 0))
	for len(numbers) < count {
		numbers = append(numbers, source(uint32(min(count-len(numbers), most)))...)
	}
	return numbers
}
