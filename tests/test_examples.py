"""Each example runs on the real engine against the emulated cloud, as its README says."""

from __future__ import annotations

import shutil

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from clouds import environment
from stack import Stack


if TYPE_CHECKING:
    from pulumi_cbr_sharing.emulator import Emulator


pytestmark = pytest.mark.engine

EXAMPLES = Path(__file__).parent.parent / "examples"


def example(name: str, emulator: Emulator, tmp_path: Path) -> Stack:
    """A stack with the example's own files, signed in as the sharer."""
    text = (EXAMPLES / name / "Pulumi.yaml").read_text()
    stack = Stack(tmp_path, project=text.partition("name: ")[2].partition("\n")[0])
    for file in ("Pulumi.yaml", "__main__.py"):
        shutil.copy(EXAMPLES / name / file, stack.folder / file)
    stack.env.update(environment(emulator))
    return stack


def test_share(emulator: Emulator, tmp_path: Path) -> None:
    """The declared projects have the share, and an undeclared one goes."""
    stack = example("share", emulator, tmp_path)
    recipient, bystander = (emulator.account(name).project_id for name in ("recipient", "bystander"))
    stack.config_set("backupId", emulator.backup.id)
    stack.config_set("destProjectIds[0]", recipient, path=True)
    emulator.add_member(emulator.backup.id, bystander)

    stack.up()

    assert set(emulator.members(emulator.backup.id)) == {recipient}
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

    stack.up()
    assert stack.outputs() == {"sharedBy": sharer.project_id, "acceptedBy": recipient.project_id}
    assert emulator.backup.id in emulator.visible_to(recipient.project_id)

    stack.destroy("--run-program")
    assert emulator.members(emulator.backup.id) == {}
