"""Exactly these recipients of one backup: what happens on check, create, read, update and delete.

The live list counts, not the state. One POST adds all missing recipients; undeclared recipients are removed. New shares
are created before old ones are cancelled, except on a backup with ten recipients, and where a rejected record is in the
way.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.cbr.members import MOST_RECIPIENTS
from pulumi_cbr_sharing.errors import AlreadyShared, BackupNotFound, CbrSharingError, ImageRegistered, Refused
from pulumi_cbr_sharing.sharing.inputs import Problem, SetInputs, is_unknown
from pulumi_cbr_sharing.sharing.live_shares import REJECTED
from pulumi_cbr_sharing.sharing.threads import POOL


if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from pulumi_cbr_sharing.cbr.members import Member
    from pulumi_cbr_sharing.sharing.session import Session


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
        if _has_owner(session, inputs):  # known at the latest after these requests
            yield Problem.it("dest_project_ids", _own(session))


def create(session: Session, inputs: SetInputs) -> RecipientSet:
    """Make the live list the declared one.

    A recipient that registered an image from the backup cannot be removed (6710), perhaps for weeks: the others are
    added all the same. After any other error, new shares are cancelled again, because the state does not record them.

    Raises:
        Refused: the owner is among the recipients.
        CbrSharingError: the service's reasons; the next run continues from the live list.
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
        raise (errors[0] if errors else error) from None  # a failed removal is why there is no room
    errors += _remove(session, backup_id, [] if crowded else undeclared)
    if errors:
        _take_back(session, backup_id, added, errors)
        if _stays(errors):  # a door that can records it all the same
            errors[0].made = _record(session, backup_id, session.live.look(backup_id).all(), declared)
        raise errors[0]
    return _record(session, backup_id, {**kept, **found, **added}, declared)


def read(session: Session, recorded: RecipientSet) -> RecipientSet | None:
    """All recipients as they are now, also undeclared ones; None only if the backup is gone.

    Raises:
        WrongProject: the settings are of another project, region or cloud than the state.
    """
    _guard(session, "reading", recorded)
    live = _live(session, recorded)
    if live is None:
        return None
    declared = recorded.declared if recorded.owner_project_id else list(live)  # an import knows the id alone
    # Without --diff the engine shows only which property changed: the log of a pipeline needs the ids.
    if undeclared := sorted(set(live) - set(declared)):
        names = ", ".join(undeclared)
        session.say(f"warning: backup {recorded.backup_id} is also shared with {names}, which is not declared")
    if lost := sorted(set(declared) - set(live)):
        names = ", ".join(lost)
        session.say(f"warning: backup {recorded.backup_id} is no longer shared with {names}, which is declared")
    return _record(session, recorded.backup_id, live, declared)


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
    """Make the live list of the recorded backup the declared one."""
    _guard(session, "changing", recorded)
    return create(session, inputs)


def delete(session: Session, recorded: RecipientSet) -> None:
    """Cancel the declared shares, unless the program declares them; shares that others made stay."""
    _guard(session, "cancelling", recorded)
    backup_id = recorded.backup_id
    if session.ledger.declares_set(backup_id):
        session.say(f"the shares of backup {backup_id} stay, because the program declares them")
        return
    going = [project for project in recorded.declared if not session.ledger.declares(backup_id, project)]
    for error in _remove(session, backup_id, going):
        raise error


def _known(project_ids: Any) -> Sequence[str] | None:
    """The recipients; None as long as one of them is not known."""
    return None if is_unknown(project_ids) or any(map(is_unknown, project_ids)) else project_ids


def _has_owner(session: Session, inputs: SetInputs) -> bool:
    return not is_unknown(inputs.dest_project_ids) and session.client.known_project_id in inputs.dest_project_ids


def _own(session: Session) -> str:
    return f"has {session.client.project_id}, the project that owns the backup: list only recipients"


def _tell(session: Session, backup_id: str, undeclared: Sequence[str]) -> None:
    if undeclared:
        noun = "share" if len(undeclared) == 1 else "shares"
        names = ", ".join(sorted(undeclared))
        session.say(f"cancelling {len(undeclared)} undeclared {noun} of backup {backup_id}: {names}")


def _add(
    session: Session, inputs: SetInputs, project_ids: Sequence[str]
) -> tuple[Mapping[str, Member], Mapping[str, Member]]:
    """Add recipients in one POST, and in one more each time that somebody else shares with one of them meanwhile.

    Returns:
        The new members, and the members that somebody else has made.
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
    if _stays(errors):
        return
    if _remove(session, backup_id, added):
        names = ", ".join(added)
        session.say(
            f"warning: backup {backup_id} stays shared with {names}, which is not in the state: run `pulumi up` again"
        )


def _stays(errors: Sequence[CbrSharingError]) -> bool:
    return all(isinstance(error, ImageRegistered) for error in errors)


def _remove(session: Session, backup_id: str, project_ids: Collection[str]) -> list[CbrSharingError]:
    errors = []
    for removal in [POOL.submit(session.live.remove, backup_id, project) for project in project_ids]:
        try:
            removal.result()
        except CbrSharingError as error:  # noqa: PERF203 - the others are waited for, too
            errors.append(error)
    return errors


def _guard(session: Session, verb: str, recorded: RecipientSet) -> None:
    """See `Session.guard`: the backup has one of the recorded shares, and no other share with the same project."""

    def found() -> bool:
        live = _live(session, recorded)
        if live is None:
            return False
        same = [live[to].id == id_ for to, id_ in recorded.share_ids.items() if to in live]
        return all(same) and bool(same or not recorded.share_ids)

    doing = f"{verb} the shares of backup {recorded.backup_id}"
    session.guard(doing, recorded.region, recorded.owner_project_id, recorded.endpoint, found)


def _live(session: Session, recorded: RecipientSet) -> Mapping[str, Member] | None:
    """The members of the recorded backup; None if there is no such backup."""
    try:
        return session.live.members(recorded.backup_id).all()
    except BackupNotFound:
        return None


def _record(session: Session, backup_id: str, live: Mapping[str, Member], declared: Collection[str]) -> RecipientSet:
    """Live shares, as the state records them."""
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
