"""The toolchain uv."""

from __future__ import annotations

import os
import re
import shutil
import sys

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from language_host.commands import Command, output, streamed
from language_host.environments import Package, activated, is_virtualenv, normalized, search_up, version_in
from language_host.options import Refused


if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from language_host.options import Options


@dataclass(frozen=True)
class Uv:
    """uv: a project with pyproject.toml and uv.lock."""

    program: Path
    path: Path
    name = "Uv"

    @classmethod
    def of(cls, options: Options) -> Uv:
        """The environment that the options name, else the one next to uv.lock or pyproject.toml."""
        if not shutil.which("uv"):
            raise Refused("Could not find `uv` executable.\nInstall uv and make sure it is in your PATH.")
        if options.virtualenv:
            return cls(options.program, options.root / options.virtualenv)
        project = search_up(options.program, "uv.lock") or search_up(options.program, "pyproject.toml")
        return cls(
            options.program, (project or options.program) / (os.environ.get("UV_PROJECT_ENVIRONMENT") or ".venv")
        )

    def command(self, *args: str) -> Command:
        """Python, with arguments, in the environment, which is brought up to the lock before."""
        if search_up(self.program, "pyproject.toml"):
            output(self._uv("sync", "--inexact"), "error creating virtual environment")
        return Command([str(self.path / "bin" / "python"), *args], self.program, activated(self.path))

    def version(self) -> str:
        """The toolchain's own version."""
        return version_in(r"uv (\d+\.\d+(?:\.\d+)?)", output(Command(["uv", "--version"]), "failed to get uv version"))

    def packages(self, *, transitive: bool) -> list[Package]:
        """What uv.lock says, without the project itself."""
        folder = search_up(self.program, "uv.lock")
        if not folder:
            raise Refused("could not find uv.lock: file does not exist")
        locked = tomllib.loads((folder / "uv.lock").read_text())["package"]
        real = [entry for entry in locked if "virtual" not in entry.get("source", {})]
        found = [Package(normalized(entry["name"]), entry.get("version", "")) for entry in real]
        return found if transitive else [package for package in found if package.name in _direct(folder)]

    def ensure(self) -> Iterator[tuple[str, bytes]]:
        """Make the environment if it is missing."""
        if not is_virtualenv(self.path):
            command = self._uv("venv", "--quiet", "--allow-existing", str(self.path))
            yield from streamed(command, "error creating virtual environment")

    def validate(self) -> None:
        """Refuse an environment that is none."""
        if not is_virtualenv(self.path):
            raise Refused(f"'{self.path}' is not a virtualenv")

    def install(self) -> Iterator[tuple[str, bytes]]:
        """Bring the environment to what the project asks for."""
        if not search_up(self.program, "uv.lock") and not search_up(self.program, "pyproject.toml"):
            raise Refused("this stand-in makes no uv project of a requirements.txt; run `uv init` and `uv add`")
        yield from streamed(self._uv("sync"), "error installing dependencies")

    def _uv(self, *args: str) -> Command:
        return Command(["uv", *args], self.program, {**os.environ, "UV_PROJECT_ENVIRONMENT": str(self.path)})


def _direct(folder: Path) -> set[str]:
    project: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text()).get("project", {})
    names = [re.match(r"[\w.-]+", requirement) for requirement in project.get("dependencies", [])]
    return {normalized(name[0]) for name in names if name}
