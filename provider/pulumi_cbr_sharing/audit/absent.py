"""Declared shares that are missing from the cloud, or that could not be checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.audit.findings import KINDS, NOT_LOOKED_AT, Finding
from pulumi_cbr_sharing.audit.rules import repair


if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi_cbr_sharing.audit.declared import Declaration, Declared
    from pulumi_cbr_sharing.audit.live import Live, LiveBackup, Unseen
    from pulumi_cbr_sharing.recipients_file import RecipientsFile


def absent(live: Live, declared: Declared, file: RecipientsFile) -> Iterator[Finding]:
    """Findings about declared shares that were not found, and about what could not be checked."""
    keys = dict.fromkeys([*declared.shares, *declared.acceptances])
    for backup_id, project in keys:
        sharing = tuple(declared.shares.get((backup_id, project), ()))
        accepting = tuple(declared.acceptances.get((backup_id, project), ()))
        yield from _judged(_Declared(live, file, backup_id, project, sharing, accepting))
    for one in declared.all:
        if one.hidden and (one.backup is None or _in_scope(live, one.backup)):
            yield _unreadable(one)
    yield from (_of_backup(live, seen) for seen in live.backups.values() if seen.trouble)
    yield from map(_of_project, live.unseen)


@dataclass(frozen=True)
class _Declared:
    """A declared share, and what is known of it."""

    live: Live
    file: RecipientsFile
    backup_id: str
    project: str
    sharing: tuple[Declaration, ...]
    accepting: tuple[Declaration, ...]

    @property
    def all(self) -> tuple[Declaration, ...]:
        """The resources that declare it, on either side."""
        return self.sharing + self.accepting

    @property
    def seen(self) -> LiveBackup | None:
        """The backup, if it was looked at."""
        return self.live.backups.get(self.backup_id)

    @property
    def owner(self) -> str | None:
        """The project that shares the backup, as seen in the cloud, else as the state says."""
        return self.seen.owner if self.seen else next((one.owner for one in self.all if one.owner), None)

    def finding(self, kind: str, message: str, remedy: str, cause: str, **more: Any) -> Finding:
        """A finding about it."""
        backup = self.seen.backup if self.seen else None
        return Finding(
            kind,
            message,
            remedy,
            owner=self.owner or "",
            backup_id=self.backup_id,
            recipient=self.project,
            severity=KINDS[kind].severity,
            account=self.live.projects.get(self.owner or "", ""),
            backup=backup,
            vault_name=self.live.vault_names.get(backup.vault_id, "") if backup else "",
            recipient_class=self.file.class_of(self.project),
            recipient_known=(self.file.recipients or {}).get(self.project),
            declared_by=self.all,
            cause=cause,
            place=next((one.place for one in self.all if one.place), None),
            **more,
        )


def _judged(one: _Declared) -> Iterator[Finding]:
    live = one.live
    if one.backup_id in live.others or not _in_scope(live, one.backup_id):
        return
    if one.seen:
        yield from _against_members(one, one.seen)
    elif one.owner in live.listed:
        yield _missing(one, "the backup no longer exists")
    elif one.owner in live.projects:  # its list could not be read, which is a finding of its own
        return
    elif one.accepting and one.project in live.projects:
        yield from _against_offers(one)
    else:
        yield _elsewhere(one)


def _in_scope(live: Live, backup_id: str) -> bool:
    return not live.scope.backups or backup_id in live.scope.backups


def _against_members(one: _Declared, seen: LiveBackup) -> Iterator[Finding]:
    member = next((member for member in seen.members if member.dest_project_id == one.project), None)
    if member is None and seen.whole:
        yield _missing(one, "the backup no longer exists" if seen.gone else "the backup is not shared with it")
    elif member and member.status == "pending" and one.accepting:
        yield _missing(one, "it is offered but not accepted", status=member.status, since=member.created_at)


def _against_offers(one: _Declared) -> Iterator[Finding]:
    """An accepter of another project's backup, seen from the recipient's side."""
    live = one.live
    offer = next((o for o in live.offers if (o.backup.id, o.recipient) == (one.backup_id, one.project)), None)
    unseen = any(u.incoming and u.project == one.project and u.backup in ("", one.backup_id) for u in live.unseen)
    if offer and offer.member.status == "pending":
        yield _missing(one, "it is offered but not accepted", status="pending", since=offer.member.created_at)
    elif not offer and one.project in live.offers_read and not unseen:
        yield _missing(one, "it is no longer offered")
    elif not offer and not unseen:
        yield _not_looked(one, "shares from other projects were not checked", "add --incoming")


def _missing(one: _Declared, cause: str, **more: Any) -> Finding:
    what = "is shared with" if one.sharing else "is accepted by"
    return one.finding(
        "missing",
        f"a program declares that backup {one.backup_id} {what} project {one.project}: {cause}",
        f"{repair(one.all)}; or remove it from the program",
        cause,
        **more,
    )


def _elsewhere(one: _Declared) -> Finding:
    if one.owner:
        return _not_looked(one, f"its project {one.owner} is not audited", "add a --connection for its account")
    cause = "no audited project has the backup, and the state does not say whose it is"
    return _not_looked(one, cause, "add a --connection for its account, or refresh the state")


def _not_looked(one: _Declared, cause: str, remedy: str) -> Finding:
    message = f"the declared share of backup {one.backup_id} with project {one.project} was not looked at: {cause}"
    return one.finding(NOT_LOOKED_AT, message, remedy, cause)


def _unreadable(one: Declaration) -> Finding:
    cause = "its ids are encrypted in the state"
    return Finding(
        NOT_LOOKED_AT,
        f"{one.urn} was not compared: {cause}",
        "give the ids as plain values: they are not secret",
        owner=one.owner or "",
        backup_id=one.backup or "",
        declared_by=(one,),
        cause=cause,
        place=one.place,
    )


def _of_backup(live: Live, seen: LiveBackup) -> Finding:
    return Finding(
        NOT_LOOKED_AT,
        f"the recipients of backup {seen.backup.id} could not be read: {seen.trouble}",
        "run the audit again",
        owner=seen.owner,
        backup_id=seen.backup.id,
        account=seen.account,
        backup=seen.backup,
        vault_name=live.vault_names.get(seen.backup.vault_id, ""),
        cause=seen.trouble,
    )


def _of_project(unseen: Unseen) -> Finding:
    what = f"shares of other projects with project {unseen.project}" if unseen.incoming else f"project {unseen.project}"
    return Finding(
        NOT_LOOKED_AT,
        f"{what} could not be checked: {unseen.cause}",
        "run the audit again with credentials that may read it",
        owner="" if unseen.incoming else unseen.project,
        backup_id=unseen.backup,
        recipient=unseen.project if unseen.incoming else "",
        account=unseen.account,
        cause=unseen.cause,
        incoming=unseen.incoming,
    )
