"""From what the host gives to the past of a series: one list per point, oldest first, an element per window.

Two ways, by the features of the job:

- *One feature.* The window itself is the series, every `spacing`-th step of it, counted from the last: over 24 hours a
  realised volatility of 24 hours shares nothing with the one before it, over one hour nearly everything.
- *A ladder.* `log-return(24)`, `log-return(48)`, .. say the same in one step: the return of the second last day is the
  second less the first. Volatilities come apart likewise, as squares. The host's windows span no hole in the bars and its
  features look across weekends, so a ladder is the way to a past longer than a trading week.
"""

import math

from bellwether import InvalidInput

#: Least volatility per bar, as the host's own.
FLOOR = 1e-16

#: Least points in which level and trend can be told apart.
LEAST = 3


def ladder(config):
    """The features of the second way."""
    return [f"{config.series}({config.spacing * rung})" for rung in range(1, config.points + 1)]


def points_in(steps, config):
    """How many points a window of so many steps holds, at most `points`."""
    return min((steps - 1) // config.spacing + 1, config.points)


def check_shape(features, steps, config):
    """Refuses features and windows that hold no series, saying what would do."""
    if list(features) == ladder(config):
        return
    wanted = f"[{', '.join(ladder(config))}], or one feature in windows of several steps"
    if len(features) != 1:
        raise InvalidInput(f"theta is given [{', '.join(features)}] and reads {wanted}")
    if points_in(steps, config) < LEAST:
        least = (LEAST - 1) * config.spacing + 1
        raise InvalidInput(f"windows of {steps} steps hold fewer than {LEAST} points {config.spacing} apart: {least} or more")


def columns_of(windows, config, go_on):
    """The points of every window. `go_on(samples)` is asked after each piece; when it says no, reading ends there."""
    features = windows.features
    check_shape(features, windows.steps, config)
    if len(features) > 1 or windows.steps == 1:
        return _read(windows.last_rows(), range(len(features)), go_on, lambda rungs: _apart(rungs, config))
    count = points_in(windows.steps, config)
    places = [windows.steps - 1 - config.spacing * back for back in reversed(range(count))]
    return _read(windows.chunks(), places, go_on, list)


def _read(chunks, places, go_on, points_of):
    columns = [[] for _ in places]
    for chunk in chunks:
        points = points_of([chunk.values[place :: chunk.width] for place in places])
        for column, values in zip(columns, points):
            column.extend(values)
        for values in points:
            # A sum is finite where every number is, and as cheap as it gets; the slow search is for the message.
            if not math.isfinite(sum(values)):
                raise InvalidInput(_first_bad(chunk, points))
        if not go_on(chunk.first + len(chunk)):
            break
    return columns


def _first_bad(chunk, points):
    for values in points:
        for place, value in enumerate(values):
            if not math.isfinite(value):
                return f"the series of sample {chunk.first + place} is {value} in its past: it must be finite"
    return "the values are too large to be summed"


def _apart(rungs, config):
    """The series from a ladder: rung after rung, what each adds to the one before it; the last rung is the oldest."""
    if config.series == "log-return":
        below = [[0.0] * len(rungs[0]), *rungs[:-1]]
        return [[upper - lower for upper, lower in zip(*pair)] for pair in zip(rungs, below)][::-1]
    # ln of a root mean square over `rung` spacings: `rung` times its square is the sum, in units of one spacing. Returns
    # over a break in the bars are left out of the host's means, which moves a point by a few hundredths at most.
    sums = [[rung * _squared(value) for value in column] for rung, column in enumerate(rungs, 1)]
    below = [[0.0] * len(rungs[0]), *sums[:-1]]
    root = lambda square: 0.5 * math.log(max(square, FLOOR))  # noqa: E731
    return [[root(upper - lower) for upper, lower in zip(*pair)] for pair in zip(sums, below)][::-1]


def _squared(logarithm):
    # exp() of what is no volatility would raise; endless is found and named later.
    return math.exp(2 * logarithm) if logarithm < 300 else math.inf
