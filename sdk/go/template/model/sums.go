package main

import (
	"math"

	"bellwether"
)

// sums are means of features and target, and the products of their deviations, kept up to date row by row (Welford 1962):
// exact where sums of squares would cancel.
type sums struct {
	count    float64
	means    []float64
	products [][]float64
}

// newSums has a last place for the target.
func newSums(features int) *sums {
	s := &sums{means: make([]float64, features+1), products: make([][]float64, features+1)}
	for place := range s.products {
		s.products[place] = make([]float64, place+1)
	}
	return s
}

// add takes a row; false for one with a number that is not finite.
func (s *sums) add(row []float64, target float64) bool {
	s.count++
	before := make([]float64, len(s.means))
	for place := range s.means {
		value := target
		if place < len(row) {
			value = row[place]
		}
		if !finite(value) {
			return false
		}
		before[place] = value - s.means[place]
		s.means[place] += before[place] / s.count
	}
	share := (s.count - 1) / s.count
	for one := range s.products {
		for other := range s.products[one] {
			s.products[one][other] += before[one] * before[other] * share
		}
	}
	return true
}

// solve gives the line. The matrix is positive definite for any strength above 0, so Cholesky's method needs no pivots.
func (s *sums) solve(strength float64) (line, error) {
	count := len(s.means) - 1
	root, right := s.products[:count], s.products[count][:count]
	for one := range count {
		root[one][one] += strength
		for other := 0; other <= one; other++ {
			value := root[one][other]
			for place := range other {
				value -= root[one][place] * root[other][place]
			}
			if one != other {
				root[one][other] = value / root[other][other]
				continue
			}
			if !(value > 0) || !finite(value) {
				return line{}, bellwether.InvalidInput("the features are too large, or too much alike, for this `strength`")
			}
			root[one][one] = math.Sqrt(value)
		}
	}
	found := line{intercept: s.means[count], coefficients: make([]float64, count)}
	for one := range count {
		value := right[one]
		for place := range one {
			value -= root[one][place] * found.coefficients[place]
		}
		found.coefficients[one] = value / root[one][one]
	}
	for one := count - 1; one >= 0; one-- {
		value := found.coefficients[one]
		for place := one + 1; place < count; place++ {
			value -= root[place][one] * found.coefficients[place]
		}
		found.coefficients[one] = value / root[one][one]
	}
	for place, coefficient := range found.coefficients {
		found.intercept -= coefficient * s.means[place]
	}
	if !finite(found.intercept) {
		return line{}, bellwether.InvalidInput("the numbers are too large to learn from")
	}
	return found, nil
}

// binary is true when each target is 0 or 1.
func binary(targets []float64) bool {
	for _, target := range targets {
		if target != 0 && target != 1 {
			return false
		}
	}
	return true
}

func finite(value float64) bool { return !math.IsNaN(value) && !math.IsInf(value, 0) }
