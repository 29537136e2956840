"""The plugin in the test's own process: its settings come from this process's environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from clouds import environment


if TYPE_CHECKING:
    from pulumi_cbr_sharing.emulator import Emulator


@pytest.fixture(name="signed_in", autouse=True)
def _signed_in(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sharer's credentials, where a test asks for a cloud."""
    monkeypatch.setenv("HOME", "/nonexistent")  # the tester's may hold credentials
    if "emulator" in request.fixturenames:
        emulator: Emulator = request.getfixturevalue("emulator")
        for name, value in environment(emulator).items():
            monkeypatch.setenv(name, value)
