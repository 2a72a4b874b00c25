package main

// When windows are open. Hours are those on the wall clock: one that a change of the clock skips does not come that day, and
// one that comes twice is open twice. The rules of all zones are compiled in, so the host's machine has no say in them.

import (
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata"

	"bellwether"
)

// Config is what the operator may set. The schema has ranges and defaults, so every field is always there.
type Config struct {
	Windows            []Window  `json:"windows"`
	TimeZone           string    `json:"time_zone"`
	Shares             []float64 `json:"shares"`
	ObserveSeconds     uint32    `json:"observe_seconds"`
	LeastRequests      uint64    `json:"least_requests"`
	Metrics            []string  `json:"metrics"`
	LongestWaitSeconds uint32    `json:"longest_wait_seconds"`
}

// Window is hours of some days. It ends on the next day when Until is not after From.
type Window struct {
	Days  []string `json:"days"`
	From  string   `json:"from"`
	Until string   `json:"until"`
}

// Check refuses what the schema cannot.
func (c Config) Check() error {
	for place := 1; place < len(c.Shares); place++ {
		if c.Shares[place] <= c.Shares[place-1] {
			return bellwether.InvalidConfig("`shares`: %v follows %v; they must ascend", c.Shares[place], c.Shares[place-1])
		}
	}
	_, err := c.hours()
	return err
}

// hours is the windows of a configuration as they are compared with the time.
type hours struct {
	zone    *time.Location
	windows []window
}

// window has days by time.Weekday and minutes of a day.
type window struct {
	days        [7]bool
	from, until int
}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

func (c Config) hours() (hours, error) {
	zone, err := zoneOf(c.TimeZone)
	if err != nil {
		return hours{}, err
	}
	found := hours{zone: zone}
	for _, given := range c.Windows {
		read, err := given.read()
		if err != nil {
			return hours{}, err
		}
		found.windows = append(found.windows, read)
	}
	if len(found.windows) == 0 {
		return hours{}, bellwether.InvalidConfig("`windows` is empty: nothing could ever be promoted")
	}
	return found, nil
}

// zoneOf is a zone by name or offset. `Local` is refused: it would be another one on another machine.
func zoneOf(name string) (*time.Location, error) {
	if strings.HasPrefix(name, "+") || strings.HasPrefix(name, "-") {
		minutes, ok := minutesOf(name[1:])
		if !ok || minutes > 14*60 {
			return nil, bellwether.InvalidConfig("`time_zone`: `%s` is no offset; `+02:00` would be", name)
		}
		if name[0] == '-' {
			minutes = -minutes
		}
		return time.FixedZone(name, 60*minutes), nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return nil, bellwether.InvalidConfig("`time_zone`: there is no zone `%s`; `Europe/Berlin`, `UTC` or `+02:00` would do", name)
	}
	return zone, nil
}

func (w Window) read() (window, error) {
	from, fromOK := minutesOf(w.From)
	until, untilOK := minutesOf(w.Until)
	if !fromOK || !untilOK || from == 24*60 {
		return window{}, bellwether.InvalidConfig("`windows`: `%s` to `%s` are no hours; `09:00` to `16:30` would be", w.From, w.Until)
	}
	if from == until {
		return window{}, bellwether.InvalidConfig("`windows`: `%s` to `%s` is empty; a day is `00:00` to `24:00`", w.From, w.Until)
	}
	found := window{from: from, until: until}
	for _, day := range w.Days {
		place := slices.Index(weekdays, day)
		if place < 0 {
			return window{}, bellwether.InvalidConfig("`windows`: `%s` is no day; days are %s", day, strings.Join(weekdays, ", "))
		}
		found.days[place] = true
	}
	if len(w.Days) == 0 {
		return window{}, bellwether.InvalidConfig("`windows`: one has no `days`")
	}
	return found, nil
}

// minutesOf is the minute of a day that `hh:mm` names, 1440 for `24:00`.
func minutesOf(text string) (int, bool) {
	hour, minute, found := strings.Cut(text, ":")
	h, hErr := strconv.ParseUint(hour, 10, 8)
	m, mErr := strconv.ParseUint(minute, 10, 8)
	if !found || len(hour) != 2 || len(minute) != 2 || hErr != nil || mErr != nil || m > 59 || 60*h+m > 24*60 {
		return 0, false
	}
	return int(60*h + m), true
}

// open is true within a window.
func (h hours) open(at time.Time) bool {
	local := at.In(h.zone)
	minute, today := 60*local.Hour()+local.Minute(), local.Weekday()
	yesterday := (today + 6) % 7
	for _, w := range h.windows {
		if w.from < w.until {
			if w.days[today] && minute >= w.from && minute < w.until {
				return true
			}
		} else if w.days[today] && minute >= w.from || w.days[yesterday] && minute < w.until {
			return true
		}
	}
	return false
}

// next is the first minute after now and not after limit at which a window is open. It looks at every minute: at most 40320
// in four weeks, and no rule about changes of the clock that could be wrong.
func (h hours) next(now, limit time.Time) (time.Time, bool) {
	for at := now.Truncate(time.Minute).Add(time.Minute); !at.After(limit); at = at.Add(time.Minute) {
		if h.open(at) {
			return at, true
		}
	}
	return time.Time{}, false
}

// text is a time for people, by the wall clock.
func (h hours) text(at time.Time) string {
	return at.In(h.zone).Format("Mon 2006-01-02 15:04 -07:00")
}
