"""Makes openings.json: when windows are open, by Python's zoneinfo and its own reading of a week.

The other implementation works the other way round: it lists the wall-clock minutes of a window as (date, minute) pairs and
asks of an instant whether its pair is among them. Run with Python 3.9 or newer; the zones are those of the machine's tzdata.
"""

import datetime as dt
import json
import random
import zoneinfo

DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
UTC = dt.timezone.utc
WINDOWS = [
    [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "until": "16:30"}],
    [{"days": ["sat"], "from": "23:00", "until": "02:30"}],
    [{"days": ["sun"], "from": "02:15", "until": "02:45"}],
    [{"days": ["sun"], "from": "00:00", "until": "24:00"}, {"days": ["wed"], "from": "22:00", "until": "06:00"}],
]
# Around changes of the clock, and one zone each with half hours, without changes, and with a change of half an hour.
ZONES = {
    "Europe/Berlin": ["2025-03-30", "2025-10-26"],
    "America/New_York": ["2025-03-09", "2025-11-02"],
    "Asia/Kolkata": ["2025-05-04"],
    "Australia/Lord_Howe": ["2025-04-06", "2025-10-05"],
    "UTC": ["2025-01-05"],
}


def minutes(text):
    hour, minute = text.split(":")
    return 60 * int(hour) + int(minute)


def allowed(windows, around):
    """The open wall-clock minutes of three weeks."""
    pairs = set()
    for offset in range(-9, 17):
        day = around + dt.timedelta(days=offset)
        for window in windows:
            if DAYS[day.weekday()] not in window["days"]:
                continue
            start, end = minutes(window["from"]), minutes(window["until"])
            for minute in range(start, end if end > start else end + 1440):
                pairs.add((day + dt.timedelta(days=minute // 1440), minute % 1440))
    return pairs


def is_open(pairs, zone, instant):
    local = instant.astimezone(zone)
    return (local.date(), 60 * local.hour + local.minute) in pairs


def main():
    dice = random.Random(7)
    cases = []
    for name, dates in ZONES.items():
        zone = zoneinfo.ZoneInfo(name)
        for date in dates:
            day = dt.date.fromisoformat(date)
            for windows in WINDOWS:
                pairs = allowed(windows, day)
                for _ in range(12):
                    hours = dice.uniform(-30, 40)
                    instant = dt.datetime.combine(day, dt.time(), UTC) + dt.timedelta(seconds=round(3600 * hours))
                    later = instant.replace(second=0) + dt.timedelta(minutes=1)
                    while not is_open(pairs, zone, later):
                        later += dt.timedelta(minutes=1)
                    cases.append(
                        {
                            "zone": name,
                            "windows": WINDOWS.index(windows),
                            "at": instant.strftime("%Y-%m-%dT%H:%M:%SZ"),
                            "open": is_open(pairs, zone, instant),
                            "next": later.strftime("%Y-%m-%dT%H:%M:%SZ"),
                        }
                    )
    with open("openings.json", "w", encoding="utf-8") as file:
        file.write('{"windows": ' + json.dumps(WINDOWS) + ',\n"cases": [\n')
        file.write(",\n".join(json.dumps(case) for case in cases) + "\n]}\n")


if __name__ == "__main__":
    main()
