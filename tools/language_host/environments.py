"""Environments of Python programs: folders, names, and the Python that is on PATH."""

from __future__ import annotations

import os
import re
import shutil

from typing import TYPE_CHECKING, NamedTuple

from language_host.options import Refused


if TYPE_CHECKING:
    from pathlib import Path


class Package(NamedTuple):
    """A distribution, under its normalized name."""

    name: str
    version: str


def search_up(folder: Path, name: str) -> Path | None:
    """The nearest folder, this one or above, that has a file of this name."""
    return next((found for found in (folder, *folder.parents) if (found / name).exists()), None)


def is_virtualenv(folder: Path) -> bool:
    """Whether a folder has a Python."""
    return (folder / "bin" / "python").is_file()


def activated(virtualenv: Path) -> dict[str, str]:
    """The environment of processes in a virtual environment."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONHOME"}
    path = os.pathsep.join([str(virtualenv / "bin"), *filter(None, [inherited.get("PATH")])])
    return inherited | {"VIRTUAL_ENV": str(virtualenv), "PATH": path}


def normalized(name: str) -> str:
    """A distribution's name as PEP 503 writes it."""
    return re.sub(r"[-_.]+", "-", name.lower())


def line(text: str) -> tuple[str, bytes]:
    """A line of our own on standard output."""
    return "stdout", f"{text}\n".encode()


def python_on_path() -> str:
    """The Python of programs whose environment is not named."""
    named = os.environ.get("PULUMI_PYTHON_CMD")
    names = [named] if named else ["python3", "python"]
    found = next(filter(None, map(shutil.which, names)), None)
    if not found:
        listed = " ".join(f'"{name}"' for name in names)
        raise Refused(f"failed to locate any of [{listed}] on your PATH. Have you installed Python 3.6 or greater?")
    return found


def version_in(pattern: str, text: str) -> str:
    """The version that a command printed."""
    match = re.search(pattern, text)
    return match[1] if match else ""
