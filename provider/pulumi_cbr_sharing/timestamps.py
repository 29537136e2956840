"""Timestamps of the API, ages, and the one rule by which a newest backup is too old, for programs and audits."""

from __future__ import annotations

import re

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


T = TypeVar("T")
K = TypeVar("K")

# Not `fromisoformat`: what it reads differs from Python to Python, such as the number of digits of a second's fraction.
_FORM = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(?:Z|([+-])(\d\d):?(\d\d))?)?", re.ASCII
)


def moment(text: Any) -> datetime | None:
    """Parse a timestamp such as `2019-02-13T06:52:13.855Z`, or a day; None if it is none. Without a zone it is UTC."""
    match = _FORM.fullmatch(text) if isinstance(text, str) else None
    if not match:
        return None
    *numbers, fraction, sign, hours, minutes = match.groups(default="0")
    year, month, day, hour, minute, second = map(int, numbers)
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    try:
        zone = timezone(-offset if sign == "-" else offset)
        return datetime(year, month, day, hour, minute, second, int(f"{fraction:0<6}"[:6]), zone)
    except ValueError:  # such as the 30th of February
        return None


def rfc3339(text: Any) -> str:
    """A timestamp in RFC 3339 with `Z`; "" if it is none. Huawei Cloud sends no zone, OTC sends `+00:00`."""
    at = moment(text)
    try:
        return at.astimezone(timezone.utc).isoformat().replace("+00:00", "Z") if at else ""
    except OverflowError:  # the first or last day of the calendar, in another zone
        return ""


def duration(text: str) -> timedelta | None:
    """A duration: `7` and `7d` are days, `12h` hours, `2w` weeks; None if it is none."""
    match = re.fullmatch(r"(\d{1,5})([dhw]?)", text.strip(), re.ASCII)
    units = {"": "days", "d": "days", "h": "hours", "w": "weeks"}
    return timedelta(**{units[match[2]]: int(match[1])}) if match else None


def in_words(age: timedelta) -> str:
    """`3.5 days`, or `7.0 hours` if it is less than two days."""
    hours = age.total_seconds() / 3600
    return f"{hours / 24:.1f} days" if hours >= 48 else f"{hours:.1f} hours"  # noqa: PLR2004


def newest_of(many: Iterable[T], key: Callable[[T], K], order: Callable[[T], Any]) -> dict[K, T]:
    """The newest of each server or disk by its `key`, newest first; `order` sorts from old to new."""
    newest: dict[K, T] = {}
    for one in sorted(many, key=order, reverse=True):
        newest.setdefault(key(one), one)
    return newest


class Newest(NamedTuple):
    """The newest backup of a server or disk: `which` is `of web (1111…)`, `made` a timestamp, or None without one."""

    which: str
    made: str | None
    backup_id: str = ""


def too_old(newest: Newest, max_age: timedelta, now: datetime) -> str | None:
    """The sentence about a backup that is older than `max_age`, of an unknown age, or missing; None for any other."""
    which, made, backup_id = newest
    at = moment(made)
    if at and now - at <= max_age:
        return None
    details = ", ".join(filter(None, (backup_id, f"made {made}" if at else "")))
    how_old = f"is {in_words(now - at)} old" if at else "was made at an unknown time"
    state = f"the newest backup {which} {how_old}" + (f" ({details})" if details else "")
    return f"{state if made is not None else f'there is no backup {which}'}, and max_age is {in_words(max_age)}"
