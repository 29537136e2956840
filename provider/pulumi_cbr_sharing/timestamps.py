"""The timestamps of the API: with a zone or without (then UTC), made into one form."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any


def moment(text: Any) -> datetime | None:
    """`2019-02-13T06:52:13.855000Z` as a moment; None for anything else: then the service will say when it ends."""
    try:
        parsed = datetime.fromisoformat(text.replace("Z", "+00:00"))  # `Z` is what Python 3.10 does not read
    except (AttributeError, TypeError, ValueError):
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=timezone.utc)


def rfc3339(text: Any) -> str:
    """`2020-02-05T10:38:34.209782` (Huawei Cloud, no zone, UTC) and `…+00:00` (OTC) in one form, `…Z`."""
    at = moment(text)
    try:
        return at.astimezone(timezone.utc).isoformat().replace("+00:00", "Z") if at else ""
    except OverflowError:  # the first or the last day of the calendar, in a zone beyond it
        return ""
