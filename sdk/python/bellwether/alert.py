"""Alert handlers: carry alerts to where people see them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Optional

from .plugin import Config, Plugin


class Severity(Enum):
    """How bad it is."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Phase(Enum):
    """Where the alert is in its life."""

    FIRING = "firing"
    RESOLVED = "resolved"


@dataclass(frozen=True)
class Alert:
    """One alert, as it stands now."""

    #: Stays the same over retries of one delivery: receivers use it to drop repeats.
    idempotency_key: str
    #: The alert's id.
    id: str
    #: The condition that holds, for example `data-drift`.
    condition: str
    #: How bad it is.
    severity: Severity
    #: Firing, or over.
    phase: Phase
    #: One sentence for a person.
    summary: str
    #: The model version concerned, if one is.
    model_id: Optional[str] = None
    #: The symbol concerned, if one is.
    symbol: Optional[str] = None
    #: When it started firing, milliseconds since 1970-01-01T00:00:00Z.
    started_at_ms: int = 0
    #: Names and values that tell alerts of one condition apart.
    labels: dict = field(default_factory=dict)
    #: Measurements behind it.
    detail: dict = field(default_factory=dict)


class AlertHandler(Plugin):
    """A handler of alerts."""

    def handle(self, alert: Alert, config: Config) -> None:
        """Delivers one alert. The host tries again later, with the same `idempotency_key`, on `Transient` only; `http`
        raises it where another try may help."""
        raise NotImplementedError
