"""One recipient of one backup: what happens on check, create, read, update and delete.

A share that exists already is adopted, and a rejected one is offered again: see `Shares.settle`. Nobody is removed from
a backup with ten recipients (6701): only the engine knows who may go, by `delete_before_replace`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.cbr.members import MOST_RECIPIENTS, Member
from pulumi_cbr_sharing.cbr.projects import project_of_account
from pulumi_cbr_sharing.errors import AlreadyShared, CbrSharingError, Refused, TooManyRecipients
from pulumi_cbr_sharing.sharing.inputs import NOT_KNOWN, MemberInputs, Problem, is_unknown
from pulumi_cbr_sharing.sharing.shares import REJECTED


if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from pulumi_cbr_sharing.sharing.session import Session


OWN = "is the project that owns the backup: give the recipient's project"
_NO_ROOM = (
    "remove a recipient in a run before this one; if it is one that this program replaces, give that resource "
    "`delete_before_replace=True`"
)


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
            project_id = _project(session, inputs.dest_account, recorded, planning=planning)
        except CbrSharingError as error:
            return inputs, [Problem("dest_account" if isinstance(error, Refused) else "", error.told)]
        inputs = replace(inputs, dest_project_id=project_id)
    return inputs, list(_problems(session, inputs, recorded, planning=planning))


def create(session: Session, inputs: MemberInputs) -> Share:
    """Offer the share, or adopt the one that exists.

    If nobody can tell whether it was made, the error has it, without a status.

    Raises:
        Refused: it exists and `adopt` is False, or the recipient is the owner.
        TooManyRecipients: the backup has ten recipients, and this is none of them.
    """
    backup_id, project_id = inputs.backup_id, inputs.dest_project_id
    doing = f"sharing backup {backup_id} with project {project_id}"
    if project_id == session.client.project_id:
        raise Refused(f"{doing}: it {OWN}")
    adopts = _adopts(session, inputs)
    if not adopts and (member := session.shares.look(backup_id).get(project_id)):
        raise Refused(f"{doing}: it {_stranger(member)}")
    try:
        added = session.shares.add(backup_id, [project_id], wait=inputs.wait_for_backup)
    except (AlreadyShared, TooManyRecipients) as refusal:
        if not adopts:
            raise _with_way_out(refusal) from None
        return _settled(session, inputs, recorded=())
    except CbrSharingError as error:
        raise _half_done(session, inputs, error) from None
    return _share(session, backup_id, added[project_id])


def read(session: Session, recorded: Share) -> Share | None:
    """The share as it is now; None only if the service clearly says that it is gone."""
    _guard(session, f"reading {recorded}", recorded)
    if member := session.shares.find(recorded.backup_id, recorded.dest_project_id):
        return _share(session, recorded.backup_id, member)
    session.say(f"{recorded} is gone: somebody cancelled it, or the backup does not exist any more")
    return None


def is_changed(recorded: Share, _inputs: MemberInputs) -> bool:
    """Whether the share was rejected, so that it has to be offered again."""
    return recorded.status == REJECTED


def update(session: Session, recorded: Share, inputs: MemberInputs) -> Share:
    """Offer a rejected share again, or one whose create broke off.

    If only the connection has changed, check that it leads to the same share.

    Raises:
        Refused: it is gone.
    """
    _guard(session, f"reading {recorded}", recorded)
    live = session.shares.find(recorded.backup_id, recorded.dest_project_id)
    broke_off = not recorded.status
    if live is None and not broke_off:
        raise Refused(f"reading {recorded}: it is gone: run `pulumi up --refresh` to create it again")
    if live is None or live.status == REJECTED:
        return _settled(session, inputs, recorded=(recorded.dest_project_id,))
    if broke_off:
        session.say(
            f"{recorded} is there ({live.status}, {live.id or 'without an id'}, since "
            f"{live.created_at or 'an unknown time'}): the run that broke off has made it"
        )
    return _share(session, recorded.backup_id, live)


def delete(session: Session, recorded: Share) -> None:
    """Cancel the share, unless the program declares it; success if it is gone already."""
    _guard(session, f"cancelling {recorded}", recorded)
    if session.ledger.declares(recorded.backup_id, recorded.dest_project_id):
        session.say(f"kept {recorded}: the program declares it")
        return
    session.warn_if_alone()
    session.shares.remove(recorded.backup_id, recorded.dest_project_id)


def _project(session: Session, account: Any, recorded: MemberInputs | None, *, planning: bool) -> Any:
    """The recipient's project; while nobody can tell, the one that the account had when the share was created."""
    if is_unknown(account):
        return NOT_KNOWN
    known = recorded.dest_project_id if recorded and recorded.dest_account == account else None
    look = (project_of_account, account, session.settings.region)
    if known:
        found = session.ask(*look, final=(), otherwise=f"the share keeps project {known}")
    elif planning:
        found = session.ask(*look, final=(Refused,), otherwise="the preview goes on without the project")
    else:
        found = session.client.cached(*look)
    return found.id if found else known or NOT_KNOWN


