"""`cbr-sharing adopt`; tests/engine/test_adopt.py runs the programs that it prints."""

from __future__ import annotations

import ast
import subprocess
import sys

from typing import TYPE_CHECKING

import pytest

from click.testing import CliRunner

from audited import World
from clouds import environment
from pulumi_cbr_sharing.cli import main
from pulumi_cbr_sharing.emulator.faults import Fault


if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

    from pulumi_cbr_sharing.emulator import Emulator


@pytest.fixture(name="world")
def _world(emulator: Emulator, tmp_path: Path) -> World:
    return World(emulator, tmp_path)


def adopt(world: World, *words: str, prefix: str = "") -> Result:
    """Run the command."""
    env = environment(world.cloud, prefix=prefix)
    return CliRunner().invoke(main, ["adopt", *world.files(), *words], env=env)


def resources(program: str) -> list[tuple[str, str]]:
    """Class and name of each resource in a program, which must be valid and formatted."""
    formatted = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--isolated", "-"],
        input=program,
        capture_output=True,
        text=True,
        check=True,
    )
    assert formatted.stdout == program
    calls = [one.value for one in ast.parse(program).body if isinstance(one, ast.Expr)]
    return [
        (ast.unparse(one.func), ast.literal_eval(one.args[0]))
        for one in calls
        if isinstance(one, ast.Call) and ast.unparse(one.func) != "Connection"
    ]


def test_names_are_readable_sorted_and_unique(world: World) -> None:
    """Names have server, day and recipient, and the ids if these are the same."""
    day = world.backup(resource_name="Büro 1").created_at.date().isoformat()
    first, second = world.backup(resource_name="db"), world.backup(resource_name="db")
    for backup in (first, second):
        world.share(backup, world.to.third)
    web = world.backup(resource_name="Büro 1")
    for project in world.to:
        world.share(web, project)
    names = [name for _, name in resources(adopt(world).stdout)]
    assert names == sorted(
        [
            f"buro-1-{day}-auditor-ag",
            f"buro-1-{day}-dr-zurich",
            f"buro-1-{day}-{world.to.unknown[:8]}",
            f"db-{day}-auditor-ag-{first.id[:8]}",
            f"db-{day}-auditor-ag-{second.id[:8]}",
        ]
    )
    assert adopt(world).stdout == adopt(world).stdout


def test_a_rejected_share_is_left_out_with_its_reason(world: World) -> None:
    """A BackupShareMember would offer it again, and a BackupShare would cancel it."""
    backup = world.backup()
    world.share(backup, world.to.friendly, "accepted")
    world.share(backup, world.to.third, "rejected")
    members, sets = adopt(world).stdout, adopt(world, "--authoritative").stdout
    assert len(resources(members)) == 1
    assert f"# Left out: the share of backup {backup.id} with project {world.to.third} is rejected." in members
    assert resources(sets) == []
    assert f"# Left out: backup {backup.id} has a rejected share" in sets


def test_a_set_has_all_recipients_and_no_second_owner(world: World) -> None:
    """Backups that a program declares already are left out."""
    free, owned = world.backup(), world.backup()
    for backup in (free, owned):
        for project in world.to[:2]:
            world.share(backup, project)
    world.member(owned.id, world.to.friendly)
    program = adopt(world, "--authoritative").stdout
    assert [kind for kind, _ in resources(program)] == ["BackupShare"]
    assert free.id in program
    assert owned.id not in program
    assert all(project in program for project in world.to[:2])
    assert [kind for kind, _ in resources(adopt(world).stdout)] == ["BackupShareMember"] * 3


def test_another_account_comes_with_its_connection(world: World) -> None:
    """The program uses the namespace that was given."""
    world.share(world.backup(), world.to.friendly)
    program = adopt(world, "--connection", "dr", prefix="DR_").stdout
    assert len(resources(program)) == 1
    assert 'connection_dr = Connection(namespace="dr")' in program
    assert "    connection=connection_dr,\n" in program


def test_what_could_not_be_looked_at_is_said_and_ends_with_3(world: World, tmp_path: Path) -> None:
    """The rest is printed; no BackupShare is printed for an incomplete list."""
    world.share(world.backup(), world.to.friendly)
    unseen = world.backup()
    world.cloud.add_fault(Fault(status=403, path=f"{unseen.id}/members", times=10))
    file = tmp_path / "shares.py"
    run = adopt(world, "--authoritative", "--output", str(file))
    assert run.exit_code == 3
    assert f"not looked at: backup {unseen.id}: " in run.stderr
    assert run.stdout == ""
    assert len(resources(file.read_text())) == 1


def test_a_file_that_cannot_be_written_is_one_line(world: World) -> None:
    """It names the file."""
    run = adopt(world, "--output", "/nonexistent/shares.py")
    assert run.exit_code == 1
    assert run.output == "Error: Could not open file '/nonexistent/shares.py': No such file or directory\n"


def test_nothing_to_adopt_is_a_program_all_the_same(world: World) -> None:
    """The program has no imports."""
    run = adopt(world)
    assert run.exit_code == 0
    assert resources(run.stdout) == []
    assert "import" not in run.stdout
