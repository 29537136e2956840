"""Makes sure that a Pulumi engine exists, and prints what must come first on PATH to use it.

    PATH="$(python tools/engine_setup.py):$PATH" pulumi version

Nothing is printed when there is a release on PATH: it is used as it is. Otherwise an engine is built once, in the
user's cache, from its Go module, whose every part is pinned by hash. What happens meanwhile goes to standard error.
"""

from __future__ import annotations

import functools
import os
import shutil
import sys

from pathlib import Path

import engine_build
import engine_cache

from engine_log import Unavailable, say
from engine_pins import go_version


STAND_IN = Path(__file__).resolve().with_name("stand_in")
GIVE_UP = """No Pulumi engine could be had.
  - pulumi on PATH: none that runs Python programs
  - a build from the Go module: {reason}
What helps: install Pulumi as https://www.pulumi.com/docs/install/ says, so that `pulumi` is on PATH; or, where only
package registries can be reached, install Go {go} or newer. Then run this again."""


def main() -> None:
    """Print the folders, or leave with the reasons."""
    try:
        print(os.pathsep.join(map(str, ensure())))
    except Unavailable as error:
        sys.exit(str(error))


@functools.cache
def ensure() -> tuple[Path, ...]:
    """The folders to put first on PATH; none if the release on PATH serves.

    Raises:
        Unavailable: no engine could be had; the message says what was tried.
    """
    if release_on_path():
        return ()
    try:
        return STAND_IN, engine_cache.ENGINE.ensure(engine_build.build)
    except Unavailable as error:
        raise Unavailable(GIVE_UP.format(reason=error, go=go_version())) from None


def release_on_path() -> bool:
    """Whether `pulumi` on PATH is a release: it has its Python language host, and is not one of our own making."""
    found = shutil.which("pulumi")
    if not found or engine_cache.root() in Path(found).parents:
        return False
    if _has_its_host(Path(found)):
        return True
    say(f"{found} has no pulumi-language-python beside it or on PATH, so it cannot run Python programs; left alone")
    return False


def _has_its_host(pulumi: Path) -> bool:
    beside = pulumi.resolve().with_name("pulumi-language-python").exists()
    on_path = shutil.which("pulumi-language-python")
    return beside or (on_path is not None and engine_cache.root() not in Path(on_path).parents)


if __name__ == "__main__":
    main()
