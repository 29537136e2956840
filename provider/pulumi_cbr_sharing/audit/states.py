"""Reads what stacks and states declare: a stack's export or checkpoint, or a Terraform state.

A state is foreign text. Whatever is wrong with one becomes its `trouble`, so that the others are judged.
"""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import zlib

from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from pulumi_cbr_sharing.audit.declarations import TYPES, Declaration, Place, Secret, Source, declaration
from pulumi_cbr_sharing.errors import SettingsError, one_line
from pulumi_cbr_sharing.timestamps import rfc3339


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


SECONDS = 300  # a slow backend needs a minute for many thousand resources
MOST_BYTES = 256 * 2**20  # of a state, unpacked
# The engine marks secrets in a state with this key; decrypted ones (`--show-secrets`) have a `plaintext` in JSON.
SECRET = "4dabf18193072939515e22adb298388d"  # noqa: S105 - a key of the format, not a secret
TERRAFORM_STATE = 4  # the version of the format since Terraform 0.12
BROKEN = (AttributeError, TypeError, KeyError, ValueError, IndexError, RecursionError)


class NoState(ValueError):
    """Why something is no state that can be read; the end of a sentence."""


def read_file(path: Path) -> bytes:
    """The content of a file from somewhere; of one that is too large, enough to see that.

    Raises:
        SettingsError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise SettingsError(f"reading {path}: {one_line(error)}") from None


def parsed(content: bytes) -> Any:
    """What a file says.

    Args:
        content: JSON in UTF-8, UTF-16 or UTF-32, or such a text compressed by gzip.

    Raises:
        NoState: it is no JSON, or too large.
    """
    try:
        if content.startswith(b"\x1f\x8b"):
            content = gzip.GzipFile(fileobj=BytesIO(content)).read(MOST_BYTES + 1)
        document = json.loads(content.decode(json.detect_encoding(content))) if len(content) <= MOST_BYTES else None
    except (ValueError, OSError, EOFError, zlib.error, RecursionError) as error:
        raise NoState(f"it is not JSON: {one_line(error, 120)}") from None
    if len(content) > MOST_BYTES:
        raise NoState(f"it has more than {MOST_BYTES // 2**20} MB")
    return document


def read_stack(name: str, folder: Path) -> Source:
    """Export a stack with the Pulumi CLI, and read what it declares.

    Raises:
        SettingsError: the CLI cannot export it.
    """
    words = ["pulumi", "stack", "export", "--non-interactive", "--stack", name]
    try:
        done = subprocess.run(words, cwd=folder, capture_output=True, timeout=SECONDS, check=False)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise SettingsError(f"reading stack {name} by `pulumi stack export`: {one_line(error)}") from None
    if done.returncode:
        said = one_line((done.stderr or done.stdout).decode(errors="replace"))
        raise SettingsError(f"reading stack {name} by `pulumi stack export` in {folder}: {said}")
    return read_state(done.stdout, name, kind="stack", folder=folder)


def read_state_file(path: Path, folder: Path) -> Source:
    """Read what a file declares: an export of `pulumi stack export`, a checkpoint, or a Terraform state.

    Args:
        path: the file.
        folder: the program's, which places in a state are relative to.

    Raises:
        SettingsError: the file cannot be read.
    """
    return read_state(read_file(path), str(path), folder=folder)


def read_state(content: bytes, name: str, *, kind: Any = "state", folder: Path | None = None) -> Source:
    """Read what a state declares.

    Args:
        content: as `parsed` takes it.
        name: the file or stack; the name of a Terraform state in findings.
        kind: `stack` or `state`.
        folder: the program's, which places in a state are relative to.
    """
    try:
        document = parsed(content)
        found = tuple(one for one in _declarations(document, name, folder or Path()) if one)
        return Source(kind, name, found, at=_time_of(document))
    except NoState as error:
        return Source(kind, name, trouble=str(error))
    except BROKEN as error:
        return Source(kind, name, trouble=f"the state has an unexpected shape: {one_line(error, 120)}")


def _declarations(document: Any, name: str, folder: Path) -> Iterator[Declaration | None]:
    known = document if isinstance(document, dict) else {}
    if "planned_values" in known or "plan" in known or "steps" in known:
        raise NoState("it is a plan, not a state: export the state itself")
    if "deployment" in known or "checkpoint" in known or "manifest" in known:
        yield from _of_pulumi(_deployment(known), folder)
    elif "format_version" in known and "values" in known:
        yield from _of_modules(known["values"].get("root_module") or {}, name)
    elif "terraform_version" in known and known.get("version") == TERRAFORM_STATE:
        yield from _of_terraform(known["resources"], name)
    elif "terraform_version" in known:
        version = one_line(known.get("version", "not named"), 20)
        raise NoState(f"its version is {version}, not {TERRAFORM_STATE}: write it again with Terraform 0.12 or newer")
    else:
        raise NoState("it is neither an export or checkpoint of a Pulumi stack nor a Terraform state")


def _time_of(document: Mapping[str, Any]) -> str | None:
    if not ("deployment" in document or "checkpoint" in document or "manifest" in document):
        return None  # Terraform writes no time
    manifest = _deployment(document).get("manifest")
    return rfc3339(manifest.get("time")) or None if isinstance(manifest, dict) else None


def _deployment(document: Mapping[str, Any]) -> Mapping[str, Any]:
    if "manifest" in document:
        return document
    found = document["deployment"] if "deployment" in document else document["checkpoint"].get("latest")
    return found or {}


def _of_pulumi(deployment: Mapping[str, Any], folder: Path) -> Iterator[Declaration | None]:
    for resource in deployment.get("resources") or ():
        # Resources that are pending deletion are no longer declared; external ones (only read) never were.
        if resource.get("delete") or resource.get("external") or not resource.get("custom"):
            continue
        inputs, outputs = (
            {name: _value(value) for name, value in (resource.get(kind) or {}).items()}
            for kind in ("inputs", "outputs")
        )
        stack, project = resource["urn"].removeprefix("urn:pulumi:").split("::")[:2]
        yield declaration(
            resource["type"],
            inputs,
            outputs,
            stack=one_line(f"{project}/{stack}", 200),
            urn=one_line(resource["urn"], 2000),
            place=_place(resource, folder),
        )


def _value(value: Any) -> Any:
    """A value with its secret envelope opened, if it is not encrypted."""
    if isinstance(value, list):
        return [_value(one) for one in value]
    if not isinstance(value, dict) or SECRET not in value:
        return value
    return Secret(json.loads(value["plaintext"]) if "plaintext" in value else None)


def _place(resource: Mapping[str, Any], folder: Path) -> Place | None:
    """The innermost line of the program in the stack trace of a resource, as seen from the working directory."""
    frames = [resource, *(resource.get("stackTrace") or ())]
    found = next(filter(None, (_of_program(frame.get("sourcePosition")) for frame in frames)), None)
    return Place(one_line(folder / found.file, 500), found.line) if found else None


def _of_program(position: str | None) -> Place | None:
    match = re.fullmatch(r"project:///([^#]+)#(\d{1,9})(?:,\d+)?", position or "")
    path = PurePosixPath(unquote(match[1])) if match else PurePosixPath("..")
    if not match or ".." in path.parts or any("site-packages" in part or part == ".venv" for part in path.parts):
        return None
    return Place(str(path), max(int(match[2]), 1))


def _of_terraform(resources: Any, name: str) -> Iterator[Declaration | None]:
    for resource in resources:
        if resource.get("mode") != "managed" or resource["type"] not in TYPES:
            continue
        module = f"{resource['module']}." if resource.get("module") else ""
        for instance in resource.get("instances") or ():
            key = instance.get("index_key")
            address = f"{module}{resource['type']}.{resource['name']}" + ("" if key is None else f"[{json.dumps(key)}]")
            if "attributes" not in instance:  # written by Terraform 0.11 or older: `attributes_flat`
                raise NoState(
                    f"{one_line(address, 120)} has no attributes: write it again with Terraform 0.12 or newer"
                )
            if not instance.get("deposed"):
                yield _terraform_declaration(resource["type"], instance["attributes"], address, name)


def _of_modules(root: Mapping[str, Any], name: str) -> Iterator[Declaration | None]:
    modules = [root]
    while modules:
        module = modules.pop()
        modules += module.get("child_modules") or ()
        for resource in module.get("resources") or ():
            if resource.get("mode") == "managed":
                yield _terraform_declaration(resource["type"], resource["values"], resource["address"], name)


def _terraform_declaration(type_: str, attributes: Mapping[str, Any], address: str, name: str) -> Declaration | None:
    return declaration(type_, attributes, attributes, stack=name, urn=one_line(address, 2000))
