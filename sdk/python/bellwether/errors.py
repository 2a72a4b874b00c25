"""The errors a plugin answers with, as exceptions.

Raise one where a function cannot do what it was asked; the host gets it as the contract's error of that kind, and the
message is shown to a person: say what was wrong and what would be right. This module knows nothing of the component.
"""

from __future__ import annotations


class Error(Exception):
    """Why a plugin could not do what it was asked. Raise one of its kinds."""

    #: The contract's name of the kind.
    code = "internal"

    def __init__(self, message: str):
        super().__init__(message)
        self.message = message


class InvalidConfig(Error):
    """The configuration passed the schema and is still wrong."""

    code = "invalid-config"


class InvalidInput(Error):
    """The data cannot be used: too few rows, a constant column, a foreign state."""

    code = "invalid-input"


class Unsupported(Error):
    """The request is well formed but this plugin does not do it."""

    code = "unsupported"


class Transient(Error):
    """Another try may succeed; the host retries only these."""

    code = "transient"


class Internal(Error):
    """The plugin found itself broken. Exceptions that are no `Error` reach the host as this one, with a log of where."""

    code = "internal"


class Other(Error):
    """A kind of error without a name of its own: a stable code and a message."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code
