"""What the tests share: an emulated cloud, and settings that lead to it."""

from __future__ import annotations

import os
import signal

from typing import TYPE_CHECKING

import pytest

from hypothesis import HealthCheck, settings

from doors import DOOR
from pulumi_cbr_sharing.emulator import serve
from pulumi_cbr_sharing.emulator.behaviours import guesses


if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi_cbr_sharing.emulator import Emulator


# `make guesses`: every test that asks a cloud, once for each other answer that the service may give where it is not
# documented. A test that is about one answer sets that itself.
GUESSES = guesses() if os.environ.get("GUESSES") else []


# The same examples every time, so that a change is to blame for what breaks; no times, since machines are shared.
settings.register_profile(
    "same", derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("same")


# A shell's job in the background ignores Ctrl-C, and so would all that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)


# They come before other tests with an engine, so that none of them is left at the end, for one process alone.
LONGEST = ("test_odd_folder", "test_examples", "test_disaster_recovery", "test_demo", "test_sdks")


def pytest_xdist_auto_num_workers() -> int:
    """Two test processes a core, because tests wait for half of their time; eight at most, for they start others."""
    return min(2 * (os.cpu_count() or 1), 8)


def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    """Run what takes milliseconds first, so that a failure shows in seconds: units, plugins, what is slow, the engine.

    Under guesses, leave out what asks no cloud, or has guesses of its own.
    """
    if GUESSES:
        items[:] = [one for one in items if {"emulator", "guessed"} & set(one.fixturenames) == {"emulator"}]
    items.sort(key=_weight)


def _weight(item: pytest.Function) -> int:
    if item.get_closest_marker("engine"):
        return 3 if item.path.stem in LONGEST else 4
    if item.get_closest_marker("search") or item.get_closest_marker("slow"):
        return 2
    return 1 if "emulator" in item.fixturenames else 0


@pytest.fixture(name="door", params=["", "@native"], ids=["dynamic", "native"])
def _door(request: pytest.FixtureRequest) -> Iterator[str]:
    """Once through the dynamic plugin, once through the native one: see `tests/support/doors.py`."""
    before = DOOR.set(request.param)
    yield request.param
    DOOR.reset(before)


@pytest.fixture(
    name="emulator", params=GUESSES or None, ids=[f"{name}={other}" for name, other in GUESSES] if GUESSES else None
)
def _emulator(request: pytest.FixtureRequest) -> Iterator[Emulator]:
    """A fresh cloud on a port of its own."""
    with serve() as emulator:
        if GUESSES:
            setattr(emulator, *request.param)
        yield emulator
