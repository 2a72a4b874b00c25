//go:build wasip1

package random

import (
	"bellwether/internal/abi/runtime"
	host "bellwether/internal/wit/imports/bellwether_host_random"
)

func uniform(count uint32) []float64 { return runtime.Received(host.Uniform(count)) }
func normal(count uint32) []float64  { return runtime.Received(host.Normal(count)) }
