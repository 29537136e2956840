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

from typing import TYPE_CHECKING, Any

import pulumi  # noqa: TC002 - the SDK resolves the annotations of a Resource at run time

from pulumi.dynamic import CheckFailure, CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult

from pulumi_cbr_sharing.cloud import say
from pulumi_cbr_sharing.errors import AlreadyShared, BackupNotFound, CbrSharingError, Refused
from pulumi_cbr_sharing.ids import trouble_with_project_id
from pulumi_cbr_sharing.lifecycle import (
    DEFAULT_WAIT,
    CbrProvider,
    CbrResource,
    is_unknown,
    trouble_with_wait,
    warn_of_plain_secrets,
)
from pulumi_cbr_sharing.live import REJECTED
from pulumi_cbr_sharing.recipients import project_of_recipient


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pulumi_cbr_sharing.members import Member
    from pulumi_cbr_sharing.settings import Connection


OWN = "is the project that owns the backup: give the recipient's"
OUTPUTS = (
    "status",
    "share_id",
    "owner_project_id",
    "region",
    "vault_id",
    "image_id",
    "created_at",
    "updated_at",
)


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
        region: the region, as set.
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
        # The SDK makes attributes only of properties that it was told about.
        outputs = dict.fromkeys(OUTPUTS)
        super().__init__(BackupShareMemberProvider(connection), resource_name, {**outputs, **inputs}, opts)


