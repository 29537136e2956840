"""Paths are only built from parts of the right shape."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from hypothesis import given
from hypothesis import strategies as st

from pulumi_cbr_sharing.cbr.api import path_to
from pulumi_cbr_sharing.errors import Refused


UUID = "0b07081e-3ec7-4e77-8571-54e2947da422"
PROJECT = "0605767b5780d5762fc5c0118072a564"
BUILT = {
    f"/v3/{PROJECT}/backups": ("backups",),
    f"/v3/{PROJECT}/backups/{UUID}": ("backups", UUID),
    f"/v3/{PROJECT}/backups/{UUID}/members": ("backups", UUID, "members"),
    f"/v3/{PROJECT}/backups/{UUID}/members/{PROJECT}": ("backups", UUID, "members", PROJECT),
    f"/v3/{PROJECT}/vaults": ("vaults",),
    f"/v3/{PROJECT}/vaults/{UUID}": ("vaults", UUID),
}
HOSTILE = [
    "..",
    ".",
    "",
    " ",
    "/",
    "%2e%2e",
    f"{PROJECT}/backups/{UUID}/members?",
    f"{UUID}/members",
    f"{UUID}?x=1",
    f"{UUID}#",
    f"{PROJECT}\n",
    f"{UUID}\n",
    UUID.upper(),
    "\ud800",
    None,
    7,
    ["x"],
]


def client_of(project_id: Any) -> Any:
    """A client that works in this project."""
    return SimpleNamespace(project_id=project_id)


@pytest.mark.parametrize(("path", "parts"), BUILT.items())
def test_the_addresses_of_the_reference(path: str, parts: tuple[str, ...]) -> None:
    """The paths are those in the vendors' API reference."""
    assert path_to(client_of(PROJECT), *parts) == path


@pytest.mark.parametrize("hostile", HOSTILE, ids=repr)
@pytest.mark.parametrize("parts", BUILT.values())
def test_a_part_of_another_shape_is_refused_in_every_place(parts: tuple[str, ...], hostile: Any) -> None:
    """Each id in a path is checked."""
    with pytest.raises(Refused, match="nothing was sent"):
        path_to(client_of(hostile), *parts)
    for place in range(1, len(parts), 2):
        with pytest.raises(Refused, match="nothing was sent"):
            path_to(client_of(PROJECT), *parts[:place], hostile, *parts[place + 1 :])


@given(recipient=st.text())
def test_a_members_address_is_below_its_backup(recipient: str) -> None:
    """For any recipient, the path is refused, or is that of a member of this backup."""
    try:
        path = path_to(client_of(PROJECT), "backups", UUID, "members", recipient)
    except Refused:
        return
    assert path == f"/v3/{PROJECT}/backups/{UUID}/members/{recipient}"
    assert len(recipient) == 32
