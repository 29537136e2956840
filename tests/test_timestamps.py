"""When the newest backup is too old: one rule for programs and audits."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from pulumi_cbr_sharing.audit.findings import Share
from pulumi_cbr_sharing.audit.judge import Limits, recovery_point_too_old
from pulumi_cbr_sharing.cbr.backups import Backup
from pulumi_cbr_sharing.cbr.members import Member
from pulumi_cbr_sharing.sharing.window import Window
from pulumi_cbr_sharing.timestamps import Newest, newest_of, too_old


if TYPE_CHECKING:
    from collections.abc import Callable


NOW = datetime(2026, 6, 15, 12, tzinfo=timezone.utc)
MAX_AGE = timedelta(hours=36)
OWNER, RECIPIENT = "5" * 32, "6" * 32


def backup(made: str, **fields: Any) -> Backup:
    """A backup of one server."""
    given = {"id": "b1", "status": "available", "project_id": OWNER, "resource_id": "s1", **fields}
    return Backup(created_at=made, **given)


def share(accepted: Backup, **member: Any) -> Share:
    """A recipient has accepted it."""
    given = Member(**{"dest_project_id": RECIPIENT, "status": "accepted", **member})
    return Share(accepted, given)


def by_component(*backups: Backup) -> list[str]:
    """The warnings of VaultShare and ReceivedBackups."""
    return Window(max_age=MAX_AGE, now=NOW).stale(backups)


def by_audit(*backups: Backup) -> list[str]:
    """The findings of the audit."""
    found = recovery_point_too_old(map(share, backups), Limits(max_age=MAX_AGE, now=NOW), [])
    return [finding.message for finding in found]


@pytest.mark.parametrize("judge", [by_component, by_audit])
@pytest.mark.parametrize(
    ("made", "told"),
    [
        ("2026-06-14T00:00:00Z", None),
        ("2026-06-13T23:59:59Z", "is 36.0 hours old"),
        ("2026-06-11T12:00:00Z", "is 4.0 days old"),
        ("2026-06-11T12:00:00", "is 4.0 days old"),
        ("2026-06-16T12:00:00Z", None),
        ("", "was made at an unknown time"),
    ],
)
def test_all_judge_alike(judge: Callable[..., list[str]], made: str, told: str | None) -> None:
    """Older than the limit, or of an unknown age; in the same words."""
    sentences = judge(backup(made), backup("2026-05-01T10:00:00Z" if made else "", id="a0"))
    assert len(sentences) == (told is not None)
    assert all(f"{told} (" in one or f"{told}, " in one for one in sentences)
    assert all("the newest backup of " in one and ", and max_age is 36.0 hours" in one for one in sentences)


@pytest.mark.parametrize("judge", [by_component, by_audit])
def test_what_cannot_be_recovered_from_makes_nothing_younger(judge: Callable[..., list[str]]) -> None:
    """A failed backup is not a recovery point; one that is being restored from is."""
    old = backup("2026-06-11T12:00:00Z")
    assert len(judge(old, backup("2026-06-15T00:00:00Z", id="b2", status="error"))) == 1
    assert judge(old, backup("2026-06-15T00:00:00Z", id="b2", status="restoring")) == []


def test_an_audit_judges_what_it_has_looked_at() -> None:
    """Not if a newer backup could not be checked, nor by pending offers; separately for each recipient."""
    old, new = backup("2026-06-11T12:00:00Z"), backup("2026-06-15T00:00:00Z", id="b2")
    limits = Limits(max_age=MAX_AGE, now=NOW)
    shares = [share(old), share(new, status="pending"), share(new, dest_project_id="7" * 32)]
    (found,) = recovery_point_too_old(shares, limits, [backup(new.created_at, id="b3", resource_id="s2")])
    assert (found.share.backup.id, found.share.recipient) == ("b1", RECIPIENT)
    assert list(recovery_point_too_old(shares, limits, [new])) == []
    assert list(recovery_point_too_old(shares, Limits(now=NOW), [])) == []


def test_no_backup_is_told_as_such() -> None:
    """The message says where it is missing."""
    assert too_old(Newest("of web", None), MAX_AGE, NOW) == ("there is no backup of web, and max_age is 36.0 hours")


def test_the_newest_of_each() -> None:
    """For any input order; the newest first."""
    assert newest_of([("a", 1), ("b", 9), ("a", 3)], lambda one: one[0], lambda one: one[1]) == {
        "b": ("b", 9),
        "a": ("a", 3),
    }
