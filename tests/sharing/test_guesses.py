"""The provider is right whatever the service does where that is not documented: each guess has its other answers.

The emulator's ledger has them. Under each, shares are made, accepted, moved, found rejected and offered again, and
cancelled; then the cloud is asked what is true.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from inprocess import session_of, settings_of
from pulumi_cbr_sharing.emulator.behaviours import guesses
from pulumi_cbr_sharing.errors import CbrSharingError
from pulumi_cbr_sharing.resources.accepter import BackupShareAccepterProvider
from pulumi_cbr_sharing.resources.dynamic import PROVIDER
from pulumi_cbr_sharing.resources.share import BackupShareProvider
from pulumi_cbr_sharing.resources.share_member import BackupShareMemberProvider
from pulumi_cbr_sharing.sharing.received import to_accept
from pulumi_cbr_sharing.sharing.window import Window, to_share


if TYPE_CHECKING:
    from pulumi_cbr_sharing.emulator import Emulator


MEMBER, SET, ACCEPTER = BackupShareMemberProvider, BackupShareProvider, BackupShareAccepterProvider


@dataclass
class Made:
    """A resource in the state."""

    id: str
    outs: dict[str, Any]


class Run:
    """One run of an account: a process of its own for all that is remembered."""

    def __init__(self, emulator: Emulator, account: str = "sharer") -> None:
        self._session = session_of(settings_of(emulator, account))

    def _provider(self, kind: Any) -> Any:
        return kind(open_session=lambda *_: self._session)

    def create(self, kind: Any, inputs: dict[str, Any]) -> Made:
        """Check, then create."""
        assert not self._provider(kind).check({}, dict(inputs)).failures
        made = self._provider(kind).create(dict(inputs))
        return Made(made.id, dict(made.outs))

    def read(self, kind: Any, made: Made) -> Made | None:
        """Refresh; None if it is gone."""
        live = self._provider(kind).read(made.id, dict(made.outs))
        return Made(live.id, dict(live.outs)) if live.id else None

    def changes(self, kind: Any, made: Made, inputs: dict[str, Any]) -> bool:
        """Whether the program and the state differ."""
        recorded = {**made.outs, PROVIDER: "as the SDK records it"}
        return bool(self._provider(kind).diff(made.id, recorded, dict(inputs)).changes)

    def update(self, kind: Any, made: Made, inputs: dict[str, Any]) -> Made:
        """Check, then update in place."""
        assert not self._provider(kind).check(dict(made.outs), dict(inputs)).failures
        return Made(made.id, dict(self._provider(kind).update(made.id, dict(made.outs), dict(inputs)).outs))

    def delete(self, kind: Any, made: Made) -> None:
        """Delete it."""
        self._provider(kind).delete(made.id, dict(made.outs))


@pytest.fixture(name="guessed", params=guesses(), ids=lambda guess: f"{guess[0]}-{guess[1]}")
def _guessed(request: pytest.FixtureRequest, emulator: Emulator) -> Emulator:
    """A cloud that gives one other answer."""
    name, other = request.param
    setattr(emulator, name, other)
    return emulator


def project(emulator: Emulator, account: str = "recipient") -> str:
    """The project of an account."""
    return emulator.account(account).project_id


def live(emulator: Emulator) -> dict[str, str]:
    """Who the first backup is shared with, and what they have answered."""
    return {member.dest_project_id: member.status for member in emulator.members(emulator.backup.id).values()}


def member_of(emulator: Emulator) -> dict[str, Any]:
    """The inputs of a member."""
    return {"backup_id": emulator.backup.id, "dest_project_id": project(emulator)}


def set_of(emulator: Emulator, *projects: str) -> dict[str, Any]:
    """The inputs of a set."""
    return {"backup_id": emulator.backup.id, "dest_project_ids": sorted(projects)}


def test_a_share_is_made_found_and_cancelled(guessed: Emulator) -> None:
    """A member that is there already is adopted; a refresh sees no change; nothing is left at the end."""
    first = Run(guessed)
    made = first.create(MEMBER, member_of(guessed))
    assert first.create(MEMBER, member_of(guessed)).outs["share_id"] == made.outs["share_id"]
    second = Run(guessed)
    assert second.read(MEMBER, made) is not None
    assert not second.changes(MEMBER, made, member_of(guessed))
    second.delete(MEMBER, made)
    assert live(guessed) == {}
    third = Run(guessed)
    assert third.read(MEMBER, made) is None
    third.delete(MEMBER, made)


def test_a_set_is_made_changed_and_cancelled(guessed: Emulator) -> None:
    """All recipients are found, on however many pages; what the set loses is cancelled."""
    teams = [guessed.add_account(f"team-{number}").project_id for number in range(4)]
    made = Run(guessed).create(SET, set_of(guessed, *teams[:3]))
    second = Run(guessed)
    read = second.read(SET, made)
    assert read is not None
    assert not second.changes(SET, read, set_of(guessed, *teams[:3]))
    changed = second.update(SET, read, set_of(guessed, *teams[1:]))
    assert set(live(guessed)) == set(teams[1:])
    Run(guessed).delete(SET, changed)
    assert live(guessed) == {}


def test_a_set_with_a_recipient_that_does_not_exist_leaves_nothing(guessed: Emulator) -> None:
    """The error is the service's; what a failed create has made is not left without a record."""
    with pytest.raises(CbrSharingError):
        Run(guessed).create(SET, set_of(guessed, project(guessed), "0" * 32))
    assert live(guessed) == {}


