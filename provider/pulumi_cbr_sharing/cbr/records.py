"""The records of an answer, read so that nothing in them can do harm.

An id is of its shape, or nothing is concluded from the answer: it may become part of an address later. A text is one
bounded line, since it ends in messages, in the state and on terminals.
"""

from __future__ import annotations

import re

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.errors import UnexpectedAnswer, one_line
from pulumi_cbr_sharing.timestamps import rfc3339


if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_cbr_sharing.http.messages import Call
    from pulumi_cbr_sharing.ids import Shape


LONGEST_WORD = 64  # characters of a status or a type
LONGEST_NAME = 255
_WORD = re.compile(r"[0-9A-Za-z_-]+(?:::[0-9A-Za-z_-]+)*")  # available, OS::Nova::Server


@dataclass(frozen=True)
class Record:
    """One record of an answer.

    Attributes:
        call: what was asked.
        what: what the record is of: a backup, a member, ….
        fields: as they came.
    """

    call: Call
    what: str
    fields: Mapping[str, Any]

    def id(self, name: str, shape: Shape) -> str:
        """An id that must be there.

        Raises:
            UnexpectedAnswer: it is missing, or of another shape.
        """
        value = self.fields.get(name)
        if not shape.fits(value):
            raise self.unexpected(name, f"is {_shown(value)}, which is no {shape.what}")
        return str(value)

    def id_or_none(self, name: str, shape: Shape) -> str | None:
        """An id that may be missing: null, empty, or left out.

        Raises:
            UnexpectedAnswer: it is of another shape.
        """
        return None if self.fields.get(name) in (None, "") else self.id(name, shape)

    def same_id(self, name: str, shape: Shape, asked: str) -> str:
        """The id that was asked for.

        Raises:
            UnexpectedAnswer: it is another one.
        """
        if (told := self.id(name, shape)) != asked:
            raise self.unexpected(name, f"is {told!r}, where {asked} was asked for")
        return told

    def word(self, name: str) -> str:
        """A status or a type; "" if it is missing."""
        value = self.fields.get(name)
        known = isinstance(value, str) and len(value) <= LONGEST_WORD and _WORD.fullmatch(value)
        return str(value) if known else _line(value, LONGEST_WORD)

    def name(self, name: str) -> str:
        """A name; "" if it is missing."""
        return _line(self.fields.get(name), LONGEST_NAME)

    def timestamp(self, name: str) -> str:
        """RFC 3339 in UTC; "" for anything else."""
        return rfc3339(self.fields.get(name))

    def unexpected(self, name: str, trouble: str) -> UnexpectedAnswer:
        """The error for a record from which nothing can be concluded."""
        return UnexpectedAnswer(
            f"{self.call.doing}: the answer has a {self.what} whose {name} {trouble}: check the endpoint; nothing is "
            "concluded from it"
        )


def _line(value: Any, limit: int) -> str:
    return one_line(value, limit) if isinstance(value, (str, int, float)) else ""


def _shown(value: Any) -> str:
    if value in (None, ""):
        return "missing"
    return repr(one_line(value, 80)) if isinstance(value, str) else f"of type {type(value).__name__}"
