"""Which backups are in a window, and the warnings of one that has stopped rolling."""

from __future__ import annotations

import re

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from inprocess import settings_of
from pulumi_cbr_sharing.cbr.backups import Backup
from pulumi_cbr_sharing.errors import Refused
from pulumi_cbr_sharing.http.client import Client
from pulumi_cbr_sharing.sharing.window import Chosen, Window, to_share


if TYPE_CHECKING:
    from collections.abc import Iterable

    from pulumi_cbr_sharing.emulator import Emulator


NOW = datetime(2026, 5, 4, 3, tzinfo=timezone.utc)
A_DAY_AND_A_HALF = Window(keep=3, max_age=timedelta(days=1.5), now=NOW)


def backup(days: float, resource: str = "server-1", name: str = "web") -> Backup:
    """A backup that is some days old."""
    made = (NOW - timedelta(days=days)).isoformat().replace("+00:00", "Z")
    return Backup(
        id=f"{resource}-{days}", status="available", resource_id=resource, resource_name=name, created_at=made
    )


def told(*backups: Backup, **words: Any) -> list[str]:
    """The warnings with a limit of a day and a half."""
    return A_DAY_AND_A_HALF.stale(backups, **words)


def test_only_the_newest_of_a_resource_counts() -> None:
    """Older backups of the resource do not count."""
    assert told(backup(1), backup(9)) == []


def test_a_resource_whose_newest_is_too_old_is_told() -> None:
    """The warning has its name, its age and the limit."""
    assert "; ".join(told(backup(1, "server-2"), backup(4), backup(5))) == (
        "the newest backup of web (server-1) is 4.0 days old (server-1-4, made 2026-04-30T03:00:00Z), and max_age is "
        "36.0 hours"
    )


def test_two_owners_are_told_apart() -> None:
    """A new backup of one owner does not hide an old one of the other."""
    ours, theirs = replace(backup(1), project_id="ours"), replace(backup(4), project_id="theirs")
    (sentence,) = told(ours, theirs)
    assert sentence.startswith("the newest backup of web (server-1) of project theirs is 4.0 days old")


def test_the_newest_of_each_resource_has_its_moment() -> None:
    """Separately for each owner; "" if the time is unknown."""
    owned = [replace(backup(1), project_id="ours"), replace(backup(4), project_id="theirs"), backup(9)]
    unknown = replace(backup(2, "server-2"), project_id="ours", created_at="")
    assert Chosen([*owned, replace(backup(9), project_id="ours"), unknown]).newest_at == {
        "ours/server-1": "2026-05-03T03:00:00Z",
        "theirs/server-1": "2026-04-30T03:00:00Z",
        "/server-1": "2026-04-25T03:00:00Z",
        "ours/server-2": "",
    }
    assert Chosen([]).newest_at == {}


def test_nothing_at_all_is_the_worst() -> None:
    """When the last copy has expired, there is no age."""
    assert told() == ["there is no backup at all, and max_age is 36.0 hours"]


def test_a_resource_that_was_asked_for_and_has_none() -> None:
    """Other resources have backups."""
    assert told(backup(1), resource_ids=["server-1", "server-2"]) == [
        "there is no backup of server-2, and max_age is 36.0 hours"
    ]


@pytest.mark.parametrize(
    ("argument", "trouble"),
    [
        ({"max_age": 3}, "max_age is of type int: give a timedelta"),
        ({"on_stale": "fail"}, 'on_stale is \'fail\': give "warn" or "error"'),
        ({"on_stale": []}, 'on_stale is \'[]\': give "warn" or "error"'),
    ],
)
def test_what_is_no_age_is_refused(argument: dict[str, Any], trouble: str) -> None:
    """Nothing is sent."""
    assert A_DAY_AND_A_HALF.trouble is None
    assert replace(A_DAY_AND_A_HALF, **argument).trouble == trouble


def named(id_: str, *, days: float = 0, resource: str = "server-1", **fields: Any) -> Backup:
    """A backup that is some days old."""
    return replace(backup(days, resource), id=id_, **{"name": "nightly", **fields})


