"""Paths are only built from parts of the right shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hypothesis import given
from hypothesis import strategies as st

from pulumi_cbr_sharing.cbr import paths
from pulumi_cbr_sharing.errors import Refused


if TYPE_CHECKING:
    from collections.abc import Callable


UUID = "0b07081e-3ec7-4e77-8571-54e2947da422"
PROJECT = "0605767b5780d5762fc5c0118072a564"
BUILT: dict[str, tuple[Callable[..., str], tuple[str, ...], str]] = {
    "backups": (paths.backups, (PROJECT,), f"/v3/{PROJECT}/backups"),
    "backup": (paths.backup, (PROJECT, UUID), f"/v3/{PROJECT}/backups/{UUID}"),
    "members": (paths.members, (PROJECT, UUID), f"/v3/{PROJECT}/backups/{UUID}/members"),
    "member": (paths.member, (PROJECT, UUID, PROJECT), f"/v3/{PROJECT}/backups/{UUID}/members/{PROJECT}"),
    "vaults": (paths.vaults, (PROJECT,), f"/v3/{PROJECT}/vaults"),
    "vault": (paths.vault, (PROJECT, UUID), f"/v3/{PROJECT}/vaults/{UUID}"),
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


@pytest.mark.parametrize(("build", "parts", "path"), BUILT.values(), ids=BUILT.keys())
def test_the_addresses_of_the_reference(build: Callable[..., str], parts: tuple[str, ...], path: str) -> None:
    """The paths are those in the vendors' API reference."""
    assert build(*parts) == path


@pytest.mark.parametrize("hostile", HOSTILE, ids=repr)
@pytest.mark.parametrize(("build", "parts", "path"), BUILT.values(), ids=BUILT.keys())
def test_a_part_of_another_shape_is_refused_in_every_place(
    build: Callable[..., str], parts: tuple[str, ...], path: str, hostile: Any
) -> None:
    """Each part of a path is checked."""
    assert path
    for place in range(len(parts)):
        with pytest.raises(Refused, match="nothing was sent"):
            build(*parts[:place], hostile, *parts[place + 1 :])


@given(recipient=st.text())
def test_a_members_address_is_below_its_backup(recipient: str) -> None:
    """For any recipient, the path is refused, or is that of a member of this backup."""
    try:
        path = paths.member(PROJECT, UUID, recipient)
    except Refused:
        return
    assert path == f"/v3/{PROJECT}/backups/{UUID}/members/{recipient}"
    assert len(recipient) == 32


@pytest.mark.parametrize("account", ["acme", "a/b", "..x", "研发", "a?b#c%2f"])
def test_the_name_of_an_account_stays_one_part(account: str) -> None:
    """It is the only part without a fixed shape, so it is encoded."""
    assert paths.projects_of_account(account).count("/") == 4
    assert not set("?#") & set(paths.projects_of_account(account))


@pytest.mark.parametrize("account", ["", "..", " . ", "\ud800", "a\nb", "a\x1b[2Jb", "x" * 256, None, 5])
def test_what_is_no_account_name_is_refused(account: Any) -> None:
    """Names that cannot be sent are refused, too."""
    with pytest.raises(Refused, match="is not an account name"):
        paths.projects_of_account(account)
