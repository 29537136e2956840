"""Random histories of stacks: whatever happened, one more `up --refresh` makes the live shares the declared ones.

A step of a history is an edit of the program or something that happens in the cloud, and most steps end with a run:
with or without a refresh, with faults, killed half-way, with options of the engine and of resources.
`tests/support/histories.py` is the engine. After every run, however it ended, declared and protected shares are still
there, but for what the documentation tells; at the end, all is as declared.
"""

from __future__ import annotations

import functools
import io
import itertools
import os

from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from histories import Killed, Options, Protected, Stack, kind_of, share_ids, shares_of, shares_of_all
from inprocess import FakeTime, Run, settings_of
from pulumi_cbr_sharing.emulator import Fault
from pulumi_cbr_sharing.errors import CbrSharingError, Refused, TooManyRecipients


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from histories import Resource
    from pulumi_cbr_sharing.emulator import Emulator
    from pulumi_cbr_sharing.emulator.app import Recorded


pytestmark = pytest.mark.search

FULL = 10
NEVER = 10_000
STEPS = 12  # of a history, at the most
FAULTS = st.builds(
    Fault,
    method=st.sampled_from(["POST", "GET", "DELETE", None]),
    status=st.sampled_from([None, None, 408, 429, 500, 503, 200, 404, 403]),
    body=st.sampled_from(["", "{}", "<html>"]),
    reset=st.booleans(),
    when=st.sampled_from(["before", "after"]),
    times=st.sampled_from([1, 1, 2, 20]),
)
NAMES = st.sampled_from("abc")
TEAMS = st.integers(0, 3)
BACKUPS = st.sampled_from([0, 0, 0, 1])
SHARES = st.integers(0, 9)
# The other recipients of the first backup: beside seven or eight, there is no room for all four teams.
CROWDS = st.sampled_from([0, 7, 8])
PREVIEWS = st.sampled_from([False, False, True])
DOORS = st.sampled_from(["", "@native"])


ANY = Options()


@dataclass(frozen=True)
class Up:
    """A run, and the faults that it meets."""

    options: Options = ANY
    faults: tuple[Fault, ...] = ()


CHOICES = st.one_of(*[st.just(frozenset[str]())] * 4, st.frozensets(NAMES, min_size=1, max_size=2))
UPS = st.builds(
    Up,
    options=st.builds(
        Options,
        refresh=st.booleans(),
        planned_first=st.booleans(),
        kill_at=st.sampled_from([NEVER] * 5 + [0, 1, 2]),
        replace=st.sampled_from([""] * 5 + list("abc")),
        target=CHOICES,
        exclude=CHOICES,
        dependents=st.booleans(),
        continue_on_error=st.sampled_from([False, False, True]),
    ),
    faults=st.one_of(st.just(()), st.just(()), st.tuples(FAULTS), st.tuples(FAULTS, FAULTS)),
)
Share = tuple[str, str]


def step(**drawn: Any) -> Callable[[Callable[..., None]], Any]:
    """A rule that ends with a run, or not."""

    def decorated(method: Callable[..., None]) -> Any:
        @functools.wraps(method)
        def with_run(self: Histories, up: Up | None, **words: Any) -> None:
            method(self, **words)
            if up:
                self.run(up)

        as_rule: Any = rule(up=st.one_of(st.none(), UPS, UPS), **drawn)
        return as_rule(with_run)

    return decorated


