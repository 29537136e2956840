"""Generates the Pulumi program for existing shares: `pulumi up` then adopts them and changes nothing in the cloud.

Shares that it would change are left out, with a comment that says why: a rejected share would be offered again by a
BackupShareMember, and cancelled by a BackupShare.
"""

from __future__ import annotations

import json
import re

from collections import Counter, defaultdict
from operator import itemgetter
from typing import TYPE_CHECKING

from pulumi_cbr_sharing.audit.naming import backup_name, share_name
from pulumi_cbr_sharing.audit.templates import rendered
from pulumi_cbr_sharing.errors import one_line


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pulumi_cbr_sharing.audit.share import Share
    from pulumi_cbr_sharing.settings.connection import Connection


def program(shares: Iterable[Share], connections: Mapping[str, Connection], *, authoritative: bool = False) -> str:
    """Generate the program for shares, in the order of their names.

    Args:
        shares: the shares to adopt.
        connections: by the project of their account.
        authoritative: generate a BackupShare for each backup, not a BackupShareMember for each share.
    """
    groups: dict[tuple[str, str], list[Share]] = defaultdict(list)
    for share in shares:
        groups[share.backup.id, "" if authoritative else share.recipient].append(share)
    left_out = [group for group in groups.values() if _is_rejected(group)]
    adopted = _named([group for group in groups.values() if not _is_rejected(group)], authoritative=authoritative)
    variables = {project: _variable(connection) for project, connection in connections.items()}
    used = {group[0].owner for _, group in adopted if variables[group[0].owner]}
    text = rendered(
        "program.py.j2",
        authoritative=authoritative,
        adopted=adopted,
        left_out=left_out,
        connections={variables[project]: connections[project] for project in used},
        variables=variables,
        literal=lambda text: json.dumps(text, ensure_ascii=False),
        one_line=one_line,
    )
    return text.rstrip("\n") + "\n"


def _is_rejected(group: Iterable[Share]) -> bool:
    return any(share.member.status == "rejected" for share in group)


def _named(groups: Sequence[Sequence[Share]], *, authoritative: bool) -> list[tuple[str, Sequence[Share]]]:
    """Each group with a unique name, in the order of names; equal names get the ids as a suffix."""
    names = [backup_name(group[0].backup) if authoritative else share_name(group[0]) for group in groups]
    for detail in (_short_ids, _ids):
        counts = Counter(names)
        several = zip(names, groups, strict=True)
        names = [f"{name}-{detail(group[0])}" if counts[name] > 1 else name for name, group in several]
    return sorted(zip(names, groups, strict=True), key=itemgetter(0))


def _short_ids(share: Share) -> str:
    return share.backup.id[:8]


def _ids(share: Share) -> str:
    return f"{share.backup.id}-{share.recipient}"


def _variable(connection: Connection) -> str:
    """The name of a connection's variable; "" for the default one."""
    name = connection.namespace or connection.profile or ""
    return name and "connection_" + re.sub(r"[^a-z0-9]", "_", name.lower())
