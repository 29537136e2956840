"""What a program gives for a resource, before and after it is checked."""

from __future__ import annotations

from enum import Enum
from typing import Any, Final, NamedTuple


class Unknown(Enum):
    """The value of an input that is not known before another resource is made."""

    UNKNOWN = "not known yet"


UNKNOWN: Final = Unknown.UNKNOWN
DEFAULT_WAIT = 600.0  # seconds for a backup that is still being made
LONGEST_WAIT = 86400


class Problem(NamedTuple):
    """What is wrong with an input.

    Attributes:
        property: the input; "" where it is no single input's fault.
        sentence: what to tell the user.
    """

    property: str
    sentence: str

    @classmethod
    def it(cls, name: str, trouble: str) -> Problem:
        """What is wrong with an input, from the end of a sentence such as `is empty: give …`."""
        return cls(name, f"it {trouble}")


def is_unknown(value: Any) -> bool:
    """Whether a value is not known yet."""
    return value is UNKNOWN


def trouble_with_wait(seconds: Any) -> str | None:
    """What is wrong with a number of seconds to wait; None if nothing is, or if it is not known yet."""
    if seconds is None or is_unknown(seconds):
        return None
    if isinstance(seconds, (int, float)) and not isinstance(seconds, bool) and 0 <= seconds <= LONGEST_WAIT:
        return None
    return f"is no number of seconds from 0 to {LONGEST_WAIT}: give {DEFAULT_WAIT:g}, or 0 not to wait"