class Histories(RuleBasedStateMachine):
    """What all programs have in common: the cloud, what happens behind the stack's back, and its runs."""

    cloud: Emulator

    def start(self, crowd: int, *, previews: bool, door: str) -> None:
        """Two backups, the first with a crowd of recipients; four teams; nothing declared."""
        self.cloud.reset()
        self.door = door
        self.settings = settings_of(self.cloud, max_retries=2, deadline=60.0)
        team = self.cloud.add_account("team-0")
        self.recipient = settings_of(self.cloud, "team-0", max_retries=2, deadline=60.0)
        self.vault = self.cloud.add_vault(account="team-0").id
        self.backups = [self.cloud.backup.id, self.cloud.add_backup("sharer").id]
        self.teams = [team.project_id, *(self.cloud.add_account(f"team-{number}").project_id for number in range(1, 4))]
        self.crowd = [self.cloud.add_account(f"crowd-{number}").project_id for number in range(crowd)]
        self.previews, self.stack = previews, Stack()
        # Made by hand: all that no resource has had since, and of these what the program has not even named.
        self.theirs: set[Share] = set()
        self.foreign: set[Share] = set()
        for project in self.crowd:
            self._by_hand((self.backups[0], project), present=True)

    def process(self) -> Run:
        """What one run of the engine starts."""
        return Run(self.settings, FakeTime().clock, recipient=self.recipient, door=self.door)

    def run(self, up: Up) -> None:
        """One `up` in processes of its own; however it ends, it has kept what has to be kept."""
        for fault in up.faults:
            self.cloud.add_fault(fault)
        self.cloud.clear_requests()
        before, guarded, known = self.records(), self.guarded(), list(self.stack.state)
        told, accepted = self.told(up.options), self.accepted()
        owned = shares_of_all(one.inputs for one in known)
        with self.process() as run, suppress(CbrSharingError, Killed, Protected):
            self.stack.up(run, up.options)
        self.cloud.faults.clear()
        after = self.records()
        changed = {share for share, record in before.items() if after.get(share) != record}
        assert changed & self.declared() <= told, "a share that the program declares was made anew"
        assert changed & guarded <= told, "a protected share was touched"
        assert accepted - self.accepted() <= changed | told, "a share that the program accepts was given back"
        new = [one for one in self.stack.state if not any(one is other for other in known)]
        own = [one for one in new if one.inputs.get("adopt") is False]
        strangers = {record for share, record in before.items() if share not in owned}
        assert not share_ids(own) & strangers, "taken over without adoption"
        assert not list(repeated_posts(self.cloud.requests)), "a POST was repeated blindly"
        self.disown()

    def told(self, options: Options) -> set[Share]:
        """Declared shares that a run may cancel, as the documentation tells.

        With targets and excludes nobody knows what the other resources declare. A resource that is deleted first loses
        its share before later ones are known. Whoever accepts no longer gives the share back.
        """
        program = self.stack.program
        told = self.declared() - shares_of_all(program[name][1] for name in self.stack.chosen(options))
        recorded = {name: one for name in program if (one := self.stack.recorded(name))}
        if not options.planned_first:
            told |= shares_of_all(one.inputs for name, one in recorded.items() if name in self.stack.deleted_first)
        leaving = [one for one in self.stack.state if not any(one is other for other in recorded.values())]
        changing = [one for name, one in recorded.items() if one.inputs != program[name][1]]
        backups = {one.inputs["backup_id"] for one in [*leaving, *changing] if kind_of(one.kind) == "accepter"}
        return told | {(backup, self.teams[0]) for backup in backups}

    def accepted(self) -> set[Share]:
        """What resources of the program have accepted."""
        shares = {
            (inputs["backup_id"], self.teams[0])
            for kind, inputs in self.stack.program.values()
            if kind_of(kind) == "accepter" and inputs["backup_id"] in self.cloud.state.backups
        }
        return {one for one in shares & set(self.records()) if self.cloud.members(one[0])[one[1]].status == "accepted"}

    def guarded(self) -> set[Share]:
        """The live shares of protected members that a run might delete: dropped from the program, or replaced."""
        program, sets = self.stack.program, self.sets()
        found = set()
        for one in self.stack.state:
            kept = one.name in program and kind_of(program[one.name][0]) == kind_of(one.kind)
            permitted = kept and one.name not in self.stack.protected
            if one.protect and not permitted and kind_of(one.kind) == "member" and one.inputs["backup_id"] not in sets:
                found |= shares_of(one.inputs)
        return found & set(self.records())

    @step()
    def nothing(self) -> None:
        """Just a run."""

    @step(name=NAMES, new=NAMES, to=st.sampled_from(["", "@dr", "@other", "@native", "@native"]))
    def reconnect(self, name: str, new: str, to: str) -> None:
        """A resource gets another provider of the same account, perhaps of the other door, and perhaps another name."""
        if name in self.stack.program:
            kind, inputs = self.stack.program.pop(name)
            self.stack.program[name if new in self.stack.program else new] = (kind_of(kind) + to, inputs)

    @step(name=NAMES)
    def drop(self, name: str) -> None:
        """A resource is removed from the program."""
        self.stack.program.pop(name, None)

    @step(name=NAMES, option=st.sampled_from(["protected", "retained", "deleted_first"]), on=st.booleans())
    def give_option(self, name: str, option: str, on: bool) -> None:
        """A resource is protected, retained, deleted first; or no longer."""
        names: set[str] = getattr(self.stack, option)
        (names.add if on else names.discard)(name)

    @step(name=NAMES, other=NAMES, on=st.booleans())
    def wait(self, name: str, other: str, on: bool) -> None:
        """A resource waits for another one; or no longer."""
        (self.stack.waits.add if on else self.stack.waits.discard)((name, other))

    @step(old=NAMES, new=NAMES)
    def rename_by_alias(self, old: str, new: str) -> None:
        """The engine knows that it is the same resource."""
        if old in self.stack.program and new not in self.stack.program:
            self.stack.program[new] = self.stack.program.pop(old)
            self.stack.aliases = {new: old}

    @step(backup=BACKUPS, on=st.booleans(), door=DOORS)
    def accept_by_program(self, backup: int, on: bool, door: str) -> None:
        """The program accepts what it shares with the first team, or no longer."""
        inputs = {"backup_id": self.backups[backup], "vault_id": self.vault, "wait_for_offer": 0}
        self.stack.program.pop(f"in-{backup}", None)
        if on:
            self.stack.program[f"in-{backup}"] = (f"accepter{door}", inputs)

    @rule()
    def refresh(self) -> None:
        """A refresh alone."""
        with self.process() as run, suppress(CbrSharingError):
            self.stack.refresh(run)

    @step(backup=BACKUPS, team=TEAMS)
    def add_by_hand(self, backup: int, team: int) -> None:
        """Somebody shares a backup in the console."""
        self._by_hand((self.backups[backup], self.teams[team]), present=True)

    @step(which=SHARES)
    def remove_by_hand(self, which: int) -> None:
        """Somebody cancels a share in the console."""
        for share in self.one_of(self.records(rejected=True), which):
            self._by_hand(share, present=False)

    @step(which=SHARES, answer=st.sampled_from(["rejected", "accepted"]))
    def answer(self, which: int, answer: str) -> None:
        """A recipient answers."""
        for share in self.one_of(self.records(rejected=True), which):
            if not self.cloud.members(share[0])[share[1]].image_id:
                self.cloud.answer(*share, answer)

    @step(which=SHARES)
    def image(self, which: int) -> None:
        """A recipient registers an image, so that its share cannot be cancelled; or deletes it."""
        for share in self.one_of(self.records(), which):
            member = self.cloud.members(share[0])[share[1]]
            if member.image_id:
                member.image_id = None
            elif member.status == "accepted":
                self.cloud.register_image(*share)

    @precondition(lambda self: self.backups[1] in self.cloud.state.backups)
    @step()
    def backup_expires(self) -> None:
        """Its shares go with it; a program that declares one still cannot be carried out."""
        self.cloud.remove_backup(self.backups[1])

    def one_of(self, shares: Iterable[Share], which: int) -> list[Share]:
        """One of these with the teams, if there is any."""
        found = sorted((one for one in shares if one[1] in self.teams), key=lambda one: self.teams.index(one[1]))
        return [found[which % len(found)]] if found else []

    def _by_hand(self, share: Share, *, present: bool) -> None:
        there = self.cloud.members(share[0])
        if present and share[1] not in there and len(there) < FULL and share[0] in self.cloud.state.backups:
            self.cloud.add_member(*share)
            self.theirs.add(share)
            self.foreign.add(share)
            self.disown()
        elif not present and share[1] in there:
            self.cloud.remove_member(*share)
            self.theirs.discard(share)
            self.foreign.discard(share)

    def disown(self) -> None:
        """What the state has is nobody else's; what the program names may become the stack's."""
        self.theirs -= shares_of_all(one.inputs for one in self.stack.state)
        self.foreign &= self.theirs - self.declared()

    @rule()
    def settle(self) -> None:
        """After what only people can do, one `up --refresh` makes it right, and another has nothing to do."""
        self.make_possible()
        if any(kind_of(one.kind) == "accepter" and one.name not in self.stack.program for one in self.stack.state):
            with suppress(TooManyRecipients, Refused):
                self.up_to_date()  # it gives its share back, which is a rejection: the next run offers it again
        before, full = set(self.records()), self.is_too_full()
        try:
            self.up_to_date()
        except (TooManyRecipients, Refused):
            if not full:
                raise
            self.up_in_two_steps()
        self.check(before)
        self.cloud.clear_requests()
        self.up_to_date(previewed=False)
        assert {request.method for request in self.cloud.requests} <= {"GET"}, "a second up has something to do"

    def teardown(self) -> None:
        """Every history ends well, and a destroy leaves nothing of the stack."""
        if not hasattr(self, "stack"):
            return
        self.settle()
        self._unprotect()
        self._let_go()
        with self.process() as run:
            self.stack.destroy(run)
        assert not self.stack.state
        assert not set(self.records()) & self.declared()

    def make_possible(self) -> None:
        """Remove what no run gets past: images, expired backups, protection, shares that may not be adopted."""
        for name, (_, inputs) in list(self.stack.program.items()):
            share = (inputs["backup_id"], self.teams[0])
            if share[0] not in self.cloud.state.backups or ("vault_id" in inputs and share not in self.declared()):
                del self.stack.program[name]
        self._let_go()
        for member in itertools.chain(*(self.cloud.members(backup).values() for backup in self.cloud.state.backups)):
            member.image_id = None
        kept = []
        for name, (kind, inputs) in self.stack.program.items():
            recorded = self.stack.recorded(name)
            if recorded and shares_of(recorded.inputs) == shares_of(inputs):
                kept.append(recorded)
            elif inputs.get("adopt") is False:
                self._permit(name, kind, inputs)
        self._unprotect(but=kept)
        for backup in self.cloud.state.backups:
            self._make_room(backup)

    def _unprotect(self, *, but: Sequence[Resource] = ()) -> None:
        """In the program, and by `pulumi state unprotect`."""
        for one in self.stack.state:
            one.protect = one.protect and any(one is other for other in but)
        self.stack.protected &= {one.name for one in but}

    def _let_go(self) -> None:
        """In the program and in the state, nothing is retained."""
        self.stack.retained.clear()
        for one in self.stack.state:
            one.retain = False

    def _permit(self, name: str, kind: str, inputs: dict[str, Any]) -> None:
        """Others cancel what they have made; the stack may adopt what it has made itself."""
        (share,) = shares_of(inputs)
        if share in self.theirs:
            self._by_hand(share, present=False)
        else:
            self.stack.program[name] = (kind, {**inputs, "adopt": True})

    def _make_room(self, backup: str) -> None:
        """Cancel shares that no resource has, as far as the declared ones need the room."""
        owned = self.declared() | shares_of_all(one.inputs for one in self.stack.state)
        stranded = [share for share in self.records(rejected=True) if share[0] == backup and share not in owned]
        staying = {share for share in self.declared() if share[0] == backup}
        for share in [share for share in stranded if share[1] in self.teams]:
            if len(staying | set(stranded)) > FULL:
                stranded.remove(share)
                self._by_hand(share, present=False)

    def is_too_full(self) -> bool:
        """Whether there is no room until a recipient has gone: nobody makes room but the engine."""
        there = set(self.records(rejected=True)) | self.declared()
        return any(len([share for share in there if share[0] == backup]) > FULL for backup in self.cloud.state.backups)

    def up_in_two_steps(self) -> None:
        """First what is there already, so that what is not declared goes; then all."""
        self._unprotect()
        program, there = self.stack.program, set(self.records(rejected=True))

        def is_there(kind: str, inputs: dict[str, Any]) -> bool:
            shares = {(inputs["backup_id"], self.teams[0])} if kind_of(kind) == "accepter" else shares_of(inputs)
            return kind_of(kind) == "share" or shares <= there

        self.stack.program = {name: one for name, one in program.items() if is_there(*one)}
        self.up_to_date()
        self.stack.program = program
        self.up_to_date()

    def up_to_date(self, *, previewed: bool = True) -> None:
        """One `up --refresh` that must succeed, in some histories after a preview."""
        if self.previews and previewed:
            with self.process() as run:
                self.stack.preview(run, refresh=True)
        with self.process() as run:
            self.stack.up(run, Options(refresh=True, planned_first=True))
        self.disown()

    def records(self, *, rejected: bool = False) -> dict[Share, str]:
        """The record of every share in the cloud; rejected ones, which are offers no more, on request."""
        return {
            (backup, project): member.id
            for backup in self.cloud.state.backups
            for project, member in self.cloud.members(backup).items()
            if rejected or member.status != "rejected"
        }

    def declared(self, *, but: str = "") -> set[Share]:
        """Every share that the program names, but by a resource of this name."""
        return shares_of_all(inputs for name, (_, inputs) in self.stack.program.items() if name != but)

    def sets(self) -> set[str]:
        """The backups that the program shares as a whole."""
        return {inputs["backup_id"] for kind, inputs in self.stack.program.values() if kind_of(kind) == "share"}

    def fits(self, backup: str, shares: set[Share]) -> bool:
        """Whether a backup has room for these shares beside the crowd."""
        crowd = {share for share in self.foreign if share[1] in self.crowd}
        return len({share for share in shares | crowd if share[0] == backup}) <= FULL

    def check(self, before: set[Share]) -> None:
        """What must be true after the last `up --refresh`: sets are exact, all members are there, nothing else is."""
        live, sets = set(self.records()), self.sets()
        assert self.declared() <= live
        undeclared = live - self.declared()
        assert not [share for share in undeclared if share[0] in sets]
        assert undeclared <= self.theirs | self.stack.tried | self.stack.left, "a share that nobody declares"
        foreign = {share for share in self.foreign & before if share[0] not in sets}
        assert foreign <= live, "somebody else's share was touched"


