package main

import (
	_ "embed"
	"encoding/json"
	"testing"
	"time"

	"bellwether"
	"bellwether/hosttest"
)

//go:embed testdata/openings.json
var openings []byte

// at is an instant.
func at(t testing.TB, text string) time.Time {
	t.Helper()
	instant, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return instant
}

// hoursOf is windows in a zone, as a configuration gives them.
func hoursOf(t testing.TB, zone string, windows ...Window) hours {
	t.Helper()
	found, err := Config{Windows: windows, TimeZone: zone}.hours()
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestZoneinfoAgrees compares with what Python's zoneinfo says; testdata/openings.py made the file.
func TestZoneinfoAgrees(t *testing.T) {
	var file struct {
		Windows [][]Window
		Cases   []struct {
			Zone    string
			Windows int
			At      string
			Open    bool
			Next    string
		}
	}
	if err := json.Unmarshal(openings, &file); err != nil {
		t.Fatal(err)
	}
	for _, test := range file.Cases {
		hours, instant := hoursOf(t, test.Zone, file.Windows[test.Windows]...), at(t, test.At)
		next, found := hours.next(instant, instant.AddDate(0, 0, 28))
		if hours.open(instant) != test.Open || !found || !next.Equal(at(t, test.Next)) {
			t.Errorf("%+v: open %v, next %v", test, hours.open(instant), next.UTC())
		}
	}
	if len(file.Cases) < 300 {
		t.Errorf("only %d cases", len(file.Cases))
	}
}

func TestOpen(t *testing.T) {
	night := Window{Days: []string{"sat"}, From: "23:00", Until: "02:30"}
	gap := Window{Days: []string{"sun"}, From: "02:15", Until: "02:45"}
	week := Window{Days: []string{"mon", "tue", "wed", "thu", "fri"}, From: "09:00", Until: "16:30"}
	day := Window{Days: []string{"sun"}, From: "00:00", Until: "24:00"}
	for _, test := range []struct {
		name   string
		zone   string
		window Window
		at     string
		open   bool
	}{
		{"the first minute", "UTC", week, "2025-01-06T09:00:00Z", true},
		{"just before it", "UTC", week, "2025-01-06T08:59:59Z", false},
		{"the last second", "UTC", week, "2025-01-06T16:29:59Z", true},
		{"until is outside", "UTC", week, "2025-01-06T16:30:00Z", false},
		{"another day", "UTC", week, "2025-01-05T12:00:00Z", false},
		{"an offset east: Monday has begun", "+09:00", week, "2025-01-06T00:00:00Z", true},
		{"an offset west: still Sunday", "-09:30", week, "2025-01-06T09:00:00Z", false},
		{"winter in Berlin", "Europe/Berlin", week, "2025-01-06T08:00:00Z", true},
		{"summer in Berlin", "Europe/Berlin", week, "2025-07-07T07:00:00Z", true},
		{"summer, too early", "Europe/Berlin", week, "2025-07-07T06:59:00Z", false},
		{"over midnight, before", "UTC", night, "2025-01-04T23:30:00Z", true},
		{"over midnight, after", "UTC", night, "2025-01-05T02:29:00Z", true},
		{"over midnight, the wrong night", "UTC", night, "2025-01-04T01:00:00Z", false},
		{"all day, its last minute", "UTC", day, "2025-01-05T23:59:00Z", true},
		{"all day, the next", "UTC", day, "2025-01-06T00:00:00Z", false},
		{"skipped: 02:15 to 02:45 does not come", "Europe/Berlin", gap, "2025-03-30T01:00:00Z", false},
		{"twice: the first time", "Europe/Berlin", gap, "2025-10-26T00:30:00Z", true},
		{"twice: between", "Europe/Berlin", gap, "2025-10-26T00:50:00Z", false},
		{"twice: the second time", "Europe/Berlin", gap, "2025-10-26T01:30:00Z", true},
		{"over midnight and the skipped hour: ended", "Europe/Berlin", night, "2025-03-30T01:00:00Z", false},
		{"over midnight and the skipped hour: its last", "Europe/Berlin", night, "2025-03-30T00:59:00Z", true},
	} {
		if open := hoursOf(t, test.zone, test.window).open(at(t, test.at)); open != test.open {
			t.Errorf("%s: %v", test.name, open)
		}
	}
}

func TestNext(t *testing.T) {
	gap := Window{Days: []string{"sun"}, From: "02:15", Until: "02:45"}
	long := Window{Days: []string{"sun"}, From: "02:30", Until: "04:00"}
	for _, test := range []struct {
		name      string
		window    Window
		now, next string
	}{
		{"the window is skipped: a week later", gap, "2025-03-29T12:00:00Z", "2025-04-06T00:15:00Z"},
		{"its beginning is skipped: when the clock has moved", long, "2025-03-29T12:00:00Z", "2025-03-30T01:00:00Z"},
		{"within a second of it", gap, "2025-10-26T00:14:59.999Z", "2025-10-26T00:15:00Z"},
	} {
		now := at(t, test.now)
		next, found := hoursOf(t, "Europe/Berlin", test.window).next(now, now.AddDate(0, 0, 14))
		if !found || !next.Equal(at(t, test.next)) {
			t.Errorf("%s: %v", test.name, next.UTC())
		}
	}
	if _, found := hoursOf(t, "Europe/Berlin", gap).next(at(t, "2025-03-29T12:00:00Z"), at(t, "2025-04-06T00:14:59Z")); found {
		t.Error("the limit was passed over")
	}
}

func TestConfigurations(t *testing.T) {
	hosttest.CheckSchema[Config](t, info, "{}")
	window := func(days, from, until string) string {
		return `{"windows": [{"days": [` + days + `], "from": "` + from + `", "until": "` + until + `"}]}`
	}
	for _, test := range []struct {
		given string
		right bool
	}{
		{`{}`, true},
		{window(`"mon"`, "22:00", "02:00"), true},
		{window(`"mon"`, "00:00", "24:00"), true},
		{window(`"mon"`, "09:00", "09:00"), false},
		{window(`"mon"`, "24:00", "09:00"), false},
		{window(`"mon"`, "9:00", "10:00"), false},
		{window(`"mon"`, "09:00", "24:01"), false},
		{window(`"mon"`, "09:60", "11:00"), false},
		{window(`"mon"`, "+9:00", "11:00"), false},
		{window(`"monday"`, "09:00", "11:00"), false},
		{window(``, "09:00", "11:00"), false},
		{`{"windows": []}`, false},
		{`{"time_zone": "America/New_York"}`, true},
		{`{"time_zone": "-03:30"}`, true},
		{`{"time_zone": "+15:00"}`, false},
		{`{"time_zone": "+2"}`, false},
		{`{"time_zone": "Mars/Olympus"}`, false},
		{`{"time_zone": "Local"}`, false},
		{`{"time_zone": ""}`, false},
		{`{"time_zone": "../etc/passwd"}`, false},
		{`{"shares": []}`, true},
		{`{"shares": [0.5, 0.5]}`, false},
	} {
		_, err := hosttest.Config[Config](info, test.given)
		if (err == nil) != test.right || err != nil && bellwether.CodeOf(err) != bellwether.CodeInvalidConfig {
			t.Errorf("%s: %v", test.given, err)
		}
	}
}

func BenchmarkFourWeeks(b *testing.B) {
	never := hoursOf(b, "Europe/Berlin", Window{Days: []string{"sun"}, From: "02:15", Until: "02:45"})
	now := at(b, "2025-03-31T12:00:00Z")
	never.windows[0].days = [7]bool{}
	for b.Loop() {
		never.next(now, now.AddDate(0, 0, 28))
	}
}
