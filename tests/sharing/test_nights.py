"""Random nights of both sides: in whatever order they run, and whatever breaks, the recipient gets the window.

A run is modelled as the engine carries it out: what is recorded is read again, the program looks and chooses, what came
is made, what is not declared any more is removed at the end. A run that fails ends there, with what it recorded.
"""

from __future__ import annotations

import os

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from inprocess import FakeTime, session_of, settings_of
from pulumi_cbr_sharing.emulator import Fault
from pulumi_cbr_sharing.errors import CbrSharingError
from pulumi_cbr_sharing.sharing import acceptance, member
from pulumi_cbr_sharing.sharing.inputs import AcceptanceInputs, MemberInputs
from pulumi_cbr_sharing.sharing.received import to_accept
from pulumi_cbr_sharing.sharing.window import Window, to_share


if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_cbr_sharing.emulator import Emulator
    from pulumi_cbr_sharing.sharing.session import Session


pytestmark = pytest.mark.search

SERVERS = [{"id": f"{number}" * 8 + "-2222-4333-8444-555555555555", "type": "OS::Nova::Server"} for number in (1, 2)]
FAULTS = st.builds(
    Fault,
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", None]),
    path=st.sampled_from(["", "/backups$", "/members"]),
    status=st.sampled_from([None, None, 200, 403, 404, 429, 500, 503]),
    body=st.sampled_from(["", "{}", "<html>"]),
    reset=st.booleans(),
    when=st.sampled_from(["before", "after"]),
    times=st.sampled_from([1, 1, 2, 20]),
    nth=st.integers(1, 3),
)


class Half:
    """One side: its account, its program's window, and what its stack has recorded."""

    def __init__(self, cloud: Emulator, account: str, keep: int) -> None:
        self.cloud, self.keep = cloud, keep
        self.settings = settings_of(cloud, account, max_retries=2, deadline=60.0)
        self.vault_id = cloud.vault(account).id
        self.state: dict[str, Any] = {}

    def run(self, *, refresh: bool = True) -> bool:
        """One `up` in a process of its own; whether it succeeded."""
        session = session_of(self.settings, FakeTime().clock)
        try:
            if refresh:
                self.state = {id_: live for id_, one in self.state.items() if (live := self.read(session, one))}
            self.up(session)
        except CbrSharingError:
            return False
        return True

    def read(self, session: Session, recorded: Any) -> Any:
        """What is recorded, as it is now."""
        raise NotImplementedError

    def up(self, session: Session) -> None:
        """As the engine does it."""
        raise NotImplementedError

    def remove(self, declared: set[str], delete: Callable[[Any], None]) -> None:
        """Remove what is not declared any more."""
        for id_ in self.state.keys() - declared:
            delete(self.state[id_])
            del self.state[id_]

    @property
    def window(self) -> Window:
        """What the program asks for."""
        return Window(self.keep, allow_empty=True)


class Sharer(Half):
    """What VaultShare does."""

    def read(self, session: Session, recorded: Any) -> Any:
        """The share."""
        return member.read(session, recorded)

    def up(self, session: Session) -> None:
        """Share what is in the window."""
        dr = self.cloud.account("recipient").project_id
        chosen = to_share(session.client, self.window, vault_id=self.vault_id, dest_project_ids=[dr])
        backups = {one.id for one in chosen.backups}
        for id_ in sorted(backups):
            recorded, inputs = self.state.get(id_), MemberInputs(id_, dr)
            member.declare(session, inputs, inputs if recorded else None, planning=False)
            if recorded is None:
                self.state[id_] = member.create(session, inputs)
            elif member.is_changed(recorded, inputs):
                self.state[id_] = member.update(session, recorded, inputs)
        self.remove(backups, lambda share: member.delete(session, share))


class Recipient(Half):
    """What ReceivedBackups does."""

    def read(self, session: Session, recorded: Any) -> Any:
        """The received backup."""
        return acceptance.read(session, recorded)

    def up(self, session: Session) -> None:
        """Accept what is in the window, as far as it is offered by a named owner."""
        owners = [self.cloud.account(name).project_id for name in ("sharer", "partner")]
        chosen = to_accept(session.client, self.window, vault_id=self.vault_id, owner_project_ids=owners)
        for backup in chosen.backups:
            id_, pending = backup.id, backup.id in chosen.pending
            recorded, inputs = self.state.get(id_), AcceptanceInputs(id_, backup.vault_id, 30, pending)
            acceptance.declare(session, inputs, inputs if recorded else None, planning=False)
            if recorded is None:
                self.state[id_] = acceptance.create(session, inputs)
            elif acceptance.is_changed(recorded, inputs):
                self.state[id_] = acceptance.update(session, recorded, inputs)
        self.remove({backup.id for backup in chosen.backups}, lambda kept: acceptance.delete(session, kept))


