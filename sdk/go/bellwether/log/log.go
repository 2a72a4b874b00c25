// Package log writes lines under the plugin's name to the host's own log. Lines past the host's rate limit are counted and
// dropped, a line past 4 KiB is cut.
//
// Natively lines are kept for hosttest.
package log

import "fmt"

// Trace is for following code step by step.
func Trace(format string, arguments ...any) { write(0, fmt.Sprintf(format, arguments...)) }

// Debug is for finding mistakes.
func Debug(format string, arguments ...any) { write(1, fmt.Sprintf(format, arguments...)) }

// Info is for what happened.
func Info(format string, arguments ...any) { write(2, fmt.Sprintf(format, arguments...)) }

// Warn is for what should be looked at.
func Warn(format string, arguments ...any) { write(3, fmt.Sprintf(format, arguments...)) }

// Error is for what went wrong.
func Error(format string, arguments ...any) { write(4, fmt.Sprintf(format, arguments...)) }
