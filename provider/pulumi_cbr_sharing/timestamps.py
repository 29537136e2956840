"""Timestamps of the API, which come with a zone or without one (then they are UTC)."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any


def moment(text: Any) -> datetime | None:
    """Parse a timestamp such as `2019-02-13T06:52:13.855000Z`; None if it is none."""
    try:
        parsed = datetime.fromisoformat(text.replace("Z", "+00:00"))  # `Z` is what Python 3.10 does not read
    except (AttributeError, TypeError, ValueError):
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=timezone.utc)


def rfc3339(text: Any) -> str:
    """A timestamp in RFC 3339 with `Z`; "" if it is none. Huawei Cloud sends no zone, OTC sends `+00:00`."""
    at = moment(text)
    try:
        return at.astimezone(timezone.utc).isoformat().replace("+00:00", "Z") if at else ""
    except OverflowError:  # the first or last day of the calendar, in another zone
        return ""
