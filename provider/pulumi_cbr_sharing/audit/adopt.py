"""Generates the Pulumi program for existing shares: `pulumi up` then adopts them and changes nothing in the cloud.

Shares that it would change are left out, with a comment that says why: a rejected share would be offered again by a
BackupShareMember, and cancelled by a BackupShare.
"""

from __future__ import annotations

import json
import re

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from pulumi_cbr_sharing.audit.naming import backup_name, share_name
from pulumi_cbr_sharing.errors import one_line


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pulumi_cbr_sharing.audit.share import Share
    from pulumi_cbr_sharing.settings.connection import Connection


@dataclass(frozen=True)
class Adopted:
    """A resource of the program.

    Attributes:
        name: its name in the program.
        shares: those of a BackupShare, or the one of a BackupShareMember.
        variable: the variable of its connection; "" for the default one.
    """

    name: str
    shares: tuple[Share, ...]
    variable: str

    @property
    def backup_id(self) -> str:
        """The backup that is shared."""
        return self.shares[0].backup.id

    @property
    def about(self) -> str:
        """What is shared, for a comment."""
        backup = self.shares[0].backup
        what = one_line(backup.resource_name or backup.resource_id, 60)
        return ", ".join(filter(None, (what, one_line(backup.name, 60), f"made at {backup.created_at[:16]}")))


def program(shares: Iterable[Share], connections: Mapping[str, Connection], *, authoritative: bool = False) -> str:
    """Generate the program for shares, in the order of their names.

    Args:
        shares: the shares to adopt.
        connections: by the project of their account.
        authoritative: generate a BackupShare for each backup, not a BackupShareMember for each share.
    """
    groups, left_out = _grouped(list(shares), authoritative=authoritative)
    variables = {project: _variable(connection) for project, connection in connections.items()}
    adopted = _named(groups, variables, lambda group: _name(group, authoritative=authoritative))
    environment = Environment(
        loader=PackageLoader("pulumi_cbr_sharing", "audit"),
        autoescape=False,  # noqa: S701 - it generates Python: every text is a literal, or one line of a comment
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"literal": lambda text: json.dumps(text, ensure_ascii=False), "one_line": one_line}
    used = {variables[project]: connections[project] for project in connections}
    text = environment.get_template("program.py.j2").render(
        resource="BackupShare" if authoritative else "BackupShareMember",
        adopted=adopted,
        left_out=left_out,
        connections={name: used[name] for name in sorted({one.variable for one in adopted if one.variable})},
    )
    return text.rstrip("\n") + "\n"


def _grouped(shares: Sequence[Share], *, authoritative: bool) -> tuple[list[tuple[Share, ...]], list[str]]:
    """The shares of each resource, and why some are left out."""
    if not authoritative:
        kept: list[tuple[Share, ...]] = [(one,) for one in shares if one.member.status != "rejected"]
        return kept, [f"{_line(one)} is rejected" for one in shares if one.member.status == "rejected"]
    of_backup: dict[str, list[Share]] = {}
    for share in shares:
        of_backup.setdefault(share.backup.id, []).append(share)
    sound = [tuple(group) for group in of_backup.values() if all(one.member.status != "rejected" for one in group)]
    rest = [group for group in of_backup.values() if any(one.member.status == "rejected" for one in group)]
    return sound, [f"backup {group[0].backup.id} has a rejected share, which a set would cancel" for group in rest]


def _line(share: Share) -> str:
    return f"the share of backup {share.backup.id} with project {share.recipient}"


def _name(group: Sequence[Share], *, authoritative: bool) -> str:
    return backup_name(group[0].backup) if authoritative else share_name(group[0])


def _named(
    groups: Sequence[tuple[Share, ...]], variables: Mapping[str, str], name_of: Callable[[Sequence[Share]], str]
) -> list[Adopted]:
    """Each group with a unique name; equal names get the ids as a suffix."""
    names = {group: name_of(group) for group in groups}
    for detail in (_short_ids, _ids):
        counts = Counter(names.values())
        names = {group: f"{name}-{detail(group[0])}" if counts[name] > 1 else name for group, name in names.items()}
    adopted = [Adopted(name, group, variables.get(group[0].owner, "")) for group, name in names.items()]
    return sorted(adopted, key=lambda one: one.name)


def _short_ids(share: Share) -> str:
    return share.backup.id[:8]


def _ids(share: Share) -> str:
    return f"{share.backup.id}-{share.recipient}"


def _variable(connection: Connection) -> str:
    """The name of a connection's variable; "" for the default one."""
    name = connection.namespace or connection.profile or ""
    return name and "connection_" + re.sub(r"[^a-z0-9]", "_", name.lower())
