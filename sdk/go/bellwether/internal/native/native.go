// Package native is the host as natively compiled plugins see it: what package hosttest sets and the host packages ask.
//
// One state for the process: tests that change it do not run in parallel with each other.
package native

import (
	"math"
	"sync"
)

// Line is a line of the log.
type Line struct {
	Level   string
	Message string
}

// Exchange answers an HTTP request with a status, headers and a body.
type Exchange func(method, url string, headers [][2]string, body []byte) (int, [][2]string, []byte, error)

// Seed is what randomness begins with unless told otherwise.
const Seed = 42

var (
	lock     sync.Mutex
	lines    []Line
	now      int64
	secrets  = map[string]string{}
	exchange Exchange
	stopAt   = uint32(math.MaxUint32)
	random   = uint64(Seed)
)

// Reset makes the state what it is at the start.
func Reset() {
	lock.Lock()
	defer lock.Unlock()
	lines, now, secrets, exchange, stopAt, random = nil, 0, map[string]string{}, nil, math.MaxUint32, Seed
}

// Log keeps a line.
func Log(level, message string) {
	lock.Lock()
	defer lock.Unlock()
	lines = append(lines, Line{level, message})
}

// Lines are the lines so far.
func Lines() []Line {
	lock.Lock()
	defer lock.Unlock()
	return append([]Line(nil), lines...)
}

// SetNow sets the time.
func SetNow(ms int64) {
	lock.Lock()
	defer lock.Unlock()
	now = ms
}

// Now is the time.
func Now() int64 {
	lock.Lock()
	defer lock.Unlock()
	return now
}

// SetSecret maps a secret.
func SetSecret(name, value string) {
	lock.Lock()
	defer lock.Unlock()
	secrets[name] = value
}

// Secret is a mapped secret.
func Secret(name string) (string, bool) {
	lock.Lock()
	defer lock.Unlock()
	value, ok := secrets[name]
	return value, ok
}

// SetExchange sets who answers requests; nil for nobody.
func SetExchange(answer Exchange) {
	lock.Lock()
	defer lock.Unlock()
	exchange = answer
}

// Answerer is who answers requests.
func Answerer() Exchange {
	lock.Lock()
	defer lock.Unlock()
	return exchange
}

// SetStop makes Proceed false from this step on.
func SetStop(step uint32) {
	lock.Lock()
	defer lock.Unlock()
	stopAt = step
}

// Proceed is false when a fit should stop.
func Proceed(done uint32) bool {
	lock.Lock()
	defer lock.Unlock()
	return done < stopAt
}

// SetSeed begins randomness anew.
func SetSeed(seed uint64) {
	lock.Lock()
	defer lock.Unlock()
	random = seed
}

// Uniform draws a number in [0, 1): SplitMix64 (Steele, Lea and Flood 2014), not the host's generator.
func Uniform() float64 {
	lock.Lock()
	defer lock.Unlock()
	random += 0x9E3779B97F4A7C15
	mixed := (random ^ (random >> 30)) * 0xBF58476D1CE4E5B9
	mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB
	return float64((mixed^(mixed>>31))>>11) / (1 << 53)
}

// Normal draws a standard normal number (Box and Muller 1958).
func Normal() float64 {
	radius := math.Sqrt(-2 * math.Log(1-Uniform()))
	return radius * math.Cos(2*math.Pi*Uniform())
}
