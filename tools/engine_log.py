"""What the engine set-up tells a person while it works."""

from __future__ import annotations

import sys


class Unavailable(Exception):
    """A way to an engine is closed; the message says why."""


def say(message: str) -> None:
    """One line on standard error: standard output carries the result alone."""
    print(f"engine: {message}", file=sys.stderr, flush=True)
