"""The shapes of the API's ids, and what to say of a malformed one.

Ids become parts of paths, so a malformed one is never sent, whether it comes from a program or from the service.
Backups, vaults and the records of members have UUIDs, projects have 32 hexadecimal digits, all in lower case (the
vendors' API references).

`trouble_with…` returns the end of a sentence, such as `is empty: give …`, or None if the value is right.
"""

from __future__ import annotations

import re

from typing import Any, NamedTuple

from pulumi_cbr_sharing.errors import one_line


LONGEST_NAME = 128  # characters of an account's name
LONGEST_TEXT = 255  # characters of a filter
LONGEST_SHOWN = 64  # characters of a malformed id that are shown


class Shape(NamedTuple):
    """The shape of an id: what to call it, what matches the whole of it, and a valid one."""

    what: str
    pattern: re.Pattern[str]
    example: str = ""

    def fits(self, value: Any) -> bool:
        """Whether a value has this shape."""
        return isinstance(value, str) and self.pattern.fullmatch(value) is not None

    def trouble_with(self, value: Any) -> str | None:
        """What is wrong with a value that should have this shape."""
        return None if self.fits(value) else f"{self._difference(value)}: give a {self.what} such as {self.example}"

    def trouble_with_list(self, values: Any) -> str | None:
        """What is wrong with a value that should be a list of these ids, one at least."""
        if not isinstance(values, (list, tuple)) or not values:
            return f"is not a list, or an empty one: give a list with at least one {self.what}"
        trouble = next(filter(None, map(self.trouble_with, values)), None)
        return f"has an entry that {trouble}" if trouble else None

    def _difference(self, value: Any) -> str:
        text = value if isinstance(value, str) else ""
        if self.fits(text.strip()):
            return "has white space around it"
        if self.fits(text.lower()) and text.isascii():
            return "has upper-case letters, which the service does not accept"
        if len(text) > LONGEST_SHOWN:
            return f"has {len(text)} characters"
        return trouble_with_text("" if value is None else value) or f"has another shape ({one_line(value)!r})"


_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
BACKUP = Shape("backup id", _UUID, "0b07081e-3ec7-4e77-8571-54e2947da422")
VAULT = Shape("vault id", _UUID, "3ba8b1c2-7f8d-4f6e-9a3b-2f4b6c8d0e1f")
MEMBER_RECORD = Shape("member record id", _UUID)
_HEX = re.compile(r"[0-9a-f]{32}")
PROJECT = Shape("project id of 32 hexadecimal digits", _HEX, "0605767b5780d5762fc5c0118072a564")
# Servers, disks, images and checkpoints belong to other services, which document their ids elsewhere. These ids are
# shown and used as filters, never in a path; nothing fits that could lead elsewhere.
FOREIGN = Shape("valid id", re.compile(r"[0-9A-Za-z_][0-9A-Za-z_.:-]{0,127}"))


def trouble_with_account(value: Any) -> str | None:
    """What is wrong with an account's name. Its shape is not documented, so this is generous."""
    trouble = trouble_with_text(value, LONGEST_NAME)
    if not trouble and not value.strip("."):  # dots alone would be another path
        trouble = "has dots only"
    if not trouble and (value != value.strip() or "/" in value):
        trouble = "has white space around it, or a slash in it"
    return f"{trouble}: give the account's name (the domain name)" if trouble else None


def trouble_with_text(value: Any, longest: int = LONGEST_TEXT) -> str | None:
    """What is wrong with a name, a status or another filter."""
    if not isinstance(value, str):
        return f"is not a string but of type {type(value).__name__}"
    if not value.strip():
        return "is empty"
    if len(value) > longest:
        return f"has {len(value)} characters, more than {longest}"
    # Among these are lone surrogates such as "\ud800", which cannot be sent as UTF-8.
    return None if value.isprintable() else "has characters that cannot be printed"
