"""Several stacks on the same backup at once: no share is lost, and refused ones get an error."""

from __future__ import annotations

import threading

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from inprocess import Run, settings_of
from pulumi_cbr_sharing.emulator import Fault
from pulumi_cbr_sharing.errors import CbrSharingError


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pulumi_cbr_sharing.emulator import Emulator


def at_once(emulator: Emulator, deeds: Sequence[Callable[[Run], Any]]) -> list[Any]:
    """Call each function in its own run, all at the same time; returns results and errors."""
    start = threading.Barrier(len(deeds))

    def stack(deed: Callable[[Run], Any]) -> Any:
        with Run(settings_of(emulator)) as run:
            start.wait(10)
            try:
                return deed(run)
            except CbrSharingError as error:
                return error

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(stack, deeds))


def sharing(emulator: Emulator, project: str, **inputs: Any) -> Callable[[Run], Any]:
    """Create a BackupShareMember of the first backup."""
    return lambda run: run.create(emulator.backup.id, project, **inputs)


def settling(emulator: Emulator, projects: Sequence[str]) -> Callable[[Run], Any]:
    """Create a BackupShare of the first backup."""
    props = {"backup_id": emulator.backup.id, "dest_project_ids": list(projects)}
    return lambda run: run.share.create(props).outs


def teams(emulator: Emulator, count: int) -> list[str]:
    """The projects of new accounts."""
    return [emulator.add_account(f"team-{number}").project_id for number in range(count)]


def live(emulator: Emulator) -> list[str]:
    """The projects that the first backup is shared with."""
    return sorted(emulator.members(emulator.backup.id))


def told(outcomes: Sequence[Any]) -> list[str]:
    """The errors among the results."""
    return [str(outcome) for outcome in outcomes if isinstance(outcome, CbrSharingError)]


def test_stacks_with_different_recipients_do_not_disturb_each_other(emulator: Emulator) -> None:
    """All ten shares exist, in whatever order the requests arrive."""
    projects = teams(emulator, 10)

    outcomes = at_once(emulator, [sharing(emulator, project) for project in projects])

    assert told(outcomes) == []
    assert live(emulator) == sorted(projects)


def test_stacks_with_different_recipients_survive_lost_answers(emulator: Emulator) -> None:
    """Each stack looks for its own share."""
    projects = teams(emulator, 6)
    for when in ("before", "after"):
        emulator.add_fault(Fault("POST", "/members$", reset=True, when=when, times=3))

    outcomes = at_once(emulator, [sharing(emulator, project) for project in projects])

    assert told(outcomes) == []
    assert live(emulator) == sorted(projects)


def test_stacks_with_the_same_recipient_have_one_share(emulator: Emulator) -> None:
    """One creates it, the others adopt it: all have the same id."""
    (project,) = teams(emulator, 1)

    outcomes = at_once(emulator, [sharing(emulator, project)] * 5)

    assert told(outcomes) == []
    assert live(emulator) == [project]
    assert {state["share_id"] for state in outcomes} == {emulator.members(emulator.backup.id)[project].id}


def test_who_does_not_adopt_is_told_that_another_was_first(emulator: Emulator) -> None:
    """Exactly one stack gets the share; the errors have the service's code and its meaning."""
    (project,) = teams(emulator, 1)

    outcomes = at_once(emulator, [sharing(emulator, project, adopt=False)] * 5)

    assert len(told(outcomes)) == 4
    assert all("shared" in text and "already" in text and "\n" not in text for text in told(outcomes))
    assert live(emulator) == [project]


def test_at_the_limit_of_ten_the_last_place_goes_to_one(emulator: Emulator) -> None:
    """The others get an error about the limit; existing shares are kept."""
    projects = teams(emulator, 13)
    there, new = projects[:9], projects[9:]
    for project in there:
        emulator.add_member(emulator.backup.id, project)

    outcomes = at_once(emulator, [sharing(emulator, project) for project in new])

    assert len(told(outcomes)) == 3
    assert all(
        "at most 10 projects" in text and "remove a recipient in a run before this one" in text
        for text in told(outcomes)
    )
    assert len(live(emulator)) == 10
    assert set(there) < set(live(emulator))


def test_a_share_that_two_stacks_cancel_is_gone_for_both(emulator: Emulator) -> None:
    """A share that is already gone counts as cancelled."""
    (project,) = teams(emulator, 1)
    with Run(settings_of(emulator)) as run:
        state = run.create(emulator.backup.id, project)

    outcomes = at_once(emulator, [lambda run: run.delete(state)] * 4)

    assert outcomes == [None] * 4
    assert live(emulator) == []


def test_the_authoritative_kind_takes_what_others_shared_meanwhile(emulator: Emulator) -> None:
    """It is no conflict if somebody else shares with a declared recipient at the same time."""
    emulator.page_size = 10  # a list that changes between its pages is read by another run
    projects = teams(emulator, 6)

    deeds = [settling(emulator, projects), *(sharing(emulator, project) for project in projects[:5])]
    outcomes = at_once(emulator, deeds)

    assert told(outcomes) == []
    assert live(emulator) == sorted(projects)


def test_two_stacks_that_settle_the_same_set_agree(emulator: Emulator) -> None:
    """Both succeed."""
    projects = teams(emulator, 10)

    outcomes = at_once(emulator, [settling(emulator, projects)] * 4)

    assert told(outcomes) == []
    assert live(emulator) == sorted(projects)
    assert all(outs["dest_project_ids"] == sorted(projects) for outs in outcomes)


@pytest.mark.parametrize("number", range(3))
def test_refreshing_beside_a_change_never_loses_a_share(number: int, emulator: Emulator) -> None:
    """While others add and remove shares, a stack always finds its own."""
    emulator.page_size = 1000  # a list that changes between its pages is an error of its own
    projects = teams(emulator, 6)
    with Run(settings_of(emulator)) as run:
        own = run.create(emulator.backup.id, projects[number])

    def churn(run: Run) -> None:
        for project in [project for project in projects if project != projects[number]]:
            run.delete(run.create(emulator.backup.id, project))

    def read(_: Run) -> list[bool]:
        return [bool(fresh.read(own)) for fresh in (Run(settings_of(emulator)) for _ in range(15))]

    outcomes = at_once(emulator, [churn, churn, read, read])

    assert told(outcomes) == []
    assert outcomes[2:] == [[True] * 15] * 2
    assert live(emulator) == [projects[number]]
