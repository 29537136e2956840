"""Which toolchain keeps the environment of a program, and what each can do."""

from __future__ import annotations

import shutil

from typing import TYPE_CHECKING, Protocol

from language_host.environments import search_up
from language_host.options import Refused
from language_host.pip import Pip
from language_host.uv import Uv


if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from language_host.commands import Command
    from language_host.environments import Package
    from language_host.options import Options


class Toolchain(Protocol):
    """What a toolchain knows of a program's environment."""

    name: str

    def command(self, *args: str) -> Command:
        """Python, with arguments, in the environment."""

    def version(self) -> str:
        """The toolchain's own version."""

    def packages(self, *, transitive: bool) -> list[Package]:
        """The distributions of the environment, or only those that no other one needs."""

    def ensure(self) -> Iterator[tuple[str, bytes]]:
        """Make the environment if it is missing; gives what is printed meanwhile."""

    def validate(self) -> None:
        """Refuse an environment that cannot run a program."""

    def install(self) -> Iterator[tuple[str, bytes]]:
        """Install what the program needs; gives what is printed meanwhile."""


def resolve(options: Options) -> Toolchain:
    """The toolchain that Pulumi.yaml names, or that a lock file in the program's folder or above points to."""
    name = options.toolchain or _locked(options.program)
    if name == "poetry":
        raise Refused(_no_poetry())
    return Uv.of(options) if name == "uv" else Pip(options.root, options.program, options.virtualenv)


def _locked(program: Path) -> str:
    locks = {"uv.lock": "uv", "poetry.lock": "poetry"}
    return next((name for lock, name in locks.items() if search_up(program, lock)), "pip")


def _no_poetry() -> str:
    if shutil.which("poetry"):
        return "this stand-in does not know Poetry; install Pulumi, or set the toolchain option in Pulumi.yaml to `pip`"
    return (
        "Could not find `poetry` executable.\n"
        "Install poetry and make sure it is in your PATH, or set the toolchain option in Pulumi.yaml to `pip`."
    )
