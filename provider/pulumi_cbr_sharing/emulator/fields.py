"""The fields that control endpoints take, and their types: those of the parameters and records they stand for."""

from __future__ import annotations

import inspect
import re

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

from pulumi_cbr_sharing.emulator.behaviours import Behaviour
from pulumi_cbr_sharing.emulator.records import Dialect, parsed
from pulumi_cbr_sharing.emulator.request import Recorded


if TYPE_CHECKING:
    from collections.abc import Callable


LARGEST = {int: 10**9, float: 10**6}
# What annotations name without importing it at run time.
_NAMES = {"Behaviour": Behaviour, "Dialect": Dialect, "Mapping": Mapping, "Recorded": Recorded}
_INTERNAL = ("members", "ready_at", "gone_at", "project_id", "settings", "policies", "tags")
_HEADER_NAME, _HEADER_TEXT = re.compile(r"[A-Za-z0-9-]{1,100}"), re.compile(r"[\x20-\x7e]{0,2000}")


@cache
def fields_of(act: Callable[..., Any], record: type | None) -> dict[str, Any]:
    """The parameters of what an endpoint calls, and the attributes of a record, with their types."""
    hints = get_type_hints(act, localns=_NAMES)
    named = [one for one in inspect.signature(act).parameters.values() if one.kind is not one.VAR_KEYWORD][1:]
    further = get_type_hints(record, localns=_NAMES) if record else {}
    own = {name: hint for name, hint in further.items() if name not in _INTERNAL}
    return {**own, **{one.name: hints[one.name] for one in named}}


def checked(fields: Any, types: Mapping[str, Any]) -> dict[str, Any]:
    """Check the fields of a control request.

    Raises:
        TypeError: they are not an object.
        ValueError: a field is unknown, or of another type.
    """
    if not isinstance(fields, dict):
        raise TypeError("the body must be a JSON object")
    for name, value in fields.items():
        if name not in types:
            raise ValueError(f"there is no field {name!a}; there are: {', '.join(sorted(types)) or 'none'}")
        if not _fits(value, types[name]):
            raise ValueError(f"{name} must be {words(types[name])}")
    return fields


def _fits(value: Any, hint: Any) -> bool:
    if get_origin(hint) is Literal:
        return value in get_args(hint)
    if type(None) in get_args(hint):
        return value is None or _fits(value, get_args(hint)[0])
    if hint in LARGEST:
        number = isinstance(value, int) or (hint is float and isinstance(value, float))
        return number and not isinstance(value, bool) and 0 <= value <= LARGEST[hint]
    return _KINDS[hint][1](value)


def words(hint: Any) -> str:
    """The type of a field in words."""
    if get_origin(hint) is Literal:
        return " or ".join(get_args(hint))
    if type(None) in get_args(hint):
        return f"{words(get_args(hint)[0])} or null"
    return f"a number from 0 to {LARGEST[hint]}" if hint in LARGEST else _KINDS[hint][0]


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and not any("\ud800" <= letter <= "\udfff" for letter in value)


def _is_moment(value: Any) -> bool:
    try:
        parsed(value)
    except (AttributeError, TypeError, ValueError):
        return False
    return True


def _are_headers(value: Any) -> bool:
    return isinstance(value, dict) and all(
        _HEADER_NAME.fullmatch(name) and isinstance(text, str) and _HEADER_TEXT.fullmatch(text)
        for name, text in value.items()
    )


def _are_resources(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_resource, value))


def _is_resource(one: Any) -> bool:
    if not isinstance(one, dict) or not {"id", "type"} <= set(one) <= {"id", "type", "name", "size"}:
        return False
    return all(_fits(value, int if key == "size" else str) for key, value in one.items())


_KINDS: dict[Any, tuple[str, Callable[[Any], bool]]] = {
    str: ("a text that can be sent", _is_text),
    bool: ("true or false", lambda value: isinstance(value, bool)),
    datetime: ("a moment in ISO 8601", _is_moment),
    Mapping[str, str]: ("headers: an object of texts", _are_headers),
    list[dict[str, Any]]: (
        "resources: a list of objects with id, type, and name and size if they matter",
        _are_resources,
    ),
}
