"""What both windows have in common, without an engine."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pulumi
import pytest

from clouds import environment
from pulumi_cbr_sharing.resources.windowed import roll
from pulumi_cbr_sharing.sharing.window import Window, to_share


if TYPE_CHECKING:
    from pulumi_cbr_sharing.emulator import Emulator


def test_a_backup_that_is_too_old_is_an_error_only_when_all_is_declared(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not declared would be cancelled: the error must not cost a share."""
    for name, value in environment(emulator).items():
        monkeypatch.setenv(name, value)
    declared: list[str] = []

    def make(found: Any, *_: object) -> dict[str, Any]:
        declared.extend(backup.id for backup in found.backups)
        return {}

    given = {"vault_id": emulator.backup.vault_id, "dest_project_ids": ["1" * 32], "resource_ids": None}
    window = Window(keep=1, max_age=timedelta(microseconds=1), on_stale="error")
    with pytest.raises(pulumi.RunError, match=r"^VaultShare dr: "):
        roll("VaultShare dr", window, given, connection=None, look_up=to_share, make=make)
    assert declared
