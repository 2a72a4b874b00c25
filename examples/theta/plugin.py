"""`theta`: the Theta method as a model type, learned over all windows of the training part.

`theta` has the method, `fitting` how it is learned, `series` how the past of a series is read from what the host gives. This
file is what Bellwether sees. The validation part is not learned from; its error goes to the log.
"""

import math

import bellwether
from bellwether import InvalidInput, Reader, Unsupported, Writer, log, progress
from bellwether.model import HyperParameter, Requirements, Task, TrainingPlan, check_features, read_targets
from fitting import Line, Moments, fit
from series import check_shape, columns_of, ladder

#: Tag and version of the state: features, steps, then smoothing, intercept and the coefficients of level and drift.
STATE = ("theta", 1)


@bellwether.register
class Theta(bellwether.Estimator):
    name = "theta"
    version = "0.1.0"
    summary = "The Theta method: exponential smoothing with half the trend, fitted over many windows."
    config_schema = bellwether.settings(
        series={
            "type": "string",
            "enum": ["realized-volatility", "log-return"],
            "default": "realized-volatility",
            "description": "The series to smooth, where the job names no features: the one that the target continues.",
        },
        spacing={
            "type": "integer",
            "minimum": 1,
            "maximum": 1000,
            "default": 24,
            "description": "Bars between two points of the series; best the target's horizon.",
        },
        points={
            "type": "integer",
            "minimum": 3,
            "maximum": 60,
            "default": 14,
            "description": "Points of the series that a forecast looks back on.",
        },
        correct={
            "type": "boolean",
            "default": True,
            "description": "Also learn intercept and coefficients of level and drift; else only the smoothing.",
        },
    )

    def requires(self, config):
        return Requirements(ladder(config), sequence_length=1, least_rows=100)

    def plan(self, config, input, target):
        if target.task is Task.BINARY:
            raise Unsupported(f"theta predicts real numbers and the target `{target.kind}` is a probability")
        check_shape(input.features, input.sequence_length, config)
        return TrainingPlan.guest(scaled=False, last_step_only=list(input.features) == ladder(config))

    def search_space(self):
        return [HyperParameter.whole("points", 5, 30), HyperParameter.choice("correct", [False, True])]

    def fit(self, train, validation, config):
        def go_on(samples):
            return progress.report(samples, train.samples)

        targets = read_targets(train, "training")
        columns = columns_of(train, config, go_on)
        # Fewer than there are where the host asked to stop: what was read is what is learned from.
        targets = targets[: len(columns[0])]
        if len(targets) < 2:
            raise InvalidInput(f"{len(targets)} training samples, at least 2 are needed")
        moments = Moments(columns, targets)
        if not moments.is_finite():
            raise InvalidInput("the values are too large to be squared")
        line, error = fit(moments, config.correct)
        log.info(f"{line}, mean squared error {error:.6g} in training, {judged(line, validation, config)} in validation")
        writer = Writer(*STATE)
        writer.texts(train.features)
        writer.u64(train.steps)
        writer.numbers([line.smoothing, line.intercept, line.level, line.drift])
        return writer.finish()

    def predict(self, state, inputs, config):
        features, steps, line = read(state)
        check_features(features, steps, inputs)
        predictions = line.predict(columns_of(inputs, config, lambda _samples: True))
        if not all(map(math.isfinite, predictions)):
            raise InvalidInput("the inputs are too large to predict from")
        return predictions


def read(state):
    """Features, steps and line of a state."""
    reader = Reader(state, *STATE)
    features, steps, numbers = reader.texts(), reader.u64(), reader.numbers()
    reader.finish()
    if len(numbers) != 4 or not all(map(math.isfinite, numbers)) or not 0.0 < numbers[0] <= 1.0:
        raise InvalidInput("the state is damaged: its numbers are no smoothing and coefficients")
    return features, steps, Line(*numbers)


def judged(line, windows, config):
    """The mean squared error on a part of the data, for people."""
    targets = windows.targets()
    if not targets:
        return "none"
    predictions = line.predict(columns_of(windows, config, lambda _samples: True))
    return f"{sum((found - target) ** 2 for found, target in zip(predictions, targets)) / len(targets):.6g}"
