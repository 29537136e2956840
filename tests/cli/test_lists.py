"""`cbr-sharing backups` and `cbr-sharing vaults`."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from commands import Terminal
from emulated import SECONDS


if TYPE_CHECKING:
    from commands import Operator
    from pulumi_cbr_sharing.emulator import Emulator


FIELDS = {
    "backups": [
        "id",
        "name",
        "status",
        "project_id",
        "vault_id",
        "resource_id",
        "resource_name",
        "resource_type",
        "size",
        "created_at",
        "expired_at",
    ],
    "vaults": [
        "id",
        "name",
        "status",
        "project_id",
        "object_type",
        "size",
        "allocated",
        "used",
        "resource_ids",
        "created_at",
    ],
}


def ids(operator: Operator, *words: str) -> list[str]:
    """The ids in a list, in order."""
    return [record["id"] for record in operator.run(*words, "--json").json]


@pytest.mark.parametrize("command", FIELDS)
def test_json_has_the_documented_fields(operator: Operator, command: str) -> None:
    """All of them are in the help."""
    assert [list(record) for record in operator.run(command, "--json").json] == [FIELDS[command]]
    text = operator.run(command, "--help").out
    assert [name for name in FIELDS[command] if name not in text] == []


def test_backups_come_newest_first(emulator: Emulator, operator: Operator) -> None:
    """Only those of the project."""
    yesterday = datetime.now(timezone.utc) - timedelta(days=1)
    older = emulator.add_backup(created_at=yesterday)
    emulator.add_backup("bystander")
    assert ids(operator, "backups") == [emulator.backup.id, older.id]
    assert [line.split()[0] for line in operator.run("backups").lines] == ["BACKUP", emulator.backup.id, older.id]


def test_backups_are_filtered(emulator: Emulator, operator: Operator) -> None:
    """By vault, server, name and status."""
    vault = emulator.add_vault(account="sharer", name="other")
    other = emulator.add_backup(vault_id=vault.id, name="weekly", status="error")
    for option, value in {
        "--vault": vault.id,
        "--resource": other.resource_id,
        "--name": "weekly",
        "--status": "error",
    }.items():
        assert ids(operator, "backups", option, value) == [other.id]
    assert operator.run("backups", "--name", "none").err == "there is no such backup\n"


def test_vaults_tell_what_room_is_left(emulator: Emulator, operator: Operator) -> None:
    """Vaults are sorted by name, and have their free capacity in GB."""
    small = emulator.add_vault(account="sharer", name="a small one", size=50)
    emulator.add_backup(vault_id=small.id, size=30)
    assert ids(operator, "vaults") == [small.id, emulator.vault("sharer").id]
    assert operator.run("vaults", "--name", "a small one").lines[1].split()[-3:-1] == ["50", "20"]


@pytest.mark.slow
@pytest.mark.parametrize("command", ["backups", "vaults", "offers"])
def test_a_list_that_takes_long_has_a_bar_on_a_terminal(emulator: Emulator, operator: Operator, command: str) -> None:
    """On standard error; elsewhere there is a line every ten seconds."""
    emulator.latency = 0.5
    with Terminal(operator, command) as terminal:
        assert terminal.code == 0
        assert f"listing {command}" in terminal.shown
    with operator.start(command) as process:
        assert "listing" not in "".join(process.communicate(timeout=SECONDS))


def test_a_name_cannot_steer_the_terminal(emulator: Emulator, operator: Operator) -> None:
    """Names are foreign texts: escapes, line breaks and mark-up are removed, in JSON, too."""
    name = "\x1b[2Jevil\nline [red]备份[/red]"
    emulator.add_backup(name=name)
    done = operator.run("backups")
    assert "\x1b" not in done.out
    assert "[2Jevil line [red]备份[/red]" in done.out
    assert len(done.lines) == 3
    assert "\\u001b" not in operator.run("backups", "--json").out
