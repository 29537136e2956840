"""The provider is right whatever the service does where that is not documented: each guess has its other answers.

The emulator's ledger has them. Under each, shares are made, accepted, moved, found rejected and offered again, and
cancelled, by the real plugin; then the cloud is asked what is true.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from clouds import environment
from plugin import Plugin, PluginError
from pulumi_cbr_sharing.emulator.behaviours import guesses
from pulumi_cbr_sharing.resources.accepter import BackupShareAccepterProvider
from pulumi_cbr_sharing.resources.share import BackupShareProvider
from pulumi_cbr_sharing.resources.share_member import BackupShareMemberProvider


if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi_cbr_sharing.emulator import Emulator


MEMBER, SET, ACCEPTER = BackupShareMemberProvider(), BackupShareProvider(), BackupShareAccepterProvider()
GUESSES = guesses()


@pytest.fixture(name="guessed", params=GUESSES, ids=lambda guess: f"{guess[0]}-{guess[1]}")
def _guessed(request: pytest.FixtureRequest, emulator: Emulator) -> Emulator:
    """A cloud that gives one other answer."""
    name, other = request.param
    setattr(emulator, name, other)
    return emulator


@contextmanager
def run(emulator: Emulator, account: str = "sharer") -> Iterator[Plugin]:
    """One run of an account."""
    with Plugin(env=environment(emulator, account)) as plugin:
        yield plugin


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
    with run(guessed) as plugin:
        made = plugin.create(MEMBER, member_of(guessed))
        again = plugin.create(MEMBER, member_of(guessed))
    assert made.outs["share_id"] == again.outs["share_id"]
    with run(guessed) as plugin:
        assert plugin.read(made) is not None
        assert not plugin.diff(MEMBER, made, member_of(guessed)).changes
        plugin.delete(made)
    assert live(guessed) == {}
    with run(guessed) as plugin:
        assert plugin.read(made) is None
        plugin.delete(made)


def test_a_set_is_made_changed_and_cancelled(guessed: Emulator) -> None:
    """All recipients are found, on however many pages; what the set loses is cancelled."""
    teams = [guessed.add_account(f"team-{number}").project_id for number in range(4)]
    with run(guessed) as plugin:
        made = plugin.create(SET, set_of(guessed, *teams[:3]))
    with run(guessed) as plugin:
        read = plugin.read(made)
        assert read is not None
        assert not plugin.diff(SET, read, set_of(guessed, *teams[:3])).changes
        changed = plugin.update(SET, read, set_of(guessed, *teams[1:]))
    assert set(live(guessed)) == set(teams[1:])
    with run(guessed) as plugin:
        plugin.delete(changed)
    assert live(guessed) == {}


def test_a_set_with_a_recipient_that_does_not_exist_leaves_nothing(guessed: Emulator) -> None:
    """The error is the service's; what a failed create has made is not left without a record."""
    with run(guessed) as plugin, pytest.raises(PluginError):
        plugin.create(SET, set_of(guessed, project(guessed), "0" * 32))
    assert live(guessed) == {}


def test_a_rejected_share_is_offered_again(guessed: Emulator) -> None:
    """Once: an update makes it pending, whether by a new POST or after a removal."""
    with run(guessed) as plugin:
        made = plugin.create(MEMBER, member_of(guessed))
    guessed.answer(guessed.backup.id, project(guessed), "rejected")
    with run(guessed) as plugin:
        read = plugin.read(made)
        assert read is not None
        assert plugin.diff(MEMBER, read, member_of(guessed)).changes
        plugin.update(MEMBER, read, member_of(guessed))
    assert live(guessed) == {project(guessed): "pending"}


def accepted(emulator: Emulator, vault_id: str | None = None) -> dict[str, Any]:
    """The inputs of an accepter."""
    return {"backup_id": emulator.backup.id, "vault_id": vault_id or emulator.vault("recipient").id}


def test_an_offer_is_accepted_found_and_given_back(guessed: Emulator) -> None:
    """Into the vault that is declared; a refresh sees no change."""
    guessed.add_member(guessed.backup.id, project(guessed))
    with run(guessed, "recipient") as plugin:
        made = plugin.create(ACCEPTER, accepted(guessed))
    assert live(guessed) == {project(guessed): "accepted"}
    assert made.outs["vault_id"] == guessed.vault("recipient").id
    with run(guessed, "recipient") as plugin:
        assert plugin.read(made) is not None
        assert not plugin.diff(ACCEPTER, made, accepted(guessed)).changes
        plugin.delete(made)
    assert live(guessed) in ({}, {project(guessed): "rejected"})
    assert guessed.visible_to(project(guessed)) == set()


def test_an_offer_that_does_not_fit_is_an_error_and_stays(guessed: Emulator) -> None:
    """Whatever code says that the vault is of another kind."""
    guessed.add_member(guessed.backup.id, project(guessed))
    disks = guessed.add_vault(account="recipient", object_type="disk").id
    with run(guessed, "recipient") as plugin, pytest.raises(PluginError):
        plugin.create(ACCEPTER, accepted(guessed, disks))
    assert live(guessed) == {project(guessed): "pending"}


def test_a_copy_moves_to_another_vault_or_stays_where_it_is(guessed: Emulator) -> None:
    """If the service asks for a new offer first, the error says so; the copy is not lost in silence."""
    other = guessed.add_vault(account="recipient").id
    guessed.add_member(guessed.backup.id, project(guessed))
    with run(guessed, "recipient") as plugin:
        made = plugin.create(ACCEPTER, accepted(guessed))
        try:
            plugin.update(ACCEPTER, made, accepted(guessed, other))
        except PluginError as error:
            assert not guessed.accepts_after_reject
            assert "again" in str(error)  # noqa: PT017
            return
    member = guessed.members(guessed.backup.id)[project(guessed)]
    assert (member.status, member.vault_id) == ("accepted", other)
