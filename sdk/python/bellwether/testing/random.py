"""The host's seeded randomness: ChaCha with 8 rounds, number for number what the host draws for the same seed.

The seed is spread over the key as Rust's `SeedableRng::seed_from_u64` does, with a PCG32. Uniform numbers take the upper 53
bits of each 64-bit word, normal numbers the polar method (Marsaglia and Bray 1964), both of each pair in order.
"""

from __future__ import annotations

import math
import struct
from typing import Iterator

LIMIT = 131_072
_MASK = 0xFFFF_FFFF

#: The quarter rounds of one double round: columns, then diagonals.
_QUARTERS = (
    (0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
    (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14),
)  # fmt: skip


def _key(seed: int) -> list[int]:
    words, state = [], seed
    for _ in range(8):
        state = (state * 6364136223846793005 + 11634580027462260723) & 0xFFFF_FFFF_FFFF_FFFF
        shifted, turn = (((state >> 18) ^ state) >> 27) & _MASK, state >> 59
        words.append(((shifted >> turn) | (shifted << (32 - turn))) & _MASK)
    return words


def _block(key: list[int], count: int) -> list[int]:
    start = [*struct.unpack("<4I", b"expand 32-byte k"), *key, count & _MASK, count >> 32, 0, 0]
    x = list(start)
    for _ in range(4):
        for a, b, c, d in _QUARTERS:
            for (into, add), (mixed, turn) in zip(((a, b), (c, d), (a, b), (c, d)), ((d, 16), (b, 12), (d, 8), (b, 7))):
                x[into] = (x[into] + x[add]) & _MASK
                word = x[mixed] ^ x[into]
                x[mixed] = ((word << turn) | (word >> (32 - turn))) & _MASK
    return [(word + began) & _MASK for word, began in zip(x, start)]


def _uniforms(seed: int) -> Iterator[float]:
    key, count = _key(seed), 0
    while True:
        words = _block(key, count)
        count += 1
        for low, high in zip(words[::2], words[1::2]):
            yield ((high << 32 | low) >> 11) / (1 << 53)


_draws = _uniforms(0)


def seed(number: int) -> None:
    """Begins anew, as the host does for a call with this seed."""
    global _draws
    _draws = _uniforms(number)


def uniform(count: int) -> list[float]:
    _check(count)
    return [next(_draws) for _ in range(count)]


def normal(count: int) -> list[float]:
    _check(count)
    numbers: list[float] = []
    while len(numbers) < count:
        x, y = 2.0 * next(_draws) - 1.0, 2.0 * next(_draws) - 1.0
        square = x * x + y * y
        if 0.0 < square < 1.0:
            factor = math.sqrt(-2.0 * math.log(square) / square)
            numbers += [x * factor, y * factor]
    return numbers[:count]


def _check(count: int) -> None:
    if count > LIMIT:
        raise ValueError(f"{count} numbers were drawn in one call; at most {LIMIT}")
