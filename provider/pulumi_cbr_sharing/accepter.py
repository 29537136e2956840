"""BackupShareAccepter: the recipient's answer to a share.

    GET    /v3/{project_id}/backups/{backup_id}                        the recipient's view, once it has accepted
    PUT    /v3/{project_id}/backups/{backup_id}/members/{project_id}   {"status": "accepted", "vault_id": "…"}
    PUT    /v3/{project_id}/backups/{backup_id}/members/{project_id}   {"status": "rejected"}: given back

`project_id` is the recipient's in all of them.

Oddities of the API that show here:

* Before it is accepted, and after it was given back, the recipient does not find the backup at all.
* What the recipient sees has the sharer's `project_id` and the recipient's own `vault_id`.
* An accepted share may be given back by rejecting it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi  # noqa: TC002 - the SDK resolves the annotations of a Resource at run time

from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult

from pulumi_cbr_sharing.backups import get_backup
from pulumi_cbr_sharing.cloud import say
from pulumi_cbr_sharing.errors import ApiError, BackupNotFound, MemberNotFound, Refused, WaitTimeout
from pulumi_cbr_sharing.ids import trouble_with_backup_id, trouble_with_vault_id
from pulumi_cbr_sharing.lifecycle import (
    CbrProvider,
    CbrResource,
    is_unknown,
    trouble_with_wait,
    warn_of_plain_secrets,
)
from pulumi_cbr_sharing.members import answer_membership


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pulumi_cbr_sharing.backups import Backup
    from pulumi_cbr_sharing.settings import Connection


DEFAULT_OFFER_WAIT = 300.0  # seconds for an offer to show
OUTPUTS = ("status", "owner_project_id", "recipient_project_id", "region", "backup_name", "resource_type")


class BackupShareAccepter(CbrResource, module="huaweicloud/cbr", name="BackupShareAccepter"):
    """A share accepted into a vault of the recipient; given back when it is deleted.

    Args:
        resource_name: the name of the resource in the program.
        backup_id: the sharer's backup. Another one replaces the answer.
        vault_id: the recipient's vault, of the backup's type and with room for it. Another one replaces the answer.
        wait_for_offer: seconds that create waits for the offer to show.
        connection: the recipient's account, where the program's default is the sharer's.
        opts: Pulumi's options.

    Attributes:
        status: `accepted`.
        owner_project_id: the project that shares.
        recipient_project_id: the project that accepted.
        region: the region, as set.
        backup_name, resource_type: of the backup, as the recipient sees it.
    """

    backup_id: pulumi.Output[str]
    vault_id: pulumi.Output[str]
    status: pulumi.Output[str]
    owner_project_id: pulumi.Output[str]
    recipient_project_id: pulumi.Output[str]
    region: pulumi.Output[str | None]
    backup_name: pulumi.Output[str]
    resource_type: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        backup_id: pulumi.Input[str],
        vault_id: pulumi.Input[str],
        wait_for_offer: pulumi.Input[float] = DEFAULT_OFFER_WAIT,
        connection: Connection | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        warn_of_plain_secrets(connection)
        inputs = {"backup_id": backup_id, "vault_id": vault_id, "wait_for_offer": wait_for_offer}
        provider = BackupShareAccepterProvider(connection)
        super().__init__(provider, resource_name, {**dict.fromkeys(OUTPUTS), **inputs}, opts)


class BackupShareAccepterProvider(CbrProvider):
    """The lifecycle of a BackupShareAccepter. Its name and module are in the state of every stack: they stay."""

    def troubles(self, news: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Wrong shapes."""
        backup_id, vault_id = news.get("backup_id"), news.get("vault_id")
        if not is_unknown(backup_id) and (trouble := trouble_with_backup_id(backup_id)):
            yield "backup_id", trouble
        if not is_unknown(vault_id) and (trouble := trouble_with_vault_id(vault_id)):
            yield "vault_id", trouble
        if trouble := trouble_with_wait(news.get("wait_for_offer")):
            yield "wait_for_offer", trouble

    def refusals(self, news: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """A vault that is not there, or a backup that is in another one; a warning where it seems not to fit."""
        plan, vault_id = self.cloud.plan, news["vault_id"]
        backup_id = None if is_unknown(news["backup_id"]) else news["backup_id"]
        if is_unknown(vault_id):
            return
        if trouble := plan.trouble_with_vault(backup_id, vault_id):
            yield "vault_id", trouble
        if backup_id and (trouble := plan.trouble_with_own(backup_id, vault_id)):
            yield "backup_id", trouble

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """As everywhere; and note what the program declares, which no older resource gives back when it goes."""
        checked = super().check(olds, news)
        if not checked.failures:
            self.cloud.adopted.add(_declared(news))
        return checked

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Another backup or vault: given back, and accepted anew. Another connection: an update."""
        replaces = [name for name in ("backup_id", "vault_id") if olds.get(name) != news.get(name)]
        if "vault_id" in replaces:
            self.cloud.plan.leaves(olds["backup_id"], olds["vault_id"])
        return DiffResult(
            changes=bool(replaces) or self.reconnected(olds, news),
            replaces=replaces,
            stables=["recipient_project_id", "region"],
            delete_before_replace="vault_id" in replaces,  # a backup is in one vault of a recipient at a time
        )

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Accept the offer; one that was accepted into the same vault before is taken over."""
        backup_id, vault_id = props["backup_id"], props["vault_id"]
        seen = self._received(backup_id)
        if seen is None:
            seen = self._accept(backup_id, vault_id, float(props.get("wait_for_offer", DEFAULT_OFFER_WAIT)))
        if seen.vault_id != vault_id:
            raise Refused(
                f"accepting the share of backup {backup_id} into vault {vault_id}: it was accepted into vault "
                f"{seen.vault_id} before: give that vault_id, or give the share back first"
            )
        return CreateResult(f"{backup_id}/{self.cloud.client.project_id}", self._state(seen))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """The backup as the recipient sees it; gone if it sees none any more."""
        backup_id = id_.partition("/")[0]
        self._guard(f"reading the received backup {backup_id}", props)
        seen = self._received(backup_id)
        return ReadResult(id_, self._state(seen)) if seen else ReadResult("", {})

    def update(self, id_: str, olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Only the connection changes; it must see the same backup."""
        backup_id = id_.partition("/")[0]
        self._guard(f"reading the received backup {backup_id}", olds)
        seen = self._received(backup_id)
        if seen is None:
            raise Refused(f"reading the received backup {backup_id}: it is gone: run `pulumi up --refresh`")
        return UpdateResult(self._state(seen))

    def delete(self, id_: str, props: dict[str, Any]) -> None:
        """Give the share back; one that the sharer took away is as good as given back."""
        backup_id = id_.partition("/")[0]
        self._guard(f"giving back the share of backup {backup_id}", props)
        # A renamed resource: the new one took the share over before the old one goes.
        if _declared(props) in self.cloud.adopted:
            say(f"the share of backup {backup_id} stays accepted: another resource owns it now")
            return
        try:
            answer_membership(self.cloud.client, backup_id, "rejected")
        except (MemberNotFound, BackupNotFound):
            return

    def _accept(self, backup_id: str, vault_id: str, wait: float) -> Backup:
        """Answer as soon as there is an offer."""
        clock, pause = self.cloud.client.clock, 1.0
        ends = clock.now() + wait
        while True:
            try:
                answer_membership(self.cloud.client, backup_id, "accepted", vault_id)
                return get_backup(self.cloud.client, backup_id)
            except (MemberNotFound, BackupNotFound) as missing:  # noqa: PERF203 - a loop of tries
                left = ends - clock.now()
                if left <= 0:
                    raise WaitTimeout(
                        f"{missing.doing}: there is no offer of it to project {self.cloud.client.project_id} after "
                        f"{wait:.0f} s: let its owner share it, or give a larger wait_for_offer"
                    ) from None
                clock.sleep(min(pause, left))
                pause = min(pause * 1.5, 15.0)
            except ApiError:
                # An answer that was repeated after a lost reply may be refused, because it has been given.
                seen = self._received(backup_id)
                if seen is None or seen.vault_id != vault_id:
                    raise
                return seen

    def _received(self, backup_id: str) -> Backup | None:
        """The backup in the recipient's view; None if there is none.

        Raises:
            Refused: it is the project's own backup.
        """
        try:
            seen = get_backup(self.cloud.client, backup_id)
        except BackupNotFound:
            return None
        if seen.project_id == self.cloud.client.project_id:
            raise Refused(
                f"accepting the share of backup {backup_id}: it is a backup of project {seen.project_id} itself: "
                "give the recipient's Connection"
            )
        return seen

    def _guard(self, doing: str, props: Mapping[str, Any]) -> None:
        self.guard(doing, {"region": props.get("region"), "owner_project_id": props.get("recipient_project_id")})

    def _state(self, seen: Backup) -> dict[str, Any]:
        """The one place where a received backup becomes the resource's properties."""
        return {
            "backup_id": seen.id,
            "vault_id": seen.vault_id,
            "status": "accepted",
            "owner_project_id": seen.project_id,
            "recipient_project_id": self.cloud.client.project_id,
            "region": self.cloud.client.settings.region,
            "backup_name": seen.name,
            "resource_type": seen.resource_type,
        }


def _declared(props: Mapping[str, Any]) -> str:
    """A share accepted into a vault: in another vault it is another, and the old one has to be given back."""
    return f"{props.get('backup_id')} in {props.get('vault_id')}"
