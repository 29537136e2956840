"""Whether the newest backup of a server or disk is too old: one rule for programs and audits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pulumi_cbr_sharing.timestamps import moment


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime, timedelta


T = TypeVar("T")
K = TypeVar("K")


@dataclass(frozen=True)
class Newest:
    """The newest backup of a server or disk.

    Attributes:
        which: what follows "the newest backup" in messages: `of web (11111111-…)`.
        made: when it was made, as a timestamp of the API; None if there is no backup.
        backup_id: its id, if known.
    """

    which: str
    made: str | None
    backup_id: str = ""


def newest_of(many: Iterable[T], key: Callable[[T], K], order: Callable[[T], Any]) -> dict[K, T]:
    """The newest of each server or disk, newest first.

    Args:
        many: backups, or objects that hold one, in any order.
        key: identifies the server or disk.
        order: the sort key, from old to new.
    """
    newest: dict[K, T] = {}
    for one in sorted(many, key=order, reverse=True):
        newest.setdefault(key(one), one)
    return newest


def too_old(newest: Newest, max_age: timedelta, now: datetime) -> str | None:
    """The sentence about a backup that is older than `max_age`, or missing; None if it is neither.

    A backup that was made at an unknown time counts as too old.
    """
    at = moment(newest.made)
    if at is not None and now - at <= max_age:
        return None
    return f"{_state(newest, now - at if at else None)}, and max_age is {in_words(max_age)}"


def _state(newest: Newest, age: timedelta | None) -> str:
    if newest.made is None:
        return f"there is no backup {newest.which}"
    if age is None:
        how_old, made = "was made at an unknown time", ""
    else:
        how_old, made = f"is {in_words(age)} old", f"made {newest.made}"
    details = ", ".join(filter(None, (newest.backup_id, made)))
    return f"the newest backup {newest.which} {how_old}" + (f" ({details})" if details else "")


def in_words(age: timedelta) -> str:
    """`3.5 days`, or `7.0 hours` if it is less than two days."""
    hours = age.total_seconds() / 3600
    return f"{hours / 24:.1f} days" if hours >= 48 else f"{hours:.1f} hours"  # noqa: PLR2004