def repeated_posts(requests: list[Recorded]) -> Iterator[Recorded]:
    """The POSTs that came after one whose effect was unknown, without a look at the list in between."""
    unknown: set[str] = set()
    for request in requests:
        if request.method == "POST" and request.path in unknown:
            yield request
        if request.method == "GET":
            unknown.discard(request.path)
        elif request.method == "POST" and (request.status in (0, 408) or request.status >= 500):
            unknown.add(request.path)


class MemberHistories(Histories):
    """Programs of BackupShareMembers: declared, dropped, renamed, swapped and rotated."""

    @initialize(
        crowd=CROWDS,
        previews=PREVIEWS,
        door=DOORS,
        teams=st.lists(TEAMS, unique=True, min_size=1, max_size=3),
        adopt=st.booleans(),
    )
    def begin(self, crowd: int, previews: bool, door: str, teams: list[int], adopt: bool) -> None:
        """Some members of the first backup, as far as there is room."""
        self.start(crowd, previews=previews, door=door)
        for name, team in zip("abc", teams, strict=False):
            self.declare_one(name, 0, team, adopt=adopt)
        self.run(Up())

    @step(name=NAMES, backup=BACKUPS, team=TEAMS, adopt=st.booleans())
    def declare(self, name: str, backup: int, team: int, adopt: bool) -> None:
        """A new resource, or another share for one; no share is declared twice."""
        self.declare_one(name, backup, team, adopt=adopt)

    def declare_one(self, name: str, backup: int, team: int, *, adopt: bool) -> None:
        """If nobody else declares it, and there is room."""
        inputs = {"backup_id": self.backups[backup], "dest_project_id": self.teams[team], "adopt": adopt}
        others = self.declared(but=name)
        if not shares_of(inputs) & others and self.fits(self.backups[backup], others | shares_of(inputs)):
            self.stack.program[name] = ("member", inputs)
            self.disown()

    @step(old=NAMES, new=NAMES)
    def rename(self, old: str, new: str) -> None:
        """A resource gets another name, or two swap theirs."""
        program = self.stack.program
        moved = {new: program.get(old), old: program.get(new)}
        program.update({name: one for name, one in moved.items() if one})
        for name in [name for name, one in moved.items() if not one]:
            program.pop(name, None)

    @step(order=st.permutations("abc"), team=TEAMS)
    def rotate(self, order: list[str], team: int) -> None:
        """Each resource gets what the next one had, and the last one perhaps a new recipient."""
        program = self.stack.program
        names = [name for name in order if name in program]
        inputs = [program[name][1] for name in names]
        for name, new in zip(names, inputs[1:] + inputs[:1], strict=True):
            program[name] = (program[name][0], new)
        if names:
            self.declare_one(names[-1], self.backups.index(program[names[-1]][1]["backup_id"]), team, adopt=True)


