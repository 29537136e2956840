"""The plugin of pytest: the fixture `emulated_cloud`, for programs and components that share backups.

    def test_the_backup_is_shared(emulated_cloud):
        …  # run the program: by Pulumi's mocks, or by the engine
        assert emulated_cloud.members(emulated_cloud.backup.id)

The environment of the test signs in to the account `sharer`; `Connection(namespace="recipient")` is the other side.
Pytest loads this module in every run, so it imports the emulator only for a test that asks for it.
"""

from __future__ import annotations

import os

from typing import TYPE_CHECKING

import pytest


if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pulumi_cbr_sharing.emulator import Emulator


# What signs in elsewhere, in any namespace: a test must not reach a real account because a variable was set.
_SIGN_IN = ("HW_", "OS_", "HUAWEICLOUD_")
MARK = "emulated_cloud(dialect): the dialect of the fixture `emulated_cloud`, huawei or otc"


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark."""
    config.addinivalue_line("markers", MARK)


@pytest.fixture
def emulated_cloud(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Emulator]:
    """An emulated cloud of the test's own, to which the environment signs in.

    Every variable that signs in to a cloud is taken away first. If no backend is set, stacks are kept in the test's
    folder.
    """
    from pulumi_cbr_sharing.emulator import serve  # noqa: PLC0415

    mark = request.node.get_closest_marker("emulated_cloud")
    with serve(**(mark.kwargs if mark else {})) as cloud:
        for name in [name for name in os.environ if any(part in name for part in _SIGN_IN)]:
            monkeypatch.delenv(name)
        for name, text in (cloud.environment() | cloud.environment("recipient", "recipient")).items():
            monkeypatch.setenv(name, text)
        if "PULUMI_BACKEND_URL" not in os.environ:
            stacks = tmp_path / "stacks"
            stacks.mkdir()
            monkeypatch.setenv("PULUMI_BACKEND_URL", stacks.as_uri())
            monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "")
        yield cloud
