"""What the tests share: an emulated cloud, and settings that lead to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pulumi_cbr_sharing.emulator import serve


if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi_cbr_sharing.emulator import Emulator


@pytest.fixture(name="emulator")
def _emulator() -> Iterator[Emulator]:
    """A fresh cloud on a port of its own."""
    with serve() as emulator:
        yield emulator
