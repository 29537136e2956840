"""Reads the records of an answer as foreign data.

An id must have its shape, because it may become part of an address; otherwise nothing is concluded from the answer. A
text becomes one line of limited length, because it is shown in messages, in the state and on terminals.
"""

from __future__ import annotations

import math
import re

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from pulumi_cbr_sharing.errors import one_line
from pulumi_cbr_sharing.timestamps import rfc3339


if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_cbr_sharing.errors import UnexpectedAnswer
    from pulumi_cbr_sharing.ids import Shape


LONGEST_ID = 36  # characters of a malformed id that are shown; a UUID has as many
LONGEST_WORD = 64  # characters of a status or a type
LONGEST_NAME = 255
_WORD = re.compile(r"[0-9A-Za-z_-]+(?:::[0-9A-Za-z_-]+)*")  # available, OS::Nova::Server


class Answer(Protocol):
    """The answer that a record stands in."""

    def quote(self, text: str, limit: int) -> str:
        """A text of it, made fit for a message."""

    def unexpected(self, trouble: str) -> UnexpectedAnswer:
        """The error if nothing can be concluded from it."""


@dataclass(frozen=True)
class Record:
    """One record of an answer.

    Attributes:
        reply: the answer.
        what: what it describes: `backup`, `member`, ….
        fields: as received.
    """

    reply: Answer
    what: str
    fields: Mapping[str, Any]

    def id(self, name: str, shape: Shape, asked: str | None = None) -> str:
        """A required id.

        Raises:
            UnexpectedAnswer: it is missing, malformed, or not the one that was asked for.
        """
        value = self.fields.get(name)
        if value in (None, ""):
            raise self.unexpected(name, "is missing")
        if not shape.fits(value):
            raise self.unexpected(name, f"is {self._shown(value)}, not a {shape.what}")
        if asked not in (None, value):
            raise self.unexpected(name, f"is {self._shown(value)}, where {asked} was asked for")
        return str(value)

    def id_or_none(self, name: str, shape: Shape, asked: str | None = None) -> str | None:
        """An optional id; None where it is null, empty or left out. Raises as `id` does."""
        return None if self.fields.get(name) in (None, "") else self.id(name, shape, asked)

    def word(self, name: str) -> str:
        """A status or a type; "" if it is missing."""
        value = self.fields.get(name)
        known = isinstance(value, str) and len(value) <= LONGEST_WORD and _WORD.fullmatch(value)
        return str(value) if known else _line(value, LONGEST_WORD)

    def name(self, name: str) -> str:
        """A name; "" if it is missing."""
        return _line(self.fields.get(name), LONGEST_NAME)

    def number(self, name: str) -> int:
        """A whole number; 0 for anything else, such as the infinities that JSON parsers accept."""
        value = self.fields.get(name)
        return int(value) if isinstance(value, (int, float)) and math.isfinite(value) else 0

    def timestamp(self, name: str) -> str:
        """RFC 3339 in UTC; "" for anything else."""
        return rfc3339(self.fields.get(name))

    def part(self, name: str) -> Record:
        """The record within this one; an empty one if there is none."""
        value = self.fields.get(name)
        return Record(self.reply, f"{self.what}'s {name}", value if isinstance(value, dict) else {})

    def parts(self, name: str) -> list[Record]:
        """The list of records within this one; what is no record in it is left out."""
        value, what = self.fields.get(name), f"{self.what}'s {name.removesuffix('s')}"
        listed = value if isinstance(value, list) else []
        return [Record(self.reply, what, fields) for fields in listed if isinstance(fields, dict)]

    def unexpected(self, name: str, trouble: str) -> UnexpectedAnswer:
        """The error for a malformed record."""
        return self.reply.unexpected(f"with a {self.what} whose {name} {trouble}")

    def _shown(self, value: Any) -> str:
        if not isinstance(value, str):
            return f"of type {type(value).__name__}"
        return repr(quoted) if (quoted := self.reply.quote(value, LONGEST_ID)) else "some text"


def _line(value: Any, limit: int) -> str:
    return one_line(value, limit) if isinstance(value, (str, int, float)) else ""
