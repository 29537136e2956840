"""Makes sure that a Pulumi engine exists, and prints the folder that must come first on PATH to use it.

    PATH="$(python tools/engine_setup.py):$PATH" pulumi version

Nothing is printed when the release on PATH is to be used as it is: it always comes first. Otherwise an engine is
made once in the user's cache, by Pulumi's own installer or, where its downloads are blocked, from its Go module.
What happens meanwhile goes to standard error.
"""

from __future__ import annotations

import functools
import shutil
import sys

from pathlib import Path
from typing import TYPE_CHECKING

import engine_build
import engine_cache
import engine_install

from engine_log import Unavailable, say
from engine_pins import go_version


if TYPE_CHECKING:
    from collections.abc import Callable


# Each makes a `bin` in a folder, or says why it cannot.
WAYS: dict[str, Callable[[Path], Path]] = {
    "the official installer": engine_install.install,
    "a build from the Go module": engine_build.build,
}

GIVE_UP = """No Pulumi engine could be had. Tried:
{tried}
What helps: install Pulumi as https://www.pulumi.com/docs/install/ says, so that `pulumi` is on PATH; or, where only
package registries can be reached, install Go {go} or newer. Then run this again."""


def main() -> None:
    """Print the folder, or leave with the reasons."""
    try:
        folder = ensure()
    except Unavailable as error:
        sys.exit(str(error))
    print(folder or "")


@functools.cache
def ensure() -> Path | None:
    """The folder to put first on PATH; None if the release on PATH serves.

    Raises:
        Unavailable: no way led to an engine; the message says what was tried.
    """
    if release_on_path():
        return None
    if not engine_cache.is_complete():
        with engine_cache.lock():
            # Another run may have made it while this one waited.
            if not engine_cache.is_complete():
                _make()
    engine_build.refresh_host(engine_cache.bin_folder())
    return engine_cache.bin_folder()


def release_on_path() -> bool:
    """Whether `pulumi` on PATH is a release: it has its Python language host, and is not one of our own making."""
    found = shutil.which("pulumi")
    if not found or engine_cache.root() in Path(found).parents:
        return False
    if Path(found).resolve().with_name("pulumi-language-python").exists() or shutil.which("pulumi-language-python"):
        return True
    say(f"{found} has no pulumi-language-python beside it or on PATH, so it cannot run Python programs; left alone")
    return False


def _make() -> None:
    tried = ["pulumi on PATH: none that runs Python programs"]
    for name, way in WAYS.items():
        refusal = _attempt(way)
        if not refusal:
            return
        tried.append(f"{name}: {refusal}")
    listed = "\n".join(f"  - {line}" for line in tried)
    raise Unavailable(GIVE_UP.format(tried=listed, go=go_version()))


def _attempt(way: Callable[[Path], Path]) -> str:
    """Why a way leads nowhere; nothing if it made the engine."""
    try:
        with engine_cache.workshop() as folder:
            engine_cache.publish(way(folder))
    except Unavailable as error:
        return str(error)
    return ""


if __name__ == "__main__":
    main()
