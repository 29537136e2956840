"""One recipient of one backup: what happens on check, create, read, update and delete.

A share that exists already is adopted. A rejected one is cancelled and offered again, because the service keeps its
record and refuses a second offer (6703). A backup with ten recipients takes a new one only after another one has been
removed (6701): one that the program replaces.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.errors import AlreadyShared, BackupNotFound, CbrSharingError, Refused, TooManyRecipients
from pulumi_cbr_sharing.sharing.inputs import UNKNOWN, MemberInputs, Problem, is_unknown
from pulumi_cbr_sharing.sharing.live_shares import REJECTED


if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi_cbr_sharing.cbr.members import Member
    from pulumi_cbr_sharing.sharing.session import Session


OWN = "is the project that owns the backup: give the recipient's project"


@dataclass(frozen=True)
class Share:
    """A share as the state records it, see `BackupShareMember`."""

    backup_id: str
    dest_project_id: str
    status: str = ""
    share_id: str | None = None
    owner_project_id: str | None = None
    region: str | None = None
    endpoint: str | None = None
    vault_id: str | None = None
    image_id: str | None = None
    created_at: str | None = None
    updated_at: str | None = None

    def __str__(self) -> str:
        return f"the share of backup {self.backup_id} with project {self.dest_project_id}"


def declare(
    session: Session, inputs: MemberInputs, recorded: MemberInputs | None, *, planning: bool
) -> tuple[MemberInputs, list[Problem]]:
    """Declare a share in the ledger, so that deleting an older resource does not cancel it.

    Args:
        session: the owner's.
        inputs: what the program says; the shapes have been checked.
        recorded: what it said in the last run; None for a new share.
        planning: whether this is a preview, which also checks a new share against the cloud.

    Returns:
        The inputs, with the recipient's project, and the problems with them.
    """
    if inputs.dest_account is not None:
        try:
            inputs = replace(
                inputs, dest_project_id=_project(session, inputs.dest_account, recorded, planning=planning)
            )
        except CbrSharingError as error:
            return inputs, [Problem("dest_account" if isinstance(error, Refused) else "", error.told)]
    return inputs, list(_declared(session, inputs, recorded, planning=planning))


def create(session: Session, inputs: MemberInputs) -> Share:
    """Offer the share, or adopt the one that exists.

    Raises:
        Refused: it exists and `adopt` is False, or the recipient is the owner.
    """
    backup_id, project_id = inputs.backup_id, inputs.dest_project_id
    doing = f"sharing backup {backup_id} with project {project_id}"
    if project_id == session.client.project_id:
        raise Refused(f"{doing}: it {OWN}")
    if not inputs.adopt:
        _refuse_existing(session, doing, inputs)
    try:
        return _offer(session, inputs)
    except AlreadyShared:
        if not inputs.adopt:
            raise
        return _take_over(session, inputs)
    except TooManyRecipients as full:
        return _take_a_place(session, inputs, full)


def read(session: Session, recorded: Share) -> Share | None:
    """The share as it is now; None only if the service clearly says that it is gone.

    Raises:
        WrongProject: the settings are of another project, region or cloud than the state.
    """
    _guard(session, f"reading {recorded}", recorded)
    member = _live(session, recorded)
    return _share(session, recorded.backup_id, member) if member else None


def is_changed(recorded: Share, _inputs: MemberInputs) -> bool:
    """Whether the share was rejected, so that it has to be offered again."""
    return recorded.status == REJECTED


def update(session: Session, recorded: Share, inputs: MemberInputs) -> Share:
    """Offer a rejected share again. If only the connection has changed, check that it leads to the same share.

    Raises:
        Refused: it is gone.
    """
    live = read(session, recorded)
    if live is None:
        raise Refused(f"reading {recorded}: it is gone: run `pulumi up --refresh` to create it again")
    return _offer_again(session, inputs) if is_changed(live, inputs) else live


def delete(session: Session, recorded: Share) -> None:
    """Cancel the share, unless the program declares it; success if it is gone already."""
    _guard(session, f"cancelling {recorded}", recorded)
    if session.ledger.declares(recorded.backup_id, recorded.dest_project_id):
        session.say(
            f"{recorded} stays, because the program declares it; to offer it again, remove the resource from the "
            "program, run `pulumi up`, put it back, and run `pulumi up` again"
        )
        return
    session.live.remove(recorded.backup_id, recorded.dest_project_id)


def _project(session: Session, account: Any, recorded: MemberInputs | None, *, planning: bool) -> Any:
    """The recipient's project; while nobody can tell, the one that the account had when the share was created."""
    if is_unknown(account):
        return UNKNOWN
    known = recorded.dest_project_id if recorded and recorded.dest_account == account else None
    return session.looks.project(account, known, planning=planning) or UNKNOWN


