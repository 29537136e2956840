"""The runtime options of a Pulumi.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Mapping


TOOLCHAINS = ("pip", "poetry", "uv")
TYPECHECKERS = ("mypy", "pyright")


class Refused(Exception):
    """The engine gets this message as the error of its call."""


@dataclass(frozen=True)
class Options:
    """Where a program lies, and how its environment is found.

    Attributes:
        root: the folder of Pulumi.yaml.
        program: the folder of the program, which `main:` may name.
        virtualenv: as written in Pulumi.yaml; empty if it names none.
        toolchain: empty if Pulumi.yaml names none; a lock file then decides.
    """

    root: Path
    program: Path
    virtualenv: str = ""
    toolchain: str = ""
    typechecker: str = ""


def parse(info: Any, *, is_plugin: bool = False) -> Options:
    """The options of a program, or of a plugin, whose environment is always its own."""
    raw = dict(info.options)
    virtualenv = _text(raw, "virtualenv")
    typechecker = _one_of(raw, "typechecker", TYPECHECKERS)
    toolchain = _one_of(raw, "toolchain", TOOLCHAINS)
    if is_plugin and toolchain in ("", "pip"):
        virtualenv = virtualenv or "venv"
    return Options(Path(info.root_directory), Path(info.program_directory), virtualenv, toolchain, typechecker)


def _text(raw: Mapping[str, Any], name: str) -> str:
    value = raw.get(name, "")
    if not isinstance(value, str):
        raise Refused(f"{name} option must be a string")
    return value


def _one_of(raw: Mapping[str, Any], name: str, known: tuple[str, ...]) -> str:
    value = _text(raw, name)
    if name in raw and value not in known:
        raise Refused(f"unsupported {name} option: {value}")
    return value
