"""Warnings of a window that has stopped rolling."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from pulumi_cbr_sharing.cbr.backups import Backup
from pulumi_cbr_sharing.sharing.window import Rolling, newest_at


NOW = datetime(2026, 5, 4, 3, tzinfo=timezone.utc)
A_DAY_AND_A_HALF = Rolling(keep=3, max_age=timedelta(days=1.5))


def backup(days: float, resource: str = "server-1", name: str = "web") -> Backup:
    """A backup that is some days old."""
    made = (NOW - timedelta(days=days)).isoformat().replace("+00:00", "Z")
    return Backup(
        id=f"{resource}-{days}", status="available", resource_id=resource, resource_name=name, created_at=made
    )


def told(*backups: Backup, **words: Any) -> list[str]:
    """The warnings with a limit of a day and a half."""
    return A_DAY_AND_A_HALF.stale(backups, NOW, **words)


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
    assert newest_at([*owned, replace(backup(9), project_id="ours"), unknown]) == {
        "ours/server-1": "2026-05-03T03:00:00Z",
        "theirs/server-1": "2026-04-30T03:00:00Z",
        "/server-1": "2026-04-25T03:00:00Z",
        "ours/server-2": "",
    }
    assert newest_at([]) == {}


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
