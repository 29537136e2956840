"""Where the engine is kept: made once for a user, complete or not there at all, and writable by that user alone."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from engine_log import Unavailable, say
from engine_pins import pulumi_version


if TYPE_CHECKING:
    from collections.abc import Iterator


# What a `bin` needs to run Python programs with dynamic resources.
COMMANDS = ("pulumi", "pulumi-language-python", "pulumi-language-python-exec", "pulumi-resource-pulumi-python")
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
ROOT = 0  # the user who may write everywhere anyway


def root() -> Path:
    """The folder of this project in the user's cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.path.realpath(cache)) / "pulumi-cbr-sharing"


def engine_folder() -> Path:
    """The engine's home; its name carries the version, so another version is another folder."""
    return root() / f"engine-{pulumi_version()}"


def bin_folder() -> Path:
    """What goes on PATH."""
    return engine_folder() / "bin"


def is_complete() -> bool:
    """Whether the engine is there, and nobody else can have put it there.

    Raises:
        Unavailable: it is there, but others may write what would be run.
    """
    commands = [bin_folder() / command for command in COMMANDS]
    if not all(os.access(command, os.X_OK) for command in commands):
        return False
    for path in (engine_folder(), bin_folder(), *commands):
        _refuse_foreign(path)
    _refuse_open_parents()
    return True


def prepare() -> None:
    """Make the folder of this project, for this user alone."""
    root().mkdir(mode=0o700, parents=True, exist_ok=True)
    _refuse_open_parents()


def _refuse_open_parents() -> None:
    """Whoever may rename a folder may put another in its place; a sticky one, as /tmp is, lets only owners do that."""
    _refuse_foreign(root())
    for parent in root().parents:
        found = parent.lstat()
        if found.st_uid not in (os.getuid(), ROOT) or (
            found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX
        ):
            raise Unavailable(
                f"{root()} is not safe: others may write {parent}; set XDG_CACHE_HOME to a folder of yours"
            )


def _refuse_foreign(path: Path) -> None:
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode):
        raise Unavailable(f"{path} is a link, and no links are followed here; remove it, then run this again")
    if found.st_uid not in (os.getuid(), ROOT) or found.st_mode & OTHERS_WRITE:
        raise Unavailable(f"{path} can be written by others, so it is not used; remove it, then run this again")


@contextmanager
def lock() -> Iterator[None]:
    """Keep a second run from building the same; the lock ends with the process, however that ends."""
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
    wrapped.mkdir(mode=0o755)
    made.rename(wrapped / "bin")
    wrapped.rename(engine_folder())
