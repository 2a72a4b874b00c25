"""What the values of the contract have in common in Python: variants and JSON.

A record of the contract is a dataclass of the same name, an enum an `Enum` and a variant a `Variant`: one of several
named cases, some with a value. `component.codec` turns them into what the generated bindings name; natively they are
plain values that can be compared and printed.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True)
class Variant:
    """One of several cases. Its subclasses have a constructor or a constant for each."""

    #: The case, spelled as the contract does: `set-weight`.
    case: str
    #: What the case carries; None for a case without a value.
    value: Any = None

    #: What each case carries: a type, or None.
    CASES: ClassVar[dict[str, Any]] = {}

    def __post_init__(self) -> None:
        if self.case not in self.CASES:
            raise ValueError(f"{type(self).__name__} has no case `{self.case}`: it is one of {', '.join(self.CASES)}")


def json_text(value: Any) -> str:
    """A JSON document as text. NaN and infinities, which JSON lacks, become null."""
    return json.dumps(finite(value), ensure_ascii=True, separators=(",", ":"))


def finite(value: Any) -> Any:
    """The same value with None for every number that is not finite."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(name): finite(member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(member) for member in value]
    if value is None or isinstance(value, (str, bool, int)):
        return value
    # An array of numbers, a set: whatever can be listed is a list of JSON.
    return [finite(member) for member in value]
