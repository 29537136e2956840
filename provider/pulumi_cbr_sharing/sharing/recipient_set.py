"""Exactly these recipients of one backup: what happens on check, create, read, update and delete.

What counts is the live list, not what the state remembers. What is missing is added by one POST; whoever is not
declared is removed. A new share stands before an old one goes; only where ten is the limit, or a rejected record is in
the way, removals come first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.cbr.members import MOST_RECIPIENTS
from pulumi_cbr_sharing.errors import AlreadyShared, BackupNotFound, CbrSharingError, ImageRegistered, Refused
from pulumi_cbr_sharing.sharing.inputs import Problem, SetInputs, is_unknown
from pulumi_cbr_sharing.sharing.live_shares import REJECTED
from pulumi_cbr_sharing.sharing.side_by_side import side_by_side


if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from pulumi_cbr_sharing.cbr.members import Member
    from pulumi_cbr_sharing.sharing.session import Session


@dataclass(frozen=True)
class RecipientSet:
    """The recipients of a backup as the state records them.

    Attributes:
        backup_id: the backup.
        dest_project_ids: whom it is shared with, undeclared ones among them.
        statuses: project to `pending`, `accepted` or `rejected`.
        share_ids: project to the UUID of the record.
        declared: whom the program named last.
        owner_project_id, region, endpoint: where it was found: project, region, CBR's address.
    """

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
    """Declare all recipients of a backup, as `member.declare` does with one."""
    return inputs, list(_declared(session, inputs, new=recorded is None, planning=planning))


def _declared(session: Session, inputs: SetInputs, *, new: bool, planning: bool) -> Iterator[Problem]:
    wanted = _known(inputs.dest_project_ids)
    if _has_owner(session, inputs):
        yield Problem.it("dest_project_ids", _own(session))
        return
    if is_unknown(inputs.backup_id):
        return
    if conflict := session.ledger.declare_set(inputs.backup_id, wanted):
        yield Problem.it("backup_id", conflict)
    elif planning and new:
        yield from session.preflight.problems_with_set(inputs.backup_id, wanted)
        if _has_owner(session, inputs):  # which may be known only since that look
            yield Problem.it("dest_project_ids", _own(session))


def create(session: Session, inputs: SetInputs) -> RecipientSet:
    """Make the live list the declared one, whatever it is now.

    A recipient who registered an image from the backup cannot be removed (6710), which may stay so for weeks: it keeps
    nobody else out. After any other error, what was added is taken back, because the error keeps it out of the state.

    Raises:
        Refused: the owner is among the recipients.
        CbrSharingError: the service's reasons; the next run goes on from the live list.
    """
    backup_id, declared = inputs.backup_id, sorted(inputs.dest_project_ids)
    if session.client.project_id in declared:
        raise Refused(f"sharing backup {backup_id}: the list {_own(session)}")
    live = session.live.look(backup_id).all()
    undeclared = [project for project in live if project not in declared]
    rejected = [project for project in declared if project in live and live[project].status == REJECTED]
    missing = [project for project in declared if project not in live or project in rejected]
    _tell(session, backup_id, undeclared)
    crowded = len(live) + len(missing) - len(rejected) > MOST_RECIPIENTS
    errors = _remove(session, backup_id, rejected + (undeclared if crowded else []))
    kept = {project: member for project, member in live.items() if project in declared and project not in rejected}
    try:
        added, found = _add(session, inputs, missing)
    except CbrSharingError as error:
        raise (errors[0] if errors else error) from None  # the room that was not made explains more
    errors += _remove(session, backup_id, [] if crowded else undeclared)
    if errors:
        _take_back(session, backup_id, added, errors)
        raise errors[0]
    return _record(session, backup_id, {**kept, **found, **added}, declared)


def read(session: Session, recorded: RecipientSet) -> RecipientSet | None:
    """Whom the backup is shared with now, undeclared recipients among them; None only with the backup.

    Raises:
        WrongProject: the settings are of another project, region or cloud than the state.
        CbrSharingError: it cannot be told.
    """
    doing = f"reading the shares of backup {recorded.backup_id}"
    session.guard(doing, region=recorded.region, project_id=recorded.owner_project_id)
    live = _live(session, doing, recorded)
    if live is None:
        return None
    # The engine names the changed property, and its values only with --diff: a pipeline's log should have the ids.
    if undeclared := sorted(set(live) - set(recorded.declared)):
        which = f"{', '.join(undeclared)}, too, which is not declared"
        session.say(f"warning: backup {recorded.backup_id} is shared with {which}")
    if lost := sorted(set(recorded.declared) - set(live)):
        which = f"{', '.join(lost)}, which is declared"
        session.say(f"warning: backup {recorded.backup_id} is not shared any more with {which}")
    return _record(session, recorded.backup_id, live, recorded.declared)


def is_changed(recorded: RecipientSet, inputs: SetInputs) -> bool:
    """Whether the live recipients, or those that the program named last, are others than it names now.

    A rejected offer is one: it has to be made again. The order of the recipients means nothing.
    """
    wanted = _known(inputs.dest_project_ids)
    return (
        REJECTED in recorded.statuses.values()
        or wanted is None
        or {frozenset(recorded.dest_project_ids), frozenset(recorded.declared)} != {frozenset(wanted)}
    )


def update(session: Session, recorded: RecipientSet, inputs: SetInputs) -> RecipientSet:
    """Make the live list the declared one, of the backup that the state records."""
    doing = f"changing the shares of backup {recorded.backup_id}"
    session.guard(doing, region=recorded.region, project_id=recorded.owner_project_id)
    if session.is_elsewhere(recorded.endpoint):
        _live(session, doing, recorded)
    return create(session, inputs)


def delete(session: Session, recorded: RecipientSet) -> None:
    """Cancel the declared shares, unless the program declares them now; what others made stays theirs."""
    backup_id, doing = recorded.backup_id, f"cancelling the shares of backup {recorded.backup_id}"
    session.guard(doing, region=recorded.region, project_id=recorded.owner_project_id)
    if session.ledger.declares_set(backup_id):
        session.say(f"the shares of backup {backup_id} stay, because the program declares them")
        return
    if session.is_elsewhere(recorded.endpoint):
        _live(session, doing, recorded)
    going = [project for project in recorded.declared if not session.ledger.declares(backup_id, project)]
    for error in _remove(session, backup_id, going):
        raise error


def _known(project_ids: Any) -> Sequence[str] | None:
    """The recipients, or None while one of them is not known."""
    return None if is_unknown(project_ids) or any(map(is_unknown, project_ids)) else project_ids


def _has_owner(session: Session, inputs: SetInputs) -> bool:
    return not is_unknown(inputs.dest_project_ids) and session.client.known_project_id in inputs.dest_project_ids


def _own(session: Session) -> str:
    return f"has {session.client.project_id}, the project that owns the backup: give recipients only"


def _tell(session: Session, backup_id: str, undeclared: Sequence[str]) -> None:
    if undeclared:
        noun = "share" if len(undeclared) == 1 else "shares"
        names = ", ".join(sorted(undeclared))
        session.say(f"cancelling {len(undeclared)} undeclared {noun} of backup {backup_id}: {names}")


def _add(
    session: Session, inputs: SetInputs, project_ids: Sequence[str]
) -> tuple[Mapping[str, Member], Mapping[str, Member]]:
    """One POST for all that is missing, and one more for each time that somebody shared one of them meanwhile.

    Returns:
        The new members, and those that somebody else has made meanwhile.
    """
    if not project_ids:
        return {}, {}
    try:
        return session.live.add(inputs.backup_id, project_ids, wait=inputs.wait_for_backup), {}
    except AlreadyShared:
        live = session.live.look(inputs.backup_id).all()
        found = {project: live[project] for project in project_ids if project in live}
        if not found:
            raise
    added, others = _add(session, inputs, [project for project in project_ids if project not in found])
    return added, {**found, **others}


def _take_back(session: Session, backup_id: str, added: Collection[str], errors: Sequence[CbrSharingError]) -> None:
    if all(isinstance(error, ImageRegistered) for error in errors):
        return
    if _remove(session, backup_id, added):
        names = ", ".join(added)
        session.say(f"warning: backup {backup_id} stays shared with {names}, which is not recorded: run it again")


def _remove(session: Session, backup_id: str, project_ids: Collection[str]) -> list[CbrSharingError]:
    return side_by_side(partial(session.live.remove, backup_id, project) for project in project_ids)


def _live(session: Session, doing: str, recorded: RecipientSet) -> Mapping[str, Member] | None:
    """The members of the recorded backup; None if there is no such backup.

    Raises:
        WrongProject: the endpoint is another one than recorded, and leads to other shares.
    """
    try:
        live = session.live.members(recorded.backup_id).all()
    except BackupNotFound:
        live = None
    same = live is not None and all(live[to].id == id_ for to, id_ in recorded.share_ids.items() if to in live)
    found = same and (not recorded.share_ids or bool(set(recorded.share_ids) & set(live or ())))
    session.same_cloud_or_raise(doing, recorded.endpoint, found=found)
    return live


def _record(session: Session, backup_id: str, live: Mapping[str, Member], declared: Collection[str]) -> RecipientSet:
    """The one place where live shares become what the state records."""
    return RecipientSet(
        backup_id=backup_id,
        dest_project_ids=sorted(live),
        statuses={project: live[project].status for project in sorted(live)},
        share_ids={project: live[project].id or "" for project in sorted(live)},
        declared=sorted(declared),
        owner_project_id=session.client.project_id,
        region=session.settings.region,
        endpoint=session.settings.cbr,
    )
