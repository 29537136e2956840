"""`cbr-sharing members`, and rules for all lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pulumi_cbr_sharing.emulator import Fault


if TYPE_CHECKING:
    from commands import Operator
    from pulumi_cbr_sharing.emulator import Emulator


FIELDS = ["backup_id", "dest_project_id", "status", "share_id", "vault_id", "image_id", "created_at", "updated_at"]


def share(emulator: Emulator, status: str = "accepted") -> str:
    """Share the seeded backup with the recipient; returns the recipient's project."""
    project = emulator.account("recipient").project_id
    emulator.add_member(emulator.backup.id, project, status)
    return project


def test_it_tells_who_has_a_backup(emulator: Emulator, operator: Operator) -> None:
    """A line for each recipient, with complete ids, whatever the width of the terminal."""
    project = share(emulator)
    done = operator.run("members", emulator.backup.id)
    heading, line = done.lines
    assert heading.split()[:2] == ["PROJECT", "STATUS"]
    assert [project, "accepted"] == line.split()[:2]
    assert emulator.vault("recipient").id in line
    assert (done.code, done.err) == (0, "")


def test_its_json_has_the_documented_fields(emulator: Emulator, operator: Operator) -> None:
    """The names are those of a resource's outputs, and all are in the help; missing values are null."""
    project = share(emulator)
    (record,) = operator.run("members", emulator.backup.id, "--json").json
    member = emulator.members(emulator.backup.id)[project]
    assert list(record) == FIELDS
    assert record["share_id"] == member.id
    assert record["vault_id"] == emulator.vault("recipient").id
    assert record["image_id"] is None
    text = operator.run("members", "--help").out
    assert [name for name in FIELDS if name not in text] == []


@pytest.mark.parametrize("dialect", ["huawei", "otc"])
def test_nobody_is_said_beside_the_result(emulator: Emulator, operator: Operator, dialect: str) -> None:
    """Standard output has no line, or an empty list."""
    emulator.dialect = dialect  # type: ignore[assignment]
    assert operator.run("members", emulator.backup.id).out == ""
    assert operator.run("members", emulator.backup.id).err == "it is shared with nobody\n"
    assert operator.run("members", emulator.backup.id, "--json").json == []


def test_an_error_is_one_line(emulator: Emulator, operator: Operator) -> None:
    """Another account's backup: nothing on standard output, and 1."""
    done = operator.run("members", emulator.backup.id, "--connection", "dr")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("Error: listing the members of backup")
    assert "BackupService.6200" in done.err
    assert done.err.count("\n") == 1


def test_half_a_list_is_an_error(emulator: Emulator, operator: Operator) -> None:
    """A project that is not listed may still have the backup."""
    share(emulator)
    emulator.add_fault(Fault(method="GET", path="/members", status=200, body='{"members": [], "count": 1}', times=9))
    done = operator.run("members", emulator.backup.id)
    assert (done.code, done.out) == (1, "")
    assert "nothing is concluded" in done.err
