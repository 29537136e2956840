"""The Automation API, with a program in the caller's own process."""

from __future__ import annotations

import json
import subprocess
import sys

from typing import TYPE_CHECKING

import pytest

from clouds import environment
from stack import Stack


if TYPE_CHECKING:
    from pathlib import Path

    from pulumi_cbr_sharing.emulator import Emulator


pytestmark = pytest.mark.engine
# env_vars reach the engine and the resources; the program itself runs here.
SCRIPT = """\
import json, sys
from pulumi import automation
from pulumi_cbr_sharing import get_backups
from {module} import BackupShareMember

given = json.loads(sys.argv[1])

def program():
    if given["looks"]:
        get_backups()
    BackupShareMember("dr", backup_id=given["backup"], dest_project_id=given["project"])

options = automation.LocalWorkspaceOptions(env_vars=given["env_vars"])
stack = automation.create_or_select_stack("dev", project_name="shares", program=program, opts=options)
stack.up(on_output=print)
"""


def run(
    emulator: Emulator, folder: Path, account: str, *, looks: bool, module: str = "pulumi_cbr_sharing"
) -> subprocess.CompletedProcess[str]:
    """An update whose process has the credentials of an account, and whose env_vars have the sharer's."""
    stack = Stack(folder, plain=True, passphrase=True)
    given = {
        "backup": emulator.backup.id,
        "project": emulator.account("recipient").project_id,
        "env_vars": environment(emulator, "sharer"),
        "looks": looks,
    }
    command = [sys.executable, "-c", SCRIPT.replace("{module}", module), json.dumps(given)]
    env = {**stack.env, **environment(emulator, account)}
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=180, check=False)


@pytest.mark.parametrize("module", ["pulumi_cbr_sharing", "pulumi_cbr_sharing.native"])
def test_a_look_up_of_another_account_than_the_resources_is_refused(
    emulator: Emulator, tmp_path: Path, module: str
) -> None:
    """Both are named, and nothing is shared."""
    done = run(emulator, tmp_path / "a", "bystander", looks=True, module=module)
    assert done.returncode != 0
    assert "the program's look-ups sign in with access key" in done.stdout + done.stderr
    assert "env_vars of a workspace of the Automation API" in done.stdout + done.stderr
    assert emulator.members(emulator.backup.id) == {}


# Pulumi shows what a plugin says when it comes, and again at the end.
@pytest.mark.parametrize(
    ("account", "looks", "shown"), [("sharer", True, 1), ("bystander", False, 2)], ids=["the same", "no look-up"]
)
def test_one_account_or_no_look_up_is_fine(
    emulator: Emulator, tmp_path: Path, account: str, looks: bool, shown: int
) -> None:
    """Without a look-up, the process needs no credentials. It is said once which ones sign."""
    done = run(emulator, tmp_path, account, looks=looks)
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(emulator.members(emulator.backup.id)) == [emulator.account("recipient").project_id]
    assert (done.stdout + done.stderr).count("signing in with access key") == shown
