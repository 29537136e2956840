"""Random histories of stacks: whatever happened, one more `up --refresh` makes the live shares the declared ones.

A stack is modelled as the engine treats it: a refresh reads everything, then every declared resource is checked,
compared, and created or replaced (the new one before the old one is deleted, unless the old one must go first),
and what is not declared any more is deleted at the end. A create that raises records nothing. A killed run loses
the record of its last operation, whose effect may be there. Every run has a process of its own, so a Cloud.
"""

from __future__ import annotations

import io
import os

from contextlib import redirect_stdout, suppress
from typing import TYPE_CHECKING, Any

import pytest

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from histories import Killed, Stack, shares_of
from inprocess import FakeTime, Run, settings_of
from pulumi_cbr_sharing.emulator import Fault
from pulumi_cbr_sharing.errors import CbrSharingError


if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_cbr_sharing.emulator import Emulator


pytestmark = pytest.mark.search

FAULTS = st.builds(
    Fault,
    method=st.sampled_from(["POST", "GET", "DELETE", None]),
    status=st.sampled_from([None, None, 408, 429, 500, 503, 200, 404, 403]),
    body=st.sampled_from(["", "{}", "<html>"]),
    reset=st.booleans(),
    when=st.sampled_from(["before", "after"]),
    times=st.sampled_from([1, 1, 2, 20]),
)
TEAMS = st.integers(0, 3)
BACKUPS = st.integers(0, 1)
NAMES = st.sampled_from("abc")


class Histories(RuleBasedStateMachine):
    """What both programs have in common: the cloud, what happens behind the stack's back, and its runs."""

    cloud: Emulator

    @initialize()
    def begin(self) -> None:
        """Two backups, four teams, nothing declared, nothing shared."""
        self.cloud.reset()
        # Made by hand: all that no resource has had since, and of these what the program has not even named.
        self.theirs: set[tuple[str, str]] = set()
        self.foreign: set[tuple[str, str]] = set()
        self.settings = settings_of(self.cloud, max_retries=2, deadline=60.0)
        self.backups = [self.cloud.backup.id, self.cloud.add_backup("sharer").id]
        self.teams = [self.cloud.add_account(f"team-{number}").project_id for number in range(4)]
        self.stack = Stack()

    def run(self, **how: Any) -> None:
        """One `up` in a process of its own; however it ends."""
        with Run(self.settings, FakeTime().clock) as run, suppress(CbrSharingError, Killed):
            self.stack.up(run, **how)
        self.disown()

    @rule(refresh=st.booleans())
    def up(self, refresh: bool) -> None:
        """The faults that were scripted may end it."""
        self.run(refresh=refresh)
        self.cloud.faults.clear()

    @rule(refresh=st.booleans(), name=NAMES)
    def up_with_replace(self, refresh: bool, name: str) -> None:
        """`--replace` of a resource, which deletes what it has just made or taken over."""
        self.run(refresh=refresh, replace=name)
        self.cloud.faults.clear()

    @rule(name=NAMES, new=NAMES)
    def reconnect(self, name: str, new: str) -> None:
        """A resource gets another connection to the same account, and another name if that is free."""
        if name in self.stack.program:
            kind, inputs = self.stack.program.pop(name)
            kind = kind.removesuffix("@dr") if kind.endswith("@dr") else f"{kind}@dr"
            self.stack.program[name if new in self.stack.program else new] = (kind, inputs)

    @rule(refresh=st.booleans(), kill_at=st.integers(0, 3))
    def killed_up(self, refresh: bool, kill_at: int) -> None:
        """The effect is there, the record is not."""
        self.run(refresh=refresh, kill_at=kill_at)
        self.cloud.faults.clear()

    @rule()
    def refresh(self) -> None:
        """A refresh alone."""
        with Run(self.settings, FakeTime().clock) as run, suppress(CbrSharingError):
            self.stack.refresh(run)
        self.cloud.faults.clear()

    @rule(fault=FAULTS)
    def fault(self, fault: Fault) -> None:
        """The next run meets it."""
        self.cloud.add_fault(fault)

    @rule(backup=BACKUPS, team=TEAMS)
    def add_by_hand(self, backup: int, team: int) -> None:
        """Somebody shares a backup in the console."""
        self._by_hand(backup, team, present=True)

    @rule(backup=BACKUPS, team=TEAMS)
    def remove_by_hand(self, backup: int, team: int) -> None:
        """Somebody cancels a share in the console."""
        self._by_hand(backup, team, present=False)

    def _by_hand(self, backup: int, team: int, *, present: bool) -> None:
        backup_id, project = self.backups[backup], self.teams[team]
        if backup_id not in self.cloud.state.backups:
            return
        if present and project not in self.cloud.members(backup_id):
            self.cloud.add_member(backup_id, project)
            self.theirs.add((backup_id, project))
            self.foreign.add((backup_id, project))
            self.disown()
        elif not present and project in self.cloud.members(backup_id):
            self.cloud.remove_member(backup_id, project)
            self.theirs.discard((backup_id, project))
            self.foreign.discard((backup_id, project))

    def disown(self) -> None:
        """What the state has is nobody else's; what the program names may become the stack's."""
        self.theirs -= set().union(*(shares_of(one.inputs) for one in self.stack.state))
        self.foreign &= self.theirs - self.declared()

    @rule(backup=BACKUPS, team=TEAMS, answer=st.sampled_from(["accepted", "rejected"]))
    def answer(self, backup: int, team: int, answer: str) -> None:
        """A recipient answers."""
        member = self.cloud.members(self.backups[backup]).get(self.teams[team])
        if member and not member.image_id:
            self.cloud.answer(self.backups[backup], self.teams[team], answer)

    @rule(backup=BACKUPS, team=TEAMS)
    def register_image(self, backup: int, team: int) -> None:
        """A recipient registers an image, so that its share cannot be cancelled."""
        member = self.cloud.members(self.backups[backup]).get(self.teams[team])
        if member and member.status == "accepted":
            self.cloud.register_image(self.backups[backup], self.teams[team])

    @rule(backup=BACKUPS, team=TEAMS)
    def drop_image(self, backup: int, team: int) -> None:
        """And deletes it again."""
        member = self.cloud.members(self.backups[backup]).get(self.teams[team])
        if member:
            member.image_id = None

    @precondition(lambda self: len(self.cloud.state.backups) == 2)
    @rule()
    def backup_expires(self) -> None:
        """Its shares go with it; a program that declares one still cannot be carried out."""
        self.cloud.remove_backup(self.backups[1])

    @rule()
    def settle(self) -> None:
        """The faults are over, images are gone, declared backups are there: one `up --refresh` makes it right."""
        self.cloud.faults.clear()
        for name, (_, inputs) in list(self.stack.program.items()):
            if inputs["backup_id"] not in self.cloud.state.backups:
                del self.stack.program[name]
        for backup in self.cloud.state.backups:
            for member in self.cloud.members(backup).values():
                member.image_id = None
        before = self.live()
        self.up_to_date()
        self.check(before)
        self.cloud.clear_requests()
        self.up_to_date()
        assert {request.method for request in self.cloud.requests} <= {"GET"}, "a second up has something to do"

    def teardown(self) -> None:
        """Every history ends well, and a destroy leaves nothing of the stack."""
        if not hasattr(self, "stack"):
            return
        self.settle()
        with Run(self.settings, FakeTime().clock) as run:
            self.stack.destroy(run)
        assert not self.stack.state
        assert not self.live() & self.declared()

    def up_to_date(self) -> None:
        """One `up --refresh` that must succeed."""
        with Run(self.settings, FakeTime().clock) as run:
            self.stack.up(run, refresh=True)
        self.disown()

    def live(self) -> set[tuple[str, str]]:
        """Every share of the cloud, rejected ones excepted."""
        return {
            (backup, project)
            for backup in self.cloud.state.backups
            for project, member in self.cloud.members(backup).items()
            if member.status != "rejected"
        }

    def declared(self) -> set[tuple[str, str]]:
        """Every share that the program names."""
        return set().union(*(shares_of(inputs) for _, inputs in self.stack.program.values()))

    def check(self, before: set[tuple[str, str]]) -> None:
        """What must be true after the last `up --refresh`."""
        raise NotImplementedError


