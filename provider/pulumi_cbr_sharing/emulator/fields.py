"""The fields that the control endpoints take, each with its kind."""

from __future__ import annotations

import math
import re

from datetime import datetime
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


LONGEST = 366 * 86400  # seconds
LARGEST = 10**9
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]{1,100}")
_HEADER_TEXT = re.compile(r"[\x20-\x7e]{0,2000}")


def is_text(value: Any) -> bool:
    """A text that can be sent."""
    return isinstance(value, str) and not any("\ud800" <= letter <= "\udfff" for letter in value)


def is_flag(value: Any) -> bool:
    """True or false."""
    return isinstance(value, bool)


def is_count(value: Any) -> bool:
    """A whole number from 0."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST


def is_time(value: Any) -> bool:
    """A number of seconds from 0 to a year."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and math.isfinite(value) and 0 <= value <= LONGEST


def is_status(value: Any) -> bool:
    """An HTTP status of an answer."""
    return is_count(value) and value in range(200, 600)


def is_headers(value: Any) -> bool:
    """Headers of an answer."""
    return isinstance(value, dict) and all(
        _HEADER_NAME.fullmatch(name) and isinstance(text, str) and _HEADER_TEXT.fullmatch(text)
        for name, text in value.items()
    )


def is_resources(value: Any) -> bool:
    """Servers or disks of a vault, each with id and type, and name and size if they matter."""
    return isinstance(value, list) and all(map(_is_resource, value))


def _is_resource(one: Any) -> bool:
    if not isinstance(one, dict) or not {"id", "type"} <= set(one) <= {"id", "type", "name", "size"}:
        return False
    return all((is_count if key == "size" else is_text)(value) for key, value in one.items())


def is_span(value: Any) -> bool:
    """A number from 0 to a thousand years of seconds."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and math.isfinite(value) and 0 <= value <= LONGEST * 1000


def is_days(value: Any) -> bool:
    """A number of days from 0 to a thousand years."""
    return is_span(value) and value <= LONGEST / 86400 * 1000


def is_moment(value: Any) -> bool:
    """A moment in ISO 8601."""
    try:
        datetime.fromisoformat(value.replace("Z", "+00:00"))
    except (AttributeError, ValueError):
        return False
    return True


def is_dialect(value: Any) -> bool:
    """How records are written."""
    return value in ("huawei", "otc")


def is_object_type(value: Any) -> bool:
    """What a vault is for."""
    return value in ("server", "disk")


def is_offer_shown(value: Any) -> bool:
    """How a recipient sees an offer."""
    return value in ("empty vault", "no vault")


_TEXTS = (
    "account",
    "action",
    "backup_id",
    "body",
    "checkpoint_id",
    "code",
    "id",
    "method",
    "name",
    "path",
    "project_id",
    "resource_id",
    "resource_name",
    "resource_type",
    "status",
    "vault_id",
    "when",
)
FIELDS: Mapping[str, Callable[[Any], bool]] = {
    **dict.fromkeys(_TEXTS, is_text),
    **dict.fromkeys(
        ("encrypted", "shareable", "reset", "close", "quirk_malformed_url", "quirk_wrong_project"), is_flag
    ),
    **dict.fromkeys(("limit", "nth", "size", "times", "truncate"), is_count),
    **dict.fromkeys(("checkpoint_seconds", "delay", "delete_seconds", "latency", "retry_after"), is_time),
    **dict.fromkeys(("temporary_key_seconds", "token_seconds", "trickle", "window"), is_time),
    "dialect": is_dialect,
    "headers": is_headers,
    "object_type": is_object_type,
    "offer_shown": is_offer_shown,
    "ignores_member_status": is_flag,
    **dict.fromkeys(("created_at", "expired_at"), is_moment),
    **dict.fromkeys(("days", "keep_days"), is_days),
    **dict.fromkeys(("hours", "seconds"), is_span),
    "resources": is_resources,
}
OF_FAULTS = {**FIELDS, "status": is_status}  # a number in a fault, a word everywhere else


def checked(fields: Any, kinds: Mapping[str, Callable[[Any], bool]], nullable: frozenset[str]) -> dict[str, Any]:
    """Check the fields of a control request.

    Raises:
        TypeError: they are not an object.
        ValueError: a field is unknown, or of another kind.
    """
    if not isinstance(fields, dict):
        raise TypeError("the body must be a JSON object")
    for name, value in fields.items():
        if name not in kinds:
            raise ValueError(f"there is no field {name!a}")
        if not (value is None and name in nullable) and not kinds[name](value):
            raise ValueError(f"{name} must be {str(kinds[name].__doc__).splitlines()[0].rstrip('.').lower()}")
    return fields