def _declared(
    session: Session, inputs: MemberInputs, recorded: MemberInputs | None, *, planning: bool
) -> Iterator[Problem]:
    backup_id, project_id = inputs.backup_id, inputs.dest_project_id
    if project_id == session.client.known_project_id:
        yield Problem.it("dest_project_id", OWN)
        return
    if is_unknown(backup_id):
        return
    before = (recorded.backup_id, recorded.dest_project_id) if recorded else None
    known = None if is_unknown(project_id) else project_id
    if conflict := session.ledger.declare_member(backup_id, known, instead_of=before):
        yield Problem.it("backup_id", conflict)
    elif planning and recorded is None:
        yield from session.preflight.problems_with_member(backup_id, known, adopt=inputs.adopt is not False)
        if project_id == session.client.known_project_id:  # known at the latest after that request
            yield Problem.it("dest_project_id", OWN)


def _take_over(session: Session, inputs: MemberInputs) -> Share:
    """The existing share; a new one if it was rejected, or cancelled in the meantime."""
    member = session.live.look(inputs.backup_id).get(inputs.dest_project_id)
    if member is None:
        return _offer(session, inputs)
    return _offer_again(session, inputs) if member.status == REJECTED else _share(session, inputs.backup_id, member)


def _take_a_place(session: Session, inputs: MemberInputs, full: TooManyRecipients) -> Share:
    """Make room by removing a recipient that the program replaces; its share would be cancelled later in this run.

    A resource that the engine checks later may still declare that recipient. It offers the share again if it is new or
    replaced; if it has recorded the share, the next refresh finds it cancelled.
    """
    backup_id, project_id = inputs.backup_id, inputs.dest_project_id
    there = session.live.look(backup_id).members
    for old in sorted(session.ledger.members.leaving(backup_id) & set(there)):
        session.say(
            f"backup {backup_id} is full: project {project_id} takes the place of {old}, whose share is cancelled; if "
            "another resource declares that one, it is offered again, at the latest by `pulumi up --refresh`, and has "
            "to be accepted again"
        )
        session.live.remove(backup_id, old)
        with suppress(TooManyRecipients):
            return _offer(session, inputs)
    raise full


def _offer_again(session: Session, inputs: MemberInputs) -> Share:
    session.live.remove(inputs.backup_id, inputs.dest_project_id)
    return _offer(session, inputs)


def _offer(session: Session, inputs: MemberInputs) -> Share:
    backup_id, project_id = inputs.backup_id, inputs.dest_project_id
    member = session.live.add(backup_id, [project_id], wait=inputs.wait_for_backup)[project_id]
    return _share(session, backup_id, member)


def _refuse_existing(session: Session, doing: str, inputs: MemberInputs) -> None:
    member = session.live.look(inputs.backup_id).get(inputs.dest_project_id)
    if member:
        raise Refused(
            f"{doing}: it is shared already ({member.status}, record {member.id or 'without id'}, since "
            f"{member.created_at or 'an unknown time'}), and adopt is False: cancel that share first, or set "
            "adopt to True: then this resource owns it, and cancels it on destroy"
        )


def _guard(session: Session, doing: str, recorded: Share) -> None:
    def found() -> bool:
        member = _live(session, recorded)
        return member is not None and member.id == recorded.share_id

    session.guard(doing, recorded.region, recorded.owner_project_id, recorded.endpoint, found)


def _live(session: Session, recorded: Share) -> Member | None:
    try:
        return session.live.members(recorded.backup_id).get(recorded.dest_project_id)
    except BackupNotFound:
        return None


def _share(session: Session, backup_id: str, member: Member) -> Share:
    """A live share, as the state records it."""
    return Share(
        backup_id=backup_id,
        dest_project_id=member.dest_project_id,
        status=member.status,
        share_id=member.id,
        owner_project_id=session.client.project_id,
        region=session.settings.region,
        endpoint=session.settings.cbr,
        vault_id=member.vault_id,
        image_id=member.image_id,
        created_at=member.created_at,
        updated_at=member.updated_at,
    )