class Nights(RuleBasedStateMachine):
    """The cloud, what happens in it, and the two pipelines."""

    cloud: Emulator

    @initialize(keep=st.integers(1, 3), keeps_less=st.booleans(), days=st.sampled_from([None, 2, 4]))
    def begin(self, keep: int, keeps_less: bool, days: float | None) -> None:
        """Two servers, no backup yet; the recipient keeps as many of each as the sharer shares, or one less."""
        self.cloud.reset()
        self.cloud.remove_backup(self.cloud.backup.id)
        self.cloud.add_account("partner")
        vault = self.cloud.vault("sharer")
        vault.resources, vault.keep_days, vault.size = list(SERVERS), days, 10_000
        self.cloud.vault("recipient").size = 10_000
        self.dr = self.cloud.account("recipient").project_id
        self.sharer = Sharer(self.cloud, "sharer", keep)
        self.recipient = Recipient(self.cloud, "recipient", max(1, keep - keeps_less))

    @rule(days=st.sampled_from([0.5, 1, 1, 1, 3]))
    def a_day_passes(self, days: float) -> None:
        """The sharer's vault is backed up; what was kept long enough expires."""
        self.cloud.pass_time(days=days)
        self.cloud.back_up()
        self.cloud.complete_checkpoints()

    @rule(account=st.sampled_from(["partner", "bystander"]), server=st.sampled_from(SERVERS))
    def somebody_else_offers(self, account: str, server: dict[str, str]) -> None:
        """Of a server that is called the same."""
        self.cloud.add_member(self.cloud.add_backup(account, resource_id=server["id"]).id, self.dr)

    @rule(place=st.integers(0, 5))
    def a_backup_is_deleted(self, place: int) -> None:
        """One of the newest."""
        with suppress(IndexError):
            self.cloud.remove_backup(
                sorted(self.cloud.state.backups.values(), key=lambda one: one.created_at)[~place].id
            )

    @rule(fault=FAULTS)
    def something_breaks(self, fault: Fault) -> None:
        """In the next run."""
        self.cloud.add_fault(fault)

    @rule(refresh=st.booleans())
    def the_sharer_runs(self, refresh: bool) -> None:
        """It may fail."""
        broken = bool(self.cloud.unused_faults)
        assert self.sharer.run(refresh=refresh) or broken, "a run failed without a reason"
        self.cloud.clear_faults()
        self.assert_nothing_of_a_strangers()

    @rule(refresh=st.booleans())
    def the_recipient_runs(self, refresh: bool) -> None:
        """It may fail, and loses nothing that is in its window."""
        broken, before = bool(self.cloud.unused_faults), self.recoverable()
        assert self.recipient.run(refresh=refresh) or broken, "a run failed without a reason"
        self.cloud.clear_faults()
        assert (before - self.recoverable()) & self.newest_on_offer() == set(), "a copy in the window was given back"
        self.assert_nothing_of_a_strangers()

    @rule()
    def a_quiet_night(self) -> None:
        """Both run, the sharer first: exactly the window is accepted, and running again changes nothing."""
        self.cloud.clear_faults()
        self.the_sharer_runs(refresh=True)
        self.the_recipient_runs(refresh=True)
        newest = self.newest_on_offer()
        assert self.recoverable() == newest, "not the window"
        for server in SERVERS:
            made = [one for one in self.of("sharer") if one.resource_id == server["id"]]
            assert {one.id for one in made[-self.recipient.keep :]} <= newest, "the newest are not on offer"
        self.cloud.clear_requests()
        if self.recipient.keep == self.sharer.keep:
            assert self.sharer.run()
            assert self.recipient.run()
            assert {one.method for one in self.cloud.requests} <= {"GET"}, "a second run changed something"

    def teardown(self) -> None:
        """However it was, one quiet night later all is well."""
        if hasattr(self, "dr"):
            self.a_quiet_night()

    def recoverable(self) -> set[str]:
        """The truth."""
        return self.cloud.visible_to(self.dr)

    def of(self, account: str) -> list[Any]:
        """An account's backups, oldest first."""
        project = self.cloud.account(account).project_id
        backups = [one for one in self.cloud.state.backups.values() if one.project_id == project]
        return sorted(backups, key=lambda one: one.created_at)

    def newest_on_offer(self) -> set[str]:
        """As many as the recipient keeps of what the named owners share, of each owner's servers."""
        found: set[str] = set()
        for owner in ("sharer", "partner"):
            for server in SERVERS:
                offered = [one for one in self.of(owner) if one.resource_id == server["id"] and self.is_on_offer(one)]
                found |= {one.id for one in offered[-self.recipient.keep :]}
        return found

    def is_on_offer(self, backup: Any) -> bool:
        """Whether it is shared with the recipient, and was not given back."""
        return self.dr in backup.members and backup.members[self.dr].status != "rejected"

    def assert_nothing_of_a_strangers(self) -> None:
        """Its offers stay as they are."""
        assert {one.members[self.dr].status for one in self.of("bystander")} <= {"pending"}


def test_nights_in_any_order_end_with_the_window(emulator: Emulator) -> None:
    """Nothing of a stranger's, nothing lost, no run that fails without a reason; `make search` tries more."""
    more = os.environ.get("HISTORIES")
    bounded = settings(
        max_examples=int(more or 50),
        stateful_step_count=20,
        derandomize=not more,
        suppress_health_check=list(HealthCheck),
    )

    class Machine(Nights):
        """With the cloud of this test."""

        cloud = emulator

    run_state_machine_as_test(Machine, settings=bounded)
