"""The real engine is killed or interrupted, and run again: no share is lost, doubled or left behind.

What the engine itself asks for after a kill is `pulumi cancel` (a file backend keeps the lock of a dead run). One
Ctrl-C lets the call that is under way finish: the engine's cancellation does not reach a dynamic provider. A second
one ends the run. A wait of the native plugin ends with the first.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from clouds import environment
from doors import pythonic
from pulumi_cbr_sharing.emulator import Fault
from stack import Run, Stack, descendants


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pulumi_cbr_sharing.emulator import Emulator


pytestmark = pytest.mark.engine

DYNAMIC, NATIVE = "pulumi_cbr_sharing", "pulumi_cbr_sharing.native"
PROGRAM = """
import pulumi
from {module} import BackupShareMember

before = []
for backup, project in {declared!r}:
    opts = pulumi.ResourceOptions(depends_on=list(before))
    before.append(BackupShareMember(backup, backup_id=backup, dest_project_id=project, opts=opts))
"""


@dataclass
class World:
    """A stack that shares two backups, one after the other, and its cloud."""

    stack: Stack
    cloud: Emulator
    second: str
    runs: list[subprocess.Popen[str]] = field(default_factory=list)

    def declared(self) -> list[tuple[str, str]]:
        """Backup and recipient of each share."""
        names = ((self.cloud.backup.id, "recipient"), (self.second, "bystander"))
        return [(backup, self.cloud.account(name).project_id) for backup, name in names]

    def live(self) -> list[tuple[str, str]]:
        """The shares in the cloud."""
        return [(backup, project) for backup, _ in self.declared() for project in self.cloud.members(backup)]

    def recorded(self) -> list[tuple[str, str]]:
        """The shares in the state."""
        outputs = [pythonic(entry["outputs"]) for entry in self.stack.resources("BackupShareMember")]
        return [(out["backup_id"], out["dest_project_id"]) for out in outputs]

    def program(self, module: str) -> None:
        """Declare the shares by the classes of a module."""
        self.stack.program(PROGRAM.format(module=module, declared=self.declared()))

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start a command, to be ended by the test."""
        self.runs.append(self.stack.start(*command, "--yes", "--skip-preview"))
        return self.runs[-1]

    def kill(self) -> None:
        """Kill the last command, and remove the lock of the file backend."""
        self.stack.kill(self.runs.pop())
        self.cloud.latency = 0.0
        self.stack.cancel()

    def settle(self) -> None:
        """Run `up` again: cloud and state are as declared; a refresh finds no drift."""
        self.stack.up()
        assert sorted(self.live()) == sorted(self.declared())
        assert sorted(self.recorded()) == sorted(self.declared())
        self.stack.preview("--refresh", "--expect-no-changes")


@pytest.fixture(name="world")
def _world(tmp_path: Path, emulator: Emulator) -> Iterator[World]:
    """A stack without shares; ends all commands that were started."""
    world = World(Stack(tmp_path, plain=True), emulator, emulator.add_backup("sharer").id)
    world.stack.env.update(environment(emulator))
    world.program(DYNAMIC)
    yield world
    for run in world.runs:
        world.stack.kill(run)


def until(condition: Callable[[], object]) -> None:
    """Wait until a condition is true."""
    for _ in range(600):
        with suppress(AssertionError):  # a state that is being written cannot be read
            if condition():
                return
        time.sleep(0.05)
    raise AssertionError("it did not happen within 30 s")


def is_plugin(pid: int) -> bool:
    """Whether a process is a running plugin of this package."""
    with suppress(OSError):
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        return b"pulumi.dynamic" in command or b"pulumi-resource-cbr-sharing" in command
    return False


def test_an_up_that_is_killed_before_its_request_is_completed_by_the_next(world: World) -> None:
    """The request may still arrive after the next run has started."""
    world.cloud.latency = 2.0
    world.start("up")
    until(lambda: world.stack.checkpoint().get("pending_operations"))
    world.kill()
    world.settle()


