"""Each example runs on the real engine against the emulated cloud, as its README says."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import sys

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from clouds import environment, stack_config
from stack import Stack


if TYPE_CHECKING:
    from pulumi_cbr_sharing.emulator import Emulator


pytestmark = pytest.mark.engine

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
STAND_IN = Path(__file__).parent.parent / "support/huaweicloud_stand_in"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def example(name: str, emulator: Emulator, tmp_path: Path) -> Stack:
    """A stack with the example's own files, signed in as the sharer."""
    text = (EXAMPLES / name / "Pulumi.yaml").read_text()
    stack = Stack(tmp_path, project=text.partition("name: ")[2].partition("\n")[0])
    for file in ("Pulumi.yaml", "__main__.py"):
        shutil.copy(EXAMPLES / name / file, stack.folder / file)
    stack.env.update(environment(emulator))
    return stack


def bridged(stack: Stack, emulator: Emulator) -> None:
    """Put the stand-in for the vendor's provider on PATH, and sign both in by the stack's configuration alone."""
    for name in environment(emulator):
        del stack.env[name]
    for key, value in stack_config(emulator).items():
        stack.config_set(key, value, secret=key.endswith("secretKey"))
    stack.config_set("huaweicloud:endpoints.cbr", emulator.url, path=True)
    plugin = stack.file(
        "bin/pulumi-resource-huaweicloud",
        f"#!/bin/sh\nPYTHONPATH={STAND_IN.parent} exec {sys.executable} -u {STAND_IN / 'vault_plugin.py'}\n",
    )
    plugin.chmod(0o755)
    stack.env["PATH"] = os.pathsep.join([str(plugin.parent), stack.env["PATH"]])
    if not importlib.util.find_spec("pulumi_huaweicloud"):
        stack.env["PYTHONPATH"] = str(STAND_IN)


def shown(name: str, number: int = 0) -> set[str]:
    """The lines of an output in an example's README."""
    return lines(re.findall(r"```text\n(.*?)```", (EXAMPLES / name / "README.md").read_text(), re.DOTALL)[number])


def lines(output: str) -> set[str]:
    """The lines of an output, without what no two runs have in common."""
    text = re.sub(r"\([\d.]+m?s\)", "(…)", UUID.sub("…", output))
    return {line.rstrip() for line in text.splitlines()}


def test_share_member(emulator: Emulator, tmp_path: Path) -> None:
    """The project at the root runs it, and prints what its README shows."""
    stack = Stack(tmp_path, project="cbr-sharing")
    stack.env.update(environment(emulator))
    shutil.copy(EXAMPLES.parent / "Pulumi.yaml", stack.folder)
    shutil.copytree(EXAMPLES / "share_member", stack.folder / "examples" / "share_member")
    stack.config_set("backupId", emulator.backup.id)
    stack.config_set("destProjectId", emulator.account("recipient").project_id)
    assert shown("share_member") <= lines(stack.up().output)
    assert list(emulator.members(emulator.backup.id)) == [emulator.account("recipient").project_id]


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

    stack.destroy("--run-program")
    assert emulator.members(emulator.backup.id) == {}


def test_with_vault(emulator: Emulator, tmp_path: Path) -> None:
    """Made empty, backed up, shared, unchanged, destroyed in order; the vendor's provider is mocked.

    Its plugin is a stand-in that makes the vault in the emulator, with the same stack configuration. So is its SDK,
    unless it is installed: it cannot be a dependency of the tests, because installing it downloads its plugin.
    """
    stack = example("with_vault", emulator, tmp_path)
    bridged(stack, emulator)
    recipient = emulator.account("recipient").project_id
    seeded = set(emulator.state.backups)
    server = emulator.backup.resource_id
    stack.config_set("serverId", server)
    stack.config_set("destProjectIds[0]", recipient, path=True)

    first = stack.up()
    vault = emulator.state.vaults[stack.outputs()["vaultId"]]
    assert vault.resources == [{"id": server, "type": "OS::Nova::Server"}]
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
    assert [one.path.split("/")[-2] for one in emulator.requests if one.method == "DELETE"] == ["members", "vaults"]
    assert stack.resources() == []
