"""Takes the reports of a fit and asks it to stop when a test says so."""

from __future__ import annotations

from enum import Enum
from typing import Optional

Wish = Enum("Wish", "PROCEED STOP")

#: What was reported: done, total, training loss, validation loss.
reports: list[tuple[int, int, float, float]] = []

#: The report that is answered with `STOP`, counted from 1; None for none.
stop_at: Optional[int] = None


def report(done: int, total: int, train_loss: float, validation_loss: float) -> Wish:
    reports.append((done, total, train_loss, validation_loss))
    return Wish.STOP if stop_at is not None and len(reports) >= stop_at else Wish.PROCEED
