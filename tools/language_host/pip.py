"""The toolchain pip."""

from __future__ import annotations

import json

from dataclasses import dataclass
from typing import TYPE_CHECKING

from language_host import here
from language_host.commands import Command, output, streamed
from language_host.environments import Package, activated, is_virtualenv, line, normalized, python_on_path, version_in
from language_host.options import Refused


if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NO_VENV = """The 'virtualenv' option in Pulumi.yaml is set to "{option}", but "{path}" {state}; \
run the following commands to create the virtual environment and install dependencies into it:

    1. python3 -m venv {path}
    2. {path}/bin/python -m pip install --upgrade pip setuptools wheel
    3. {path}/bin/python -m pip install -r requirements.txt


For more information see: https://www.pulumi.com/docs/intro/languages/python/#virtual-environments"""


@dataclass(frozen=True)
class Pip:
    """pip in the environment that `virtualenv` names, or in that of the Python on PATH."""

    root: Path
    program: Path
    option: str
    name = "Pip"

    @property
    def path(self) -> Path | None:
        """The virtual environment; None where the Python on PATH is used."""
        return self.root / self.option if self.option else None

    def command(self, *args: str) -> Command:
        """Python, with arguments, in the environment."""
        if not self.path:
            return Command([python_on_path(), *args])
        return Command([str(self.path / "bin" / "python"), *args], env=activated(self.path))

    def version(self) -> str:
        """The toolchain's own version."""
        command = self.command("-m", "pip", "--version")
        if here.runs(command) and (found := here.version_of("pip")):
            return found
        return version_in(r"^pip\s+(\d+(?:\.\d+)*)", output(command, "no pip"))

    def packages(self, *, transitive: bool) -> list[Package]:
        """What `pip list` says."""
        command = self.command("-m", "pip", "list", "--format", "json", *([] if transitive else ["--not-required"]))
        if transitive and here.runs(command) and (found := here.listed()):
            return [Package(normalized(name), version) for name, version in found.items()]
        listed = json.loads(output(command, f"calling `{command}`"))
        return [Package(normalized(entry["name"]), entry["version"]) for entry in listed]

    def ensure(self) -> Iterator[tuple[str, bytes]]:
        """Make a virtual environment that is missing or empty, and install into it."""
        if not self.path or is_virtualenv(self.path):
            return
        if self.path.exists() and not self.path.is_dir():
            raise Refused(f"the 'virtualenv' option in Pulumi.yaml is set to \"{self.path}\" but it is not a directory")
        if not self.path.exists() or not any(self.path.iterdir()):
            yield from self.install()

    def validate(self) -> None:
        """Refuse a virtual environment that is none."""
        if self.path and not is_virtualenv(self.path):
            state = "doesn't appear to be a virtual environment" if self.path.exists() else "doesn't exist"
            raise Refused(NO_VENV.format(option=self.option, path=self.path, state=state))

    def install(self) -> Iterator[tuple[str, bytes]]:
        """Make the virtual environment, renew pip, setuptools and wheel in it, and install requirements.txt."""
        if self.path:
            yield line("Creating virtual environment...")
            trouble = f"creating virtual environment at '{self.path}'"
            yield from streamed(Command([python_on_path(), "-m", "venv", str(self.path)]), trouble)
            yield line("Finished creating virtual environment")
        yield line("Updating pip, setuptools, and wheel in virtual environment...")
        yield from self._pip_install("updating pip, setuptools, and wheel", "--upgrade", "pip", "setuptools", "wheel")
        yield line("Finished updating")
        if (self.program / "requirements.txt").exists():
            yield line("Installing dependencies in virtual environment...")
            yield from self._pip_install("installing dependencies", "-r", "requirements.txt")
            yield line("Finished installing dependencies")

    def _pip_install(self, deed: str, *args: str) -> Iterator[tuple[str, bytes]]:
        command = self.command("-m", "pip", "install", *args)
        return streamed(command._replace(cwd=self.program), f"{deed} via '{command}'")
