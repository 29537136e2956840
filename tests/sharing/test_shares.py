"""Changes of a backup's recipients: these recipients, and no others if that is asked for."""

from __future__ import annotations

import sys

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import pulumi_cbr_sharing

from inprocess import FakeTime, Run, session_of, settings_of
from programs import statuses
from pulumi_cbr_sharing.emulator import Fault
from pulumi_cbr_sharing.errors import AlreadyShared, ImageRegistered, Refused, Unreachable, WrongProject, WrongRecipient
from pulumi_cbr_sharing.http.client import Client
from pulumi_cbr_sharing.sharing import member
from pulumi_cbr_sharing.sharing.inputs import MemberInputs
from pulumi_cbr_sharing.sharing.shares import Settled, Shares


if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi_cbr_sharing.emulator import Emulator


@pytest.fixture(name="teams")
def _teams(emulator: Emulator) -> list[str]:
    """Eleven projects."""
    return [emulator.add_account(f"team-{number}").project_id for number in range(11)]


def settle(emulator: Emulator, *wanted: str, **how: Any) -> Settled:
    """Once, for the first backup."""
    return Shares(Client(settings_of(emulator))).settle(emulator.backup.id, wanted, wait=0, **how)


def sent(emulator: Emulator) -> list[str]:
    """The requests that change something."""
    return [one.method for one in emulator.requests if one.method != "GET"]


def test_a_rejected_share_that_a_colleague_offers_in_between_is_no_error(emulator: Emulator, teams: list[str]) -> None:
    """It is answered as in a create: what is there now is adopted."""
    emulator.add_member(emulator.backup.id, teams[0], "rejected")
    emulator.add_fault(Fault.refusal("BackupService.6703", method="POST", when="after"))

    done = settle(emulator, teams[0])

    assert done.errors == []
    assert statuses(emulator) == {teams[0]: "pending"}
    assert done.changes == {teams[0]: "already"}


def test_a_rejected_share_that_two_resources_declare_is_offered_again(emulator: Emulator, teams: list[str]) -> None:
    """Both updates succeed, and both have the new record."""
    with Run(settings_of(emulator)) as run:
        state = run.create(emulator.backup.id, teams[0])
    emulator.answer(emulator.backup.id, teams[0], "rejected")
    inputs = {"backup_id": emulator.backup.id, "dest_project_id": teams[0]}
    with Run(settings_of(emulator)) as run:
        results = [run.member.update("id", {**state, "status": "rejected"}, inputs).outs for _ in range(2)]
    assert {dict(outs or {})["share_id"] for outs in results} == {emulator.members(emulator.backup.id)[teams[0]].id}


def test_a_refusal_that_stays_is_an_error(emulator: Emulator, teams: list[str]) -> None:
    """After three tries."""
    emulator.add_fault(Fault.refusal("BackupService.6703", method="POST", times=9))
    done = settle(emulator, teams[0])
    assert [type(error) for error in done.errors] == [AlreadyShared]
    assert sent(emulator) == ["POST"] * 3


@pytest.mark.parametrize("code", ["BackupService.6701", "BackupService.6703"])
def test_a_share_that_is_there_is_found_on_a_full_backup(code: str, emulator: Emulator, teams: list[str]) -> None:
    """Whatever the service says first: that it has ten recipients, or this one already."""
    for project in teams[:10]:
        emulator.add_member(emulator.backup.id, project)
    emulator.add_fault(Fault.refusal(code, method="POST"))
    with Run(settings_of(emulator)) as run:
        state = run.create(emulator.backup.id, teams[3])
    assert state["share_id"] == emulator.members(emulator.backup.id)[teams[3]].id


@pytest.mark.parametrize("exactly", [True, False])
def test_ten_recipients_are_not_more_than_ten(exactly: bool, emulator: Emulator, teams: list[str]) -> None:
    """The tenth is added before anybody is cancelled; for an eleventh somebody goes first, if others have to go."""
    for project in teams[:9]:
        emulator.add_member(emulator.backup.id, project)
    settle(emulator, *teams[1:10], exactly=exactly)
    assert sent(emulator) == (["POST", "DELETE"] if exactly else ["POST"])
    emulator.clear_requests()
    if not exactly:
        assert [error.code for error in settle(emulator, teams[10]).errors if hasattr(error, "code")] == [
            "BackupService.6701"
        ]
        return
    emulator.add_member(emulator.backup.id, teams[0])
    settle(emulator, *teams[1:9], teams[10], exactly=True)
    assert sent(emulator) == ["DELETE", "DELETE", "POST"]


def test_what_could_be_done_is_told_with_what_could_not(emulator: Emulator, teams: list[str]) -> None:
    """An image keeps one share from being cancelled, and a wrong recipient is named; the rest is done."""
    emulator.add_member(emulator.backup.id, teams[0], "accepted")
    emulator.add_member(emulator.backup.id, teams[1], "accepted")
    emulator.add_member(emulator.backup.id, teams[2], "rejected")
    emulator.add_member(emulator.backup.id, teams[3])
    emulator.register_image(emulator.backup.id, teams[0])

    done = settle(emulator, teams[1], teams[2], teams[4], "0" * 32, exactly=True)

    assert done.changes == {teams[1]: "already", teams[4]: "shared", teams[2]: "again"}
    assert done.cancelled == {teams[3]}
    assert [type(error) for error in done.errors] == [WrongRecipient, ImageRegistered]
    assert set(statuses(emulator)) == {teams[0], teams[1], teams[2], teams[4]}
    told = list(done.news(recorded=()))
    assert [line.partition(":")[0].split()[0] for line in told] == ["backup", "cancelled"]


