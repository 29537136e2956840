"""BackupShareAccepter: the recipient's answer to a share.

    GET    /v3/{project_id}/backups/{backup_id}                        the recipient's view, once it has accepted
    PUT    /v3/{project_id}/backups/{backup_id}/members/{project_id}   {"status": "accepted", "vault_id": "…"}
    PUT    /v3/{project_id}/backups/{backup_id}/members/{project_id}   {"status": "rejected"}: given back

`project_id` is the recipient's in all of them.

Oddities of the API that show here:

* Before it is accepted, and after it was given back, the recipient does not find the backup, or sees it without a
  vault: the documents do not say which.
* What the recipient sees has the sharer's `project_id` and the recipient's own `vault_id`.
* An accepted share may be given back by rejecting it.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pulumi  # noqa: TC002 - the SDK resolves the annotations of a Resource at run time

from pulumi.dynamic import CreateResult, DiffResult, ReadResult, UpdateResult

from pulumi_cbr_sharing.resources.dynamic import CbrProvider, CbrResource, known, props, warn_of_plain_secrets
from pulumi_cbr_sharing.sharing import acceptance
from pulumi_cbr_sharing.sharing.acceptance import Acceptance
from pulumi_cbr_sharing.sharing.inputs import DEFAULT_OFFER_WAIT, AcceptanceInputs


if TYPE_CHECKING:
    from pulumi_cbr_sharing.settings.connection import Connection
    from pulumi_cbr_sharing.sharing.inputs import Problem


class BackupShareAccepter(CbrResource, module="huaweicloud/cbr", name="BackupShareAccepter"):
    """A share accepted into a vault of the recipient; given back when it is deleted.

    Args:
        resource_name: the name of the resource in the program.
        backup_id: the sharer's backup. Another one replaces the answer.
        vault_id: the recipient's vault, of the backup's type and with room for it. Another one replaces the answer.
        wait_for_offer: seconds that create waits for the offer to show.
        pending: whether a lookup of this run saw the offer pending. If so, it is accepted, even where the state has an
            earlier acceptance: its owner cancelled the share and offered it again, and no refresh has seen that.
        connection: the recipient's account, where the program's default is the sharer's.
        opts: Pulumi's options.

    Attributes:
        status: `accepted`; `pending` after a refresh that finds it cancelled and offered again, which shows as drift,
            and the next `up` accepts it again.
        owner_project_id: the project that shares.
        recipient_project_id: the project that accepted.
        region, endpoint: the region and CBR's address, as set.
        backup_name, resource_type: of the backup, as the recipient sees it.
    """

    backup_id: pulumi.Output[str]
    vault_id: pulumi.Output[str]
    status: pulumi.Output[str]
    owner_project_id: pulumi.Output[str]
    recipient_project_id: pulumi.Output[str]
    region: pulumi.Output[str | None]
    endpoint: pulumi.Output[str]
    backup_name: pulumi.Output[str]
    resource_type: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        backup_id: pulumi.Input[str],
        vault_id: pulumi.Input[str],
        wait_for_offer: pulumi.Input[float] = DEFAULT_OFFER_WAIT,
        pending: bool = False,
        connection: Connection | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        warn_of_plain_secrets(connection)
        seen = {"pending": True} if pending else {}
        inputs = {"backup_id": backup_id, "vault_id": vault_id, "wait_for_offer": wait_for_offer, **seen}
        super().__init__(BackupShareAccepterProvider(connection), resource_name, props(inputs, Acceptance), opts)


class BackupShareAccepterProvider(CbrProvider[AcceptanceInputs]):
    """The lifecycle of a BackupShareAccepter. Its name and module are in the state of every stack: they stay."""

    inputs_type = AcceptanceInputs

    def declare(
        self, inputs: AcceptanceInputs, recorded: AcceptanceInputs | None, *, planning: bool
    ) -> tuple[AcceptanceInputs, list[Problem]]:
        """What the cloud would refuse."""
        return inputs, list(acceptance.declare(self.session, inputs, recorded, planning=planning))

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Another backup or vault: given back, and accepted anew. Pending again, or another connection: an update."""
        recorded = known(Acceptance, olds)
        pending = acceptance.is_changed(recorded, known(AcceptanceInputs, news))
        names = ("backup_id",) if pending else ("backup_id", "vault_id")  # a pending share is in no vault
        replaces = [name for name in names if olds.get(name) != news.get(name)]
        return DiffResult(
            changes=bool(replaces) or pending or self.is_reconnected(olds, news),
            replaces=replaces,
            stables=["recipient_project_id", "region"],
            delete_before_replace="vault_id" in replaces,  # a backup is in one vault of a recipient at a time
        )

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Accept the offer; one that was accepted into the same vault before is taken over."""
        made = acceptance.create(self.session, known(AcceptanceInputs, props))
        return CreateResult(f"{made.backup_id}/{made.recipient_project_id}", asdict(made))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """The backup as the recipient sees it; gone if it sees none any more."""
        live = acceptance.read(self.recorded_session, known(Acceptance, props))
        return ReadResult(id_, asdict(live)) if live else ReadResult("", {})

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Accept a share that is pending again; or see that another connection leads to the same one."""
        recorded, inputs = known(Acceptance, olds), known(AcceptanceInputs, news)
        return UpdateResult(asdict(acceptance.update(self.recorded_session, recorded, inputs)))

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        """Give the share back; one that the sharer took away is as good as given back."""
        acceptance.delete(self.recorded_session, known(Acceptance, props))
