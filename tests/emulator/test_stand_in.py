"""The stand-in for the vendor's plugin refuses what the plugin refuses."""

from __future__ import annotations

import sys

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from google.protobuf import struct_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import provider_pb2


if TYPE_CHECKING:
    from collections.abc import Iterator


CYCLE = {"interval": 1, "executionTimes": ["02:00"]}
REFUSED: dict[str, tuple[dict[str, Any], set[str]]] = {
    "no cycle": ({"type": "backup"}, {"backupCycle"}),
    "a property of another version": ({"type": "backup", "backupCycle": CYCLE, "keep": 3}, {"keep"}),
    "a time": ({"type": "backup", "backupCycle": {**CYCLE, "executionTimes": ["2am"]}}, {"backupCycle.executionTimes"}),
    "days and interval": ({"type": "backup", "backupCycle": {**CYCLE, "days": "MO"}}, {"backupCycle"}),
    "neither": ({"type": "backup", "backupCycle": {"executionTimes": ["02:00"]}}, {"backupCycle"}),
    "two ways to keep": (
        {"type": "backup", "backupCycle": CYCLE, "backupQuantity": 3, "timePeriod": 3},
        {"timePeriod"},
    ),
}


@pytest.fixture(name="check")
def _check(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Check a policy; the properties that are refused."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent.parent / "support/huaweicloud_stand_in"))
    stand_in = import_module("vault_plugin")

    def check(given: dict[str, Any]) -> set[str]:
        news = struct_pb2.Struct()
        news.update(given)
        urn = provider_pb2.CheckRequest(type=stand_in.POLICY, news=news)
        return {failure.property for failure in stand_in.WithVaults().Check(urn, None).failures}

    yield check
    sys.modules.pop("vault_plugin", None)


@pytest.mark.parametrize("case", REFUSED)
def test_a_policy_that_the_plugin_refuses_is_refused(case: str, check: Any) -> None:
    """By the property that is wrong."""
    given, refused = REFUSED[case]
    assert check(given) == refused


def test_the_policy_of_the_example_is_taken(check: Any) -> None:
    """By the day, or on days of the week."""
    assert check({"type": "backup", "backupCycle": CYCLE, "backupQuantity": 14}) == set()
    assert check({"type": "backup", "backupCycle": {"days": "MO,FR", "executionTimes": ["02:00"]}}) == set()
