package bellwethertests

import (
	"math"
	"slices"
	"testing"

	"bellwether/clock"
	"bellwether/hosttest"
	"bellwether/log"
	"bellwether/progress"
	"bellwether/random"
	"bellwether/secrets"
)

func TestTheHostCanBeSet(t *testing.T) {
	host := hosttest.New(t)
	host.SetNow(1_733_400_000_123)
	host.SetSecret("token", "s3cret")
	host.StopAt(3)
	log.Warn("%d of %d", 1, 2)
	if lines := host.Log(); len(lines) != 1 || lines[0] != (hosttest.Line{Level: "warn", Message: "1 of 2"}) {
		t.Error(lines)
	}
	if clock.Now().String() != "2024-12-05 12:00:00.123 +0000 UTC" || clock.NowMs() != 1_733_400_000_123 {
		t.Error(clock.Now())
	}
	if value, ok := secrets.Get("token"); value != "s3cret" || !ok {
		t.Error(value)
	}
	if _, ok := secrets.Get("other"); ok {
		t.Error("a secret nobody mapped")
	}
	if !progress.Report(2, 9, 1, math.NaN()) || progress.Report(3, 9, 1, 1) {
		t.Error("stops at 3")
	}
}

func TestANewHostKnowsNothing(t *testing.T) {
	host := hosttest.New(t)
	if _, ok := secrets.Get("token"); ok || clock.NowMs() != 0 || len(host.Log()) > 0 || !progress.Report(1<<31, 0, 0, 0) {
		t.Error("something was left")
	}
}

func TestRandomnessIsRepeatable(t *testing.T) {
	host := hosttest.New(t)
	first := random.Uniform(200_000)
	host.Seed(42)
	if !slices.Equal(first, random.Uniform(200_000)) || len(random.Uniform(-1)) != 0 {
		t.Error("the same seed, other numbers")
	}
	if slices.Min(first) < 0 || slices.Max(first) >= 1 {
		t.Error("outside [0, 1)")
	}
	sum, squares := 0.0, 0.0
	for _, number := range random.Normal(200_000) {
		sum, squares = sum+number, squares+number*number
	}
	if math.Abs(sum/200_000) > 0.01 || math.Abs(squares/200_000-1) > 0.02 {
		t.Error(sum, squares)
	}
}
