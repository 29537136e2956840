"""Reads declarations out of state: a stack's export or checkpoint, or a Terraform state."""

from __future__ import annotations

import gzip
import json
import re

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from pulumi_cbr_sharing.audit.declared import Declaration, Place, declaration
from pulumi_cbr_sharing.errors import SettingsError, one_line


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


# The engine marks secrets in a state with this key; decrypted ones (`--show-secrets`) have a `plaintext` in JSON.
SECRET = "4dabf18193072939515e22adb298388d"  # noqa: S105 - a key of the format, not a secret


def read_state_file(path: Path) -> list[Declaration]:
    """Read the declarations in a file: an export of `pulumi stack export`, a checkpoint, or a Terraform state.

    Raises:
        SettingsError: the file cannot be read, or is something else.
    """
    try:
        content = path.read_bytes()
        text = (gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content).decode("utf-8-sig")
    except (OSError, ValueError, EOFError) as error:
        raise SettingsError(f"reading {path}: {one_line(error)}") from None
    return read_state(text, str(path))


def read_state(text: str, source: str) -> list[Declaration]:
    """Read the declarations in the text of a state.

    Args:
        text: JSON.
        source: the file or stack, for messages; the name of a Terraform state in findings.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"reading {source}: it is not JSON: {one_line(error)}") from None
    try:
        return [one for one in _declarations(document, source) if one]
    except (AttributeError, TypeError, KeyError, ValueError) as error:
        raise SettingsError(f"reading {source}: the state has an unexpected shape: {one_line(error)}") from None


def _declarations(document: Any, source: str) -> Iterator[Declaration | None]:
    known = document if isinstance(document, dict) else {}
    if "deployment" in known or "checkpoint" in known or "manifest" in known:
        yield from _of_pulumi(_deployment(known))
    elif "terraform_version" in known and "values" not in known:
        yield from _of_terraform(known, source)
    elif "format_version" in known and "values" in known:
        yield from _of_module(known["values"].get("root_module", {}), source)
    else:
        raise SettingsError(
            f"reading {source}: it is neither an export or checkpoint of a Pulumi stack nor a Terraform state"
        )


def _deployment(document: Mapping[str, Any]) -> Mapping[str, Any]:
    if "manifest" in document:
        return document
    found = document["deployment"] if "deployment" in document else document["checkpoint"].get("latest")
    return found or {}


def _of_pulumi(deployment: Mapping[str, Any]) -> Iterator[Declaration | None]:
    for resource in deployment.get("resources") or ():
        # Resources that are pending deletion are no longer declared; external ones (only read) never were.
        if resource.get("delete") or resource.get("external") or not resource.get("custom"):
            continue
        properties = {**(resource.get("inputs") or {}), **(resource.get("outputs") or {})}
        stack, project = resource["urn"].removeprefix("urn:pulumi:").split("::")[:2]
        yield declaration(
            resource["type"],
            resource.get("id") or "",
            {name: _plain(value) for name, value in properties.items()},
            stack=f"{project}/{stack}",
            urn=resource["urn"],
            place=_place(resource),
        )


def _plain(value: Any) -> Any:
    """A value without its secret envelope; an encrypted one stays a map, which is not an id."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if not isinstance(value, dict) or SECRET not in value:
        return value
    return json.loads(value["plaintext"]) if "plaintext" in value else {"secret": True}


def _place(resource: Mapping[str, Any]) -> Place | None:
    """The innermost line of the program in the stack trace of a resource."""
    frames = [resource, *(resource.get("stackTrace") or ())]
    return next(filter(None, (_of_program(frame.get("sourcePosition")) for frame in frames)), None)


def _of_program(position: str | None) -> Place | None:
    match = re.fullmatch(r"project:///([^#]+)#(\d+)(?:,\d+)?", position or "")
    path = PurePosixPath(unquote(match[1])) if match else PurePosixPath("..")
    if not match or ".." in path.parts or any("site-packages" in part or part == ".venv" for part in path.parts):
        return None
    return Place(str(path), max(int(match[2]), 1))


def _of_terraform(document: Mapping[str, Any], source: str) -> Iterator[Declaration | None]:
    for resource in document.get("resources") or ():
        if resource.get("mode") != "managed":
            continue
        module = f"{resource['module']}." if resource.get("module") else ""
        for instance in resource.get("instances") or ():
            key = instance.get("index_key")
            index = "" if key is None else f"[{json.dumps(key)}]"
            if not instance.get("deposed"):
                address = f"{module}{resource['type']}.{resource['name']}{index}"
                yield _terraform_declaration(resource["type"], instance["attributes"], address, source)


def _of_module(module: Mapping[str, Any], source: str) -> Iterator[Declaration | None]:
    for resource in module.get("resources") or ():
        if resource.get("mode") == "managed":
            yield _terraform_declaration(resource["type"], resource["values"], resource["address"], source)
    for child in module.get("child_modules") or ():
        yield from _of_module(child, source)


def _terraform_declaration(type_: str, attributes: Mapping[str, Any], address: str, source: str) -> Declaration | None:
    return declaration(type_, str(attributes.get("id") or ""), attributes, stack=source, urn=address)
