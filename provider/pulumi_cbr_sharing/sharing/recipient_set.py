"""Exactly these recipients of one backup: what happens on check, create, read, update and delete.

The live list counts, not the state: see `Shares.settle`.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.errors import CbrSharingError, ImageRegistered, Refused
from pulumi_cbr_sharing.sharing.inputs import Problem, SetInputs, is_unknown
from pulumi_cbr_sharing.sharing.shares import REJECTED


if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from pulumi_cbr_sharing.cbr.members import Member
    from pulumi_cbr_sharing.sharing.session import Session
    from pulumi_cbr_sharing.sharing.shares import Settled


@dataclass(frozen=True)
class RecipientSet:
    """The recipients of a backup as the state records them, see `BackupShare`."""

    backup_id: str
    dest_project_ids: list[str] = field(default_factory=list)
    statuses: dict[str, str] = field(default_factory=dict)
    share_ids: dict[str, str] = field(default_factory=dict)
    declared: list[str] = field(default_factory=list)
    owner_project_id: str | None = None
    region: str | None = None
    endpoint: str | None = None


def declare(
    session: Session, inputs: SetInputs, recorded: SetInputs | None, *, planning: bool
) -> tuple[SetInputs, list[Problem]]:
    """Declare all recipients of a backup, as `member.declare` does for one."""
    return inputs, list(_problems(session, inputs, look=planning and recorded is None))


def create(session: Session, inputs: SetInputs) -> RecipientSet:
    """Make the live list the declared one.

    After an error new shares are cancelled again if the state cannot record them; unless all that is wrong is that
    somebody registered an image from the backup.

    Raises:
        Refused: the owner is among the recipients.
        CbrSharingError: the service's reasons.
    """
    done = _settle(session, inputs, recorded=())
    if session.records_half_done or all(isinstance(error, ImageRegistered) for error in done.errors):
        return _recorded(session, inputs, done, recorded=())
    left = {*session.shares.remove_all(inputs.backup_id, done.offered()), *_doubtful(inputs, done)}
    raise done.errors[0].again(left=_left(inputs.backup_id, left))


def read(session: Session, recorded: RecipientSet) -> RecipientSet | None:
    """All recipients as they are now, also undeclared ones; None only if the backup is gone."""
    _guard(session, "reading", recorded)
    backup_id, live = recorded.backup_id, session.shares.all_of(recorded.backup_id)
    if live is None:
        session.say(f"the shares of backup {backup_id} are gone: the backup does not exist any more")
        return None
    declared = recorded.declared if recorded.owner_project_id else list(live)  # an import knows the id alone
    # The engine's own line on a changed list is cut off after 30 characters; the log of a pipeline needs the ids.
    if undeclared := ", ".join(sorted(live.keys() - set(declared))):
        session.say(f"warning: backup {backup_id} is also shared with {undeclared}, which is not declared")
    if lost := ", ".join(sorted(set(declared) - live.keys())):
        session.say(f"warning: backup {backup_id} is no longer shared with {lost}, which is declared")
    return _record(session, backup_id, live, declared)


def is_changed(recorded: RecipientSet, inputs: SetInputs) -> bool:
    """Whether the live recipients, or the recorded declared ones, differ from those in the program, in any order.

    A rejected share is a change, too: it has to be offered again.
    """
    wanted = _known(inputs.dest_project_ids)
    return (
        REJECTED in recorded.statuses.values()
        or wanted is None
        or {frozenset(recorded.dest_project_ids), frozenset(recorded.declared)} != {frozenset(wanted)}
    )


def update(session: Session, recorded: RecipientSet, inputs: SetInputs) -> RecipientSet:
    """Make the live list of the recorded backup the declared one.

    What could be done stays done, whatever else is refused, and the next run goes on from there.
    """
    _guard(session, "changing", recorded)
    done = _settle(session, inputs, recorded=recorded.declared)
    return _recorded(session, inputs, done, recorded=recorded.declared)


def delete(session: Session, recorded: RecipientSet) -> None:
    """Cancel the declared shares, unless the program declares them; shares that others made stay."""
    _guard(session, "cancelling", recorded)
    backup_id = recorded.backup_id
    if session.ledger.declares_set(backup_id):
        session.say(f"kept the shares of backup {backup_id}: the program declares them")
        return
    going = [project for project in recorded.declared if not session.ledger.declares(backup_id, project)]
    session.warn_if_alone()
    for error in session.shares.remove_all(backup_id, going).values():
        raise error


def _problems(session: Session, inputs: SetInputs, *, look: bool) -> Iterator[Problem]:
    backup_id, wanted = inputs.backup_id, _known(inputs.dest_project_ids)
    if own := _own(session, inputs):
        yield Problem.it("dest_project_ids", own)
    elif is_unknown(backup_id):
        return
    elif conflict := session.ledger.declare_set(backup_id, wanted):
        yield Problem.it("backup_id", conflict)
    elif look:
        trouble, live = session.foreseen(backup_id)
        if trouble:
            yield Problem.it("backup_id", trouble)
        elif own := _own(session, inputs):  # known at the latest now
            yield Problem.it("dest_project_ids", own)
        elif wanted is not None:
            session.tell_ahead(backup_id, [live[one] for one in sorted(wanted) if one in live])
            if undeclared := ", ".join(sorted(live.keys() - set(wanted))):
                also = f"warning: backup {backup_id} is also shared with {undeclared}"
                session.tell(f"{also}: this BackupShare cancels that")


def _own(session: Session, inputs: SetInputs) -> str | None:
    """What is wrong if the owner is among the recipients, as far as the owner is known."""
    own = session.client.known_project_id
    if is_unknown(inputs.dest_project_ids) or own not in inputs.dest_project_ids:
        return None
    return f"has {own}, the project that owns the backup: list only recipients"


def _settle(session: Session, inputs: SetInputs, *, recorded: Collection[str]) -> Settled:
    backup_id = inputs.backup_id
    if session.client.project_id in inputs.dest_project_ids:
        raise Refused(f"sharing backup {backup_id}: the list {_own(session, inputs)}")
    done = session.shares.settle(backup_id, sorted(inputs.dest_project_ids), exactly=True, wait=inputs.wait_for_backup)
    for line in done.news(recorded=recorded):
        session.say(line)
    return done


def _recorded(session: Session, inputs: SetInputs, done: Settled, *, recorded: Collection[str]) -> RecipientSet:
    """The recipients; with an error, only a door that can record them does so."""
    for error in done.errors:
        live: Mapping[str, Member] = done.members
        with suppress(CbrSharingError):
            live = session.shares.all_of(inputs.backup_id) or {}
        doubtful = _doubtful(inputs, done)
        own = live.keys() & {*inputs.dest_project_ids, *recorded} | doubtful
        made = _record(session, inputs.backup_id, live, own) if own or recorded else None
        new = {*done.offered(), *doubtful} - {*recorded}
        raise error.again(made=made, left=session.unrecorded(_left(inputs.backup_id, new)))
    return _record(session, inputs.backup_id, done.members, inputs.dest_project_ids)


def _doubtful(inputs: SetInputs, done: Settled) -> set[str]:
    """Recipients of whom nobody knows whether the backup is shared with them."""
    unsure = any(error.unsure for error in done.errors)
    return {*inputs.dest_project_ids} - done.members.keys() if unsure else set()


def _left(backup_id: str, project_ids: Collection[str]) -> str:
    """What the user has to know of shares that are, or may be, there."""
    names = ", ".join(sorted(project_ids))
    text = f"the state does not record that backup {backup_id} is, or may be, shared with {names}"
    return f"{text}: run `pulumi up` again" if names else ""


def _known(project_ids: Any) -> Sequence[str] | None:
    """The recipients; None as long as one of them is not known."""
    return None if is_unknown(project_ids) or any(map(is_unknown, project_ids)) else project_ids


def _guard(session: Session, verb: str, recorded: RecipientSet) -> None:
    """See `Session.guard`: the backup has one of the recorded shares, and no other share with the same project."""

    def found() -> bool:
        live = session.shares.all_of(recorded.backup_id)
        if live is None:
            return False
        same = [live[to].id == id_ for to, id_ in recorded.share_ids.items() if to in live]
        return all(same) and bool(same or not recorded.share_ids)

    session.guard(f"{verb} the shares of backup {recorded.backup_id}", recorded, recorded.owner_project_id, found)


def _record(session: Session, backup_id: str, live: Mapping[str, Member], declared: Collection[str]) -> RecipientSet:
    return RecipientSet(
        backup_id=backup_id,
        dest_project_ids=sorted(live),
        statuses={project: live[project].status for project in sorted(live)},
        share_ids={project: live[project].id or "" for project in sorted(live)},
        declared=sorted(declared),
        owner_project_id=session.client.project_id,
        **session.place,
    )
