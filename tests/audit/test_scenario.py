"""A large account: hundreds of backups, planted findings of every kind, and a cloud that fails."""

from __future__ import annotations

import json

from typing import TYPE_CHECKING

import pytest

from audited import World, found
from pulumi_cbr_sharing.audit.findings import KINDS, NOT_LOOKED_AT
from pulumi_cbr_sharing.emulator import Fault


if TYPE_CHECKING:
    from pathlib import Path

    from pulumi_cbr_sharing.emulator import Emulator


pytestmark = pytest.mark.slow


@pytest.fixture(name="world")
def _world(emulator: Emulator, tmp_path: Path) -> World:
    """A cloud with two hundred clean backups, and four of every finding."""
    world = World(emulator, tmp_path)
    world.plant_clean(120)
    world.plant_everything()
    return world


def test_everything_that_was_planted_is_found_and_nothing_else(world: World) -> None:
    """Exactly the planted findings, of all kinds and from all sources; only reads were sent."""
    world.cloud.page_size = 1000  # requests are counted
    world.cloud.clear_requests()
    run = world.audit("--format", "json")
    report = json.loads(run.stdout)
    assert found(report) == world.truth
    assert report["complete"]
    assert run.exit_code == 2
    assert {kind for kind, count in report["summary"]["kinds"].items() if count} == KINDS.keys() - {NOT_LOOKED_AT}
    assert {request.method for request in world.cloud.requests} == {"GET"}
    assert len(world.cloud.requests) == 2 + len(world.cloud.state.backups)


def test_a_tenth_of_the_calls_always_fail(world: World) -> None:
    """No false findings; what could not be checked is reported, and counts neither as drift nor as clean."""
    unlucky = list(world.cloud.state.backups)[::10]
    for number, backup in enumerate(unlucky):
        refusal = Fault(status=403, body='{"forbidden": {"code": "403", "message": "no"}}')
        fault = refusal if number % 2 else Fault.refusal("BackupService.6711")
        fault.path, fault.times = f"{backup}/members", 100
        world.cloud.add_fault(fault)

    run = world.audit("--format", "json")
    report = json.loads(run.stdout)

    named = {one["backup_id"] for one in report["findings"] if one["kind"] == NOT_LOOKED_AT}
    assert named == set(unlucky)
    # That an exception has ended is known without a look.
    assert found(report) == {key for key in world.truth if key[1] not in unlucky or key[0] == "exception-expired"}
    assert run.exit_code == 2
    assert not report["complete"]
    assert world.audit("--fail-on", "none").exit_code == 3


def test_a_tenth_of_the_calls_fail_once(world: World) -> None:
    """Resets, faults and 429s are retried: the report is complete."""
    for number, backup in enumerate(list(world.cloud.state.backups)[::10]):
        faults = (Fault(status=500), Fault(reset=True), Fault(status=429), Fault(truncate=10))
        fault = faults[number % 4]
        fault.path = f"{backup}/members"
        world.cloud.add_fault(fault)
    report = json.loads(world.audit("--format", "json").stdout)
    assert report["complete"]
    assert found(report) == world.truth


def test_a_list_that_cannot_be_read_leaves_nothing_known(world: World) -> None:
    """No share is reported as missing because it could not be checked; exit code 3."""
    world.cloud.deny("sharer", "cbr:backups:list")
    run = world.audit("--format", "json", "--fail-on", "undeclared", "--fail-on", "missing")
    report = json.loads(run.stdout)
    kinds = report["summary"]["kinds"]
    assert kinds["missing"] == kinds["undeclared"] == kinds["exception-unused"] == 0
    assert [
        one["owner_project_id"] for one in report["findings"] if one["kind"] == NOT_LOOKED_AT and not one["backup_id"]
    ]
    assert run.exit_code == 3


def test_throttling_is_survived(world: World) -> None:
    """With a limit far below what an audit needs, it waits, and the report is complete."""
    world.cloud.throttle(60, window=1.0, retry_after=1)
    report = json.loads(world.audit("--format", "json").stdout)
    assert report["complete"]
    assert found(report) == world.truth
    assert any(request.status == 429 for request in world.cloud.requests)
