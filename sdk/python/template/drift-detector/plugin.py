"""{{name}}: has the level of a series moved? Two-sided cumulative sum (Page 1954, "Continuous Inspection Schemes").

Mean and deviation are learned from the first `warm_up` values. Then how far values lie above the mean by more than
`slack` deviations is summed, and how far below; a sum that passes `threshold` is drift, and learning begins anew. Missing
values, and numbers too large to be squared, are passed over.
"""

import math
from dataclasses import astuple, dataclass

import bellwether
from bellwether import InvalidConfig, InvalidInput, Reader, Writer
from bellwether.drift import Advance, Event, Severity

#: Tag and version of the state: the fields of `Sums`. Raise the version when they change.
STATE = ("{{name}}", 1)

#: Deviations at most that one value counts for, so that a single wrong one cannot be everything.
MOST = 8.0


@dataclass
class Sums:
    """What the detector remembers."""

    count: float = 0.0
    mean: float = 0.0
    #: Sum of squares about the mean (Welford 1962).
    squares: float = 0.0
    up: float = 0.0
    down: float = 0.0


@bellwether.register
class {{Pascal}}(bellwether.DriftDetector):
    name = "{{name}}"
    version = "0.1.0"
    summary = "Two-sided cumulative sum of standardised values."
    config_schema = bellwether.settings(
        warm_up={
            "type": "integer",
            "minimum": 2,
            "maximum": 100000,
            "default": 100,
            "description": "Values that mean and deviation are learned from.",
        },
        slack={
            "type": "number",
            "minimum": 0,
            "maximum": 8,
            "default": 0.5,
            "description": "Deviations from the mean that do not count; half the shift to be found.",
        },
        warning={
            "type": "number",
            "exclusiveMinimum": 0,
            "default": 5.0,
            "description": "Sum of deviations that is a warning; below `threshold`.",
        },
        threshold={
            "type": "number",
            "exclusiveMinimum": 0,
            "default": 8.0,
            "description": "Sum of deviations that is drift.",
        },
    )

    def check(self, config):
        if config.warning >= config.threshold:
            raise InvalidConfig("`warning` must be below `threshold`")

    def start(self, config):
        return write(Sums())

    def update(self, state, values, config):
        """Gives the same events however the values are split over calls: all it knows is in the state."""
        sums, events = read(state), []
        for index, value in enumerate(values):
            # False for NaN too.
            if not abs(value) < 1e150:
                continue
            if sums.count < config.warm_up:
                learn(sums, value)
                continue
            before = max(sums.up, sums.down)
            statistic = advance(sums, value, config.slack)
            if statistic > config.threshold:
                events.append(Event(index, Severity.DRIFT, statistic))
                sums = Sums()
            elif statistic > config.warning >= before:
                events.append(Event(index, Severity.WARNING, statistic))
        return Advance(write(sums), events)


def learn(sums, value):
    """One more value to mean and squares."""
    sums.count += 1
    distance = value - sums.mean
    sums.mean += distance / sums.count
    sums.squares += distance * (value - sums.mean)


def advance(sums, value, slack):
    """One more value to the sums; the larger of both."""
    deviation = math.sqrt(sums.squares / sums.count)
    distance = value - sums.mean
    # After a constant warm-up any change is as large as one can be.
    score = distance / deviation if deviation > 0 else math.copysign(MOST, distance) if distance else 0.0
    score = max(-MOST, min(MOST, score))
    sums.up = max(0.0, sums.up + score - slack)
    sums.down = max(0.0, sums.down - score - slack)
    return max(sums.up, sums.down)


def write(sums):
    writer = Writer(*STATE)
    writer.numbers(astuple(sums))
    return writer.finish()


def read(state):
    reader = Reader(state, *STATE)
    numbers = reader.numbers()
    reader.finish()
    if len(numbers) != 5 or not all(math.isfinite(number) and number >= 0 for number in (numbers[0], *numbers[2:])):
        raise InvalidInput("the state is damaged: its numbers cannot be sums")
    return Sums(*numbers)
