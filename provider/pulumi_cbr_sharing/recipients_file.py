"""`cbr-sharing.yaml`: the projects that may receive backups, and the agreed exceptions.

    recipients:
      - project_id: 02e814ff2f81f01a5fb11caf75eed906
        name: disaster recovery
        owner: platform@example.org
        class: friendly              # or third-party
    exceptions:
      - backup: 9ee6e4bd-5c7d-4c3a-a1f0-2f6c1d1b7a10   # or a pattern, such as "*"
        recipient: 5f0c…
        reason: the auditor's copy
        owner: security@example.org
        until: 2027-06-30            # the last day, UTC

All keys are mandatory, and unknown ones are errors. JSON is read, too. Errors have the file, the line and the entry.
"""

from __future__ import annotations

import re

from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from pulumi_cbr_sharing.errors import SettingsError, one_line
from pulumi_cbr_sharing.ids import trouble_with_backup_id, trouble_with_project_id


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


DEFAULT_NAME = "cbr-sharing.yaml"
CLASSES = ("friendly", "third-party")
RECIPIENT_KEYS = ("project_id", "name", "owner", "class")
EXCEPTION_KEYS = ("backup", "recipient", "reason", "owner", "until")


@dataclass(frozen=True)
class Recipient:
    """A project that may receive backups.

    Attributes:
        project_id: 32 hexadecimal digits.
        name: its name for people.
        owner: whom to ask about it.
        class_: `friendly` or `third-party`.
    """

    project_id: str
    name: str
    owner: str
    class_: str


@dataclass(frozen=True)
class AgreedException:
    """An agreed share that no program declares, or that a rule forbids.

    Attributes:
        backup: a backup id, or a pattern: `*`, `?` and `[…]` are wildcards.
        recipient: a project id, or a pattern.
        reason: why it was agreed.
        owner: who is responsible for it.
        until: its last day, UTC.
        line: its line in the file.
    """

    backup: str
    recipient: str
    reason: str
    owner: str
    until: date
    line: int

    def covers(self, backup_id: str, project_id: str) -> bool:
        """Whether it covers the share of a backup with a project."""
        return fnmatchcase(backup_id, self.backup) and fnmatchcase(project_id, self.recipient)


@dataclass(frozen=True)
class RecipientsFile:
    """The content of a recipients file.

    Attributes:
        path: the path of the file, as given.
        recipients: by project id; None if the file has no list of recipients.
        exceptions: in the order of the file.
    """

    path: str = DEFAULT_NAME
    recipients: dict[str, Recipient] | None = None
    exceptions: tuple[AgreedException, ...] = ()

    def known(self, project_id: str) -> Recipient | None:
        """The recipient; None if it is not in the file."""
        return (self.recipients or {}).get(project_id)


