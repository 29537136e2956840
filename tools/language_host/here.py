"""Answers for the Python of a program, where that is the one that runs this: no process has to be started."""

from __future__ import annotations

import os
import re
import sys

from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from language_host.commands import Command


def runs(command: Command) -> bool:
    """Whether a command runs this Python, in this environment."""
    folder = Path(command.args[0]).parent
    return command.env is None and folder.is_dir() and folder.samefile(Path(sys.prefix, "bin"))


def listed() -> dict[str, str]:
    """What `pip list` says; empty if there is no pip."""
    found: dict[str, str] = {}
    for folder in filter(os.path.isdir, sys.path[1:]):  # by the names of folders: to read each file takes long
        for entry in Path(folder).glob("*.dist-info"):
            name, _, version = entry.stem.rpartition("-")
            found.setdefault(name, version)  # the first one counts
    return found if find_spec("pip") else {}


def version_of(name: str) -> str:
    """The version of a distribution; empty if it is not installed."""
    try:
        return distribution(name).version
    except PackageNotFoundError:
        return ""


def plugin_file(name: str) -> str:
    """The plugin file in the import package of a distribution; empty if there is none."""
    try:
        text = distribution(name).read_text("METADATA") or ""  # to parse all of it takes long
        spec = find_spec(re.findall(r"(?m)^Name: *(\S+)", text)[0].replace("-", "_"))
    except Exception:  # noqa: BLE001  # whatever is wrong with it
        return ""
    folders = list(spec.submodule_search_locations or []) if spec else []
    files = [f"{folder}/pulumi-plugin.json" for folder in folders]
    return next(filter(os.path.isfile, files), "")
