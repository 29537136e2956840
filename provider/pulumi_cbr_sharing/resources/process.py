"""The process of a program or of the dynamic providers: which accounts it calls, how it shows errors, when it ends."""

from __future__ import annotations

import sys
import traceback

from typing import Any

from pulumi_cbr_sharing.errors import CbrSharingError
from pulumi_cbr_sharing.lifeline import end_with


SAID = set[str]()  # the accounts of which the user was told


class _CleanTraceback:
    """Replaces the module `traceback` where the plugin formats what a provider has raised."""

    def __init__(self, original: Any) -> None:
        self._original = original

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)

    def format_exc(self, *args: Any, **kwargs: Any) -> str:
        """Only the message of errors of this package; the traceback of any other error."""
        error = sys.exc_info()[1]
        return error.told if isinstance(error, CbrSharingError) else self._original.format_exc(*args, **kwargs)


def take_over_process() -> None:
    """Prepare the plugin's process, once; any other process is left alone.

    The plugin aborts a call with `traceback.format_exc()`. Only the name `traceback` in its main module is replaced,
    because other providers run in the same process.
    """
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    if main and spec and spec.name == "pulumi.dynamic.__main__":
        present = getattr(main, "traceback", traceback)
        if not isinstance(present, _CleanTraceback):
            main.traceback = _CleanTraceback(present)  # type: ignore[attr-defined]
            end_with(sys.argv[-1])  # the address of the engine