class BackupShareMemberProvider(CbrProvider):
    """The lifecycle of a BackupShareMember. Its name and module are in the state of every stack: they stay."""

    def troubles(self, news: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Wrong shapes, and a share with oneself."""
        backup_id, project_id, wait = (news.get(name) for name in ("backup_id", "dest_project_id", "wait_for_backup"))
        if trouble := self.trouble_with_shared(backup_id, "BackupShareMember"):
            yield "backup_id", trouble
        if project_id is None:
            yield (
                "dest_project_id",
                "is missing: give the recipient's project id, or the account's name as dest_account",
            )
        elif not is_unknown(project_id) and (trouble := trouble_with_project_id(project_id)):
            yield "dest_project_id", trouble
        elif project_id == self.own_project():
            yield "dest_project_id", OWN
        if trouble := trouble_with_wait(wait):
            yield "wait_for_backup", trouble
        adopt = news.get("adopt")
        if not (adopt is None or isinstance(adopt, bool) or is_unknown(adopt)):
            yield "adopt", "is neither true nor false"

    def refusals(self, news: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """A backup that cannot be shared; no room for the recipient."""
        plan, backup_id, project_id = self.cloud.plan, news["backup_id"], news["dest_project_id"]
        if is_unknown(backup_id):
            return
        if trouble := plan.trouble_with_backup(backup_id):
            yield "backup_id", trouble
        elif project_id == self.own_project():  # which may be known only since the look at the backup
            yield "dest_project_id", OWN
        elif not is_unknown(project_id):
            adopt = news.get("adopt") is not False
            if trouble := plan.trouble_with_recipient(backup_id, project_id, adopt=adopt):
                yield "dest_project_id", trouble

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """As everywhere; and note what the program declares, which no older resource takes along when it goes."""
        if news.get("dest_account") is not None:
            try:
                news["dest_project_id"] = project_of_recipient(self.cloud.project_of, news, olds)
            except CbrSharingError as error:
                blamed = "dest_account" if isinstance(error, Refused) else ""
                return CheckResult(news, [CheckFailure(blamed, str(error))])
        checked = super().check(olds, news)
        if not checked.failures:
            self.cloud.adopted.add(f"{news['backup_id']}/{news['dest_project_id']}")
        return checked

    def diff(self, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Another backup or recipient, or a rejected offer: a new share. Another connection: an update."""
        replaces = [name for name in ("backup_id", "dest_project_id") if olds.get(name) != news.get(name)]
        rejected, crowded = olds.get("status") == REJECTED, False
        if replaces == ["dest_project_id"]:
            crowded = self.cloud.plan.is_full(olds["backup_id"])
        if crowded:
            self.cloud.plan.leaves(olds["backup_id"], olds["dest_project_id"])
        if rejected and not replaces and id_ in self.cloud.adopted:
            # Declared, so this very resource is deleted next. A refresh compares, too, but declares nothing.
            self.cloud.renewed.add(id_)
        if rejected:
            replaces.append("status")
        return DiffResult(
            changes=bool(replaces) or self.reconnected(olds, news),
            replaces=replaces,
            stables=["share_id", "owner_project_id", "region", "created_at"],
            # The service refuses a new offer while the rejected one stands, or while there are ten.
            delete_before_replace=rejected or crowded,
        )

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Offer the share, or take over the one that is there."""
        backup_id, project_id = props["backup_id"], props["dest_project_id"]
        doing = f"sharing backup {backup_id} with project {project_id}"
        if project_id == self.cloud.client.project_id:
            raise Refused(f"{doing}: it {OWN}")
        if not props.get("adopt", True):
            self._refuse_existing(doing, backup_id, project_id)
        wait = float(props.get("wait_for_backup", DEFAULT_WAIT))
        try:
            member = self._offer(backup_id, project_id, wait)
        except AlreadyShared:
            if not props.get("adopt", True):
                raise
            member = self._take_over(backup_id, project_id, wait)
        return CreateResult(f"{backup_id}/{project_id}", self._state(backup_id, member))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """The share as it is now; gone only if the service says so beyond doubt."""
        backup_id, project_id = id_.split("/")
        self.guard(f"reading the share of backup {backup_id} with project {project_id}", props)
        member = self._live(backup_id, project_id)
        return ReadResult(id_, self._state(backup_id, member)) if member else ReadResult("", {})

    def update(self, _id: str, olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Nothing of a share can be changed; what changes is the connection, which must see the same share."""
        backup_id, project_id = olds["backup_id"], olds["dest_project_id"]
        doing = f"reading the share of backup {backup_id} with project {project_id}"
        self.guard(doing, olds)
        member = self._live(backup_id, project_id)
        if member is None:
            raise Refused(f"{doing}: it is gone: run `pulumi up --refresh` to make it again")
        return UpdateResult(self._state(backup_id, member))

    def delete(self, id_: str, props: dict[str, Any]) -> None:
        """Cancel the share; gone is success."""
        backup_id, project_id = id_.split("/")
        self.guard(f"cancelling the share of backup {backup_id} with project {project_id}", props)
        # A renamed resource, or one that became a BackupShare: the new one has the share before the old one goes, in
        # this run or in an earlier one that did not come to its end. What this run itself made is no older resource's.
        declared = {id_, backup_id} & self.cloud.adopted if id_ not in self.cloud.renewed else set()
        self.cloud.renewed.discard(id_)
        if declared and props.get("share_id") not in self.cloud.shares.made:
            say(f"the share of backup {backup_id} with project {project_id} stays: another resource owns it now")
            return
        self.cloud.shares.remove(backup_id, project_id)

    def _offer(self, backup_id: str, project_id: str, wait: float) -> Member:
        return self.cloud.shares.add(backup_id, [project_id], wait=wait)[project_id]

    def _take_over(self, backup_id: str, project_id: str, wait: float) -> Member:
        """The share that is there; a new one where it was rejected, or cancelled by somebody meanwhile."""
        member = self.cloud.shares.look(backup_id).get(project_id)
        if member and member.status != REJECTED:
            return member
        if member:
            self.cloud.shares.remove(backup_id, project_id)
        return self._offer(backup_id, project_id, wait)

    def _refuse_existing(self, doing: str, backup_id: str, project_id: str) -> None:
        member = self.cloud.shares.look(backup_id).get(project_id)
        if member:
            raise Refused(
                f"{doing}: it is shared already ({member.status}, record {member.id or 'without id'}, since "
                f"{member.created_at or 'an unknown time'}), and adopt is False: cancel that share first, or let "
                "adopt be True, and this resource will own it and cancel it on destroy"
            )

    def _live(self, backup_id: str, project_id: str) -> Member | None:
        try:
            return self.cloud.shares.members(backup_id).get(project_id)
        except BackupNotFound:
            return None

    def _state(self, backup_id: str, member: Member) -> dict[str, Any]:
        """The one place where a live share becomes the resource's properties."""
        return {
            "backup_id": backup_id,
            "dest_project_id": member.dest_project_id,
            "status": member.status,
            "share_id": member.id,
            "owner_project_id": self.cloud.client.project_id,
            "region": self.cloud.client.settings.region,
            "vault_id": member.vault_id,
            "image_id": member.image_id,
            "created_at": member.created_at,
            "updated_at": member.updated_at,
        }
