// Package clock tells the time to plugins that were granted it (`clock = true` under [wants]). Prefer times passed as
// arguments: they can be replayed. Go's own time.Now is not the time here: it counts from 1970.
package clock

import "time"

// NowMs is milliseconds since 1970-01-01T00:00:00Z. Natively what hosttest set, else 0.
func NowMs() int64 { return nowMs() }

// Now is the same as a time in UTC.
func Now() time.Time { return time.UnixMilli(nowMs()).UTC() }
