//go:build !wasip1

package clock

import "bellwether/internal/native"

func nowMs() int64 { return native.Now() }
