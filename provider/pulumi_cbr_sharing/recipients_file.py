"""`cbr-sharing.yaml`: the projects that may receive backups, and the agreed exceptions, for audits and policies.

    recipients:
      - project_id: 02e814ff2f81f01a5fb11caf75eed906
        name: disaster recovery
        owner: platform@example.org
        class: friendly              # or third-party
    exceptions:
      - backup: 9ee6e4bd-5c7d-4c3a-a1f0-2f6c1d1b7a10   # or "*": every backup
        recipient: 5f0c…             # one project: no exception is for everybody
        reason: the auditor's copy
        owner: security@example.org
        until: 2027-06-30            # the last day, UTC; at most 366 days from now

All keys are mandatory, and unknown ones are errors. JSON is read, too. Errors have the file, the line and the entry.
The configuration of a policy has exceptions of the same keys and rules.
"""

from __future__ import annotations

import re

from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

import yaml

from pulumi_cbr_sharing.errors import SettingsError, one_line
from pulumi_cbr_sharing.ids import BACKUP, PROJECT
from pulumi_cbr_sharing.timestamps import moment


if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    Check = Callable[[str], str | None]  # the end of a sentence, such as `is empty`; None if a text is right


DEFAULT_NAME = "cbr-sharing.yaml"
CLASSES = ("friendly", "third-party")
LONGEST_TERM = timedelta(days=366)  # of an exception, from today


@dataclass(frozen=True)
class Recipient:
    """A project that may receive backups: its name for people, whom to ask, `friendly` or `third-party`."""

    project_id: str
    name: str
    owner: str
    class_: str


@dataclass(frozen=True)
class AgreedException:
    """An agreed share that no program declares, or something else that a rule forbids.

    Attributes:
        recipient: a project id; `*`, for every project, only in a policy that is not about recipients.
        backup: a backup id, or `*` for every backup.
        reason, owner, until: why it was agreed, who is responsible, and its last day, UTC.
        resource: in a policy, a pattern of names or URNs of resources.
        line: its line in the recipients file.
    """

    recipient: str
    backup: str
    reason: str
    owner: str
    until: date
    resource: str = "*"
    line: int = 0

    def covers(self, backup_id: str, *project_ids: str) -> bool:
        """Whether it covers the shares of a backup with all of these projects."""
        is_for_them = self.recipient == "*" or set(project_ids) == {self.recipient}
        return is_for_them and self.backup in ("*", backup_id)


@dataclass(frozen=True)
class RecipientsFile:
    """The content of a recipients file.

    Attributes:
        recipients: by project id; None if the file has no list of recipients.
        sha256: of its bytes; "" if it was not read.
        trouble: why it is not valid, and where; None if it is.
    """

    path: str = DEFAULT_NAME
    recipients: dict[str, Recipient] | None = None
    exceptions: tuple[AgreedException, ...] = ()
    sha256: str = ""
    trouble: str | None = None

    @property
    def not_in_force(self) -> str | None:
        """Why there is no list of recipients to judge by; None if there is one."""
        return self.trouble or (f"{self.path} has no recipients" if self.recipients is None else None)

    def known(self, project_id: str) -> Recipient | None:
        """The recipient; None if it is not in the file."""
        return (self.recipients or {}).get(project_id)


def read_recipients_file(path: Path) -> RecipientsFile:
    """Read a recipients file; SettingsError if there is none. What is wrong with its content is its `trouble`."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"reading {path}: {one_line(error)}") from None
    digest = sha256(content).hexdigest()
    try:
        return RecipientsFile(str(path), *_parsed(content.decode("utf-8-sig")), sha256=digest)
    except RecursionError:
        wrong = "it is nested too deep"
    except (yaml.YAMLError, ValueError) as error:
        wrong = one_line(error)
    return RecipientsFile(str(path), sha256=digest, trouble=f"{path}: {wrong}")


def _parsed(text: str) -> tuple[dict[str, Recipient] | None, tuple[AgreedException, ...]]:
    # JSON may be indented with tabs, YAML may not; between the tokens of JSON any blank will do.
    text = text.expandtabs() if text.lstrip().startswith("{") else text
    top = _Part(yaml.compose(text, Loader=yaml.SafeLoader) or yaml.MappingNode("", []), "", 1)
    sections = top.fields(("recipients", "exceptions"))
    recipients = _recipients(sections["recipients"]) if "recipients" in sections else None
    return recipients, tuple(map(_exception, sections["exceptions"].entries())) if "exceptions" in sections else ()


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
            if name in found or name not in known:
                raise part.wrong("is there twice" if name in found else f"is not known; known are {', '.join(known)}")
            found[name] = part
        return found

    def entries(self) -> list[_Part]:
        """The parts of a list; nothing is an empty one."""
        if self.node.value == "":
            return []
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.wrong("is not a list")
        nodes = enumerate(self.node.value)
        return [_Part(node, f"{self.where}[{index}]", node.start_mark.line + 1) for index, node in nodes]

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
    return AgreedException(recipient, backup, reason, owner, date.fromisoformat(until), line=entry.line)


# The rules for the texts of an entry; the configuration of policies has some of them, too.


def trouble_with_backup(text: str) -> str | None:
    """What is wrong with the backup of an exception."""
    return None if text == "*" else BACKUP.trouble_with(text)


def trouble_with_recipient(text: str) -> str | None:
    """What is wrong with the recipient of an exception."""
    if re.search(r"[*?\[]", text):
        return "is a pattern, and an exception is for one project: give a project id, and an entry for each"
    return PROJECT.trouble_with(text)


def trouble_if_blank(text: str) -> str | None:
    """What is wrong with a reason, a name or an owner."""
    return None if text.strip() else "is empty"


def trouble_with_last_day(text: str) -> str | None:
    """What is wrong with the last day of an exception."""
    day = moment(text) if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII) else None
    if day is None:
        return f"is {one_line(text, 40)!r}: give the last day, such as 2027-06-30"
    latest = datetime.now(timezone.utc) + LONGEST_TERM
    longer = f"is {text}, and no exception may be longer than {latest:%Y-%m-%d}: agree on it again then"
    return longer if day > latest else None


# The keys of an entry, in the order in which it is read.
_RECIPIENT: Mapping[str, Check] = {
    "project_id": PROJECT.trouble_with,
    **dict.fromkeys(("name", "owner"), trouble_if_blank),
    "class": lambda text: None if text in CLASSES else f"is {one_line(text, 40)!r}: give {' or '.join(CLASSES)}",
}
_EXCEPTION: Mapping[str, Check] = {
    "backup": trouble_with_backup,
    "recipient": trouble_with_recipient,
    **dict.fromkeys(("reason", "owner"), trouble_if_blank),
    "until": trouble_with_last_day,
}
