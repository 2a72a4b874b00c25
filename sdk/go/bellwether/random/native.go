//go:build !wasip1

package random

import "bellwether/internal/native"

func uniform(count uint32) []float64 { return repeat(count, native.Uniform) }
func normal(count uint32) []float64  { return repeat(count, native.Normal) }

func repeat(count uint32, next func() float64) []float64 {
	numbers := make([]float64, count)
	for place := range numbers {
		numbers[place] = next()
	}
	return numbers
}
