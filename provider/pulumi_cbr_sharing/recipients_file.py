"""`cbr-sharing.yaml`: who may receive backups, and which exceptions were agreed, by whom and until when.

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

Every key is mandatory, and no other is known. JSON is read, too. An error names the file, the line and the entry.
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
        name: as people call it.
        owner: whom to ask about it.
        class_: `friendly` or `third-party`.
    """

    project_id: str
    name: str
    owner: str
    class_: str


@dataclass(frozen=True)
class AgreedException:
    """A share that somebody agreed to, although no program declares it or a rule forbids it.

    Attributes:
        backup: a backup id, or a pattern of some: `*`, `?` and `[…]` are wildcards.
        recipient: a project id, or a pattern of some.
        reason: why.
        owner: who answers for it.
        until: its last day, UTC.
        line: where it stands in the file.
    """

    backup: str
    recipient: str
    reason: str
    owner: str
    until: date
    line: int

    def covers(self, backup_id: str, project_id: str) -> bool:
        """Whether it is about the share of a backup with a project."""
        return fnmatchcase(backup_id, self.backup) and fnmatchcase(project_id, self.recipient)


@dataclass(frozen=True)
class RecipientsFile:
    """What was agreed.

    Attributes:
        path: of the file, as it was named.
        recipients: by project id; None if the file does not say who may receive backups.
        exceptions: in the order of the file.
    """

    path: str = DEFAULT_NAME
    recipients: dict[str, Recipient] | None = None
    exceptions: tuple[AgreedException, ...] = ()

    def class_of(self, project_id: str) -> str:
        """`friendly`, `third-party`, or `unknown`."""
        recipient = (self.recipients or {}).get(project_id)
        return recipient.class_ if recipient else "unknown"


def read_recipients_file(path: Path) -> RecipientsFile:
    """Read a file of recipients and exceptions.

    Raises:
        SettingsError: says what is wrong with it, and where.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"reading {path}: {one_line(error)}") from None
    return parse(text, str(path))


def parse(text: str, path: str = DEFAULT_NAME) -> RecipientsFile:
    """The same, of the text of a file."""
    reader = _Reader(path)
    top = _mapping(reader, _yaml(text, path), ("recipients", "exceptions"), required=())
    recipients = [_recipient(reader, entry) for entry in reader.entries(top.get("recipients"))]
    exceptions = [_exception(reader, entry) for entry in reader.entries(top.get("exceptions"))]
    by_project = {recipient.project_id: recipient for recipient in recipients}
    if len(by_project) < len(recipients):
        twice = next(one.project_id for one in recipients if by_project[one.project_id] is not one)
        raise SettingsError(f"{path}: recipients: project {twice} is there twice")
    return RecipientsFile(path, by_project if "recipients" in top else None, tuple(exceptions))


class _Value(NamedTuple):
    """A part of the file: a text, a list or a map of values, and where it stands."""

    value: Any
    where: str
    line: int


class _Reader:
    def __init__(self, path: str) -> None:
        self._path = path

    def wrong(self, at: _Value, trouble: str) -> SettingsError:
        place = f"{at.where} " if at.where else "it "
        return SettingsError(f"{self._path}, line {at.line}: {place}{trouble}")

    def entries(self, listed: _Value | None) -> list[_Value]:
        if listed is None or listed.value == "":
            return []
        if not isinstance(listed.value, list):
            raise self.wrong(listed, "is no list")
        return listed.value

    def text(self, at: _Value, trouble_with: Callable[[str], str | None] = lambda _: None) -> str:
        if not isinstance(at.value, str) or not at.value.strip():
            raise self.wrong(at, "is empty, or no text")
        if trouble := trouble_with(at.value):
            raise self.wrong(at, trouble)
        return at.value


def _yaml(text: str, path: str) -> _Value:
    """Values with their lines; every scalar is a text, so that an id of digits alone stays one."""
    # JSON may be indented by tabs, YAML may not; between the tokens of JSON any blank is as good.
    text = text.expandtabs() if text.lstrip().startswith("{") else text
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        return _Value({}, "", 1) if node is None else _converted(node, "")
    except (yaml.YAMLError, _TwiceError) as error:
        raise SettingsError(f"{path}: {one_line(error)}") from None


class _TwiceError(Exception):
    """A key is there twice."""


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
        if str(key.value) in seen:
            raise _TwiceError(f"line {key.start_mark.line + 1}: {prefix}{key.value} is there twice")
        seen.add(str(key.value))
        yield str(key.value), _converted(value, f"{prefix}{key.value}")


def _mapping(
    reader: _Reader, at: _Value, known: tuple[str, ...], required: tuple[str, ...] | None = None
) -> dict[str, _Value]:
    """A map that has all the keys it must have, and no other."""
    if not isinstance(at.value, dict):
        raise reader.wrong(at, f"is no map with {', '.join(known)}")
    found: dict[str, _Value] = at.value
    for name, value in found.items():
        if name not in known:
            raise reader.wrong(value, f"is not known; known are {', '.join(known)}")
    for name in known if required is None else required:
        if name not in found:
            raise reader.wrong(at, f"has no {name}")
    return found


def _recipient(reader: _Reader, at: _Value) -> Recipient:
    entry = _mapping(reader, at, RECIPIENT_KEYS)
    return Recipient(
        reader.text(entry["project_id"], trouble_with_project_id),
        reader.text(entry["name"]),
        reader.text(entry["owner"]),
        reader.text(entry["class"], _trouble_with_class),
    )


def _exception(reader: _Reader, at: _Value) -> AgreedException:
    entry = _mapping(reader, at, EXCEPTION_KEYS)
    return AgreedException(
        reader.text(entry["backup"], _unless_pattern(trouble_with_backup_id)),
        reader.text(entry["recipient"], _unless_pattern(trouble_with_project_id)),
        reader.text(entry["reason"]),
        reader.text(entry["owner"]),
        date.fromisoformat(reader.text(entry["until"], _trouble_with_day)),
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