def read_recipients_file(path: Path) -> RecipientsFile:
    """Read a recipients file.

    Raises:
        SettingsError: it cannot be read, or is not valid; says what is wrong, and where.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"reading {path}: {one_line(error)}") from None
    return parse(text, str(path))


def parse(text: str, path: str = DEFAULT_NAME) -> RecipientsFile:
    """Read the text of such a file.

    Raises:
        SettingsError: it is not valid; says what is wrong, and where.
    """
    try:
        top = _mapping(_yaml(text), ("recipients", "exceptions"), required=())
        recipients = [_recipient(entry) for entry in _entries(top.get("recipients"))]
        exceptions = [_exception(entry) for entry in _entries(top.get("exceptions"))]
    except (yaml.YAMLError, _WrongError) as error:
        raise SettingsError(f"{path}: {one_line(error)}") from None
    by_project = {recipient.project_id: recipient for recipient in recipients}
    if len(by_project) < len(recipients):
        twice = next(one.project_id for one in recipients if by_project[one.project_id] is not one)
        raise SettingsError(f"{path}: recipients: project {twice} is there twice")
    return RecipientsFile(path, by_project if "recipients" in top else None, tuple(exceptions))


class _Value(NamedTuple):
    """A part of the file: a text, a list or a map of values, and where it is."""

    value: Any
    where: str
    line: int


class _WrongError(Exception):
    """A part of the file is not valid."""

    def __init__(self, at: _Value, trouble: str) -> None:
        super().__init__(f"line {at.line}: {at.where or 'it'} {trouble}")


def _yaml(text: str) -> _Value:
    """Values with their lines; every scalar is a text, so that an id of digits stays one."""
    # JSON may be indented with tabs, YAML may not; between the tokens of JSON any blank will do.
    text = text.expandtabs() if text.lstrip().startswith("{") else text
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    return _Value({}, "", 1) if node is None else _converted(node, "")


def _converted(node: Any, where: str) -> _Value:
    line = node.start_mark.line + 1
    if node.id == "sequence":
        return _Value([_converted(one, f"{where}[{index}]") for index, one in enumerate(node.value)], where, line)
    if node.id == "mapping":
        return _Value(dict(_pairs(node, f"{where}." if where else "")), where, line)
    return _Value(node.value, where, line)


def _pairs(node: Any, prefix: str) -> Iterator[tuple[str, _Value]]:
    seen = set()
    for key, value in node.value:
        name, where = str(key.value), f"{prefix}{key.value}"
        if name in seen:
            raise _WrongError(_Value(name, where, key.start_mark.line + 1), "is there twice")
        seen.add(name)
        yield name, _converted(value, where)


def _mapping(at: _Value, known: tuple[str, ...], required: tuple[str, ...] | None = None) -> dict[str, _Value]:
    """A map that has all the keys it must have, and no other."""
    if not isinstance(at.value, dict):
        raise _WrongError(at, f"is not a map with {', '.join(known)}")
    found: dict[str, _Value] = at.value
    for name, value in found.items():
        if name not in known:
            raise _WrongError(value, f"is not known; known are {', '.join(known)}")
    for name in known if required is None else required:
        if name not in found:
            raise _WrongError(at, f"has no {name}")
    return found


def _entries(listed: _Value | None) -> list[_Value]:
    if listed is None or listed.value == "":
        return []
    if not isinstance(listed.value, list):
        raise _WrongError(listed, "is not a list")
    return listed.value


def _text(at: _Value, trouble_with: Callable[[str], str | None] = lambda _: None) -> str:
    if not isinstance(at.value, str) or not at.value.strip():
        raise _WrongError(at, "is empty, or not a text")
    if trouble := trouble_with(at.value):
        raise _WrongError(at, trouble)
    return at.value


def _recipient(at: _Value) -> Recipient:
    entry = _mapping(at, RECIPIENT_KEYS)
    return Recipient(
        _text(entry["project_id"], trouble_with_project_id),
        _text(entry["name"]),
        _text(entry["owner"]),
        _text(entry["class"], _trouble_with_class),
    )


def _exception(at: _Value) -> AgreedException:
    entry = _mapping(at, EXCEPTION_KEYS)
    return AgreedException(
        _text(entry["backup"], _unless_pattern(trouble_with_backup_id)),
        _text(entry["recipient"], _unless_pattern(trouble_with_project_id)),
        _text(entry["reason"]),
        _text(entry["owner"]),
        date.fromisoformat(_text(entry["until"], _trouble_with_day)),
        at.line,
    )


def _unless_pattern(trouble_with: Callable[[str], str | None]) -> Callable[[str], str | None]:
    return lambda text: None if re.search(r"[*?\[]", text) else trouble_with(text)


def _trouble_with_class(text: str) -> str | None:
    return None if text in CLASSES else f"is {one_line(text, 40)!r}: give {' or '.join(CLASSES)}"


def _trouble_with_day(text: str) -> str | None:
    try:
        good = re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII) and date.fromisoformat(text)
    except ValueError:
        good = None
    return None if good else f"is {one_line(text, 40)!r}: give the last day, such as 2027-06-30"
