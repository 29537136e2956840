"""Finds the configuration file on the command line of the engine that started this pack.

The engine refuses an unknown rule without a level, but only says `invalid enforcement level`, without the name. So the
pack checks the file first. Only the engine's command line has its path, and only Linux shows that; elsewhere the user
gets the engine's message.
"""

from __future__ import annotations

import csv

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


PACK, CONFIG = "--policy-pack", "--policy-pack-config"
ANCESTORS = 8  # parent processes to search for the engine: the language host, and perhaps a launcher, are in between


def file_given_to_engine(pack: Path) -> Path | None:
    """The configuration file that the engine was given for the pack in a folder; None if it cannot be found."""
    with suppress(OSError, ValueError, IndexError):
        for process in _ancestors():
            words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
            folder = (process / "cwd").resolve()
            for given, config in zip(values(words, PACK), values(words, CONFIG)):  # noqa: B905 - the engine compares
                if (folder / given).resolve() == pack:
                    return folder / config
    return None


def _ancestors() -> Iterator[Path]:
    process = Path("/proc/self")
    for _ in range(ANCESTORS):
        # The name, in parentheses, may contain anything; then come the state and the parent.
        process = Path("/proc", (process / "stat").read_text().rpartition(")")[2].split()[1])
        yield process


def values(words: Sequence[str], flag: str) -> Iterator[str]:
    """The values of a flag, in order; it may be given several times, each with several values separated by commas."""
    for position, word in enumerate(words):
        name, _, value = word.partition("=")
        if name == flag:
            text = value if "=" in word else "".join(words[position + 1 : position + 2])
            yield from next(csv.reader([text]), [])
