"""The configuration of the pack and of each rule: its schema, its errors, its exceptions, and the recipients file.

The engine checks a configuration file against the schemas before anything runs, but ignores unknown names. The pack and
the rules check it again, so that a misspelled name is an error.
"""

from __future__ import annotations

import json
import re

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pulumi_policy import EnforcementLevel

from pulumi_cbr_sharing.errors import SettingsError
from pulumi_cbr_sharing.recipients_file import (
    AgreedException,
    Recipient,
    read_recipients_file,
    trouble_if_blank,
    trouble_with_backup,
    trouble_with_last_day,
    trouble_with_recipient,
)


if TYPE_CHECKING:
    from pulumi_policy import Policy


Schema = dict[str, Any]
LEVEL = "enforcementLevel"
LEVELS = [level.value for level in EnforcementLevel]
LIST, FILE = "recipients", "recipients_file"  # the file has a list, too
ALL, ENVIRONMENTS = "all", "environments"  # names of the engine: a level for all rules, and Pulumi ESC
URN_PARTS = 4  # stack, project, type, name


class ConfigError(ValueError):
    """The configuration is not valid; the message lists all errors."""


def _trouble_with_resource(text: str) -> str | None:
    if text.startswith("urn:") and len(text.split("::")) < URN_PARTS:
        return "is no URN of four parts: give urn:pulumi:STACK::PROJECT::TYPE::NAME, a name, or a pattern of one"
    literal = re.sub(r"\[.[^]]*\]", "", text.removeprefix("urn:pulumi:"))
    return None if re.search(r"\w", literal) else "names no resource: give a name, a URN, or a pattern of some"


# The formats of texts, each with the check of the recipients file; the engine does not know them, and ignores them.
CHECKS = {
    "recipient": trouble_with_recipient,
    "backup": trouble_with_backup,
    "text": trouble_if_blank,
    "last-day": trouble_with_last_day,
    "resource": _trouble_with_resource,
}
TEXT: Schema = {"type": "string", "format": "text", "description": "a text that is not empty"}
PATH: Schema = {
    "type": "string",
    "pattern": r"\S",
    "description": "the path of a file such as cbr-sharing.yaml, absolute or relative to the folder of the pack",
}
PROJECT: Schema = {
    "type": "string",
    "pattern": "^[0-9a-f]{32}$",
    "description": "a project id: 32 hexadecimal digits in lower case",
}
_EXCEPTION: Schema = {
    "recipient": {"type": "string", "format": "recipient", "description": "a project id"},
    "backup": {"type": "string", "format": "backup", "description": "a backup id"},
    "resource": {"type": "string", "format": "resource", "description": "a name or a URN, or a pattern of some"},
    "reason": TEXT,
    "owner": TEXT,
    "until": {"type": "string", "format": "last-day", "description": "the last day, such as 2026-12-31"},
}


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


def exceptions(*, for_recipients: bool) -> Schema:
    """The schema of a rule's exceptions; in a rule about recipients, each exception must name one."""
    entry = {
        "type": "object",
        "properties": _EXCEPTION,
        "required": ["reason", "owner", "until", *(["recipient"] if for_recipients else [])],
        "anyOf": [{"required": [name]} for name in ("recipient", "backup", "resource")],
        "additionalProperties": False,
        "description": "an object with recipient, backup or resource, and reason, owner and until",
    }
    return {"type": "array", "description": "a list of exceptions", "items": entry}


def exceptions_in(config: Mapping[str, Any]) -> list[AgreedException]:
    """The exceptions in a valid configuration."""
    everything = dict.fromkeys(("recipient", "backup", "resource"), "*")
    return [
        AgreedException(**{**everything, **entry, "until": date.fromisoformat(entry["until"])})
        for entry in config.get("exceptions", ())
    ]


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
    elif "format" in schema:
        yield from (f"{where} {trouble}" for trouble in [CHECKS[schema["format"]](value)] if trouble)
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


def read(path: str | Path) -> dict[str, Any]:
    """Read a configuration file; an empty one means the defaults of the pack.

    Raises:
        ConfigError: it is not a JSON object, or has a name twice, of which the engine would use the last.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        content = json.loads(text, object_pairs_hook=_unique) if text.strip() else {}
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from None
    if not isinstance(content, dict):
        raise ConfigError(f"{path} must hold a JSON object")
    return content


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(f"{', '.join(twice)} is there twice")
    return dict(pairs)


def long_form(value: Any) -> dict[str, Any]:
    """The configuration of a rule as an object; it may also be a level alone."""
    return dict(value) if isinstance(value, Mapping) else {LEVEL: value}


def faults(content: Mapping[str, Any], policies: Sequence[Policy]) -> list[str]:
    """All errors of a configuration, as sentences."""
    known = {policy.name: policy for policy in policies}
    names = [name for name in content if name in (*known, ALL)]
    found = [fault for name in names for fault in _faults(name, long_form(content[name]), known.get(name))]
    return [*_unknown_rules(content, policies), *found]


def _unknown_rules(content: Mapping[str, Any], policies: Sequence[Policy]) -> list[str]:
    """Each with the one that was probably meant."""
    known = [policy.name for policy in policies]
    return [
        f"there is no rule {name}: {nearest(name, (*known, ALL))}the rules are {', '.join(known)}"
        for name in content
        if name not in (*known, ALL, ENVIRONMENTS)
    ]


def _faults(name: str, given: dict[str, Any], policy: Policy | None) -> Iterator[str]:
    level = given.pop(LEVEL, LEVELS[0])
    if level not in LEVELS:
        yield f"{name}.{LEVEL} must be one of {', '.join(LEVELS)}; it is {level!r}"
    if policy is None and given:
        yield f"{name} sets the level of every rule and nothing else: move {', '.join(given)} to the rules"
    if policy and policy.config_schema:
        yield from troubles(given, {"type": "object", "properties": policy.config_schema.properties}, name)


def with_recipients(content: Mapping[str, Any], folder: Path | None) -> dict[str, Any]:
    """Replace every `recipients_file` in a configuration by its recipients and exceptions.

    Args:
        content: a configuration that is valid otherwise.
        folder: the folder for relative paths; None if there is none.

    Raises:
        ConfigError: the file does not exist or is not valid; says where.
    """
    return {name: _read(name, long_form(given), folder) for name, given in content.items()}


def _read(name: str, given: dict[str, Any], folder: Path | None) -> dict[str, Any]:
    if FILE not in given:
        return given
    path = Path(given.pop(FILE))
    if folder is None and not path.is_absolute():
        raise ConfigError(f"{name}.{FILE} must be an absolute path, because the configuration is not a file")
    try:
        file = read_recipients_file((folder or Path()) / path)
    except (SettingsError, ValueError) as error:  # a path with a NUL is a ValueError
        raise ConfigError(f"{name}.{FILE}: {error}") from None
    if file.recipients is None:
        remedy = "" if file.trouble else ": list the projects that may receive backups"
        raise ConfigError(f"{name}.{FILE}: {file.not_in_force}{remedy}")
    return {
        **given,
        LIST: [*given.get(LIST, ()), *map(_entry, file.recipients.values())],
        "exceptions": [*given.get("exceptions", ()), *map(_exception, file.exceptions)],
    }


def _entry(recipient: Recipient) -> dict[str, str]:
    return {"project_id": recipient.project_id, "note": f"{recipient.name}, owned by {recipient.owner}"}


def _exception(one: AgreedException) -> dict[str, str]:
    return {name: str(getattr(one, name)) for name in ("recipient", "backup", "reason", "owner", "until")}