def test_a_wrong_recipient_is_named_and_keeps_no_other_one_out_of_an_update(guessed: Emulator) -> None:
    """Whatever code the service has for it, and whether it adds the others."""
    made = Run(guessed).create(SET, set_of(guessed, project(guessed)))
    both, nobody = (project(guessed), project(guessed, "bystander")), "0" * 32
    with pytest.raises(CbrSharingError, match=f"with project {nobody}: "):
        Run(guessed).update(SET, made, set_of(guessed, *both, nobody))
    assert set(live(guessed)) == {*both}


def test_a_rejected_share_is_offered_again(guessed: Emulator) -> None:
    """Once: an update makes it pending, whether by a new POST or after a removal."""
    made = Run(guessed).create(MEMBER, member_of(guessed))
    guessed.answer(guessed.backup.id, project(guessed), "rejected")
    second = Run(guessed)
    read = second.read(MEMBER, made)
    assert read is not None
    assert second.changes(MEMBER, read, member_of(guessed))
    second.update(MEMBER, read, member_of(guessed))
    assert live(guessed) == {project(guessed): "pending"}


def accepted(emulator: Emulator, vault_id: str | None = None) -> dict[str, Any]:
    """The inputs of an accepter."""
    return {"backup_id": emulator.backup.id, "vault_id": vault_id or emulator.vault("recipient").id}


def test_an_offer_is_accepted_found_and_given_back(guessed: Emulator) -> None:
    """Into the vault that is declared; a refresh sees no change."""
    guessed.add_member(guessed.backup.id, project(guessed))
    made = Run(guessed, "recipient").create(ACCEPTER, accepted(guessed))
    assert live(guessed) == {project(guessed): "accepted"}
    assert made.outs["vault_id"] == guessed.vault("recipient").id
    second = Run(guessed, "recipient")
    assert second.read(ACCEPTER, made) is not None
    assert not second.changes(ACCEPTER, made, accepted(guessed))
    second.delete(ACCEPTER, made)
    assert live(guessed) in ({}, {project(guessed): "rejected"})
    assert guessed.visible_to(project(guessed)) == set()


def test_an_offer_that_does_not_fit_is_an_error_and_stays(guessed: Emulator) -> None:
    """Whatever code says that the vault is of another kind."""
    guessed.add_member(guessed.backup.id, project(guessed))
    disks = guessed.add_vault(account="recipient", object_type="disk").id
    with pytest.raises(CbrSharingError):
        Run(guessed, "recipient").create(ACCEPTER, accepted(guessed, disks))
    assert live(guessed) == {project(guessed): "pending"}


def test_a_copy_moves_to_another_vault_or_the_user_is_told(guessed: Emulator) -> None:
    """If the service asks for a new offer first, the error says so; the copy is not lost in silence."""
    other = guessed.add_vault(account="recipient").id
    guessed.add_member(guessed.backup.id, project(guessed))
    run = Run(guessed, "recipient")
    made = run.create(ACCEPTER, accepted(guessed))
    if not guessed.accepts_after_reject:
        with pytest.raises(CbrSharingError, match="again"):
            run.update(ACCEPTER, made, accepted(guessed, other))
        return
    run.update(ACCEPTER, made, accepted(guessed, other))
    member = guessed.members(guessed.backup.id)[project(guessed)]
    assert (member.status, member.vault_id) == ("accepted", other)


def test_both_sides_find_their_window(guessed: Emulator) -> None:
    """The owner all backups of its vault; the recipient what is on offer, and what it has accepted, not rejected."""
    offered, taken, rejected = guessed.backup.id, guessed.add_backup().id, guessed.add_backup().id
    guessed.add_member(offered, project(guessed))
    guessed.add_member(taken, project(guessed), "accepted")
    guessed.add_member(rejected, project(guessed), "rejected")
    clients = {name: session_of(settings_of(guessed, name)).client for name in ("sharer", "recipient")}
    vault, copies = guessed.vault("sharer").id, guessed.vault("recipient").id
    shared = to_share(clients["sharer"], Window(9), vault_id=vault, dest_project_ids=[project(guessed)])
    owners = [project(guessed, "sharer")]
    received = to_accept(clients["recipient"], Window(9), vault_id=copies, owner_project_ids=owners)

    assert {backup.id for backup in shared.backups} == {offered, taken, rejected}
    assert {backup.id: backup.vault_id for backup in received.backups} == {offered: copies, taken: copies}
    assert set(received.pending) == {offered}