class ShareHistories(Histories):
    """Programs of BackupShares, one a backup."""

    @initialize(
        crowd=CROWDS,
        previews=PREVIEWS,
        door=DOORS,
        teams=st.sets(TEAMS, min_size=1, max_size=3),
        whole=st.booleans(),
    )
    def begin(self, crowd: int, previews: bool, door: str, teams: set[int], whole: bool) -> None:
        """The recipients of the first backup, with the crowd or without."""
        self.start(crowd, previews=previews, door=door)
        self.declare_one("a", 0, teams, whole=whole)
        self.run(Up())

    @step(name=NAMES, backup=BACKUPS, teams=st.sets(TEAMS), whole=st.booleans())
    def declare(self, name: str, backup: int, teams: set[int], whole: bool) -> None:
        """A new resource, or another set for one; each backup is declared once."""
        self.declare_one(name, backup, teams, whole=whole)

    def declare_one(self, name: str, backup: int, teams: set[int], *, whole: bool) -> None:
        """If no other resource declares the backup; with the crowd, as far as there is room."""
        others = [inputs["backup_id"] for other, (_, inputs) in self.stack.program.items() if other != name]
        if self.backups[backup] not in others:
            projects = [*(self.crowd if whole else ()), *(self.teams[team] for team in sorted(teams))][:FULL]
            self.stack.program[name] = (
                "share",
                {"backup_id": self.backups[backup], "dest_project_ids": projects},
            )
            self.disown()

    @step(old=NAMES, new=NAMES)
    def rename(self, old: str, new: str) -> None:
        """A resource gets another name."""
        if old in self.stack.program and new not in self.stack.program:
            self.stack.program[new] = self.stack.program.pop(old)