def picked(window: Window, backups: Iterable[Backup], resources: list[str] | None = None) -> list[str]:
    """The ids of the backups in the window."""
    return [one.id for one in window.choose(backups, resources).backups]


def test_the_newest_of_each_resource() -> None:
    """`keep` is for each resource."""
    backups = [named(f"{days}{name}", days=days, resource=name) for days in range(4) for name in "ab"]
    assert picked(Window(2), backups) == ["0a", "0b", "1a", "1b"]


@pytest.mark.parametrize("status", ["protecting", "error", "deleting", "waiting_protect", "waiting_delete"])
def test_what_is_not_available_counts_for_nothing(status: str) -> None:
    """An older available backup is used instead."""
    assert picked(Window(1), [named("new", status=status), named("old", days=1)]) == ["old"]


@pytest.mark.parametrize("status", ["restoring", "waiting_restore"])
def test_a_backup_that_is_restored_from_keeps_its_place(status: str) -> None:
    """Its shares are not cancelled during a restore."""
    assert picked(Window(1), [named("new", status=status), named("old", days=1)]) == ["new"]


FILTERS: dict[str, tuple[Window, list[str] | None, list[str]]] = {
    "none": (Window(9), None, ["1", "3", "b", "5"]),
    "resources": (Window(9), ["server-2"], ["b"]),
    "no resource": (Window(9), [], []),
    "prefix": (Window(9, "week"), None, ["3"]),
    "before": (Window(1, older_than=timedelta(days=2), now=NOW), None, ["3", "b"]),
    "after": (Window(9, newer_than=(NOW - timedelta(days=4)).replace(tzinfo=None)), None, ["1", "3"]),
    "between": (Window(9, older_than=timedelta(days=2), newer_than=NOW - timedelta(days=4), now=NOW), None, ["3"]),
}


@pytest.mark.parametrize(("window", "resources", "expected"), FILTERS.values(), ids=FILTERS.keys())
def test_filters_come_before_counting(window: Window, resources: list[str] | None, expected: list[str]) -> None:
    """`keep` applies to the filtered backups."""
    backups = [
        named("1", days=1),
        named("3", days=3, name="weekly"),
        named("b", days=4.5, resource="server-2"),
        named("5", days=5),
    ]
    assert picked(window, backups, resources) == expected


def test_the_name_is_compared_as_the_service_has_it() -> None:
    """Messages show one line without controls; a prefix with two blanks, say, is still one."""
    odd = named("odd", name="week ly", raw_name="week  ly\u200b 1")
    assert picked(Window(name_prefix="week  ly\u200b"), [odd, named("other", name="week ly")]) == ["odd"]
    assert picked(Window(name_prefix="week ly"), [odd]) == []


def test_backups_without_a_server_are_not_one_server() -> None:
    """Each counts alone, so none takes the place of another."""
    assert picked(Window(1), [named(str(days), days=days, resource="") for days in range(3)]) == ["0", "1", "2"]


@pytest.mark.parametrize("name", ["older_than", "newer_than", "max_age"])
def test_an_age_out_of_range_is_refused(name: str) -> None:
    """Subtracting it would overflow; a negative one is a mistake."""
    for age in (timedelta.max, timedelta.min, timedelta(seconds=-1), NOW - datetime.min.replace(tzinfo=timezone.utc)):
        arguments: dict[str, Any] = {"now": NOW, name: age}
        trouble = Window(**arguments).trouble
        assert trouble
        assert f"{name} is {age}: give an age from 0 to 739" in trouble


def test_any_time_is_a_limit() -> None:
    """The first and the last one in any zone, too."""
    far = [timezone(timedelta(hours=hours)) for hours in (-14, 14)]
    for zone in far:
        assert picked(Window(newer_than=datetime.min.replace(tzinfo=zone)), [named("a")]) == ["a"]
        assert picked(Window(older_than=datetime.max.replace(tzinfo=zone)), [named("a")]) == ["a"]
        assert picked(Window(older_than=datetime.min.replace(tzinfo=zone)), [named("a")]) == []


