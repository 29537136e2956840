"""Where the engine is kept: made once for a user, complete or not there at all, and writable by that user alone."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine_log import Unavailable, say
from engine_pins import pulumi_version


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
ROOT = 0  # the user who may write everywhere anyway


def root() -> Path:
    """The folder of this project in the user's cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.path.realpath(cache)) / "pulumi-cbr-sharing"


@dataclass(frozen=True)
class Kept:
    """What is built once: a `bin` with commands.

    Attributes:
        name: of its folder; it carries the version, so another version is another folder.
        commands: what a complete `bin` has.
    """

    name: str
    commands: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Its home."""
        return root() / self.name

    @property
    def bin_folder(self) -> Path:
        """What goes on PATH."""
        return self.folder / "bin"

    def is_complete(self) -> bool:
        """Whether it is there, and nobody else can have put it there.

        Raises:
            Unavailable: it is there, but others may write what would be run.
        """
        commands = [self.bin_folder / command for command in self.commands]
        if not all(os.access(command, os.X_OK) for command in commands):
            return False
        for path in (self.folder, self.bin_folder, *commands):
            _refuse_foreign(path)
        _refuse_open_parents()
        return True

    def ensure(self, build: Callable[[Path], Path]) -> Path:
        """Its `bin`; if it is not there, `build` makes one in the folder that it is given."""
        prepare()
        if not self.is_complete():
            with self._lock():
                # Another run may have made it while this one waited.
                if not self.is_complete():
                    with self._workshop() as folder:
                        self._publish(build(folder))
        return self.bin_folder

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Keep a second run from building the same; the lock ends with the process, however that ends."""
        with (root() / f"{self.name}.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say("another run is making it; waiting for that one")
                fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @contextmanager
    def _workshop(self) -> Iterator[Path]:
        """A folder to build in, on the file system of the cache, so that publishing is one rename."""
        prefix = f"{self.name}.tmp-"
        # Left by runs that were killed: whoever holds the lock is the only one who builds.
        for stale in root().glob(f"{prefix}*"):
            shutil.rmtree(stale, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=prefix, dir=root(), ignore_cleanup_errors=True) as folder:
            yield Path(folder)

    def _publish(self, made: Path) -> None:
        """Put a finished `bin` in its place."""
        shutil.rmtree(self.folder, ignore_errors=True)
        wrapped = made.parent / "published"
        wrapped.mkdir(mode=0o755)
        made.rename(wrapped / "bin")
        wrapped.rename(self.folder)


# What a `bin` needs to run Python programs with dynamic resources.
COMMANDS = ("pulumi", "pulumi-language-python", "pulumi-language-python-exec", "pulumi-resource-pulumi-python")
ENGINE = Kept(f"engine-{pulumi_version()}", COMMANDS)


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
