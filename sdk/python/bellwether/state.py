"""State and baselines as bytes: a tag and a version in front, little-endian numbers behind.

What comes back from the host may be another plugin's, an older version's or damaged. `Reader` checks every length before
it reads and raises `InvalidInput` where a careless reader would break. The layout is that of the SDK for Rust, so that a
plugin can be rewritten in either and read what the other wrote.

    writer = Writer("my-test", 1)
    writer.u64(3)
    writer.numbers([0.5, 1.5])
    data = writer.finish()

    reader = Reader(data, "my-test", 1)
    count, numbers = reader.u64(), reader.numbers()
    reader.finish()
"""

from __future__ import annotations

import struct
import sys
from array import array
from typing import Iterable

from .errors import InvalidInput


def pack(numbers: Iterable[float]) -> bytes:
    """Real numbers as little-endian bytes, eight each."""
    packed = array("d", numbers)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()


def unpack(data: bytes) -> array:
    """The numbers of `pack`."""
    numbers = array("d")
    numbers.frombytes(data)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


class Writer:
    """Writes a state."""

    def __init__(self, tag: str, version: int):
        """Begins a state of this kind and layout. Raise `version` whenever the layout changes."""
        self._parts: list[bytes] = []
        self.text(tag)
        self._parts.append(struct.pack("<I", version))

    def u64(self, value: int) -> None:
        """A whole number from 0."""
        self._parts.append(struct.pack("<Q", value))

    def number(self, value: float) -> None:
        """A real number, bit for bit."""
        self._parts.append(struct.pack("<d", value))

    def numbers(self, values: Iterable[float]) -> None:
        """Real numbers with their count."""
        packed = pack(values)
        self.u64(len(packed) // 8)
        self._parts.append(packed)

    def text(self, text: str) -> None:
        """A text."""
        self.bytes(text.encode())

    def bytes(self, data: bytes) -> None:
        """Bytes with their count: a part with a layout of its own."""
        self.u64(len(data))
        self._parts.append(bytes(data))

    def texts(self, texts: Iterable[str]) -> None:
        """Texts with their count."""
        listed = list(texts)
        self.u64(len(listed))
        for text in listed:
            self.text(text)

    def finish(self) -> bytes:
        """The bytes."""
        return b"".join(self._parts)


class Reader:
    """Reads a state, in the order it was written."""

    def __init__(self, data: bytes, tag: str, version: int):
        """Opens a state. Raises `InvalidInput` for one of another kind or version."""
        self._rest, self._tag = memoryview(data), tag
        try:
            found_tag = self.text()
        except InvalidInput:
            found_tag = None
        if found_tag != tag:
            raise InvalidInput(f"these {len(data)} bytes are not a `{tag}` state")
        (found,) = struct.unpack("<I", self._take(4))
        if found != version:
            raise InvalidInput(f"`{tag}` state of version {found}, this plugin reads version {version}: make it again")

    def u64(self) -> int:
        """A whole number."""
        return struct.unpack("<Q", self._take(8))[0]

    def number(self) -> float:
        """A real number."""
        return struct.unpack("<d", self._take(8))[0]

    def numbers(self) -> array:
        """Real numbers with their count."""
        return unpack(self._take(8 * self.u64()))

    def text(self) -> str:
        """A text."""
        try:
            return self.bytes().decode()
        except UnicodeDecodeError:
            raise self._damaged() from None

    def bytes(self) -> bytes:
        """Bytes, as many as were written."""
        return self._take(self.u64())

    def texts(self) -> list[str]:
        """Texts with their count."""
        count = self.u64()
        # Each text takes at least its eight bytes of length, so a false count fails before it costs anything.
        if count > len(self._rest) // 8:
            raise self._damaged()
        return [self.text() for _ in range(count)]

    def finish(self) -> None:
        """Nothing may be left. Raises `InvalidInput` when something is."""
        if len(self._rest):
            raise self._damaged()

    def _take(self, count: int) -> bytes:
        if count > len(self._rest):
            raise self._damaged()
        taken, self._rest = self._rest[:count].tobytes(), self._rest[count:]
        return taken

    def _damaged(self) -> InvalidInput:
        return InvalidInput(f"the `{self._tag}` state is damaged: it ends early, or late, or its lengths are wrong")
