"""What could not be checked: in the programs, in the recipients file, in the cloud. Nothing looked at is not clean."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from pulumi_cbr_sharing.audit.findings import NOT_LOOKED_AT, Finding, Share, finding
from pulumi_cbr_sharing.audit.live import AGAIN


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pulumi_cbr_sharing.audit.declarations import Declaration, Source
    from pulumi_cbr_sharing.audit.live import Live, Unseen


def not_checked(sources: Sequence[Source], recipients_trouble: str | None, live: Live) -> Iterator[Finding]:
    """Findings about what could not be read.

    Args:
        sources: the programs that were to be compared.
        recipients_trouble: why no list of recipients was in force.
        live: the cloud.
    """
    if not sources:
        remedy = "name what declares shares, by --stack or --state"
        yield _of("programs", "no program was compared", "neither --stack nor --state was given", remedy)
    for source in sources:
        if source.trouble:
            what = f"what {source.kind} {source.name} declares was not compared"
            yield _of(source.name, what, source.trouble, f"name a state that can be read, then {AGAIN}")
        yield from (
            _unreadable(one) for one in source.declarations if one.hidden and not live.is_out_of_scope(one.backup)
        )
    if recipients_trouble:
        remedy = "list who may receive backups under `recipients`, and name the file by --recipients"
        yield _of("recipients", "whether recipients may receive backups was not checked", recipients_trouble, remedy)
    yield from (_of_unseen(one, live) for one in live.unseen)


def _of(subject: str, what: str, cause: str, remedy: str) -> Finding:
    return _not_looked_at(Share.unseen(), what, cause, remedy, subject)


def of_baseline(name: str, trouble: str) -> Finding:
    """A baseline that cannot be read: what has changed is not known."""
    remedy = "name an earlier report in JSON, or leave out --baseline"
    return _of("baseline", f"what has changed since {name} was not checked", trouble, remedy)


def _unreadable(one: Declaration) -> Finding:
    share = Share.unseen(one.backup or "", owner=one.owner or "", declared_by=(one,))
    cause = "its ids are encrypted in the state, or not in its inputs"
    remedy = "give backup and project by their plain ids: they are not secret"
    return _not_looked_at(share, f"{one.urn} was not compared", cause, remedy, one.urn)


def _of_unseen(one: Unseen, live: Live) -> Finding:
    if one.incoming:
        share = Share.unseen(one.backup, one.project, incoming=True)
    elif one.backup in live.backups:
        share = replace(Share.unseen(), backup=live.backups[one.backup])
    else:
        share = Share.unseen(one.backup, owner=one.project)
    return _not_looked_at(share, one.what, one.cause, one.remedy, one.what)


def _not_looked_at(share: Share, what: str, cause: str, remedy: str, subject: str = "") -> Finding:
    return finding(share, NOT_LOOKED_AT, f"{what}: {cause}", remedy, cause=cause, subject=subject)


def was_checked(live: Live, backup: str, owner: str = "") -> bool:
    """Whether everything about a backup was seen in the cloud.

    Args:
        live: what was seen.
        backup: its id, or the pattern of an exception.
        owner: its project; "" if it is not known.
    """
    if owner and not live.is_listed(owner):
        return False
    if not live.scope.is_everything and backup not in live.backups:
        return False
    return not any(
        (not owner or one.project in (owner, "")) and (not one.backup or fnmatchcase(one.backup, backup))
        for one in live.unseen
    )
