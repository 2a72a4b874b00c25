"""Seeded randomness. The host seeds it per call, from the job's seed: the same call draws the same numbers.

Python's own `random` is no substitute: its seed is fixed when the component is made, so it never changes.
"""

from __future__ import annotations

from array import array
from typing import Callable

from .host import interface

_host = interface("random")

#: Numbers the host draws in one call, at most.
LIMIT = 131_072


def uniform(count: int) -> array:
    """`count` numbers uniform in [0, 1)."""
    return _draw(count, lambda part: _host.uniform(part))


def normal(count: int) -> array:
    """`count` standard normal numbers."""
    return _draw(count, lambda part: _host.normal(part))


def below(bound: int) -> int:
    """A whole number from 0 to `bound` - 1."""
    return min(int(_host.uniform(1)[0] * bound), bound - 1)


def shuffled(count: int) -> list[int]:
    """The numbers from 0 to `count` - 1 in random order (Fisher and Yates 1938)."""
    order, draws = list(range(count)), uniform(max(count - 1, 0))
    for place in range(count - 1, 0, -1):
        other = min(int(draws[place - 1] * (place + 1)), place)
        order[place], order[other] = order[other], order[place]
    return order


def _draw(count: int, draw: Callable[[int], list]) -> array:
    numbers = array("d")
    while len(numbers) < count:
        numbers.extend(draw(min(count - len(numbers), LIMIT)))
    return numbers
