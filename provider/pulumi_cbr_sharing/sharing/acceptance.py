"""The recipient's answer to a share: what happens on check, create, read, update and delete."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pulumi_cbr_sharing.cbr.members import answer_membership
from pulumi_cbr_sharing.cbr.vaults import get_vault
from pulumi_cbr_sharing.errors import BackupNotFound, CbrSharingError, MemberNotFound, NotFound, Refused, WaitTimeout
from pulumi_cbr_sharing.sharing.inputs import AcceptanceInputs, Problem, is_unknown
from pulumi_cbr_sharing.sharing.received import ACCEPTED, PENDING, accept, see
from pulumi_cbr_sharing.sharing.shares import both


if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi_cbr_sharing.cbr.backups import Backup
    from pulumi_cbr_sharing.http.client import Client
    from pulumi_cbr_sharing.sharing.session import Session


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
        session.ledger.declare_acceptance(backup_id, inputs.vault_id)
    if planning and (recorded is None or (backup_id == recorded.backup_id and inputs.vault_id != recorded.vault_id)):
        return inputs, list(_foreseen(session, backup_id, inputs.vault_id, is_new=recorded is None))
    return inputs, []


def create(session: Session, inputs: AcceptanceInputs) -> Acceptance:
    """Wait for the offer, and accept it; take over a share that was accepted into the same vault before.

    If nobody can tell whether it is accepted, the error has it, with the status of an offer.

    If a lookup of this run saw the offer, and it is gone, its owner has cancelled it meanwhile, as it may: the owner's
    pipeline does not wait for the recipient's.

    Raises:
        Refused: the share was accepted into another vault before.
        WaitTimeout: there was no offer in time.
    """
    try:
        return _accepted(session, inputs)
    except CbrSharingError as error:
        if not error.unsure:
            raise
        left = (
            f"the state does not record that backup {inputs.backup_id} may be accepted into vault {inputs.vault_id}: "
            "run `pulumi up` again, which takes it over"
        )
        made = _acceptance(session, inputs.backup_id, status=PENDING)
        raise error.again(made=made, left=session.unrecorded(left)) from None


def _accepted(session: Session, inputs: AcceptanceInputs) -> Acceptance:
    backup_id, vault_id = inputs.backup_id, inputs.vault_id
    seen = see(session.client, backup_id, _accepting(backup_id))
    if seen and seen.vault_id == vault_id:
        session.say(
            f"adopted: backup {backup_id} was accepted into vault {vault_id} before; destroying this resource gives it "
            "back"
        )
    elif seen is None or not seen.vault_id:
        try:
            seen = accept(session.client, backup_id, vault_id, float(inputs.wait_for_offer))
        except (MemberNotFound, BackupNotFound):
            if inputs.pending is not True:
                raise WaitTimeout(
                    f"{_accepting(backup_id)}: there is no offer to project {session.client.project_id} after "
                    f"{float(inputs.wait_for_offer):.0f} s: let its owner share it, or set a larger wait_for_offer; if "
                    "this program also shares it, set backup_id=share.backup_id, so that the share is created first"
                ) from None
            session.say(f"the offer of backup {backup_id} was cancelled by its owner: there is nothing to accept")
            return _acceptance(session, backup_id, status=WITHDRAWN)
    if seen.vault_id != vault_id:
        raise Refused(f"{_accepting(backup_id)} into vault {vault_id}: it {_elsewhere(seen)}")
    return _seen(session, seen)


def read(session: Session, recorded: Acceptance) -> Acceptance | None:
    """The backup as the recipient sees it; None if the recipient does not see it any more."""
    doing = f"reading the received backup {recorded.backup_id}"
    _guard(session, doing, recorded)
    seen = see(session.client, recorded.backup_id, doing)
    if seen is None and recorded.status == ACCEPTED:
        session.say(f"backup {recorded.backup_id} is gone: its owner cancelled the share or deleted it, or it expired")
    return _seen(session, seen) if seen else None


def is_changed(recorded: Acceptance, inputs: AcceptanceInputs) -> bool:
    """Whether the vault is another one, or the share was cancelled and offered again."""
    return recorded.status == PENDING or inputs.pending is True or recorded.vault_id != inputs.vault_id


def update(session: Session, recorded: Acceptance, inputs: AcceptanceInputs) -> Acceptance:
    """Accept a share that is pending again, or move it into another vault; otherwise make sure that it is there.

    Raises:
        Refused: the backup is gone, or the new vault does not take it.
    """
    backup_id = recorded.backup_id
    doing = f"reading the received backup {backup_id}"
    _guard(session, doing, recorded)
    seen = see(session.client, backup_id, doing)
    if seen is None and inputs.pending is not True and recorded.status != PENDING:
        raise Refused(f"{doing}: it is gone: run `pulumi up --refresh`")
    if seen is None or not seen.vault_id:
        session.say(f"backup {backup_id} is on offer again: it is accepted again")
        return _accepted(session, inputs)
    return _seen(session, seen if seen.vault_id == inputs.vault_id else _moved(session, seen, inputs.vault_id))


def delete(session: Session, recorded: Acceptance) -> None:
    """Give the share back, unless the program declares it; success if its owner has cancelled it."""
    backup_id = recorded.backup_id
    if recorded.status == WITHDRAWN:
        return
    _guard(session, f"giving back the share of backup {backup_id}", recorded)
    if session.ledger.declares_acceptance(backup_id, recorded.vault_id):
        session.say(f"the share of backup {backup_id} stays accepted, because the program declares it")
        return
    session.warn_if_alone()
    with suppress(MemberNotFound, BackupNotFound):
        answer_membership(session.client, backup_id, "rejected")


def _foreseen(session: Session, backup_id: str | None, vault_id: str, *, is_new: bool) -> Iterator[Problem]:
    """What an update would refuse. As long as the backup is not known, only the vault is checked."""

    def received() -> Backup | None:
        return session.ask(see, backup_id, _accepting(backup_id), final=(Refused,)) if backup_id else None

    try:
        seen, vault = both(received, partial(session.ask, get_vault, vault_id))
    except NotFound:
        yield Problem.it("vault_id", session.not_there)
        return
    except Refused as error:
        yield Problem("backup_id", str(error))
        return
    there = seen.vault_id if seen else ""
    if is_new and seen and there not in ("", vault_id):
        yield Problem.it("backup_id", _elsewhere(seen))
    elif is_new and there:
        session.tell(f"backup {backup_id} was accepted into vault {vault_id} before: the update adopts that")
    if vault and is_new and (trouble := vault.against(None)):
        yield Problem.it("vault_id", f"{trouble}: give another vault")
    elif vault and seen and not is_new and there != vault_id and (trouble := vault.against(seen, seen.resource_size)):
        yield Problem.it("vault_id", f"{trouble}: the backup stays in vault {there}")


def _elsewhere(seen: Backup) -> str:
    return f"was accepted into vault {seen.vault_id} before: set that vault_id, or give the share back first"


def _moved(session: Session, seen: Backup, vault_id: str) -> Backup:
    """Give a backup back and accept it into another vault, which is looked at first.

    Whether a share can be accepted after it was rejected, without a new offer, is not documented: both must work.

    Raises:
        Refused: the new vault does not take it. Then it is accepted into the old one again, if the service allows.
    """
    client, backup_id = session.client, seen.id
    doing = f"moving backup {backup_id} from vault {seen.vault_id} into vault {vault_id}"
    if trouble := get_vault(client, vault_id).against(seen, seen.resource_size):
        raise Refused(f"{doing}: that vault {trouble}; nothing was changed")
    answer_membership(client, backup_id, "rejected")
    try:
        moved = accept(client, backup_id, vault_id)
    except WaitTimeout:  # the service says that it is there
        raise
    except CbrSharingError as error:
        raise Refused(f"{doing}: {error}; {_taken_back(client, seen)}") from error
    session.say(f"backup {backup_id} was moved from vault {seen.vault_id} into vault {vault_id}")
    return moved


def _taken_back(client: Client, former: Backup) -> str:
    """What became of a backup that was given back and that another vault did not take."""
    try:
        there = accept(client, former.id, former.vault_id)
    except CbrSharingError as error:
        return (
            f"it was given back, and could not be accepted into vault {former.vault_id} again ({error}): run `pulumi "
            "up --refresh`, and if there is no offer, let its owner cancel the share and offer it again"
        )
    return f"it is in vault {there.vault_id}" + (" again" if there.vault_id == former.vault_id else "")


def _accepting(backup_id: str) -> str:
    return f"accepting the share of backup {backup_id}"


def _guard(session: Session, doing: str, recorded: Acceptance) -> None:
    """See `Session.guard`: it is the same cloud if the backup has the same owner there."""

    def found() -> bool:
        seen = see(session.client, recorded.backup_id, doing)
        return seen is not None and seen.project_id == recorded.owner_project_id

    session.guard(doing, recorded, recorded.recipient_project_id, found)


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
    return Acceptance(backup_id, recipient_project_id=session.client.project_id, **session.place, **found)
