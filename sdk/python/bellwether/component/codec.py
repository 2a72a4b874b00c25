"""Turns the SDK's values into those the generated bindings name, and back.

Both are dataclasses, enums and variants of the same names, for both follow the contract; so the types of the fields are
all that is needed, and no record is named here. Whatever cannot be turned is said here, in a Python exception: once a
value is in the runtime's hands, a wrong one ends the call with a trap.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import json
import operator
import sys
import types
import typing
from typing import Any

from ..values import Variant, json_text


#: Fields of 64 bits. The bindings call every whole number `int`; all other fields have 32 bits, none has a sign. The whole
#: numbers of tuples, where the contract has signed ones, are left to the runtime.
WIDE = {"reference_count", "current_count", "requests", "errors", "least_requests"}


@functools.lru_cache(maxsize=None)
def fields(record: type) -> dict[str, Any]:
    """The fields of a dataclass and their types."""
    hints = typing.get_type_hints(record, vars(sys.modules[record.__module__]))
    return {field.name: hints[field.name] for field in dataclasses.fields(record)}


def lower(value: Any, hint: Any, bits: typing.Optional[int] = 32) -> Any:
    """A value of the SDK as one of the bindings' type `hint`; whole numbers must fit into `bits` without a sign."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _lower_union(value, arguments)
    if origin is list:
        return [lower(element, arguments[0]) for element in value]
    if origin is tuple:
        return tuple(lower(element, argument, None) for element, argument in zip(value, arguments, strict=True))
    if dataclasses.is_dataclass(hint):
        return _lower_record(value, hint)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return hint[value.name]
    return _lower_plain(value, hint, bits)


def _lower_plain(value: Any, hint: Any, bits: typing.Optional[int]) -> Any:
    if hint is float:
        return float(value)
    if hint is bool:
        return bool(value)
    if hint is int:
        number = operator.index(value)
        if bits is not None and not 0 <= number < 1 << bits:
            raise ValueError(f"{number} is no whole number from 0 that fits into {bits} bits")
        return number
    if hint is bytes:
        return bytes(value)
    if hint is str:
        # What is no text where the contract has one is a JSON document.
        text = value if isinstance(value, str) else json_text(value)
        return text.encode("utf-8", "replace").decode()
    raise TypeError(f"{value!r} cannot cross as {hint}")


def _lower_record(value: Any, record: type) -> Any:
    if isinstance(value, dict):
        raise TypeError(f"a {record.__name__} is expected, not a dict")
    bits = {name: 64 if name in WIDE else 32 for name in fields(record)}
    return record(**{name: lower(getattr(value, name), hint, bits[name]) for name, hint in fields(record).items()})


def _lower_union(value: Any, members: tuple) -> Any:
    if type(None) in members:
        if value is None:
            return None
        rest = tuple(member for member in members if member is not type(None))
        return lower(value, rest[0] if len(rest) == 1 else typing.Union[rest])
    if isinstance(value, Variant):
        for member in members:
            if case_of(member) == value.case:
                carried = fields(member)
                return member(lower(value.value, carried["value"])) if carried else member()
    raise TypeError(f"{value!r} is none of {', '.join(case_of(member) for member in members)}")


def case_of(case: type) -> str:
    """The case a generated class stands for: `set-weight` of `Action_SetWeight`."""
    name = case.__name__.partition("_")[2]
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("-")


def lift(value: Any, hint: Any) -> Any:
    """A value of the bindings as one of the SDK's type `hint`."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return None if value is None else lift(value, arguments[0])
    if origin is list:
        return [lift(element, arguments[0]) for element in value]
    if origin is tuple:
        return tuple(lift(element, argument) for element, argument in zip(value, arguments, strict=True))
    if dataclasses.is_dataclass(hint):
        if issubclass(hint, Variant):
            case = case_of(type(value))
            return hint(case, lift(value.value, hint.CASES[case]) if hasattr(value, "value") else None)
        return hint(**{name: lift(getattr(value, name), of) for name, of in fields(hint).items()})
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return hint[value.name]
    if hint is dict:
        return json.loads(value) if isinstance(value, str) else dict(value)
    return value
