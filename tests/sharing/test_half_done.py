"""A create whose end nobody could see: what it may have made is recorded, or the error says what may be left.

The native plugin records it: the next `up` goes on, and a destroy cancels it. The dynamic one cannot.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from doors import seen
from inprocess import FakeTime, Run, settings_of
from pulumi_cbr_sharing.emulator import Fault
from pulumi_cbr_sharing.errors import CbrSharingError, Refused


if TYPE_CHECKING:
    from pulumi_cbr_sharing.emulator import Emulator


pytestmark = [pytest.mark.usefixtures("door"), pytest.mark.differs("a create that is half done")]
LOST = {"reset": True, "when": "after"}  # the service has done it, and nobody is told
NEVER = {"reset": True}
UNSEEN = Fault(method="GET", reset=True, times=999)


@dataclass
class World:
    """A cloud, a kind of resource, and who has it.

    Attributes:
        inputs: what the program says.
        request: the method of the request that makes it.
    """

    cloud: Emulator
    kind: str
    inputs: dict[str, Any]
    request: str = "POST"
    account: str = "sharer"
    said: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, cloud: Emulator, kind: str, **inputs: Any) -> World:
        """A kind of resource with its inputs."""
        backup, project = cloud.backup.id, cloud.account("recipient").project_id
        if kind == "accepter":
            cloud.accept_seconds = 0.0  # the runs have a clock of their own
            cloud.add_member(backup, project)
            return cls(cloud, kind, {"backup_id": backup, "vault_id": cloud.vault("recipient").id}, "PUT", "recipient")
        recipient = {"dest_project_ids": [project]} if kind == "share" else {"dest_project_id": project}
        return cls(cloud, kind, {"backup_id": backup, **recipient, **inputs})

    def run(self) -> Run:
        """A run of the program."""
        return Run(settings_of(self.cloud, self.account, max_retries=2), FakeTime().clock, news=self.said)

    def fails(self, *faults: Fault) -> CbrSharingError:
        """A create under faults, and a wait until they are over; returns its error."""
        for fault in faults:
            self.cloud.add_fault(fault)
        with self.run() as run, pytest.raises(CbrSharingError) as error:
            run.provider(self.kind).create(dict(self.inputs))
        self.cloud.clear_faults()
        return error.value

    def breaks_off(self, **how: Any) -> CbrSharingError:
        """A create whose request ends like this, and nobody can look what has become of it."""
        looks_before = self.kind != "member" or not self.inputs.get("adopt", True)
        unseen = replace(UNSEEN, nth=2 if looks_before else 1)
        return self.fails(Fault(method=self.request, times=999, **how), unseen)

    def status(self) -> str | None:
        """The status of the share in the cloud."""
        members = self.cloud.members(self.cloud.backup.id)
        return next((member.status for member in members.values()), None)


WORLDS = pytest.mark.parametrize(
    ("kind", "inputs"),
    [("member", {}), ("member", {"adopt": False}), ("share", {}), ("accepter", {})],
    ids=["member", "member that adopts nothing", "set", "acceptance"],
)
ENDS = pytest.mark.parametrize("how", [LOST, NEVER], ids=["done", "not done"])


@WORLDS
@ENDS
def test_the_next_up_goes_on(
    how: dict[str, Any], kind: str, inputs: dict[str, Any], door: str, emulator: Emulator
) -> None:
    """Whether the service had done it or not."""
    world = World.of(emulator, kind, **inputs)
    error = world.breaks_off(**how)
    done = {"accepter": "accepted"}.get(kind, "pending")
    assert (world.status() == done) == (how is LOST)
    with world.run() as run:
        provider = run.provider(kind)
        if door:
            made = seen(error).made
            assert made
            provider.check(made.outs, world.inputs)
            outs = provider.update(made.id, made.outs, world.inputs).outs
            assert outs["backupId"] == emulator.backup.id
            assert provider.read(made.id, outs).outs == outs
        elif inputs and how is LOST:  # it may be a stranger's
            with pytest.raises(Refused) as refused:
                provider.create(dict(world.inputs))
            (member,) = emulator.members(emulator.backup.id).values()
            assert member.id in str(refused.value)
            assert "a run of it broke off" in str(refused.value)
            provider.create({**world.inputs, "adopt": True})
        else:
            provider.create(dict(world.inputs))
    assert world.status() == done


@WORLDS
@ENDS
def test_a_destroy_leaves_nothing_or_the_error_says_what_may_be_left(
    how: dict[str, Any], kind: str, inputs: dict[str, Any], door: str, emulator: Emulator
) -> None:
    """The resource is removed from the program after the failure."""
    world = World.of(emulator, kind, **inputs)
    error = world.breaks_off(**how)
    if not door:
        assert "the state does not record" in error.told
        assert "run `pulumi up` again" in error.told
        assert ("set adopt to True" in error.told) == bool(inputs)
        return
    made = seen(error).made
    assert made
    assert "does not record" not in str(seen(error))
    with world.run() as run:
        run.provider(kind).delete(made.id, made.outs)
    assert world.status() in ("rejected", None)


@WORLDS
def test_what_was_clearly_refused_is_not_recorded(
    kind: str, inputs: dict[str, Any], door: str, emulator: Emulator
) -> None:
    """The next `up` creates it."""
    world = World.of(emulator, kind, **inputs)
    error = world.fails(Fault(method=world.request, status=403, times=99))
    assert "does not record" not in error.told
    assert not door or seen(error).made is None


def test_an_acceptance_that_nobody_can_see_is_half_done(door: str, emulator: Emulator) -> None:
    """The service says that it is accepted, and answers no look."""
    world = World.of(emulator, "accepter")
    error = world.fails(replace(UNSEEN, nth=2))
    assert world.status() == "accepted"
    assert ("does not record" in error.told) == (not door)
    if door:
        assert seen(error).made


def test_each_error_is_of_its_own_share(door: str, emulator: Emulator) -> None:
    """Two shares of a backup wait for the same look, which fails."""
    projects = [emulator.add_account(name).project_id for name in ("one", "two")]
    world = World.of(emulator, "member")

    def create(project: str) -> CbrSharingError:
        with pytest.raises(CbrSharingError) as error:
            run.provider("member").create({**world.inputs, "dest_project_id": project})
        return error.value

    with world.run() as run, ThreadPoolExecutor(2) as pool:
        run.provider("member").create(world.inputs)  # the endpoint has answered
        emulator.add_fault(Fault(method="POST", times=999, reset=True))
        emulator.add_fault(replace(UNSEEN, delay=0.3))
        for error, project in zip(pool.map(create, projects), projects, strict=True):
            made = seen(error).made if door else None
            assert bool(made) == bool(door)
            assert made.outs["destProjectId"] == project if made else project in error.told
