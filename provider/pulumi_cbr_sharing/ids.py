"""The shapes of the ids of this API, and the sentence that a wrong one gets.

Ids become parts of addresses, so an id of another shape is never sent, whether a program wrote it or the service
answered it. Backups, vaults and the records of members have UUIDs, projects 32 hexadecimal digits, all in lower case
(the vendors' API references).
"""

from __future__ import annotations

import re

from dataclasses import dataclass
from typing import Any

from pulumi_cbr_sharing.errors import one_line


LONGEST_NAME = 128  # characters of an account's name
LONGEST_TEXT = 255  # characters of a text to look for


@dataclass(frozen=True)
class Shape:
    """What an id looks like.

    Attributes:
        what: its name in a sentence.
        pattern: matches all of it.
        example: one that fits.
    """

    what: str
    pattern: re.Pattern[str]
    example: str = ""

    def fits(self, value: Any) -> bool:
        """Whether a value is such an id."""
        return isinstance(value, str) and self.pattern.fullmatch(value) is not None


_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HEX = re.compile(r"[0-9a-f]{32}")
BACKUP = Shape("backup id", _UUID, "0b07081e-3ec7-4e77-8571-54e2947da422")
VAULT = Shape("vault id", _UUID, "3ba8b1c2-7f8d-4f6e-9a3b-2f4b6c8d0e1f")
MEMBER_RECORD = Shape("id of a member's record", _UUID)
PROJECT = Shape("project id of 32 hexadecimal digits", _HEX, "0605767b5780d5762fc5c0118072a564")
# Servers, disks, images and checkpoints belong to other services, whose ids are not documented here. They are shown
# and looked for, never part of a path; even so nothing fits that could lead elsewhere.
FOREIGN = Shape("id", re.compile(r"[0-9A-Za-z_][0-9A-Za-z_.:-]{0,127}"))


def trouble_with_backup_id(value: Any) -> str | None:
    """What is wrong with a backup id, as the end of a sentence that begins with it; None if nothing is."""
    return _trouble(value, BACKUP)


def trouble_with_vault_id(value: Any) -> str | None:
    """What is wrong with a vault id; None if nothing is."""
    return _trouble(value, VAULT)


def trouble_with_project_id(value: Any) -> str | None:
    """What is wrong with a project id; None if nothing is."""
    return _trouble(value, PROJECT)


def trouble_with_account(value: Any) -> str | None:
    """What is wrong with the name of an account; None if nothing is. No page gives its shape, so this is generous."""
    expected = "give the account's name (the domain name)"
    if not isinstance(value, str):
        return f"is no text but of type {type(value).__name__}: {expected}"
    if not value.strip(". "):  # dots alone would lead to another address
        return f"is empty: {expected}"
    if len(value) > LONGEST_NAME:
        return f"has {len(value)} characters: {expected}"
    if value != value.strip() or not value.isprintable() or "/" in value:
        return f"has blanks around it, control characters or a slash: {expected}"
    return None


def trouble_with_text(value: Any) -> str | None:
    """What is wrong with a name, status or other text to look for; None if nothing is."""
    if not isinstance(value, str):
        return f"is no text but of type {type(value).__name__}"
    if not value.strip():
        return "is empty"
    if len(value) > LONGEST_TEXT:
        return f"has {len(value)} characters, and {LONGEST_TEXT} is the most"
    # Among these are lone surrogates such as "\ud800", which cannot be sent as UTF-8.
    return None if value.isprintable() else "has characters that cannot be printed"


def _trouble(value: Any, shape: Shape) -> str | None:
    expected = f"give a {shape.what} such as {shape.example}"
    if value is None or (isinstance(value, str) and not value.strip()):
        return f"is empty: {expected}"
    if not isinstance(value, str):
        return f"is no text but of type {type(value).__name__}: {expected}"
    return None if shape.fits(value) else f"{_difference(value, shape)}: {expected}"


def _difference(value: str, shape: Shape) -> str:
    if shape.fits(value.strip()):
        return "has blanks around it"
    if shape.fits(value.lower()) and value.isascii():
        return "has upper-case letters, which the service does not know"
    if len(value) > 64:  # noqa: PLR2004
        return f"has {len(value)} characters"
    if not value.isprintable():
        return "has control characters"
    return f"has another shape ({one_line(value)!r})"
