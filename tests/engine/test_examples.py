"""Each example runs on the real engine against the emulated cloud, as its README says."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import sys
import venv

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from clouds import environment, stack_config
from stack import Stack
from wheelhouse import pip_environment, wheelhouse


if TYPE_CHECKING:
    from pulumi_cbr_sharing.emulator import Emulator


pytestmark = pytest.mark.engine

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
STAND_IN = Path(__file__).parent.parent / "support/huaweicloud_stand_in"
VIRTUALENV = "    virtualenv: venv\n"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture(name="wheels", scope="session")
def _wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheelhouse(tmp_path_factory)


def example(name: str, emulator: Emulator, tmp_path: Path, wheels: Path | None = None) -> Stack:
    """A stack in a copy of the example, signed in as the sharer.

    With `wheels`, it is installed as its README says. Others run in the environment of these tests: they would install
    what the project at the root installs.
    """
    text = (EXAMPLES / name / "Pulumi.yaml").read_text()
    stack = Stack(tmp_path, project=text.partition("name: ")[2].partition("\n")[0])
    shutil.copytree(EXAMPLES / name, stack.folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("venv"))
    if wheels:
        stack.env |= pip_environment(wheels)
        stack.pulumi("install")
        assert (stack.folder / "venv" / "bin" / "python").exists()
    else:
        assert (stack.folder / "requirements.txt").read_text() == (
            EXAMPLES / "share_member/requirements.txt"
        ).read_text()
        assert VIRTUALENV in text
        stack.file("Pulumi.yaml", text.replace(VIRTUALENV, ""))
    stack.env.update(environment(emulator))
    return stack


def ends(stack: Stack, *options: str) -> str:
    """What was made is as declared, `pulumi about` tells of it, and it goes; returns what was printed then."""
    stack.preview("--expect-no-changes", *options, refresh=True)
    packages = {package["name"] for package in json.loads(stack.stdout("about", "--json"))["dependencies"]}
    assert "pulumi-cbr-sharing" in packages
    run = stack.destroy(*options)
    assert stack.resources() == []
    return run.output


def bridged(stack: Stack, emulator: Emulator) -> None:
    """Put the stand-in for the vendor's provider on PATH, and sign both in by the stack's configuration alone."""
    for name in environment(emulator):
        del stack.env[name]
    for key, value in stack_config(emulator).items():
        stack.config_set(key, value, secret=key.endswith("secretKey"))
    stack.config_set("huaweicloud:endpoints.cbr", emulator.url, path=True)
    command = [sys.executable, "-u", str(STAND_IN / "vault_plugin.py")]
    plugin = stack.file(
        "bin/pulumi-resource-huaweicloud",
        f"#!/bin/sh\nPYTHONPATH={shlex.quote(str(STAND_IN.parent))} exec {shlex.join(command)}\n",
    )
    plugin.chmod(0o755)
    stack.env["PATH"] = os.pathsep.join([str(plugin.parent), stack.env["PATH"]])


def shown(name: str, number: int = 0) -> set[str]:
    """The lines of an output in an example's README."""
    return lines(re.findall(r"```text\n(.*?)```", (EXAMPLES / name / "README.md").read_text(), re.DOTALL)[number])


def lines(output: str) -> set[str]:
    """The lines of an output, without what no two runs have in common."""
    text = re.sub(r"\([\d.]+m?s\)", "(…)", UUID.sub("…", output))
    return {line.rstrip() for line in text.splitlines()}


def test_share_member(emulator: Emulator, tmp_path: Path) -> None:
    """One recipient has the share, and the output is what its README shows."""
    stack = example("share_member", emulator, tmp_path)
    stack.config_set("backupId", emulator.backup.id)
    stack.config_set("destProjectId", emulator.account("recipient").project_id)
    assert shown("share_member") <= lines(stack.up().output)
    assert list(emulator.members(emulator.backup.id)) == [emulator.account("recipient").project_id]
    ends(stack)
    assert emulator.members(emulator.backup.id) == {}


def test_the_project_at_the_root(emulator: Emulator, tmp_path: Path, wheels: Path) -> None:
    """It runs the same program in the environment that is on PATH, and installs into that."""
    stack = Stack(tmp_path, project="cbr-sharing")
    shutil.copy(EXAMPLES.parent / "Pulumi.yaml", stack.folder)
    shutil.copytree(EXAMPLES / "share_member", stack.folder / "examples" / "share_member")
    venv.create(stack.folder / ".venv", with_pip=True, symlinks=True)
    stack.env["PATH"] = os.pathsep.join([str(stack.folder / ".venv" / "bin"), stack.env["PATH"]])
    stack.env |= pip_environment(wheels)
    stack.pulumi("install")
    stack.env.update(environment(emulator))
    stack.config_set("backupId", emulator.backup.id)
    stack.config_set("destProjectId", emulator.account("recipient").project_id)
    stack.up()
    assert list(emulator.members(emulator.backup.id)) == [emulator.account("recipient").project_id]
    ends(stack)


