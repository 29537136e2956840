"""The shapes of the ids of this API, and the sentence that a wrong one gets.

Ids become parts of a path, so nothing of another shape is ever sent. Backups and vaults have UUIDs, projects and
accounts 32 hexadecimal digits, all in lower case (the vendors' API references).
"""

from __future__ import annotations

import re

from typing import Any

from pulumi_cbr_sharing.errors import one_line


_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HEX = re.compile(r"[0-9a-f]{32}")
LONGEST_NAME = 128


def trouble_with_backup_id(value: Any) -> str | None:
    """What is wrong with a backup id, as the end of a sentence that begins with it; None if nothing is."""
    return _trouble(value, _UUID, "a backup id such as 0b07081e-3ec7-4e77-8571-54e2947da422")


def trouble_with_vault_id(value: Any) -> str | None:
    """What is wrong with a vault id; None if nothing is."""
    return _trouble(value, _UUID, "a vault id such as 3ba8b1c2-7f8d-4f6e-9a3b-2f4b6c8d0e1f")


def trouble_with_project_id(value: Any) -> str | None:
    """What is wrong with a project id; None if nothing is."""
    return _trouble(value, _HEX, "a project id of 32 hexadecimal digits such as 0605767b5780d5762fc5c0118072a564")


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


def _trouble(value: Any, shape: re.Pattern[str], expected: str) -> str | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return f"is empty: give {expected}"
    if not isinstance(value, str):
        return f"is no text but of type {type(value).__name__}: give {expected}"
    if shape.fullmatch(value):
        return None
    return f"{_difference(value, shape)}: give {expected}"


def _difference(value: str, shape: re.Pattern[str]) -> str:
    if shape.fullmatch(value.strip()):
        return "has blanks around it"
    if shape.fullmatch(value.lower()) and value.isascii():
        return "has upper-case letters, which the service does not know"
    if len(value) > 64:  # noqa: PLR2004
        return f"has {len(value)} characters"
    if not value.isprintable():
        return "has control characters"
    return f"has another shape ({one_line(value)!r})"
