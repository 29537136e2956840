"""The configuration of a rule: its schema, its errors, and the exceptions in it.

The engine checks a configuration file against the schemas before anything runs, but ignores unknown names. The pack and
the rules check it again, so that a misspelled name is an error.
"""

from __future__ import annotations

import re

from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence


Schema = dict[str, Any]
URN_PARTS = 4  # stack, project, type, name

TEXT: Schema = {"type": "string", "pattern": r"\S", "description": "a text that is not empty"}
PATH: Schema = {
    "type": "string",
    "pattern": r"\S",
    "description": "the path of a file such as cbr-sharing.yaml, absolute or relative to the configuration file",
}
PROJECT: Schema = {
    "type": "string",
    "pattern": "^[0-9a-f]{32}$",
    "description": "a project id: 32 hexadecimal digits in lower case",
}
DAY: Schema = {"type": "string", "format": "date", "description": "a date such as 2026-12-31"}


def texts(description: str) -> Schema:
    """A list of texts."""
    return {"type": "array", "items": TEXT, "description": description}


def number(most: int) -> Schema:
    """A whole number from 0."""
    return {"type": "integer", "minimum": 0, "maximum": most, "description": f"a whole number from 0 to {most}"}


def projects(*required: str) -> Schema:
    """A list of projects, each with a note."""
    entry = {
        "type": "object",
        "properties": {"project_id": PROJECT, "note": TEXT},
        "required": ["project_id", *required],
        "additionalProperties": False,
        "description": "an object with project_id and note",
    }
    return {"type": "array", "items": entry, "description": "a list of projects with notes"}


# A recipient's pattern must have something that is not a wildcard: an exception must not cover everybody.
SOMEBODY: Schema = {"type": "string", "pattern": r"[0-9a-fA-F]", "description": "a project id, or a pattern of some"}
RESOURCE: Schema = {
    "type": "string",
    "format": "resource",  # the engine does not know this keyword, and ignores it
    "description": "a name, or a URN of four parts, urn:pulumi:STACK::PROJECT::TYPE::NAME, or a pattern of one of them",
}


def exceptions(*, for_recipients: bool) -> Schema:
    """The schema of a rule's exceptions; in a rule about recipients, each exception must name one."""
    entry = {
        "type": "object",
        "properties": {
            "recipient": SOMEBODY if for_recipients else TEXT,
            "resource": RESOURCE,
            "reason": TEXT,
            "until": DAY,
        },
        "required": ["reason", "until", *(["recipient"] if for_recipients else [])],
        "anyOf": [{"required": ["recipient"]}, {"required": ["resource"]}],
        "additionalProperties": False,
        "description": "an object with recipient or resource, reason and until",
    }
    return {"type": "array", "description": "a list of exceptions", "items": entry}


def nearest(name: str, known: Iterable[str]) -> str:
    """A question for the name that was probably meant, if there is one."""
    (close,) = get_close_matches(name.lower(), known, n=1, cutoff=0.5) or ("",)
    return f"did you mean {close}? " if close else ""


def troubles(value: Any, schema: Schema, where: str = "") -> Iterator[str]:
    """What is wrong with a value, as sentences; follows the engine's own check of the schema."""
    expected = schema.get("description", f"of type {schema['type']}")
    if not _is(schema["type"], value) or not _fits(value, schema):
        yield f"{where or 'the configuration'} must be {expected}; it is {value!r}"
    elif schema["type"] == "object":
        yield from _in_object(value, schema, where)
    elif schema["type"] == "array":
        for index, item in enumerate(value):
            yield from troubles(item, schema["items"], f"{where}[{index}]")


def _is(kind: str, value: Any) -> bool:
    if kind == "integer":  # numbers come as floats
        return isinstance(value, (int, float)) and not isinstance(value, bool) and float(value).is_integer()
    return isinstance(value, {"string": str, "array": list, "object": dict}[kind])


def _fits(value: Any, schema: Schema) -> bool:
    if schema["type"] == "integer":
        return bool(schema["minimum"] <= value <= schema["maximum"])
    if "format" in schema:
        return bool({"date": _day, "resource": _resource}[schema["format"]](value))
    return "pattern" not in schema or bool(re.search(schema["pattern"], value))


def _in_object(value: Mapping[str, Any], schema: Schema, where: str) -> Iterator[str]:
    known, prefix = schema["properties"], f"{where}." if where else ""
    for name in value:
        if name not in known:
            yield f"{prefix}{name} is not known: {nearest(name, known)}known are {', '.join(known)}"
        else:
            yield from troubles(value[name], known[name], prefix + name)
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{prefix}{name} is missing: give {known[name]['description']}"
    choices = [name for choice in schema.get("anyOf", ()) for name in choice["required"]]
    if choices and not any(name in value for name in choices):
        yield f"{where} needs {' or '.join(choices)}"


def _resource(text: str) -> bool:
    return bool(text.strip()) and (not text.startswith("urn:") or len(text.split("::")) >= URN_PARTS)


def _day(text: str) -> date | None:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@dataclass(frozen=True)
class Exemption:
    """One agreed exception to a rule; `*` matches anything.

    Attributes:
        recipient: a pattern of project ids, or None.
        resource: a pattern of names or URNs of resources, or None.
        reason: why it was agreed.
        until: its last day, UTC.
    """

    recipient: str | None
    resource: str | None
    reason: str
    until: date

    def covers_resource(self, name: str, urn: str) -> bool:
        """Whether it covers a resource; without a pattern it covers all."""
        if self.resource is None:
            return True
        if not self.resource.startswith("urn:"):
            return fnmatchcase(name, self.resource)
        parts, patterns = _parts(urn, name), _parts(self.resource)
        return len(parts) == len(patterns) and all(map(fnmatchcase, parts, patterns))

    def covers_recipients(self, recipients: Sequence[str]) -> bool:
        """Whether it covers all recipients of a finding; without a pattern it does."""
        if self.recipient is None:
            return True
        pattern = self.recipient.strip().lower()
        return bool(recipients) and all(fnmatchcase(recipient, pattern) for recipient in recipients)


def _parts(urn: str, name: str | None = None) -> list[str]:
    """Stack, project, type and name of a URN; only the name may contain `::`."""
    if name is None:
        name = urn.split("::", 3)[-1]
    return [*urn.removesuffix(f"::{name}").split("::", 2), name]


def exemptions(config: Mapping[str, Any]) -> list[Exemption]:
    """The exceptions in a valid configuration."""
    return [
        Exemption(entry.get("recipient"), entry.get("resource"), entry["reason"], date.fromisoformat(entry["until"]))
        for entry in config.get("exceptions", ())
    ]
