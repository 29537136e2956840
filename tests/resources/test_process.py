"""The process that the engine starts for all dynamic providers of a stack."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from clouds import environment
from foreign_provider import ForeignProvider
from plugin import Plugin, PluginError
from pulumi_cbr_sharing.resources.share_member import BackupShareMemberProvider


if TYPE_CHECKING:
    from pulumi_cbr_sharing.emulator import Emulator


OURS = BackupShareMemberProvider()


def inputs(emulator: Emulator) -> dict[str, Any]:
    """The inputs to share the first backup with the recipient."""
    return {"backup_id": emulator.backup.id, "dest_project_id": emulator.account("recipient").project_id}


@pytest.mark.slow
def test_it_needs_nothing_in_advance(emulator: Emulator) -> None:
    """A new interpreter shares, reads and cancels: the processes of other tests have imported Pulumi before."""
    with Plugin(env=environment(emulator), forked=False) as plugin:
        made = plugin.create(OURS, inputs(emulator))
        assert list(emulator.members(emulator.backup.id)) == [emulator.account("recipient").project_id]
        assert plugin.read(made) == made
    with Plugin(env=environment(emulator), forked=False) as plugin:
        plugin.delete(made)
    assert emulator.members(emulator.backup.id) == {}


def test_a_bug_of_another_provider_keeps_its_traceback(emulator: Emulator) -> None:
    """Only this package's own errors are shown without one."""
    env = environment(emulator) | {"PYTHONPATH": str(Path(__file__).parent.parent / "support")}
    with Plugin(env=env) as plugin:
        plugin.create(OURS, inputs(emulator))
        with pytest.raises(PluginError, match=r"Traceback[\s\S]*ZeroDivisionError: a bug at home"):
            plugin.create(ForeignProvider(), {"place": "home"})
