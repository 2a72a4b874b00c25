"""The Theta method (Assimakopoulos and Nikolopoulos 2000, "The theta model: a decomposition approach to forecasting").

A series is bent into two lines, one with its curvature taken out (its trend) and one with it doubled; the first goes on
straight, the second is smoothed exponentially, and the forecast is their mean. Hyndman and Billah (2003, "Unmasking the
Theta method") showed that this is simple exponential smoothing with a drift of half the trend's slope:

    forecast(h) = level + b/2 · (h - 1 + (1 - (1 - a)^n) / a)

with the level l_0 = y_0, l_t = l_{t-1} + a · (y_t - l_{t-1}), the smoothing a in (0, 1] and the slope b of the least squares
line through y_0 .. y_{n-1}. For a given a both parts are sums of the y with weights that do not depend on them; `fitting`
rests on that. This module knows nothing of plugins.
"""

from operator import mul


def level_weights(points, smoothing):
    """The weights of y_0 .. y_{n-1} in the level."""
    rest = 1.0 - smoothing
    # The first value is where the level begins: it has what the others leave.
    return [rest ** (points - 1), *(smoothing * rest ** (points - 1 - place) for place in range(1, points))]


def drift_weights(points, smoothing, ahead=1):
    """The weights of y_0 .. y_{n-1} in the drift: those of the slope times how far it reaches."""
    middle = (points - 1) / 2
    squares = sum((place - middle) ** 2 for place in range(points))
    reach = (ahead - 1 + (1.0 - (1.0 - smoothing) ** points) / smoothing) / 2
    return [reach * (place - middle) / squares for place in range(points)]


def forecast(series, smoothing, ahead=1):
    """The forecast `ahead` steps behind a series, oldest value first."""
    points = len(series)
    level = sum(map(mul, level_weights(points, smoothing), series))
    return level + sum(map(mul, drift_weights(points, smoothing, ahead), series))