class MemberHistories(Histories):
    """Programs of BackupShareMembers: declared, dropped, renamed and swapped."""

    @rule(name=NAMES, backup=BACKUPS, team=TEAMS)
    def declare(self, name: str, backup: int, team: int) -> None:
        """A new resource, or another share for one; no share is declared twice."""
        inputs = {"backup_id": self.backups[backup], "dest_project_id": self.teams[team]}
        if not shares_of(inputs) & self.declared():
            self.stack.program[name] = ("member", inputs)
            self.disown()

    @rule(name=NAMES)
    def drop(self, name: str) -> None:
        """It is removed from the program."""
        self.stack.program.pop(name, None)

    @rule(old=NAMES, new=NAMES)
    def rename(self, old: str, new: str) -> None:
        """A resource gets another name, or two swap theirs."""
        program = self.stack.program
        moved = {new: program.get(old), old: program.get(new)}
        program.update({name: one for name, one in moved.items() if one})
        for name in [name for name, one in moved.items() if not one]:
            program.pop(name, None)

    def check(self, before: set[tuple[str, str]]) -> None:
        """All that is declared is there; what is neither declared nor recorded was left alone."""
        assert self.declared() <= self.live()
        foreign = {share for share in self.foreign if share in before}
        assert foreign <= self.live(), "somebody else's share was touched"
        assert self.live() - self.declared() <= self.theirs | self.stack.tried, "a share that nobody declares"


