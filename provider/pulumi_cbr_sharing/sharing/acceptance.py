"""The recipient's answer to a share: what happens on check, create, read, update and delete.

A backup that the recipient sees in a vault is accepted, and one that it sees without a vault is an offer. It is not
documented whether it sees offers at all.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pulumi_cbr_sharing.cbr.backups import get_backup
from pulumi_cbr_sharing.cbr.members import answer_membership
from pulumi_cbr_sharing.errors import ApiError, BackupNotFound, MemberNotFound, Refused, WaitTimeout
from pulumi_cbr_sharing.sharing.inputs import AcceptanceInputs, Problem, is_unknown


if TYPE_CHECKING:
    from pulumi_cbr_sharing.cbr.backups import Backup
    from pulumi_cbr_sharing.sharing.session import Session


ACCEPTED: Final = "accepted"
PENDING: Final = "pending"
WITHDRAWN: Final = "withdrawn"


@dataclass(frozen=True)
class Acceptance:
    """A received backup as the state records it, see `BackupShareAccepter`; `vault_id` is "" unless it is accepted."""

    backup_id: str
    vault_id: str = ""
    status: str = ""
    owner_project_id: str = ""
    recipient_project_id: str | None = None
    region: str | None = None
    endpoint: str | None = None
    backup_name: str = ""
    resource_type: str = ""


def declare(
    session: Session, inputs: AcceptanceInputs, recorded: AcceptanceInputs | None, *, planning: bool
) -> tuple[AcceptanceInputs, list[Problem]]:
    """Declare an acceptance, as `member.declare` does with a share: an older resource must not give it back."""
    if is_unknown(inputs.vault_id):
        return inputs, []
    backup_id = None if is_unknown(inputs.backup_id) else inputs.backup_id
    if backup_id:
        before = (backup_id, recorded.vault_id) if recorded and recorded.backup_id == backup_id else None
        session.ledger.acceptances.add(backup_id, inputs.vault_id, instead_of=before)
    if not planning or recorded is not None:
        return inputs, []
    return inputs, list(session.preflight.problems_with_acceptance(backup_id, inputs.vault_id))


def create(session: Session, inputs: AcceptanceInputs) -> Acceptance:
    """Wait for the offer, and accept it; take over a share that was accepted into the same vault before.

    If a lookup of this run saw the offer, and it is gone, its owner has cancelled it meanwhile, as it may: the owner's
    pipeline does not wait for the recipient's.

    Raises:
        Refused: the share was accepted into another vault before.
        WaitTimeout: there was no offer in time.
    """
    backup_id, vault_id = inputs.backup_id, inputs.vault_id
    seen = _received(session, backup_id)
    if seen is None or not seen.vault_id:
        try:
            seen = _accept(session, backup_id, vault_id, float(inputs.wait_for_offer))
        except WaitTimeout:
            if inputs.pending is not True:
                raise
            session.say(f"the offer of backup {backup_id} was cancelled by its owner: there is nothing to accept")
            return _acceptance(session, backup_id, status=WITHDRAWN)
    if seen.vault_id != vault_id:
        raise Refused(
            f"accepting the share of backup {backup_id} into vault {vault_id}: it was accepted into vault "
            f"{seen.vault_id} before: set that vault_id, or give the share back first"
        )
    return _seen(session, seen)


def read(session: Session, recorded: Acceptance) -> Acceptance | None:
    """The backup as the recipient sees it; None if the recipient does not see it any more."""
    _guard(session, f"reading the received backup {recorded.backup_id}", recorded)
    seen = _received(session, recorded.backup_id)
    return _seen(session, seen) if seen else None


def is_changed(recorded: Acceptance, inputs: AcceptanceInputs) -> bool:
    """Whether the share has to be accepted again, because its owner cancelled it and offered it again."""
    return recorded.status == PENDING or inputs.pending is True


def update(session: Session, recorded: Acceptance, inputs: AcceptanceInputs) -> Acceptance:
    """Accept a share that is pending again; if only the connection changed, make sure that it sees the same backup.

    Raises:
        Refused: the backup is gone.
    """
    live = read(session, recorded)  # which also makes sure that it is the same cloud
    if live is None and inputs.pending is not True:
        raise Refused(f"reading the received backup {recorded.backup_id}: it is gone: run `pulumi up --refresh`")
    return create(session, inputs) if live is None or is_changed(live, inputs) else live


def delete(session: Session, recorded: Acceptance) -> None:
    """Give the share back, unless the program declares it; success if its owner has cancelled it."""
    backup_id = recorded.backup_id
    if recorded.status == WITHDRAWN:
        return
    _guard(session, f"giving back the share of backup {backup_id}", recorded)
    if session.ledger.acceptances.has(backup_id, recorded.vault_id):
        session.say(f"the share of backup {backup_id} stays accepted, because the program declares it")
        return
    with suppress(MemberNotFound, BackupNotFound):
        answer_membership(session.client, backup_id, "rejected")


def _accept(session: Session, backup_id: str, vault_id: str, wait: float) -> Backup:
    for _ in session.client.clock.tries(wait):
        try:
            answer_membership(session.client, backup_id, ACCEPTED, vault_id)
            return get_backup(session.client, backup_id)
        except (MemberNotFound, BackupNotFound):  # noqa: PERF203 - a loop of tries
            continue
        except ApiError:
            # A call that was repeated because its reply was lost may be refused, although the first one succeeded.
            seen = _received(session, backup_id)
            if seen is None or seen.vault_id != vault_id:
                raise
            return seen
    raise WaitTimeout(
        f"accepting the share of backup {backup_id}: there is no offer to project {session.client.project_id} after "
        f"{wait:.0f} s: let its owner share it, or set a larger wait_for_offer; if this program also shares it, set "
        "backup_id=share.backup_id, so that the share is created first"
    )


def _received(session: Session, backup_id: str) -> Backup | None:
    """The backup as the recipient sees it; None if the recipient does not see it.

    Raises:
        Refused: it is the project's own backup.
    """
    try:
        seen = get_backup(session.client, backup_id)
    except BackupNotFound:
        return None
    if seen.project_id == session.client.project_id:
        raise Refused(
            f"accepting the share of backup {backup_id}: it is a backup of project {seen.project_id} itself: "
            "use the recipient's Connection"
        )
    return seen


def _guard(session: Session, doing: str, recorded: Acceptance) -> None:
    """See `Session.guard`: it is the same cloud if the backup has the same owner there."""

    def found() -> bool:
        seen = _received(session, recorded.backup_id)
        return seen is not None and seen.project_id == recorded.owner_project_id

    session.guard(doing, recorded.region, recorded.recipient_project_id, recorded.endpoint, found)


def _seen(session: Session, seen: Backup) -> Acceptance:
    return _acceptance(
        session,
        seen.id,
        vault_id=seen.vault_id,
        status=ACCEPTED if seen.vault_id else PENDING,
        owner_project_id=seen.project_id,
        backup_name=seen.name,
        resource_type=seen.resource_type,
    )


def _acceptance(session: Session, backup_id: str, **found: Any) -> Acceptance:
    settings, project_id = session.settings, session.client.project_id
    return Acceptance(
        backup_id, recipient_project_id=project_id, region=settings.region, endpoint=settings.cbr, **found
    )
