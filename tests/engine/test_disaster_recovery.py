"""The two pipelines of `examples/disaster_recovery`, night after night: after each, who can recover what."""

from __future__ import annotations

import shutil

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from clouds import environment
from pulumi_cbr_sharing.emulator import Fault
from stack import Stack


if TYPE_CHECKING:
    from pulumi_cbr_sharing.emulator import Emulator


pytestmark = pytest.mark.engine

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "disaster_recovery"
WEB: dict[str, Any] = {"id": "11111111-2222-4333-8444-555555555555", "type": "OS::Nova::Server", "name": "web"}


def pipeline(half: str, account: str, emulator: Emulator, folder: Path, **config: str) -> Stack:
    """One half of the example, with its account's credentials."""
    stack = Stack(folder / half, project=f"cbr-dr-{half}")
    for file in ("Pulumi.yaml", "__main__.py"):
        shutil.copy(EXAMPLE / half / file, stack.folder / file)
    stack.env.update(environment(emulator, account))
    for key, value in config.items():
        stack.config_set(key.replace("__0", "[0]"), value, path=key.endswith("__0"))
    return stack


def recoverable(emulator: Emulator) -> set[str]:
    """What the recipient could recover from, if the sharer's account were lost now."""
    return emulator.visible_to(emulator.account("recipient").project_id)


def a_night(emulator: Emulator) -> str:
    """A day passes and the sharer's vault is backed up; returns the backup's id."""
    emulator.pass_time(days=1)
    (made,) = emulator.back_up()
    emulator.complete_checkpoints()
    return made.id


def test_the_nights_of_the_readme(emulator: Emulator, tmp_path: Path) -> None:
    """New backups, expired ones, a failed run, a stranger, a full vault, a recipient that was away."""
    emulator.remove_backup(emulator.backup.id)
    source, target = emulator.vault("sharer"), emulator.vault("recipient")
    source.resources.append(WEB)
    source.keep_days, target.size = 5, 130
    dr, owner = emulator.account("recipient").project_id, emulator.account("sharer").project_id
    sharer = pipeline("sharer", "sharer", emulator, tmp_path, vaultId=source.id, drProjectId=dr)
    recipient = pipeline("recipient", "recipient", emulator, tmp_path, vaultId=target.id, ownerProjectIds__0=owner)

    nights = [a_night(emulator)]
    sharer.up()
    recipient.up()
    assert recoverable(emulator) == set(nights)

    nights.append(a_night(emulator))  # the sharer's run fails
    emulator.add_fault(Fault(path="/backups$", status=403, body="{}", times=99))
    assert not sharer.up(check=False).ok
    emulator.clear_faults()
    recipient.up("--expect-no-changes")
    assert recoverable(emulator) == {nights[0]}

    nights.append(a_night(emulator))  # a stranger offers, too
    stranger = emulator.add_backup("bystander", resource_id=WEB["id"]).id
    emulator.add_member(stranger, dr)
    sharer.up()
    recipient.up()
    assert recoverable(emulator) == set(nights)
    assert emulator.members(stranger)[dr].status == "pending"

    nights.append(a_night(emulator))  # the vault is full, and the recipient's run comes first
    recipient.up("--expect-no-changes")
    target.size = 100
    sharer.up()  # cancels the oldest
    assert "GB left, and 1 backup of 40 GB is on offer" in recipient.up().output
    assert recoverable(emulator) == set(nights[1:3])
    assert emulator.members(nights[3])[dr].status == "pending"

    target.size = 200
    nights.append(a_night(emulator))  # the recipient was away
    sharer.up()
    recipient.up()
    assert recoverable(emulator) == set(nights[-3:])

    emulator.pass_time(days=3)  # nobody backs up any more: both are told
    sentence = f"the newest backup of web ({WEB['id']}) is 3.0 days old"
    assert f"VaultShare dr: {sentence}" in sharer.up().output
    assert f"ReceivedBackups dr: {sentence}" in recipient.up().output
    left = recoverable(emulator)
    assert left == {one for one in nights[-3:] if one in emulator.state.backups}
    emulator.pass_time(days=3)  # all has expired: the recipient's state empties without an error
    assert "there is no backup at all" in recipient.up().output
    assert recoverable(emulator) == set()
    assert recipient.resources("BackupShareAccepter") == []
