"""The example of an audit on a real stack prints what its README shows."""

from __future__ import annotations

import re
import shutil

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from click.testing import CliRunner

from clouds import environment
from pulumi_cbr_sharing.cli import main
from stack import Stack


if TYPE_CHECKING:
    from pulumi_cbr_sharing.emulator import Emulator


pytestmark = pytest.mark.engine

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
SHOWN = re.findall(r"```text\n(.*?)```", (EXAMPLES / "audit/README.md").read_text(), re.DOTALL)


def timeless(text: str) -> str:
    """A text without dates, addresses and the width of its lines."""
    without = re.sub(r"\d{4}-\d{2}-\d{2}(T[\d:.]+Z?)?", "DAY", text)
    without = re.sub(r"http://127.0.0.1:\d+|https://[a-z0-9.-]+|SHA-256\s+[0-9a-f]{16}|\s+", " ", without)
    return re.sub(r"adopted_\w+", "adopted", without).strip()


def test_the_audit_and_the_adopted_program_are_as_shown(emulator: Emulator, tmp_path: Path) -> None:
    """One share is declared, one was made by hand: the audit finds it, `adopt` prints it, and then it is declared."""
    stack = Stack(tmp_path, project="cbr-sharing")
    stack.env.update(environment(emulator))
    shutil.copy(EXAMPLES.parent / "Pulumi.yaml", stack.folder)
    shutil.copytree(EXAMPLES / "share_member", stack.folder / "examples" / "share_member")
    stack.config_set("backupId", emulator.backup.id)
    stack.config_set("destProjectId", emulator.account("recipient").project_id)
    stack.up()
    emulator.add_member(emulator.backup.id, emulator.account("bystander").project_id, "accepted")
    agreed = (EXAMPLES / "audit/cbr-sharing.yaml").read_text()
    in_a_month = (datetime.now(timezone.utc) + timedelta(days=30)).date().isoformat()
    (stack.folder / "cbr-sharing.yaml").write_text(re.sub(r"(?<=until: )\S+", in_a_month, agreed))
    words = ["--stack", "dev", "--cwd", str(stack.folder)]

    audit = CliRunner().invoke(main, ["audit", *words, "--redact"], env=stack.env)
    assert audit.exit_code == 2
    assert timeless(audit.stdout.replace(f"{stack.folder}/", "")) == timeless(SHOWN[0])
    adopt = CliRunner().invoke(main, ["adopt", *words], env=stack.env)
    program = re.findall(r"```python\n(.*?)```", (EXAMPLES / "audit/README.md").read_text(), re.DOTALL)[0]
    assert timeless(adopt.stdout) == timeless(program)
