"""Fixtures of the tests of commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from commands import Operator


if TYPE_CHECKING:
    from pathlib import Path

    from pulumi_cbr_sharing.emulator import Emulator


@pytest.fixture(name="operator")
def _operator(emulator: Emulator, tmp_path: Path) -> Operator:
    """A user with a shell."""
    return Operator(emulator, tmp_path)
