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

from typing import TYPE_CHECKING, Any

import pulumi  # noqa: TC002 - the SDK resolves the annotations of a Resource at run time

from pulumi_cbr_sharing.resources.dynamic import CbrProvider, CbrResource, known
from pulumi_cbr_sharing.sharing import acceptance
from pulumi_cbr_sharing.sharing.acceptance import Acceptance
from pulumi_cbr_sharing.sharing.inputs import DEFAULT_OFFER_WAIT, AcceptanceInputs


if TYPE_CHECKING:
    from pulumi.dynamic import DiffResult

    from pulumi_cbr_sharing.settings.connection import Connection


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
        seen = {"pending": True} if pending else {}
        inputs = {"backup_id": backup_id, "vault_id": vault_id, "wait_for_offer": wait_for_offer, **seen}
        super().__init__(BackupShareAccepterProvider(connection), resource_name, inputs, opts)


class BackupShareAccepterProvider(CbrProvider[AcceptanceInputs]):
    """The lifecycle of a BackupShareAccepter. Its name and module are in the state of every stack: they stay."""

    verbs = acceptance
    inputs_type, state_type = AcceptanceInputs, Acceptance
    id_parts = ("backup_id", "recipient_project_id")
    replaced_by = ("backup_id", "vault_id")
    stables = ("recipient_project_id", "region")

    def diff(self, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """An offer that is pending again is in no vault: an update accepts it."""
        if acceptance.is_changed(known(Acceptance, olds), known(AcceptanceInputs, news)):
            olds = {**olds, "vault_id": news.get("vault_id")}
        return super().diff(id_, olds, news)
