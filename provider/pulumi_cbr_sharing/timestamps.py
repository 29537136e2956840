"""Timestamps of the API, which come with a zone or without one (then they are UTC)."""

from __future__ import annotations

import re

from datetime import datetime, timedelta, timezone
from typing import Any


# Not `fromisoformat`: what it reads differs from Python to Python, such as the number of digits of a second's fraction.
_ZONE = r"Z|([+-])(\d\d):?(\d\d)"
_FORM = re.compile(rf"(\d{{4}})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(?:{_ZONE})?)?", re.ASCII)


def moment(text: Any) -> datetime | None:
    """Parse a timestamp such as `2019-02-13T06:52:13.855000Z`, or a day; None if it is none."""
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
