"""Reads the records of an answer as foreign data.

An id must have its shape, because it may become part of an address; otherwise nothing is concluded from the answer. A
text becomes one line of limited length, because it is shown in messages, in the state and on terminals.
"""

from __future__ import annotations

import math
import re

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.cbr.second_look import told_apart
from pulumi_cbr_sharing.errors import UnexpectedAnswer, one_line
from pulumi_cbr_sharing.http.messages import row
from pulumi_cbr_sharing.timestamps import rfc3339


if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_cbr_sharing.http.client import Client
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
        what: what it describes: `backup`, `member`, ….
        fields: as received.
    """

    call: Call
    what: str
    fields: Mapping[str, Any]

    def id(self, name: str, shape: Shape) -> str:
        """A required id.

        Raises:
            UnexpectedAnswer: it is missing or malformed.
        """
        value = self.fields.get(name)
        if not shape.fits(value):
            raise self.unexpected(name, f"is {_shown(value)}, which is not a {shape.what}")
        return str(value)

    def id_or_none(self, name: str, shape: Shape) -> str | None:
        """An optional id; None where it is null, empty or left out.

        Raises:
            UnexpectedAnswer: it is malformed.
        """
        return None if self.fields.get(name) in (None, "") else self.id(name, shape)

    def require_id(self, name: str, shape: Shape, asked: str) -> None:
        """Make sure that the record is the one that was asked for; else raise UnexpectedAnswer."""
        if (told := self.id(name, shape)) != asked:
            raise self.unexpected(name, f"is {told!r}, where {asked} was asked for")

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

    def unexpected(self, name: str, trouble: str) -> UnexpectedAnswer:
        """The error for a malformed record."""
        return UnexpectedAnswer(
            f"{self.call.doing}: the answer has a {self.what} whose {name} {trouble}: check the endpoint; nothing is "
            "concluded from it"
        )


def fetch_record(client: Client, call: Call, what: str, *, name: str, shape: Shape, asked: str) -> Record:
    """Send a call that is answered with one record, under the key `what`, and make sure that its id is `asked`."""
    with told_apart(client, call):
        record = Record(call, what, row(call, client.send(call), what))
    record.require_id(name, shape, asked)
    return record


def _line(value: Any, limit: int) -> str:
    return one_line(value, limit) if isinstance(value, (str, int, float)) else ""


def _shown(value: Any) -> str:
    if value in (None, ""):
        return "missing"
    return repr(one_line(value, 80)) if isinstance(value, str) else f"of type {type(value).__name__}"