class ShareHistories(Histories):
    """Programs of BackupShares, one a backup."""

    @rule(name=NAMES, backup=BACKUPS, teams=st.sets(TEAMS))
    def declare(self, name: str, backup: int, teams: set[int]) -> None:
        """A new resource, or another set for one; each backup is declared once."""
        others = [inputs["backup_id"] for other, (_, inputs) in self.stack.program.items() if other != name]
        if self.backups[backup] not in others:
            projects = [self.teams[team] for team in teams]
            self.stack.program[name] = (
                "share",
                {"backup_id": self.backups[backup], "dest_project_ids": projects},
            )
            self.disown()

    @rule(name=NAMES)
    def drop(self, name: str) -> None:
        """It is removed from the program."""
        self.stack.program.pop(name, None)

    @rule(old=NAMES, new=NAMES)
    def rename(self, old: str, new: str) -> None:
        """A resource gets another name."""
        if old in self.stack.program and new not in self.stack.program:
            self.stack.program[new] = self.stack.program.pop(old)

    def check(self, before: set[tuple[str, str]]) -> None:
        """The declared backups are shared with exactly the declared teams; of the others nobody was touched."""
        backups = {inputs["backup_id"] for _, inputs in self.stack.program.values()}
        assert {share for share in self.live() if share[0] in backups} == self.declared()
        foreign = {share for share in self.foreign & before if share[0] not in backups}
        assert foreign <= self.live(), "somebody else's share was touched"


class MixedHistories(Histories):
    """Programs where a backup has either BackupShareMembers or a BackupShare, and goes over from one to the other."""

    @rule(name=NAMES, backup=BACKUPS, team=TEAMS)
    def declare_member(self, name: str, backup: int, team: int) -> None:
        """One recipient; the set of this backup, if there was one, is given up."""
        inputs = {"backup_id": self.backups[backup], "dest_project_id": self.teams[team]}
        self._give_up(
            name, lambda kind, others: kind.startswith("share") or shares_of(others) == shares_of(inputs), inputs
        )
        self._declare(name, "member", inputs)

    @rule(name=NAMES, backup=BACKUPS, teams=st.sets(TEAMS))
    def declare_share(self, name: str, backup: int, teams: set[int]) -> None:
        """The whole set; whatever else had this backup is given up."""
        inputs = {"backup_id": self.backups[backup], "dest_project_ids": [self.teams[team] for team in teams]}
        self._give_up(name, lambda _kind, _others: True, inputs)
        self._declare(name, "share", inputs)

    def _give_up(self, name: str, clashes: Callable[[str, dict[str, Any]], bool], inputs: dict[str, Any]) -> None:
        for other, (kind, others) in list(self.stack.program.items()):
            if other != name and others["backup_id"] == inputs["backup_id"] and clashes(kind, others):
                del self.stack.program[other]

    def _declare(self, name: str, kind: str, inputs: dict[str, Any]) -> None:
        self.stack.program[name] = (kind, inputs)
        self.disown()

    @rule(name=NAMES)
    def drop(self, name: str) -> None:
        """It is removed from the program."""
        self.stack.program.pop(name, None)

    def check(self, before: set[tuple[str, str]]) -> None:
        """Sets are exact; all members are there; what is neither declared nor recorded was left alone."""
        sets = {inputs["backup_id"] for kind, inputs in self.stack.program.values() if kind.startswith("share")}
        undeclared = self.live() - self.declared()
        assert self.declared() <= self.live()
        assert not [share for share in undeclared if share[0] in sets]
        assert undeclared <= self.theirs | self.stack.tried, "a share that nobody declares"
        foreign = {share for share in self.foreign & before if share[0] not in sets}
        assert foreign <= self.live(), "somebody else's share was touched"


def search(machine: type[Histories], emulator: Emulator, *, histories: int) -> None:
    """Try many histories of one machine: always the same ones, so that a change is to blame for what it breaks.

    `make search` sets HISTORIES, and tries that many which nobody has tried before.
    """
    more = os.environ.get("HISTORIES")
    bounded = settings(
        max_examples=int(more or histories),
        stateful_step_count=20,
        derandomize=not more,
        suppress_health_check=list(HealthCheck),
    )

    class Machine(machine):  # type: ignore[misc, valid-type]
        """With the cloud of this test."""

        cloud = emulator

    with redirect_stdout(io.StringIO()):  # thousands of lines for the user, which would drown the history that failed
        run_state_machine_as_test(Machine, settings=bounded)


def test_histories_of_members_end_as_declared(emulator: Emulator) -> None:
    """Nothing declared is lost, nothing undeclared is shared, nobody else's share is touched."""
    search(MemberHistories, emulator, histories=600)


def test_histories_of_shares_end_as_declared(emulator: Emulator) -> None:
    """The live set is the declared one, whatever happened."""
    search(ShareHistories, emulator, histories=300)


def test_histories_of_both_kinds_end_as_declared(emulator: Emulator) -> None:
    """A backup may go over from members to a set and back, and nobody notices."""
    search(MixedHistories, emulator, histories=300)
