"""Values on the wire: protobuf structs and plain values, names, what is not known yet, and secrets."""

from __future__ import annotations

import json
import re

from dataclasses import asdict, is_dataclass
from typing import TYPE_CHECKING, Any

from google.protobuf import json_format, struct_pb2  # type: ignore[import-untyped]

from pulumi_cbr_sharing.sharing.inputs import NOT_KNOWN, camel


if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping


_KIND, _SECRET = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"


def plain(struct: Any) -> dict[str, Any]:
    """The values of a struct, without the marks of secrets."""
    return {name: _bare(value) for name, value in json_format.MessageToDict(struct).items()}


def _bare(value: Any) -> Any:
    if isinstance(value, list):
        return [_bare(one) for one in value]
    if isinstance(value, dict):
        return _bare(value.get("value")) if _is_secret(value) else {name: _bare(one) for name, one in value.items()}
    return value


def _is_secret(value: Mapping[str, Any]) -> bool:
    return bool(value.get(_KIND) == _SECRET)


def secrets_in(*structs: Any) -> set[str]:
    """The texts that are marked as secret."""
    return {text for struct in structs for text in _secret_texts(json_format.MessageToDict(struct), inside=False)}


def _secret_texts(value: Any, *, inside: bool) -> Iterator[str]:
    if isinstance(value, dict):
        for one in value.values():
            yield from _secret_texts(one, inside=inside or _is_secret(value))
    elif isinstance(value, list):
        for one in value:
            yield from _secret_texts(one, inside=inside)
    elif inside and isinstance(value, str) and value not in (NOT_KNOWN, _SECRET):
        yield value


def struct_of(values: Mapping[str, Any], secrets: Collection[str] = ()) -> Any:
    """A struct of plain values; each one in which a secret text occurs is marked as secret."""
    struct = struct_pb2.Struct()
    struct.update({name: _marked(value, secrets) for name, value in values.items() if value is not None})
    return struct


def _marked(value: Any, secrets: Collection[str]) -> Any:
    text = json.dumps(value) if secrets else ""
    return {_KIND: _SECRET, "value": value} if any(json.dumps(one)[1:-1] in text for one in secrets) else value


def snake(name: str) -> str:
    """`backupId` as `backup_id`."""
    return re.sub(r"([A-Z])", lambda found: f"_{found[1].lower()}", name)


# The properties that messages name, in Python's form.
_NAMED = re.compile(
    r"\b(?:backup_id|dest_account|dest_project_ids?|(?:owner|recipient)_project_ids?|vault_ids?|resource_ids?|image_id|"
    r"wait_for_(?:backup|offer)|(?:older|newer)_than|max_age|on_stale|name_prefix|allow_empty|own_type|member_status)\b"
)


def in_every_language(text: str) -> str:
    """A message with the names of properties as all programs but Python's have them, and `true` for `True`."""
    text = _NAMED.sub(lambda found: camel(found[0]), text)
    return re.sub(r"\b(True|False)\b", lambda found: found[0].lower(), text)


def outputs(made: Any) -> dict[str, Any]:
    """A dataclass as properties."""
    return {camel(name): value for name, value in asdict(made).items()}


def result(value: Any) -> Any:
    """What a function returns: dataclasses become maps."""
    if is_dataclass(value) and not isinstance(value, type):
        return {camel(name): result(one) for name, one in vars(value).items() if one is not None}
    return [result(one) for one in value] if isinstance(value, (list, tuple)) else value
