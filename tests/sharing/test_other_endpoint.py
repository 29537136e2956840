"""Another endpoint than in the state: the same cloud with another URL, or another cloud."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import pytest

from inprocess import session_of, settings_of
from pulumi_cbr_sharing.emulator import serve
from pulumi_cbr_sharing.errors import WrongProject
from pulumi_cbr_sharing.sharing import acceptance, member, recipient_set
from pulumi_cbr_sharing.sharing.inputs import AcceptanceInputs, MemberInputs, SetInputs
from pulumi_cbr_sharing.sharing.member import Share


if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi_cbr_sharing.emulator import Emulator
    from pulumi_cbr_sharing.sharing.session import Session


@pytest.fixture(name="elsewhere")
def _elsewhere(emulator: Emulator) -> Iterator[Emulator]:
    """Another cloud with the same accounts, projects and backup, but without shares."""
    with serve() as other:
        assert other.account("sharer").project_id == emulator.account("sharer").project_id
        yield other


def by_another_address(emulator: Emulator, account: str = "sharer") -> Session:
    """The same cloud with another URL."""
    address = emulator.url.replace("127.0.0.1", "localhost")
    return session_of(replace(settings_of(emulator, account), cbr=address))


def shared(emulator: Emulator) -> Share:
    """The state of a share of the first backup with the recipient."""
    inputs = MemberInputs(emulator.backup.id, emulator.account("recipient").project_id)
    return member.create(session_of(settings_of(emulator)), inputs)


def test_the_same_share_by_another_address_is_the_same_and_the_address_is_recorded(emulator: Emulator) -> None:
    """It is recognised by the id of its record."""
    share = shared(emulator)
    live = member.read(by_another_address(emulator), share)
    assert live
    assert live.endpoint != share.endpoint
    assert replace(live, endpoint=share.endpoint) == share
    member.delete(by_another_address(emulator), share)
    assert emulator.members(emulator.backup.id) == {}


def test_another_cloud_says_nothing_of_a_share(emulator: Emulator, elsewhere: Emulator) -> None:
    """It is neither gone nor deleted: an error names both endpoints."""
    share, there = shared(emulator), session_of(settings_of(elsewhere))
    for verb in (member.read, member.delete):
        with pytest.raises(WrongProject, match=rf"endpoint {emulator.url}, but the settings have {elsewhere.url}"):
            verb(there, share)
    assert emulator.members(emulator.backup.id)


def test_a_share_with_another_record_is_another_share(emulator: Emulator, elsewhere: Emulator) -> None:
    """In the other cloud, the same backup is shared with the same project, but by another share."""
    share, other = shared(emulator), shared(elsewhere)
    assert share.share_id != other.share_id
    with pytest.raises(WrongProject):
        member.delete(session_of(settings_of(elsewhere)), share)
    assert elsewhere.members(elsewhere.backup.id)


def test_a_state_without_an_endpoint_is_taken_as_it_is(emulator: Emulator) -> None:
    """Older versions did not record the endpoint."""
    share = Share(**{**asdict(shared(emulator)), "endpoint": None})
    assert member.read(by_another_address(emulator), share)


def test_a_set_by_another_address_is_the_same(emulator: Emulator) -> None:
    """It is recognised by the ids of its records."""
    inputs = SetInputs(emulator.backup.id, [emulator.account("recipient").project_id])
    made = recipient_set.create(session_of(settings_of(emulator)), inputs)
    live = recipient_set.read(by_another_address(emulator), made)
    assert live
    assert live.declared == made.declared
    recipient_set.delete(by_another_address(emulator), made)
    assert emulator.members(emulator.backup.id) == {}


def test_another_cloud_says_nothing_of_a_set(emulator: Emulator, elsewhere: Emulator) -> None:
    """Even if the backup is shared with the same project there."""
    project = emulator.account("recipient").project_id
    inputs = SetInputs(emulator.backup.id, [project])
    made = recipient_set.create(session_of(settings_of(emulator)), inputs)
    elsewhere.add_member(elsewhere.backup.id, project)
    there = session_of(settings_of(elsewhere))
    with pytest.raises(WrongProject):
        recipient_set.read(there, made)
    with pytest.raises(WrongProject):
        recipient_set.update(there, made, inputs)
    with pytest.raises(WrongProject):
        recipient_set.delete(there, made)
    assert project in elsewhere.members(elsewhere.backup.id)


def test_an_acceptance_elsewhere_is_told_by_its_backup(emulator: Emulator, elsewhere: Emulator) -> None:
    """It is not gone because another cloud has no offer."""
    project = emulator.account("recipient").project_id
    emulator.add_member(emulator.backup.id, project)
    inputs = AcceptanceInputs(emulator.backup.id, emulator.vault("recipient").id)
    made = acceptance.create(session_of(settings_of(emulator, "recipient")), inputs)
    assert acceptance.read(by_another_address(emulator, "recipient"), made)
    with pytest.raises(WrongProject):
        acceptance.read(session_of(settings_of(elsewhere, "recipient")), made)
    with pytest.raises(WrongProject):
        acceptance.delete(session_of(settings_of(elsewhere, "recipient")), made)
    assert emulator.members(emulator.backup.id)[project].status == "accepted"
