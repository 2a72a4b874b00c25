//go:build !wasip1

package stats

// The host's functions for native tests, to about 1e-12 of theirs. Incomplete gamma and beta functions are the classic
// pair of power series and continued fraction (Abramowitz and Stegun 6.5, 26.5), the latter by Lentz's method.

import "math"

// Continued fractions take about sqrt of the largest parameter; this is beyond any that occurs.
const terms = 100_000

const tiny = 1e-300

func normalCDF(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }

func studentTSF(x, df float64) float64 {
	if !(df > 0) || math.IsNaN(x) {
		return math.NaN()
	}
	if math.IsInf(df, 1) {
		return normalCDF(-x)
	}
	tail := betaRegularized(df/2, 0.5, df/(df+x*x)) / 2
	if x < 0 {
		return 1 - tail
	}
	return tail
}

func chiSquaredSF(x, df float64) float64 {
	switch {
	case !(df > 0) || math.IsNaN(x):
		return math.NaN()
	case x <= 0:
		return 1
	case math.IsInf(x, 1):
		return 0
	}
	return upperGamma(df/2, x/2)
}

func fisherFSF(x, d1, d2 float64) float64 {
	switch {
	case !(d1 > 0) || !(d2 > 0) || math.IsNaN(x):
		return math.NaN()
	case x <= 0:
		return 1
	case math.IsInf(x, 1):
		return 0
	}
	return betaRegularized(d2/2, d1/2, d2/(d2+d1*x))
}

func lnGamma(x float64) float64 {
	value, _ := math.Lgamma(x)
	return value
}

// upperGamma is Q(a, x), a and x above 0.
func upperGamma(a, x float64) float64 {
	front := math.Exp(a*math.Log(x) - x - lnGamma(a))
	if x < a+1 {
		sum, term := 1/a, 1/a
		for n := 1.0; n < terms && term > sum*1e-17; n++ {
			term *= x / (a + n)
			sum += term
		}
		return 1 - front*sum
	}
	return front * lentz(x+1-a, func(n float64) (float64, float64) { return n * (a - n), x + 1 - a + 2*n })
}

// lentz is 1/(b + a1/(b1 + a2/(b2 + ...))), where part gives a and b of each n from 1.
func lentz(b float64, part func(n float64) (float64, float64)) float64 {
	d := 1 / nonzero(b)
	c, value := 1/tiny, d
	for n := 1.0; n < terms; n++ {
		numerator, denominator := part(n)
		d = 1 / nonzero(denominator+numerator*d)
		c = nonzero(denominator + numerator/c)
		value *= c * d
		if math.Abs(c*d-1) < 1e-16 {
			break
		}
	}
	return value
}

func nonzero(x float64) float64 {
	if math.Abs(x) < tiny {
		return tiny
	}
	return x
}

func betaRegularized(a, b, x float64) float64 {
	switch {
	case !(a > 0) || !(b > 0) || !(x >= 0 && x <= 1):
		return math.NaN()
	case x == 0 || x == 1:
		return x
	case x > (a+1)/(a+b+2):
		// The fraction converges fast below the mean.
		return 1 - betaFraction(b, a, 1-x)
	}
	return betaFraction(a, b, x)
}

func betaFraction(a, b, x float64) float64 {
	front := math.Exp(lnGamma(a+b)-lnGamma(a)-lnGamma(b)+a*math.Log(x)+b*math.Log1p(-x)) / a
	return front * lentz(1, func(n float64) (float64, float64) {
		m := math.Floor(n / 2)
		if math.Mod(n, 2) == 0 {
			return m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m)), 1
		}
		return -(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1)), 1
	})
}

// normalQuantile solves ln Φ(x) = ln p by Newton's method, in the lower tail, where Φ keeps its precision. ln Φ is concave, so
// from the left the steps never pass the solution.
func normalQuantile(p float64) float64 {
	switch {
	case !(p > 0 && p < 1):
		return math.NaN()
	case p == 0.5:
		return 0
	case p > 0.5:
		return -normalQuantile(1 - p)
	}
	x := -math.Sqrt(-2 * math.Log(p))
	for range 50 {
		below := normalCDF(x)
		density := math.Exp(-x*x/2) / math.Sqrt(2*math.Pi)
		step := math.Log(p/below) * below / density
		x += step
		if math.Abs(step) < 1e-15*math.Abs(x) {
			break
		}
	}
	return x
}