def _problems(
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
    if conflict := session.ledger.declare_member(backup_id, known, recorded=before):
        yield Problem.it("backup_id", conflict)
    elif planning and recorded is None:
        trouble, live = session.foreseen(backup_id)
        if trouble:
            yield Problem.it("backup_id", trouble)
        elif known and (trouble := _trouble_with(session, inputs, live)):
            yield Problem.it("dest_project_id", trouble)


def _trouble_with(session: Session, inputs: MemberInputs, live: Mapping[str, Member]) -> str | None:
    """Why the backup cannot have a new recipient, as far as a preview knows."""
    backup_id, project_id = inputs.backup_id, inputs.dest_project_id
    if project_id == session.client.known_project_id:  # known at the latest now
        return OWN
    if there := live.get(project_id):
        if not _adopts(session, inputs):
            return _stranger(there)
        session.tell_ahead(backup_id, [there])
        return None
    wanted = session.ledger.recipients(backup_id)
    count = len(live.keys() | wanted)
    leaving = live.keys() & session.ledger.owned(backup_id) - wanted
    if count > MOST_RECIPIENTS and leaving:
        session.tell(
            f"warning: backup {backup_id} has no room for project {project_id} until it leaves "
            f"{' or '.join(sorted(leaving))}, which needs `delete_before_replace=True` on the resource that changes"
        )
    elif count > MOST_RECIPIENTS:
        return (
            f"is one too many: backup {backup_id} is shared with {len(live)} projects, this program adds "
            f"{count - len(live)}, and the maximum is {MOST_RECIPIENTS}: remove a recipient in an earlier run"
        )
    return None


def _adopts(session: Session, inputs: MemberInputs) -> bool:
    """Whether a share that exists is taken over; one that a resource of the program has recorded is no stranger's."""
    return inputs.adopt is not False or inputs.dest_project_id in session.ledger.owned(inputs.backup_id)


def _stranger(there: Member) -> str:
    return (
        f"is a recipient already ({there.status}, since {there.created_at or 'an unknown time'}, "
        f"{there.id or 'without an id'}), and adopt is False: if this program shared it under another name, give the "
        "resource `aliases`; else, also if a run of it broke off at that time, set adopt to True: then this resource "
        "owns the share, and cancels it on destroy"
    )


def _settled(session: Session, inputs: MemberInputs, *, recorded: Collection[str]) -> Share:
    backup_id, project_id = inputs.backup_id, inputs.dest_project_id
    done = session.shares.settle(backup_id, [project_id], wait=inputs.wait_for_backup)
    for error in done.errors:
        raise _half_done(session, inputs, _with_way_out(error), is_recorded=bool(recorded))
    for line in done.news(recorded=recorded):
        session.say(line)
    return _share(session, backup_id, done.members[project_id])


def _half_done(
    session: Session, inputs: MemberInputs, error: CbrSharingError, *, is_recorded: bool = False
) -> CbrSharingError:
    """The error, with the share that may be there: without a status, until it is seen."""
    if not error.unsure:
        return error
    share = _share(session, inputs.backup_id, Member(inputs.dest_project_id, status=""))
    left = f"the state does not record {share}, which may be there: run `pulumi up` again"
    if inputs.adopt:
        left += ", which takes it over"
    else:
        left += "; if that finds a share that is no older than this run, it is this one: set adopt to True"
    return error.again(made=share, left="" if is_recorded else session.unrecorded(left))


def _with_way_out(error: CbrSharingError) -> CbrSharingError:
    return error.again(remedy=_NO_ROOM) if isinstance(error, TooManyRecipients) else error


def _guard(session: Session, doing: str, recorded: Share) -> None:
    """See `Session.guard`: it is the same cloud if the share has the same record there."""

    def found() -> bool:
        member = session.shares.find(recorded.backup_id, recorded.dest_project_id)
        return member is not None and member.id == recorded.share_id

    session.guard(doing, recorded, recorded.owner_project_id, found)


def _share(session: Session, backup_id: str, member: Member) -> Share:
    known = {**vars(member), "share_id": member.id, "backup_id": backup_id, **session.place}
    del known["id"]
    return Share(owner_project_id=session.client.project_id, **known)
