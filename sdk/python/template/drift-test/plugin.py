"""{{name}}: has the middle of a column moved?

Drift is called when the median of the current data lies further from the reference's than half the reference's
interquartile range, times `widen`. Neither side's numbers are read: the host computes counts and quantiles.
"""

import math

import bellwether
from bellwether import InvalidInput, Reader, Writer
from bellwether.drift import Acceptance, Outcome

#: Tag and version of the baseline: count, then the three quartiles. Raise the version when that changes.
STATE = ("{{name}}", 1)


@bellwether.register
class {{Pascal}}(bellwether.DriftTest):
    name = "{{name}}"
    version = "0.1.0"
    summary = "Drift when the median leaves the reference's middle half."
    config_schema = bellwether.settings(
        widen={
            "type": "number",
            "exclusiveMinimum": 0,
            "default": 1.0,
            "description": "Times half the interquartile range of the reference.",
        },
    )

    def accepts(self):
        return Acceptance(least_rows=30)

    def baseline(self, reference, config):
        """Called once, at training. What it returns is stored with the model version."""
        count, quartiles = summary_of(reference.only_column())
        writer = Writer(*STATE)
        writer.u64(count)
        writer.numbers(quartiles)
        return writer.finish()

    def test(self, baseline, current, config):
        """Called by every monitor that uses the test, with the baseline from above."""
        reader = Reader(baseline, *STATE)
        reference_count, quartiles = reader.u64(), reader.numbers()
        reader.finish()
        if len(quartiles) != 3 or not all(map(math.isfinite, quartiles)):
            raise InvalidInput("the baseline is damaged: it has not three quartiles")
        lower, median, upper = quartiles
        count, (_, current_median, _) = summary_of(current.only_column())
        distance = abs(current_median - median)
        threshold = config.widen * (upper - lower) / 2
        if not math.isfinite(distance) or not math.isfinite(threshold):
            raise InvalidInput("the values are too large to be compared")
        return Outcome(
            statistic=distance,
            score=distance,
            threshold=threshold,
            drifted=distance > threshold,
            reference_count=reference_count,
            current_count=count,
            detail={"reference_quartiles": list(quartiles), "current_median": current_median},
        )


def summary_of(column):
    """Count of present values and the three quartiles."""
    count, quartiles = column.moments().count, column.quantiles([0.25, 0.5, 0.75])
    if count == 0 or not all(map(math.isfinite, quartiles)):
        raise InvalidInput(f"`{column.name}` has no finite values to compare")
    return count, quartiles