def test_an_adopted_share_is_told_with_its_age_and_answer(emulator: Emulator, teams: list[str]) -> None:
    """Not in the run after it, and not if the resource fails."""
    emulator.add_member(emulator.backup.id, teams[0])
    emulator.answer(emulator.backup.id, teams[0], "accepted")
    done = settle(emulator, teams[0])
    (line,) = done.news(recorded=())
    since = done.members[teams[0]].created_at
    assert f"is shared with {teams[0]} since {since} (accepted); destroying this resource cancels that" in line
    assert list(done.news(recorded=[teams[0]])) == []


PACKAGE = str(Path(pulumi_cbr_sharing.__file__).parent)
DEPTHS: list[int] = []


def _note_depth(event: str, _args: object) -> None:
    if event == "http.client.send":
        DEPTHS.append(sum(frame.f_code.co_filename.startswith(PACKAGE) for frame in _stack()))


def _stack() -> Iterator[Any]:
    frame = sys._getframe()
    while frame:
        yield frame
        frame = frame.f_back  # type: ignore[assignment]


@pytest.mark.parametrize("verb", ["create", "read", "delete"])
def test_no_verb_is_more_than_seven_calls_from_the_socket(verb: str, emulator: Emulator, teams: list[str]) -> None:
    """Whoever follows a request through the code has to read seven functions."""
    with Run(settings_of(emulator)) as run:
        state = run.create(emulator.backup.id, teams[0])
    sys.addaudithook(_note_depth)
    DEPTHS.clear()
    with Run(settings_of(emulator)) as run:
        if verb == "create":
            run.create(emulator.backup.id, teams[1])
        else:
            getattr(run, verb)(state)
    assert 0 < max(DEPTHS) <= 7


def test_a_rejected_record_is_not_what_a_lost_post_has_made(emulator: Emulator, teams: list[str]) -> None:
    """It was there before: the POST had no effect, and the share is offered again."""
    emulator.add_member(emulator.backup.id, teams[0], "rejected")
    emulator.add_fault(Fault(method="POST", reset=True))
    with Run(settings_of(emulator), FakeTime().clock) as run:
        state = run.create(emulator.backup.id, teams[0])
    assert state["status"] == "pending"
    assert statuses(emulator) == {teams[0]: "pending"}


@pytest.mark.parametrize("verb", ["read", "delete", "update"])
def test_a_share_of_another_region_is_left_alone(verb: str, emulator: Emulator, teams: list[str]) -> None:
    """There it looks gone, and would be dropped from the state: nothing is sent."""
    inputs = MemberInputs(emulator.backup.id, teams[0])
    share = member.create(session_of(settings_of(emulator)), inputs)
    session = session_of(settings_of(emulator))
    emulator.clear_requests()
    more = (inputs,) if verb == "update" else ()
    with pytest.raises(WrongProject, match="the state records region elsewhere"):
        getattr(member, verb)(session, replace(share, region="elsewhere"), *more)
    assert emulator.requests == []
    assert list(statuses(emulator)) == [teams[0]]


def test_an_update_makes_nothing_that_is_gone(emulator: Emulator, teams: list[str]) -> None:
    """Somebody has cancelled it: a create may do that, after a refresh that says so."""
    inputs = MemberInputs(emulator.backup.id, teams[0])
    share = member.create(session_of(settings_of(emulator)), inputs)
    emulator.remove_member(emulator.backup.id, teams[0])
    for recorded in (share, replace(share, status="rejected")):
        with pytest.raises(Refused, match="it is gone: run `pulumi up --refresh`"):
            member.update(session_of(settings_of(emulator)), recorded, inputs)
    assert statuses(emulator) == {}


def test_a_cloud_that_fails_is_asked_once_in_a_preview(emulator: Emulator) -> None:
    """Each resource of a large program would wait for it."""
    emulator.add_fault(Fault(status=503, times=99))
    session = session_of(settings_of(emulator), FakeTime().clock)
    asked = []
    for _ in range(3):
        backup_id = emulator.add_backup("sharer").id
        assert session.foreseen(backup_id) == (None, {})
        asked.append(len(emulator.requests))
    assert asked[0] == asked[2]


def test_what_a_brief_look_did_not_reach_is_tried_in_earnest(emulator: Emulator) -> None:
    """A look of a preview ends soon; a real call waits as long as it may, also right after it."""
    settings = settings_of(emulator, cbr="http://127.0.0.1:9")
    waits = []
    for with_look in (False, True):
        time = FakeTime()
        session = session_of(settings, time.clock)
        if with_look:
            assert session.foreseen(emulator.backup.id) == (None, {})
        before = len(time.slept)
        with pytest.raises(Unreachable):
            session.shares.look(emulator.backup.id)
        waits.append(len(time.slept) - before)
    assert waits[0] == waits[1] > 0
