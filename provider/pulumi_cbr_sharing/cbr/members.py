"""The members API: who a backup is shared with. One function a call, the API's own line above each.

The id of a member in a path is the recipient's project id, never the record's own `id` (API reference, "Querying
the Details of a Backup Member").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pulumi_cbr_sharing.cbr.paging import pages
from pulumi_cbr_sharing.errors import UnexpectedAnswer
from pulumi_cbr_sharing.http.messages import Call, Reply, row, rows
from pulumi_cbr_sharing.http.timestamps import rfc3339


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pulumi_cbr_sharing.http.client import Client


T = TypeVar("T")
Status = Literal["pending", "accepted", "rejected"]
MOST_RECIPIENTS = 10
_NOT_WHOLE = "the list does not fit its own count, so nothing is concluded from it: run it again"


@dataclass(frozen=True)
class Member:
    """One recipient of one backup.

    Attributes:
        dest_project_id: the recipient's project.
        status: `pending`, `accepted` or `rejected`, as the service says it.
        id: the record's own UUID.
        backup_id: the backup.
        vault_id: the recipient's vault, once accepted.
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


@dataclass(frozen=True)
class MemberList:
    """The members of a backup, and whether the list is known to be whole."""

    members: Mapping[str, Member]
    complete: bool

    def all(self) -> Mapping[str, Member]:
        """Every member by project.

        Raises:
            UnexpectedAnswer: the list may not be whole.
        """
        if self.complete:
            return self.members
        raise UnexpectedAnswer("listing the members of a backup: " + _NOT_WHOLE)

    def get(self, project_id: str) -> Member | None:
        """The member of a project; None if there is definitely none.

        Raises:
            UnexpectedAnswer: it is not in a list that may not be whole.
        """
        if project_id in self.members or self.complete:
            return self.members.get(project_id)
        raise UnexpectedAnswer(f"looking for project {project_id} among the members of a backup: {_NOT_WHOLE}")


# POST /v3/{project_id}/backups/{backup_id}/members  {"members": ["<project id>", …]} → 200 {"members": [Member, …]}
def add_members(
    client: Client, backup_id: str, project_ids: Sequence[str], *, look: Callable[[], T | None]
) -> Mapping[str, Member] | T:
    """Share a backup with projects.

    Args:
        client: the backup owner's.
        backup_id: an available backup of the client's project.
        project_ids: 1 to 10 recipients.
        look: asked after an end that leaves it open whether the backup is shared now; see `retry.persist`.

    Returns:
        The new members by project, or what `look` found: also where a success comes without members that can be read.

    Raises:
        AlreadyShared: with one of them, in whatever status; then none is added (that is inferred).
        BackupNotAvailable, BackupNotFound, ApiError: the service's other reasons.
    """
    call = Call(
        "POST",
        _path(client, backup_id),
        doing=f"sharing backup {backup_id} with project {', '.join(project_ids)}",
        action="cbr:member:create",
        body={"members": list(project_ids)},
        repeatable=False,
    )
    reply = client.send(call, look=look)
    if not isinstance(reply, Reply):
        return reply
    try:
        return _by_project(call, reply)
    except UnexpectedAnswer:
        # It was a success by its status, so the share may stand.
        if (found := look()) is not None:
            return found
        raise


# GET /v3/{project_id}/backups/{backup_id}/members → 200 {"members": [Member, …], "count": n}
def list_members(client: Client, backup_id: str) -> MemberList:
    """All members of a backup, over all pages.

    Raises:
        BackupNotFound: there is no such backup in the client's project.
    """
    call = Call(
        "GET",
        _path(client, backup_id),
        doing=f"listing the members of backup {backup_id}",
        action="cbr:member:list",
    )
    found, complete = pages(client, call, "members")
    return MemberList({member.dest_project_id: member for member in _members(call, found)}, complete)


# GET /v3/{project_id}/backups/{backup_id}/members/{member_id} → 200 {"member": Member}
def get_member(client: Client, backup_id: str, project_id: str) -> Member:
    """One member of a backup.

    Raises:
        MemberNotFound, BackupNotFound: there is none.
    """
    call = Call(
        "GET",
        _path(client, backup_id, project_id),
        doing=f"reading the share of backup {backup_id} with project {project_id}",
        action="cbr:member:get",
    )
    return _member(call, row(call, client.fetch(call), "member"))


# PUT /v3/{project_id}/backups/{backup_id}/members/{member_id}  {"status", "vault_id"} → 200 {"member": Member}
def answer_membership(client: Client, backup_id: str, status: Status, vault_id: str | None = None) -> Member:
    """Answer an offer, as the recipient. Repeatable: the same answer twice is one.

    Args:
        client: the recipient's; the member is its own project.
        backup_id: the sharer's backup.
        status: `accepted` needs a vault; `rejected` also gives an accepted share back.
        vault_id: the recipient's vault.

    Raises:
        MemberNotFound, BackupNotFound: there is no offer.
        ApiError: the vault does not fit, or the service's other reasons.
    """
    verb = {"accepted": "accepting", "rejected": "giving back"}.get(status, "answering")
    body = {"status": status, "vault_id": vault_id} if vault_id else {"status": status}
    call = Call(
        "PUT",
        _path(client, backup_id, client.project_id),
        doing=f"{verb} the share of backup {backup_id}",
        action="cbr:member:update",
        body=body,
    )
    return _member(call, row(call, client.fetch(call), "member"))


# DELETE /v3/{project_id}/backups/{backup_id}/members/{member_id} → 204
def remove_member(client: Client, backup_id: str, project_id: str) -> None:
    """Cancel a share. Repeatable: a second one finds no member.

    Raises:
        MemberNotFound, BackupNotFound: it is gone already.
        ImageRegistered: the recipient made an image from it.
        UnexpectedAnswer: a success other than 204, so not this service's.
    """
    call = Call(
        "DELETE",
        _path(client, backup_id, project_id),
        doing=f"cancelling the share of backup {backup_id} with project {project_id}",
        action="cbr:member:delete",
        expects=(204,),
    )
    client.fetch(call)


def _path(client: Client, backup_id: str, member_id: str | None = None) -> str:
    tail = f"/{member_id}" if member_id else ""
    return f"/v3/{client.project_id}/backups/{backup_id}/members{tail}"


def _by_project(call: Call, reply: Reply) -> Mapping[str, Member]:
    return {member.dest_project_id: member for member in _members(call, rows(call, reply, "members"))}


def _members(call: Call, found: list[dict[str, Any]]) -> list[Member]:
    return [_member(call, record) for record in found]


def _member(call: Call, record: Mapping[str, Any]) -> Member:
    """The one place where the API's record becomes a Member.

    Huawei Cloud sends explicit nulls, Open Telekom Cloud leaves such keys out: both are None here.
    """
    texts = {name: _text(record.get(name)) for name in Member.__dataclass_fields__}
    if not texts["dest_project_id"] or not texts["status"]:
        raise UnexpectedAnswer(
            f"{call.doing}: the answer has a member without dest_project_id or status: check the endpoint; nothing is "
            "concluded from it"
        )
    for name in ("created_at", "updated_at"):
        texts[name] = rfc3339(texts[name]) or None
    return Member(**texts)  # type: ignore[arg-type]


def _text(value: Any) -> str | None:
    return None if value is None or value == "" else str(value)
