"""Shares that move from one tool to another, on a real engine: nothing is sent that changes anything."""

from __future__ import annotations

import json
import re
import shlex

from typing import TYPE_CHECKING

import pytest

from click.testing import CliRunner

from clouds import environment
from pulumi_cbr_sharing.cli import main
from stack import Stack


if TYPE_CHECKING:
    from pathlib import Path

    from pulumi_cbr_sharing.emulator import Emulator


pytestmark = pytest.mark.engine


def written(emulator: Emulator) -> list[str]:
    """The requests that changed something."""
    return [request.method for request in emulator.requests if request.method != "GET"]


def test_there_and_back(emulator: Emulator, tmp_path: Path) -> None:
    """Terraform's share is adopted; forgotten here by the printed commands, it is still there for Terraform."""
    stack = Stack(tmp_path)
    stack.env.update(environment(emulator))
    backup, recipient = emulator.backup.id, emulator.account("recipient").project_id
    emulator.add_member(backup, recipient, "accepted")
    attributes = {"id": backup, "backup_id": backup, "members": [{"dest_project_id": recipient}]}
    share = {"mode": "managed", "type": "huaweicloud_cbr_backup_share", "name": "web", "instances": []}
    state = {
        "version": 4,
        "terraform_version": "1.9.8",
        "resources": [{**share, "instances": [{"attributes": attributes}]}],
    }
    file = stack.file("terraform.tfstate", json.dumps(state))

    moved = CliRunner().invoke(main, ["move", "--state", str(file)])
    assert moved.exit_code == 0, moved.output
    stack.program(moved.stdout)
    stack.up()
    assert [one["inputs"]["dest_project_ids"] for one in stack.resources("BackupShare")] == [[recipient]]

    exported = stack.file("state.json", json.dumps({"version": 3, "deployment": stack.export()}))
    back = CliRunner().invoke(main, ["move", "--state", str(exported), "--to", "terraform"])
    assert f'dest_project_id = "{recipient}"' in back.stdout
    for command in re.findall(r"^# +pulumi (state .*)", back.stdout, re.MULTILINE):
        stack.pulumi(*shlex.split(command))
    stack.program("")
    stack.up()
    assert stack.resources("BackupShare") == []
    assert written(emulator) == []
    assert emulator.members(backup)[recipient].status == "accepted"