def test_an_up_that_is_killed_before_the_answer_is_completed_by_the_next(world: World) -> None:
    """The share exists but is not in the state: it is adopted."""
    world.cloud.add_fault(Fault(method="POST", delay=60, when="after"))
    world.start("up")
    until(world.live)
    world.kill()
    assert world.recorded() == []
    world.settle()


def test_an_up_that_is_killed_between_two_shares_is_completed_by_the_next(world: World) -> None:
    """One is in the state, the other is not."""
    world.cloud.add_fault(Fault(method="POST", path=world.second, delay=60, when="after"))
    world.start("up")
    until(lambda: len(world.live()) == 2 and len(world.recorded()) == 1)
    world.kill()
    world.settle()


def test_a_refresh_that_is_killed_loses_nothing(world: World) -> None:
    """Shares that were not read are still in the state."""
    world.stack.up()
    world.cloud.add_fault(Fault(method="GET", delay=60))
    world.start("refresh")
    until(lambda: not world.cloud.unused_faults)
    world.kill()
    world.settle()


def test_a_destroy_that_is_killed_is_completed_by_the_next(world: World) -> None:
    """A share that the killed run has cancelled counts as cancelled."""
    world.stack.up()
    world.cloud.add_fault(Fault(method="DELETE", delay=60, when="after"))
    world.start("destroy")
    until(lambda: len(world.live()) < 2)
    world.kill()

    world.stack.destroy()

    assert world.live() == []
    assert world.recorded() == []


@pytest.mark.differs("Ctrl-C in a wait", "dynamic")
def test_two_interrupts_end_a_wait_and_the_next_up_goes_on(world: World) -> None:
    """The first lets the current call finish, the second ends the run; nothing must be repaired."""
    world.cloud.set_backup_status(world.second, "protecting")
    run = world.start("up")
    until(lambda: any(request.path.endswith(world.second) for request in world.cloud.requests))
    os.kill(run.pid, signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        run.wait(timeout=2)
    os.kill(run.pid, signal.SIGINT)
    output, _ = run.communicate(timeout=60)
    assert run.returncode != 0
    assert "Traceback" not in Run(run.returncode, output).of_resources

    world.cloud.set_backup_status(world.second, "available")
    world.settle()


@pytest.mark.differs("Ctrl-C in a wait", "native")
def test_one_interrupt_ends_a_wait_of_the_native_plugin(world: World) -> None:
    """The engine tells it, so that the run does not last as long as the wait; the next one goes on."""
    world.program(NATIVE)
    world.cloud.set_backup_status(world.second, "protecting")
    run = world.start("up")
    until(lambda: any(request.path.endswith(world.second) for request in world.cloud.requests))
    os.kill(run.pid, signal.SIGINT)
    output, _ = run.communicate(timeout=60)
    assert "stopped, because the run was cancelled" in output
    assert "Traceback" not in Run(run.returncode, output).of_resources

    world.cloud.set_backup_status(world.second, "available")
    world.settle()


@pytest.mark.parametrize("module", [DYNAMIC, NATIVE], ids=["dynamic", "native"])
def test_a_wait_ends_with_its_engine(module: str, world: World) -> None:
    """The engine alone is killed: its plugin sends nothing any more, and does not live on with the credential."""
    world.program(module)
    world.cloud.set_backup_status(world.cloud.backup.id, "protecting")
    run = world.start("up")
    until(lambda: any(request.path.endswith(world.cloud.backup.id) for request in world.cloud.requests))
    family = list(descendants(run.pid))
    plugins = [pid for pid in family if is_plugin(pid)]
    assert plugins
    os.kill(run.pid, signal.SIGKILL)
    until(lambda: not any(map(is_plugin, plugins)))
    requests = len(world.cloud.requests)

    world.cloud.set_backup_status(world.cloud.backup.id, "available")
    time.sleep(2)

    assert world.live() == []
    assert len(world.cloud.requests) == requests
    for pid in family:  # Pulumi's own, which would end by themselves
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    world.kill()
    world.settle()
