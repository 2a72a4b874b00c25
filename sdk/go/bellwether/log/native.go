//go:build !wasip1

package log

import "bellwether/internal/native"

func write(level uint8, message string) {
	native.Log([]string{"trace", "debug", "info", "warn", "error"}[level], message)
}
