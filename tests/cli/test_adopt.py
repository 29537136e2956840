"""`cbr-sharing adopt`; tests/engine/test_adopt.py runs the programs that it prints."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys

from typing import TYPE_CHECKING
from uuid import UUID

import pytest
import yaml

from click.testing import CliRunner

from audited import World
from clouds import environment
from pulumi_cbr_sharing.audit.adopt import adoption
from pulumi_cbr_sharing.audit.findings import Share
from pulumi_cbr_sharing.cli import main
from pulumi_cbr_sharing.emulator import Fault
from pulumi_cbr_sharing.recipients_file import RecipientsFile
from pulumi_cbr_sharing.settings.connection import Connection


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
    """Names have server, day, recipient and the beginnings of the ids, whatever else there is."""
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
            f"buro-1-{day}-{web.id[:8]}-auditor-ag-{world.to.third[:8]}",
            f"buro-1-{day}-{web.id[:8]}-dr-zurich-{world.to.friendly[:8]}",
            f"db-{day}-{first.id[:8]}-auditor-ag-{world.to.third[:8]}",
            f"db-{day}-{second.id[:8]}-auditor-ag-{world.to.third[:8]}",
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
    assert (
        f"# Left out: the share of backup {backup.id} with {world.to.third}: project {world.to.third} has " in members
    )
    assert resources(sets) == []
    assert f"# Left out: backup {backup.id} with all its shares: project {world.to.third} has rejected it" in sets


def test_a_recipient_that_is_not_allowed_is_left_out(world: World) -> None:
    """With its whole set, which would cancel the share otherwise; it is said on standard error, too."""
    backup = world.backup()
    world.share(backup, world.to.friendly)
    world.share(backup, world.to.unknown)
    members, sets = adopt(world), adopt(world, "--authoritative")
    assert len(resources(members.stdout)) == 1
    assert resources(sets.stdout) == []
    for run in (members, sets):
        assert f"project {world.to.unknown} is not in " in run.stdout
        assert f"project {world.to.unknown} is not in " in run.stderr
    assert members.stderr.startswith("wrote 1 BackupShareMember for 1 share; left out 1\n")


def test_programs_of_two_runs_can_be_appended(world: World) -> None:
    """The names of the second are new, although server, day and recipient are those of the first."""
    world.share(world.backup(resource_name="db"), world.to.friendly)
    first = adopt(world).stdout
    for backup in list(world.cloud.state.backups):
        world.member(backup, world.to.friendly)
    world.share(world.backup(resource_name="db"), world.to.friendly)
    both = [name for _, name in resources(first) + resources(adopt(world).stdout)]
    assert len(set(both)) == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Connection(namespace="dr-a"), Connection(namespace="dr_a")),
        (Connection(namespace="DR"), Connection(namespace="dr")),
        (Connection(profile="dr"), Connection(namespace="dr")),
    ],
)
def test_two_connections_are_two_variables(one: Connection, other: Connection) -> None:
    """Whatever characters their names have."""
    shares = [Share.unseen(str(UUID(int=number)), "a" * 32, owner) for number, owner in enumerate(("b", "c"))]
    program = adoption(shares, {"b": one, "c": other}, RecipientsFile()).written("python")
    assert len(set(re.findall(r"^(connection_\w+) = Connection\(", program, re.MULTILINE))) == 2
    assert len(set(re.findall(r"connection=(connection_\w+),", program))) == 2


def test_the_file_for_an_import(world: World) -> None:
    """It has the types, names and ids that the native plugin imports by."""
    backup = world.backup()
    for project in world.to[:2]:
        world.share(backup, project)
    made = json.loads(adopt(world, "--import-file").stdout)
    sets = json.loads(adopt(world, "--import-file", "--authoritative").stdout)
    assert [(one["type"], one["id"]) for one in made["resources"]] == [
        ("cbr-sharing:index:BackupShareMember", f"{backup.id}/{project}") for project in (world.to[1], world.to[0])
    ]
    assert len({one["name"] for one in made["resources"]}) == 2
    assert [(one["type"], one["id"]) for one in sets["resources"]] == [("cbr-sharing:index:BackupShare", backup.id)]


def test_a_file_for_an_import_has_no_language(world: World) -> None:
    """Wrong usage, before anything is sent."""
    run = adopt(world, "--import-file", "--language", "yaml")
    assert run.exit_code == 1
    assert "leave out --language" in run.output
    assert world.cloud.requests == []


def test_a_program_in_yaml(world: World) -> None:
    """The same shares, for the native plugin; another account has a provider of its own."""
    backup = world.backup(resource_name="a: b # c")
    world.share(backup, world.to.friendly)
    program = yaml.safe_load(adopt(world, "--language", "yaml", "--connection", "dr", prefix="DR_").stdout)
    (name,) = (name for name in program["resources"] if name.startswith("a-b-c-"))
    assert program["resources"][name] == {
        "type": "cbr-sharing:BackupShareMember",
        "properties": {"backupId": backup.id, "destProjectId": world.to.friendly},
        "options": {"provider": "${connection-dr}"},
    }
    assert program["resources"]["connection-dr"]["type"] == "pulumi:providers:cbr-sharing"
    sets = yaml.safe_load(adopt(world, "--language", "yaml", "--authoritative").stdout)["resources"]
    assert [one["properties"]["destProjectIds"] for one in sets.values()] == [[world.to.friendly]]


def test_a_state_that_cannot_be_read_ends_it(world: World, tmp_path: Path) -> None:
    """What it declares would be declared a second time."""
    world.share(world.backup(), world.to.friendly)
    (tmp_path / "broken.json").write_text("{}")
    run = adopt(world, "--state", str(tmp_path / "broken.json"))
    assert run.exit_code == 1
    assert "Error: reading state " in run.output
    assert "it is neither an export or checkpoint" in run.output


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
    assert f"not checked: the recipients of backup {unseen.id} could not be read: " in run.stderr
    assert run.stdout == ""
    assert len(resources(file.read_text())) == 1


def test_a_file_that_cannot_be_written_is_one_line(world: World) -> None:
    """It names the file, before anything is sent."""
    run = adopt(world, "--output", "/nonexistent/shares.py")
    assert run.exit_code == 1
    assert run.output.startswith("Error: writing /nonexistent/shares.py: ")
    assert world.cloud.requests == []


def test_nothing_to_adopt_is_a_program_all_the_same(world: World) -> None:
    """The program has no imports."""
    world.backup()
    run = adopt(world)
    assert run.exit_code == 0
    assert resources(run.stdout) == []
    assert "import" not in run.stdout
