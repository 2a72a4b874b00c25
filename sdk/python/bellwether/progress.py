"""How a long `fit` tells the host where it is, and hears whether to go on."""

from __future__ import annotations

import math

from .host import interface

_host = interface("progress")


def report(done: int, total: int, train_loss: float = math.nan, validation_loss: float = math.nan) -> bool:
    """Reports that `done` of `total` steps are finished, with the losses so far. False: return what you have now, for the
    job was cancelled or its time is up. Natively True, unless `testing.stop_after` says otherwise."""
    return _host.report(done, total, train_loss, validation_loss) == _host.Wish.PROCEED