class MixedHistories(Histories):
    """Programs where a backup has either BackupShareMembers or a BackupShare, and goes over from one to the other."""

    @initialize(
        crowd=CROWDS,
        previews=PREVIEWS,
        door=DOORS,
        teams=st.lists(TEAMS, unique=True, min_size=1, max_size=2),
        adopt=st.booleans(),
    )
    def begin(self, crowd: int, previews: bool, door: str, teams: list[int], adopt: bool) -> None:
        """Some members of the first backup."""
        self.start(crowd, previews=previews, door=door)
        for name, team in zip("ab", teams, strict=False):
            self.declare_one(name, 0, team, adopt=adopt)
        self.run(Up())

    @step(name=NAMES, backup=BACKUPS, team=TEAMS, adopt=st.booleans())
    def declare_member(self, name: str, backup: int, team: int, adopt: bool) -> None:
        """One recipient; the set of this backup, if there was one, is given up."""
        self.declare_one(name, backup, team, adopt=adopt)

    def declare_one(self, name: str, backup: int, team: int, *, adopt: bool) -> None:
        """If there is room."""
        inputs = {"backup_id": self.backups[backup], "dest_project_id": self.teams[team], "adopt": adopt}
        if self.fits(self.backups[backup], self.declared(but=name) | shares_of(inputs)):
            self._give_up(
                name, lambda kind, others: kind_of(kind) == "share" or shares_of(others) == shares_of(inputs), inputs
            )
            self._declare(name, "member", inputs)

    @step(name=NAMES, backup=BACKUPS, teams=st.sets(TEAMS))
    def declare_share(self, name: str, backup: int, teams: set[int]) -> None:
        """The whole set; whatever else had this backup is given up."""
        inputs = {"backup_id": self.backups[backup], "dest_project_ids": [self.teams[team] for team in sorted(teams)]}
        self._give_up(name, lambda _kind, _others: True, inputs)
        self._declare(name, "share", inputs)

    def _give_up(self, name: str, clashes: Callable[[str, dict[str, Any]], bool], inputs: dict[str, Any]) -> None:
        for other, (kind, others) in list(self.stack.program.items()):
            if other != name and others["backup_id"] == inputs["backup_id"] and clashes(kind, others):
                del self.stack.program[other]

    def _declare(self, name: str, kind: str, inputs: dict[str, Any]) -> None:
        self.stack.program[name] = (kind, inputs)
        self.disown()


def search(machine: type[Histories], emulator: Emulator, *, histories: int) -> None:
    """Try many histories of one machine: always the same ones, so that a change is to blame for what it breaks.

    `make search` sets HISTORIES, and tries that many which nobody has tried before.
    """
    more = os.environ.get("HISTORIES")
    bounded = settings(
        max_examples=int(more or histories),
        stateful_step_count=STEPS,
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
    search(MemberHistories, emulator, histories=150)


def test_histories_of_shares_end_as_declared(emulator: Emulator) -> None:
    """The live set is the declared one, whatever happened."""
    search(ShareHistories, emulator, histories=80)


def test_histories_of_both_kinds_end_as_declared(emulator: Emulator) -> None:
    """A backup may go over from members to a set and back, and nobody notices."""
    search(MixedHistories, emulator, histories=150)
