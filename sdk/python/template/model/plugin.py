"""{{name}}: ridge regression (Hoerl and Kennard 1970) on the last step of each window.

y = b0 + Σ b_j · x_j, with `penalty` · Σ b_j² added to the mean squared error. Each of `penalties` is fitted on the training
part; the one with the least error on the validation part is kept. Features come scaled, so that one penalty is fair to all.
"""

import math
from operator import mul

import bellwether
from bellwether import InvalidInput, Reader, Unsupported, Writer, log, progress
from bellwether.model import (
    STATIONARY_FEATURES,
    HyperParameter,
    Requirements,
    Task,
    TrainingPlan,
    check_features,
    read_targets,
)

#: Tag and version of the state: features, intercept, coefficients. Raise the version when that changes.
STATE = ("{{name}}", 1)


@bellwether.register
class {{Pascal}}(bellwether.Estimator):
    name = "{{name}}"
    version = "0.1.0"
    summary = "Ridge regression on the last step of each window."
    config_schema = bellwether.settings(
        penalties={
            "type": "array",
            "items": {"type": "number", "exclusiveMinimum": 0},
            "minItems": 1,
            "maxItems": 50,
            "default": [0.0001, 0.001, 0.01, 0.1, 1.0],
            "description": "Penalties to try; the validation part decides.",
        },
    )

    def requires(self, config):
        return Requirements(STATIONARY_FEATURES, sequence_length=1, least_rows=100)

    def plan(self, config, input, target):
        if target.task is Task.BINARY:
            raise Unsupported(f"{{name}} predicts real numbers and the target `{target.kind}` is a probability")
        return TrainingPlan.guest(scaled=True, last_step_only=True)

    def search_space(self):
        return [HyperParameter.choice("penalties", [[0.001], [0.01], [0.1], [1.0]])]

    def fit(self, train, validation, config):
        columns, targets = columns_of(train), read_targets(train, "training")
        moments = Moments(train.features, columns, targets)
        seen, wanted = columns_of(validation), read_targets(validation, "validation")
        best = (math.inf, None, None)
        for place, penalty in enumerate(config.penalties):
            line = moments.solve(penalty)
            error = mean_squared(line, seen, wanted) if wanted else 0.0
            if error < best[0]:
                best = (error, line, penalty)
            if not progress.report(place + 1, len(config.penalties), validation_loss=error):
                break
        if best[1] is None:
            raise InvalidInput("the values are too large to be fitted")
        log.info(f"penalty {best[2]} kept, validation error {best[0]:.6g}")
        writer = Writer(*STATE)
        writer.texts(train.features)
        writer.numbers(best[1])
        return writer.finish()

    def predict(self, state, inputs, config):
        reader = Reader(state, *STATE)
        features, line = reader.texts(), reader.numbers()
        reader.finish()
        if len(line) != len(features) + 1 or not all(map(math.isfinite, line)):
            raise InvalidInput("the state is damaged: it has not one coefficient per feature")
        check_features(features, inputs.steps, inputs)
        return predicted(line, columns_of(inputs), inputs.samples)


class Moments:
    """What least squares needs of the data: means, and products about them divided by the number of rows."""

    def __init__(self, features, columns, targets):
        count = len(targets)
        if count < 2:
            raise InvalidInput(f"{count} training samples, at least 2 are needed")
        self.means = [sum(column) / count for column in columns]
        self.mean = sum(targets) / count
        centred = [[value - mean for value in column] for column, mean in zip(columns, self.means)]
        distances = [target - self.mean for target in targets]
        self.products = [[sum(map(mul, a, b)) / count for b in centred] for a in centred]
        self.effects = [sum(map(mul, column, distances)) / count for column in centred]
        for feature, row, effect in zip(features, self.products, self.effects):
            if not math.isfinite(effect) or not all(map(math.isfinite, row)):
                raise InvalidInput(f"`{feature}` has values that are missing, endless or too large to be squared")

    def solve(self, penalty):
        """Intercept and coefficients, by Cholesky's decomposition: products + penalty is symmetric and positive."""
        size = len(self.products)
        low = [[0.0] * size for _ in range(size)]
        for i in range(size):
            for j in range(i + 1):
                rest = self.products[i][j] + (penalty if i == j else 0.0) - sum(map(mul, low[i][:j], low[j][:j]))
                if i == j and rest <= 0:
                    raise InvalidInput("the features are linear combinations of each other: raise `penalties`")
                low[i][j] = math.sqrt(rest) if i == j else rest / low[j][j]
        half = []
        for i in range(size):
            half.append((self.effects[i] - sum(map(mul, low[i], half))) / low[i][i])
        weights = [0.0] * size
        for i in reversed(range(size)):
            weights[i] = (half[i] - sum(low[k][i] * weights[k] for k in range(i + 1, size))) / low[i][i]
        return [self.mean - sum(map(mul, weights, self.means)), *weights]


def columns_of(windows):
    """The last step of every window, one list per feature."""
    width = len(windows.features)
    columns = [[] for _ in range(width)]
    for chunk in windows.last_rows():
        for place, column in enumerate(columns):
            column.extend(chunk.values[place::width])
    return columns


def predicted(line, columns, samples):
    predictions = [line[0]] * samples
    for weight, column in zip(line[1:], columns):
        predictions = [prediction + weight * value for prediction, value in zip(predictions, column)]
    if not all(map(math.isfinite, predictions)):
        raise InvalidInput("the inputs are missing, endless or too large to predict from")
    return predictions


def mean_squared(line, columns, targets):
    errors = [found - target for found, target in zip(predicted(line, columns, len(targets)), targets)]
    return sum(map(mul, errors, errors)) / len(errors)
