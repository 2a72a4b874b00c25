//go:build wasip1

package clock

import host "bellwether/internal/wit/imports/bellwether_host_clock"

func nowMs() int64 { return host.NowMs() }