def test_newest_backups(emulator: Emulator, tmp_path: Path) -> None:
    """The newest backups in a vault are shared, as declared, and its README shows what was printed."""
    stack = example("newest_backups", emulator, tmp_path)
    recipient = emulator.account("recipient").project_id
    stack.config_set("vaultId", emulator.vault("sharer").id)
    stack.config_set("destProjectIds[0]", recipient, path=True)
    printed = stack.up().output
    shown = (EXAMPLES / "newest_backups/README.md").read_text().partition("```text\n")[2].partition("```")[0]
    assert shown
    assert [line for line in shown.splitlines() if line not in map(str.rstrip, printed.splitlines())] == []
    assert set(emulator.members(emulator.backup.id)) == {recipient}
    ends(stack)


def test_share(emulator: Emulator, tmp_path: Path) -> None:
    """The declared projects have the share, and an undeclared one goes."""
    stack = example("share", emulator, tmp_path)
    recipient, bystander = (emulator.account(name).project_id for name in ("recipient", "bystander"))
    stack.config_set("backupId", emulator.backup.id)
    stack.config_set("destProjectIds[0]", recipient, path=True)
    emulator.add_member(emulator.backup.id, bystander)

    run = stack.up()

    assert set(emulator.members(emulator.backup.id)) == {recipient}
    assert shown("share") <= lines(run.output)
    assert stack.outputs() == {"statuses": {recipient: "pending"}}
    ends(stack)


def test_two_accounts(emulator: Emulator, tmp_path: Path) -> None:
    """Shared and accepted by one `up`, given back and cancelled by one `destroy`."""
    stack = example("two_accounts", emulator, tmp_path)
    sharer, recipient = emulator.account("sharer"), emulator.account("recipient")
    for key, value in (
        ("backupId", emulator.backup.id),
        ("drProjectId", recipient.project_id),
        ("drVaultId", emulator.vault("recipient").id),
        ("dr:accessKey", recipient.access_key),
        ("dr:projectId", recipient.project_id),
    ):
        stack.config_set(key, value)
    stack.config_set("dr:secretKey", recipient.secret_key, secret=True)

    run = stack.up()
    assert shown("two_accounts") <= lines(run.output)
    assert stack.outputs() == {"sharedBy": sharer.project_id, "acceptedBy": recipient.project_id}
    assert emulator.backup.id in emulator.visible_to(recipient.project_id)

    printed = ends(stack, "--run-program")
    assert emulator.members(emulator.backup.id) == {}, printed


def test_with_vault(emulator: Emulator, tmp_path: Path, wheels: Path) -> None:
    """Made empty, backed up, shared, unchanged, destroyed in order; the vendor's provider is mocked.

    Its plugin is a stand-in that makes the vault in the emulator, with the same stack configuration. So is its SDK,
    unless it is installed: it cannot be a dependency of the tests, because installing it downloads its plugin.
    """
    stack = example("with_vault", emulator, tmp_path, wheels)
    bridged(stack, emulator)
    recipient = emulator.account("recipient").project_id
    seeded = set(emulator.state.backups)
    server = emulator.backup.resource_id
    stack.config_set("serverId", server)
    stack.config_set("destProjectIds[0]", recipient, path=True)

    first = stack.up()
    vault = emulator.state.vaults[stack.outputs()["vaultId"]]
    assert vault.resources == [{"id": server, "type": "OS::Nova::Server"}]
    (daily,) = emulator.state.policies.values()
    assert (vault.policies, daily.definition["max_backups"]) == ([daily.id], 14)
    assert stack.outputs()["shares"] == {}
    assert shown("with_vault", 0) <= lines(first.output)

    _, (backup,) = emulator.state.back_up(vault, seconds=0)
    planned = stack.preview()
    assert f"dr-{backup.id}-{recipient}" in planned.output
    second = stack.up()
    assert {id_: set(emulator.members(id_)) for id_ in emulator.state.backups} == {
        **{id_: set() for id_ in seeded},
        backup.id: {recipient},
    }
    assert shown("with_vault", 1) <= lines(second.output)

    emulator.answer(backup.id, recipient, "accepted")
    assert backup.id in emulator.visible_to(recipient)
    stack.up("--expect-no-changes")

    emulator.clear_requests()
    stack.destroy()
    assert backup.id not in emulator.visible_to(recipient)
    deleted = [one.path.split("/")[-2] for one in emulator.requests if one.method == "DELETE"]
    assert deleted == ["members", "vaults", "policies"]
    assert emulator.state.policies == {}
    assert stack.resources() == []
