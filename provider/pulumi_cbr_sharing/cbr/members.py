"""The members of a backup: the projects that it is shared with.

In a path, a member's id is the recipient's project id, never the record's own `id` (API reference, "Querying the
Details of a Backup Member").
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeVar

from pulumi_cbr_sharing import ids
from pulumi_cbr_sharing.cbr.api import Listing, ask, explained, path_to
from pulumi_cbr_sharing.errors import CbrSharingError, MalformedUrl, UnexpectedAnswer, WrongRecipient
from pulumi_cbr_sharing.http.codes import CODES
from pulumi_cbr_sharing.http.messages import Call, Reply


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pulumi_cbr_sharing.http.client import Client
    from pulumi_cbr_sharing.http.messages import Record


T = TypeVar("T")
Status = Literal["pending", "accepted", "rejected"]
MOST_RECIPIENTS = 10
# Which of 6704 and 9900 tells of a project that does not exist is inferred.
_WRONG_RECIPIENT = {(400, "BackupService.9900"): CODES["BackupService.9900"]._replace(error=WrongRecipient)}


@dataclass(frozen=True)
class Member:
    """One recipient of one backup.

    Attributes:
        dest_project_id: the recipient's project, 32 hexadecimal digits.
        status: `pending`, `accepted` or `rejected`, or whatever else the service says, as one short line.
        id: the record's own UUID.
        backup_id: the backup's UUID.
        vault_id: the UUID of the recipient's vault, if the share is accepted.
        image_id: the image that the recipient registered from the backup, if any.
        created_at, updated_at: RFC 3339 in UTC.
    """

    dest_project_id: str
    status: str
    id: str | None = None
    backup_id: str | None = None
    vault_id: str | None = None
    image_id: str | None = None
    created_at: str | None = None
    updated_at: str | None = None


# POST /v3/{project_id}/backups/{backup_id}/members  {"members": ["<project id>", …]} → 200 {"members": [Member, …]}
def add_members(
    client: Client, backup_id: str, project_ids: Sequence[str], *, look: Callable[[], T | None]
) -> Mapping[str, Member] | T:
    """Share a backup with projects; returns the new members by project, or what `look` found, see `Client.send`.

    Raises:
        AlreadyShared: with one of them, in whatever status; then none is added (inferred).
        WrongRecipient: one of them does not exist in the region; whether the others are added is not documented.
        BackupNotAvailable, BackupNotFound, ApiError: the service's other reasons.
        CbrSharingError: any of them, `unsure` if the backup may be shared now, whatever a look has found.
    """
    call = Call(
        "POST",
        path_to(client, "backups", backup_id, "members"),
        f"sharing backup {backup_id} with project {', '.join(project_ids)}",
        "cbr:member:create",
        body={"members": list(project_ids)},
        repeatable=False,
        meanings=_WRONG_RECIPIENT,
    )
    unsure = False

    def look_now() -> T | None:
        nonlocal unsure
        unsure = True
        return look()

    try:
        reply = ask(client, call, look_now)
        if not isinstance(reply, Reply):
            return reply
        try:
            members = [_member(record, backup_id) for record in reply.records("members")]
            added = {member.dest_project_id: member for member in members}
            if lacking := [project for project in project_ids if project not in added]:
                raise reply.unexpected(f"without the share with project {', '.join(lacking)}")
        except UnexpectedAnswer:
            # The status was a success, so the backup may be shared.
            if (found := look_now()) is not None:
                return found
            raise
    except CbrSharingError as error:
        raise error.again(unsure=unsure) from None
    return {project: added[project] for project in project_ids}


# GET /v3/{project_id}/backups/{backup_id}/members → 200 {"members": [Member, …], "count": n}
def list_members(client: Client, backup_id: str) -> Listing[Member]:
    """All members of a backup by project, over all pages; BackupNotFound if there is no such backup."""
    path = path_to(client, "backups", backup_id, "members")
    call = Call("GET", path, f"listing the members of backup {backup_id}", "cbr:member:list")
    listing = Listing(client, call, "members", partial(_member, backup_id=backup_id))
    try:
        for page in listing:
            listing.take(client.send(page))
    except MalformedUrl as refusal:
        raise explained(client, call, refusal) from None
    return listing


# GET /v3/{project_id}/backups/{backup_id}/members/{member_id} → 200 {"member": Member}
def get_member(client: Client, backup_id: str, project_id: str) -> Member:
    """One member of a backup; MemberNotFound or BackupNotFound if there is none."""
    path = path_to(client, "backups", backup_id, "members", project_id)
    call = Call("GET", path, f"reading the share of backup {backup_id} with project {project_id}", "cbr:member:get")
    return _member(ask(client, call).record("member"), backup_id, project_id)


# PUT /v3/{project_id}/backups/{backup_id}/members/{member_id}  {"status", "vault_id"} → 200 {"member": Member}
def answer_membership(client: Client, backup_id: str, status: Status, vault_id: str | None = None) -> Member:
    """Accept an offer into a vault, or reject it, as the recipient; `rejected` also gives an accepted share back.

    Raises:
        MemberNotFound, BackupNotFound: there is no offer.
        ApiError: the vault does not fit, or the service's other reasons.
    """
    verb = {"accepted": "accepting", "rejected": "giving back"}.get(status, "answering")
    body = {"status": status, "vault_id": vault_id} if vault_id else {"status": status}
    path = path_to(client, "backups", backup_id, "members", client.project_id)
    call = Call("PUT", path, f"{verb} the share of backup {backup_id}", "cbr:member:update", body=body)
    return _member(ask(client, call).record("member"), backup_id, client.project_id)


# DELETE /v3/{project_id}/backups/{backup_id}/members/{member_id} → 204
def remove_member(client: Client, backup_id: str, project_id: str) -> None:
    """Cancel a share.

    Raises:
        MemberNotFound, BackupNotFound: it is gone already.
        ImageRegistered: the recipient registered an image from it.
        UnexpectedAnswer: a success other than 204, which this service does not send.
    """
    path = path_to(client, "backups", backup_id, "members", project_id)
    doing = f"cancelling the share of backup {backup_id} with project {project_id}"
    ask(client, Call("DELETE", path, doing, "cbr:member:delete", expects=(204,)))


def _member(record: Record, backup_id: str, asked: str | None = None) -> Member:
    """Huawei Cloud sends nulls where Open Telekom Cloud leaves a key out: both become None."""
    if not (status := record.word("status")):
        raise record.reply.unexpected("with a member whose status is missing")
    return Member(
        dest_project_id=record.id("dest_project_id", ids.PROJECT, asked),
        status=status,
        id=record.id_or_none("id", ids.MEMBER_RECORD),
        backup_id=record.id_or_none("backup_id", ids.BACKUP, backup_id),
        vault_id=record.id_or_none("vault_id", ids.VAULT),
        image_id=record.id_or_none("image_id", ids.FOREIGN),
        created_at=record.timestamp("created_at") or None,
        updated_at=record.timestamp("updated_at") or None,
    )
