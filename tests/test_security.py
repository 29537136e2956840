"""The statements in SECURITY.md, about this package and the engine, are true."""

from __future__ import annotations

import base64
import json
import os
import pickle
import re

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from clouds import environment
from stack import Stack


if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_cbr_sharing.emulator import Emulator


ROOT = Path(__file__).parent.parent
SECURITY = (ROOT / "SECURITY.md").read_text()
PLANTED = "planted-secret-of-the-stack"
PROGRAM = """
from pulumi_cbr_sharing import BackupShareMember

BackupShareMember("dr", backup_id={backup!r}, dest_project_id={project!r})
"""


@pytest.fixture(name="stack")
def _stack(tmp_path: Path, emulator: Emulator) -> Stack:
    """A stack with a share, and with a secret and a plain value in its configuration."""
    stack = Stack(tmp_path)
    stack.env.update(environment(emulator))
    stack.program(PROGRAM.format(backup=emulator.backup.id, project=emulator.account("recipient").project_id))
    stack.config_set("other:apiKey", PLANTED, secret=True)
    stack.config_set("other:plain", "in-plain-view")
    return stack


def test_readers_find_it() -> None:
    """The README links to it, and its links work."""
    assert "[SECURITY.md](SECURITY.md)" in (ROOT / "README.md").read_text()
    for link in re.findall(r"\]\(([^)#]+)\)", SECURITY):
        assert (ROOT / link).exists(), link


@pytest.mark.engine
def test_the_state_keeps_what_the_table_says(emulator: Emulator, stack: Stack) -> None:
    """No credential; the stack config as it was set."""
    stack.up()
    state = stack.state_text()
    owner = emulator.account("sharer")
    assert [text for text in (PLANTED, owner.secret_key, owner.access_key) if text in state] == []
    (provider,) = stack.resources("pulumi:providers:pulumi-python")
    assert provider["inputs"]["other:plain"] == "in-plain-view"
    assert "ciphertext" in provider["inputs"]["other:apiKey"]
    (share,) = stack.resources("BackupShareMember")
    assert b"BackupShareMemberProvider" in base64.b64decode(share["inputs"]["__provider"])


class Planted:
    """Unpickled, it writes a file."""

    def __init__(self, mark: str) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os.mkdir, (self.mark,)


@pytest.mark.engine
def test_who_edits_the_state_supplies_code_that_runs(stack: Stack, tmp_path: Path) -> None:
    """A refresh of an imported state is enough."""
    stack.up()
    mark = tmp_path / "it-ran"
    pickled = base64.b64encode(pickle.dumps(Planted(str(mark)))).decode()
    deployment = stack.export()
    for resource in deployment["resources"]:
        for side in ("inputs", "outputs"):
            if "__provider" in resource.get(side, {}):
                resource[side]["__provider"] = pickled
    edited = stack.file("edited.json", json.dumps({"version": 3, "deployment": deployment}))
    stack.pulumi("stack", "import", "--file", str(edited))

    stack.refresh(check=False)

    assert mark.is_dir()


@pytest.mark.engine
def test_the_options_that_show_secrets_do_and_no_other(stack: Stack, tmp_path: Path) -> None:
    """An ordinary run shows nothing; those in the table show the decrypted configuration.

    The log of `-v=9` depends on the version of the command line, so it is not asked here.
    """
    assert PLANTED not in stack.preview().output
    assert PLANTED not in stack.preview("--diff", "--show-config").output
    stack.env["PULUMI_DEBUG_GRPC"] = str(tmp_path / "grpc.log")
    assert PLANTED not in stack.preview().output
    assert PLANTED in (tmp_path / "grpc.log").read_text()
    assert PLANTED not in stack.preview(f"--tracing=file:{tmp_path}/trace").output
    assert PLANTED.encode() in (tmp_path / "trace").read_bytes()
    named = ("--logtostderr -v=9", "PULUMI_DEBUG_GRPC", "--tracing", "--show-secrets")
    assert [option for option in named if option not in SECURITY] == []
