//go:build wasip1

package log

import host "bellwether/internal/wit/imports/bellwether_host_log"

func write(level uint8, message string) { host.Write(level, message) }
