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


VAULT: dict[str, Any] = {"type": "server", "protectionType": "backup", "size": 100}
CYCLE = {"interval": 1, "executionTimes": ["02:00"]}
REFUSED: dict[str, tuple[dict[str, Any], set[str]]] = {
    "no cycle": ({"type": "backup"}, {"backupCycle"}),
    "a property of another version": ({"type": "backup", "backupCycle": CYCLE, "keep": 3}, {"keep"}),
    "a time": ({"type": "backup", "backupCycle": {**CYCLE, "executionTimes": ["2am"]}}, {"backupCycle.executionTimes"}),
    "days and interval": ({"type": "backup", "backupCycle": {**CYCLE, "days": "MO"}}, {"backupCycle"}),
    "no time": ({"type": "backup", "backupCycle": {"interval": 1}}, {"backupCycle"}),
    "neither": ({"type": "backup", "backupCycle": {"executionTimes": ["02:00"]}}, {"backupCycle"}),
    "two ways to keep": (
        {"type": "backup", "backupCycle": CYCLE, "backupQuantity": 3, "timePeriod": 3},
        {"timePeriod"},
    ),
    "a vault without a size": ({key: VAULT[key] for key in ("type", "protectionType")}, {"size"}),
    "a size that is no number": ({**VAULT, "size": "big"}, {"size"}),
    "a policy without an id": ({**VAULT, "policies": [{}]}, {"policies"}),
    "a resource by another name": ({**VAULT, "resources": [{"serverID": "web"}]}, {"resources"}),
}


@pytest.fixture(name="check")
def _check(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Check a vault, or a policy; the properties that are refused."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent.parent / "support/huaweicloud_stand_in"))
    stand_in = import_module("vault_plugin")

    def check(given: dict[str, Any]) -> set[str]:
        news = struct_pb2.Struct()
        news.update(given)
        kind = stand_in.VAULT if "protectionType" in given else stand_in.POLICY
        request = provider_pb2.CheckRequest(type=kind, news=news)
        return {failure.property for failure in stand_in.WithVaults().Check(request, None).failures}

    yield check
    sys.modules.pop("vault_plugin", None)


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_plugin_refuses_is_refused(case: str, check: Any) -> None:
    """By the property that is wrong; each was refused by the vendor's plugin 0.0.12, too."""
    given, refused = REFUSED[case]
    assert check(given) == refused


def test_the_vault_and_the_policy_of_the_example_are_taken(check: Any) -> None:
    """With an odd type, too, which only the service refuses."""
    assert check({**VAULT, "policies": [{"id": "daily"}], "resources": [{"serverId": "web"}]}) == set()
    assert check({**VAULT, "type": "cupboard"}) == set()
    assert check({"type": "backup", "backupCycle": CYCLE, "backupQuantity": 14}) == set()
    assert check({"type": "backup", "backupCycle": {"days": "MO,FR", "executionTimes": ["02:00"]}}) == set()
