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
from typing import TYPE_CHECKING, NamedTuple

import yaml

from pulumi_cbr_sharing.errors import SettingsError, one_line
from pulumi_cbr_sharing.ids import BACKUP, PROJECT


if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    Check = Callable[[str], str | None]  # the end of a sentence, such as `is empty`, or None if a text is right


DEFAULT_NAME = "cbr-sharing.yaml"
CLASSES = ("friendly", "third-party")


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
    # JSON may be indented with tabs, YAML may not; between the tokens of JSON any blank will do.
    text = text.expandtabs() if text.lstrip().startswith("{") else text
    try:
        top = _Part(yaml.compose(text, Loader=yaml.SafeLoader) or yaml.MappingNode("", []), "", 1)
        sections = top.fields(("recipients", "exceptions"))
        recipients = _recipients(sections["recipients"]) if "recipients" in sections else None
        exceptions = tuple(map(_exception, sections["exceptions"].entries())) if "exceptions" in sections else ()
    except (yaml.YAMLError, ValueError) as error:
        raise SettingsError(f"{path}: {one_line(error)}") from None
    return RecipientsFile(str(path), recipients, exceptions)


class _Part(NamedTuple):
    """A part of the file, and where it is."""

    node: yaml.Node
    where: str
    line: int

    def wrong(self, trouble: str) -> ValueError:
        return ValueError(f"line {self.line}: {self.where or 'it'} {trouble}")

    def fields(self, known: Collection[str]) -> dict[str, _Part]:
        """The parts of a map by key; it has no other keys than the known ones."""
        if not isinstance(self.node, yaml.MappingNode):
            raise self.wrong(f"is not a map with {', '.join(known)}")
        found: dict[str, _Part] = {}
        for key, node in self.node.value:
            name = str(key.value)
            part = _Part(node, f"{self.where}.{name}" if self.where else name, key.start_mark.line + 1)
            if name in found:
                raise part.wrong("is there twice")
            found[name] = part
        for part in (part for name, part in found.items() if name not in known):
            raise part.wrong(f"is not known; known are {', '.join(known)}")
        return found

    def entries(self) -> list[_Part]:
        """The parts of a list; nothing is an empty one."""
        if self.node.value == "":
            return []
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.wrong("is not a list")
        return [
            _Part(node, f"{self.where}[{index}]", node.start_mark.line + 1)
            for index, node in enumerate(self.node.value)
        ]

    def texts(self, checks: Mapping[str, Check]) -> list[str]:
        """The texts of a map that has all of these keys, in their order."""
        found = self.fields(checks)
        for name, trouble_with in checks.items():
            if name not in found:
                raise self.wrong(f"has no {name}")
            node = found[name].node
            # Every scalar is a text, so that an id of digits stays one.
            if trouble := trouble_with(node.value) if isinstance(node, yaml.ScalarNode) else "is not a text":
                raise found[name].wrong(trouble)
        return [found[name].node.value for name in checks]


def _recipients(section: _Part) -> dict[str, Recipient]:
    found: dict[str, Recipient] = {}
    for entry in section.entries():
        recipient = Recipient(*entry.texts(_RECIPIENT))
        if recipient.project_id in found:
            raise entry.wrong(f"has the project_id of another entry, {recipient.project_id}")
        found[recipient.project_id] = recipient
    return found


def _exception(entry: _Part) -> AgreedException:
    backup, recipient, reason, owner, until = entry.texts(_EXCEPTION)
    return AgreedException(backup, recipient, reason, owner, date.fromisoformat(until), entry.line)


def _unless_pattern(trouble_with: Check) -> Check:
    return lambda text: None if re.search(r"[*?\[]", text) else trouble_with(text)


def _trouble_with_blank(text: str) -> str | None:
    return None if text.strip() else "is empty"


def _trouble_with_class(text: str) -> str | None:
    return None if text in CLASSES else f"is {one_line(text, 40)!r}: give {' or '.join(CLASSES)}"


def _trouble_with_day(text: str) -> str | None:
    try:
        good = re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII) and date.fromisoformat(text)
    except ValueError:
        good = None
    return None if good else f"is {one_line(text, 40)!r}: give the last day, such as 2027-06-30"


# The keys of an entry, in the order of the attributes of its class.
_RECIPIENT: Mapping[str, Check] = {
    "project_id": PROJECT.trouble_with,
    "name": _trouble_with_blank,
    "owner": _trouble_with_blank,
    "class": _trouble_with_class,
}
_EXCEPTION: Mapping[str, Check] = {
    "backup": _unless_pattern(BACKUP.trouble_with),
    "recipient": _unless_pattern(PROJECT.trouble_with),
    "reason": _trouble_with_blank,
    "owner": _trouble_with_blank,
    "until": _trouble_with_day,
}
