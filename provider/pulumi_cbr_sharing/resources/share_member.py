"""BackupShareMember: one recipient of one backup.

Additive: it owns its own share and no other, so several programs and people can share the same backup.

    POST   /v3/{project_id}/backups/{backup_id}/members                {"members": ["<dest_project_id>"]}
    GET    /v3/{project_id}/backups/{backup_id}/members                one list serves all members of a backup
    DELETE /v3/{project_id}/backups/{backup_id}/members/{dest_project_id}
    GET    /v3/domain/{account}/projects                               where a recipient is given by account name

Oddities of the API that show here:

* The member in a path is the recipient's project, not the record's id.
* A share that exists already is 400 6703, never 409; a rejected one still stands, and must go before a new offer.
* A 404 of another kind than "no such member" and "no such backup" says nothing about the share.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pulumi  # noqa: TC002 - the SDK resolves the annotations of a Resource at run time

from pulumi.dynamic import CreateResult, DiffResult, ReadResult, UpdateResult

from pulumi_cbr_sharing.resources.dynamic import (
    UNKNOWN_ON_THE_WIRE,
    CbrProvider,
    CbrResource,
    known,
    props,
    warn_of_plain_secrets,
)
from pulumi_cbr_sharing.sharing import member
from pulumi_cbr_sharing.sharing.inputs import DEFAULT_WAIT, UNKNOWN, MemberInputs, Problem
from pulumi_cbr_sharing.sharing.member import Share


if TYPE_CHECKING:
    from pulumi_cbr_sharing.settings.connection import Connection


class BackupShareMember(CbrResource, module="huaweicloud/cbr", name="BackupShareMember"):
    """One backup shared with one project.

    Args:
        resource_name: the name of the resource in the program.
        backup_id: the UUID of a backup in the project of the credentials. Another one replaces the share.
        dest_project_id: the recipient's project in the same region, 32 hexadecimal digits. Another one replaces it.
        dest_account: instead of it the name of the recipient's account, whose project in the region is looked up at
            every run. While that cannot be told, a share keeps the project that it was made with.
        adopt: take over a share that exists already (a rejected one is offered again); False refuses to.
        wait_for_backup: seconds that create waits for a backup that is still being made.
        connection: another account than that of `huaweicloud:*` and `HW_*`.
        opts: Pulumi's options.

    Attributes:
        status: `pending` until the recipient answers, then `accepted` or `rejected`. A refresh that finds it
            rejected shows drift, and the next `up` offers the share again.
        share_id: the UUID of the share's record.
        owner_project_id: the project that shares.
        region, endpoint: the region and CBR's address, as set.
        vault_id: the recipient's vault, once accepted.
        image_id: the image that the recipient registered; while there is one, the share cannot be cancelled.
        created_at, updated_at: RFC 3339, UTC.
    """

    backup_id: pulumi.Output[str]
    dest_project_id: pulumi.Output[str]
    status: pulumi.Output[str]
    share_id: pulumi.Output[str | None]
    owner_project_id: pulumi.Output[str]
    region: pulumi.Output[str | None]
    endpoint: pulumi.Output[str]
    vault_id: pulumi.Output[str | None]
    image_id: pulumi.Output[str | None]
    created_at: pulumi.Output[str | None]
    updated_at: pulumi.Output[str | None]

    def __init__(
        self,
        resource_name: str,
        *,
        backup_id: pulumi.Input[str],
        dest_project_id: pulumi.Input[str] | None = None,
        dest_account: pulumi.Input[str] | None = None,
        adopt: pulumi.Input[bool] = True,
        wait_for_backup: pulumi.Input[float] = DEFAULT_WAIT,
        connection: Connection | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        warn_of_plain_secrets(connection)
        inputs = {
            "backup_id": backup_id,
            "dest_project_id": dest_project_id,
            "dest_account": dest_account,
            "adopt": adopt,
            "wait_for_backup": wait_for_backup,
        }
        super().__init__(BackupShareMemberProvider(connection), resource_name, props(inputs, Share), opts)


class BackupShareMemberProvider(CbrProvider[MemberInputs]):
    """The lifecycle of a BackupShareMember. Its name and module are in the state of every stack: they stay."""

    inputs_type = MemberInputs

    def declare(
        self, inputs: MemberInputs, recorded: MemberInputs | None, *, planning: bool
    ) -> tuple[MemberInputs, list[Problem]]:
        """A share with oneself, a conflict in the program, what the cloud would refuse."""
        return member.declare(self.session, inputs, recorded, planning=planning)

    def checked(self, news: dict[str, Any], inputs: MemberInputs) -> dict[str, Any]:
        """The recipient's project, where it was given by the name of its account."""
        project = inputs.dest_project_id
        if inputs.dest_account is None or project is None:
            return news
        return {**news, "dest_project_id": UNKNOWN_ON_THE_WIRE if project is UNKNOWN else project}

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Another backup or recipient: a new share. A rejected offer, or another connection: an update."""
        replaces = [name for name in ("backup_id", "dest_project_id") if olds.get(name) != news.get(name)]
        return DiffResult(
            changes=bool(replaces) or member.is_changed(known(Share, olds)) or self.is_reconnected(olds, news),
            replaces=replaces,
            stables=["owner_project_id", "region"],
            delete_before_replace=False,  # create makes room itself where ten is the limit
        )

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Offer the share, or take over the one that is there."""
        share = member.create(self.session, known(MemberInputs, props))
        return CreateResult(f"{share.backup_id}/{share.dest_project_id}", asdict(share))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """The share as it is now; gone only if the service says so beyond doubt."""
        share = member.read(self.recorded_session, known(Share, props))
        return ReadResult(id_, asdict(share)) if share else ReadResult("", {})

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Offer a rejected share again; or see that another connection leads to the same one."""
        share = member.update(self.recorded_session, known(Share, olds), known(MemberInputs, news))
        return UpdateResult(asdict(share))

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        """Cancel the share; gone is success."""
        member.delete(self.recorded_session, known(Share, props))
