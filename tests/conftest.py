"""What the tests share: an emulated cloud, and settings that lead to it."""

from __future__ import annotations

import os

from typing import TYPE_CHECKING

import pytest

from hypothesis import HealthCheck, settings

from pulumi_cbr_sharing.emulator import serve


if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi_cbr_sharing.emulator import Emulator


# The same examples every time, so that a change is to blame for what breaks; no times, since machines are shared.
settings.register_profile(
    "same", derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("same")


# They come before other tests with an engine, so that none of them is left at the end, for one process alone.
LONGEST = ("test_odd_folder", "test_examples", "test_disaster_recovery", "test_demo")


def pytest_xdist_auto_num_workers() -> int:
    """One test process more than cores, because some tests wait; eight at most, because engine tests start others."""
    return min((os.cpu_count() or 1) + 1, 8)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run what takes milliseconds first, so that a failure shows in seconds: units, plugins, searches, the engine."""
    items.sort(key=_weight)


def _weight(item: pytest.Item) -> int:
    if item.get_closest_marker("engine"):
        return 3 if item.path.stem in LONGEST else 4
    if item.get_closest_marker("search"):
        return 2
    return 1 if "emulator" in getattr(item, "fixturenames", ()) else 0


@pytest.fixture(name="emulator")
def _emulator() -> Iterator[Emulator]:
    """A fresh cloud on a port of its own."""
    with serve() as emulator:
        yield emulator
