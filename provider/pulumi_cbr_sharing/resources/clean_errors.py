"""Errors of this package without a traceback, in the process that runs dynamic providers."""

from __future__ import annotations

import sys
import traceback

from typing import Any

from pulumi_cbr_sharing.errors import CbrSharingError


class _CleanTraceback:
    """Stands in for the module `traceback` where the plugin formats what a provider raised."""

    def __init__(self, original: Any) -> None:
        self._original = original

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)

    def format_exc(self, *args: Any, **kwargs: Any) -> str:
        """The message alone of this package's own errors; everything else as it always was."""
        error = sys.exc_info()[1]
        return str(error) if isinstance(error, CbrSharingError) else self._original.format_exc(*args, **kwargs)


def install_clean_errors() -> None:
    """Let the plugin show this package's errors without a traceback.

    The plugin aborts a call with `traceback.format_exc()`, so the name `traceback` of its main module is what is
    replaced, and nothing else: other providers live in the same process.
    """
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    if main and spec and spec.name == "pulumi.dynamic.__main__":
        present = getattr(main, "traceback", traceback)
        if not isinstance(present, _CleanTraceback):
            main.traceback = _CleanTraceback(present)  # type: ignore[attr-defined]