@pytest.fixture(name="client")
def _client(emulator: Emulator) -> Client:
    """The owner's."""
    return Client(settings_of(emulator, max_retries=0))


def asked(emulator: Emulator, client: Client, **changes: Any) -> Chosen:
    """What VaultShare asks for, with some arguments changed."""
    rules = {name: changes.pop(name) for name in ("name_prefix", "allow_empty") if name in changes}
    given = {"vault_id": emulator.vault("sharer").id, "dest_project_ids": [emulator.account("recipient").project_id]}
    return to_share(client, Window(**rules), **{**given, **changes})


def test_an_empty_window_says_what_took_the_backups(emulator: Emulator, client: Client) -> None:
    """Whether the vault exists, how many backups there are, which filter took them."""
    emulator.add_backup(status="error")
    emulator.add_backup(status="error")
    empty, vault = emulator.add_vault(account="sharer").id, emulator.vault("sharer").id
    foreign = emulator.vault("bystander").id
    for changes, told in (
        ({"name_prefix": "x"}, f"vault {vault} exists, and 3 backups of project {client.project_id} are in it, "),
        ({"name_prefix": "x"}, "are in it, 2 in status error, 1 named otherwise than 'x'…. Sharing nothing would"),
        ({"vault_id": empty}, f"vault {empty} exists, and 0 backups"),
        ({"vault_id": foreign}, f"vault {foreign} does not exist in project {client.project_id}, and 0 backups"),
    ):
        with pytest.raises(Refused, match=re.escape(told)):
            asked(emulator, client, **changes)
        assert asked(emulator, client, **changes, allow_empty=True).backups == []


def test_who_may_not_read_vaults_may_share(emulator: Emulator, client: Client) -> None:
    """The permission is only needed to say more."""
    emulator.deny("sharer", "cbr:vaults:get")
    assert [one.id for one in asked(emulator, client).backups] == [emulator.backup.id]
    with pytest.raises(Refused, match="may exist or not"):
        asked(emulator, client, name_prefix="x")


def test_a_vault_for_replicas_is_not_shared(emulator: Emulator, client: Client) -> None:
    """Its backups are copies."""
    emulator.vault("sharer").protect_type = "replication"
    with pytest.raises(Refused, match="is for replicas, which are copies"):
        asked(emulator, client)


def test_wrong_arguments_are_refused_before_anything_is_sent(emulator: Emulator, client: Client) -> None:
    """The name of the argument comes first."""
    for changes, told in (
        ({"vault_id": "x"}, "vault_id has another shape"),
        ({"dest_project_ids": []}, "dest_project_ids is empty, which would cancel"),
        ({"dest_project_ids": ["x"]}, "dest_project_ids has an entry that has another shape"),
        ({"resource_ids": "server-1"}, "resource_ids is not a list of ids"),
        ({"name_prefix": 3}, "name_prefix is of type int"),
        ({"allow_empty": "yes"}, "allow_empty is of type str"),
    ):
        with pytest.raises(Refused, match=f"^{told}"):
            asked(emulator, client, **changes)
    assert emulator.requests == []


def test_a_preview_has_a_line_for_each_server() -> None:
    """With its backups, newest first; the owner only if there are several."""
    backups = [backup(1), backup(2, "server-2", ""), backup(3)]
    assert Chosen(backups).summary == [
        "web (server-1): server-1-1 of 2026-05-03T03:00:00Z, server-1-3 of 2026-05-01T03:00:00Z",
        "server-2: server-2-2 of 2026-05-02T03:00:00Z",
    ]
    two = Chosen([replace(backup(1), project_id="ours"), replace(backup(1), project_id="theirs", created_at="")])
    assert two.summary == [
        "web (server-1) of project ours: server-1-1 of 2026-05-03T03:00:00Z",
        "web (server-1) of project theirs: server-1-1 of an unknown time",
    ]
