"""Where the engine is kept: made once for a user, complete or not there at all."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from engine_log import say
from engine_pins import pulumi_version


if TYPE_CHECKING:
    from collections.abc import Iterator


# What a `bin` needs to run Python programs with dynamic resources.
COMMANDS = ("pulumi", "pulumi-language-python", "pulumi-language-python-exec", "pulumi-resource-pulumi-python")


def root() -> Path:
    """The folder of this project in the user's cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pulumi-cbr-sharing"


def engine_folder() -> Path:
    """The engine's home; its name carries the version, so another version is another folder."""
    return root() / f"engine-{pulumi_version()}"


def bin_folder() -> Path:
    """What goes first on PATH."""
    return engine_folder() / "bin"


def is_complete() -> bool:
    """Whether the engine is there."""
    return all(os.access(bin_folder() / command, os.X_OK) for command in COMMANDS)


@contextmanager
def lock() -> Iterator[None]:
    """Keep a second run from building the same; the lock ends with the process, however that ends."""
    root().mkdir(parents=True, exist_ok=True)
    with (root() / f"{engine_folder().name}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another run is making it; waiting for that one")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def workshop() -> Iterator[Path]:
    """A folder to build in, on the file system of the cache, so that publishing is one rename."""
    prefix = f"{engine_folder().name}.tmp-"
    # Left by runs that were killed: whoever holds the lock is the only one who builds.
    for stale in root().glob(f"{prefix}*"):
        shutil.rmtree(stale, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=root(), ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def publish(made: Path) -> None:
    """Put a finished `bin` in its place."""
    shutil.rmtree(engine_folder(), ignore_errors=True)
    wrapped = made.parent / "published"
    wrapped.mkdir()
    made.rename(wrapped / "bin")
    wrapped.rename(engine_folder())
