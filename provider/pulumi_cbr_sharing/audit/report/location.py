"""Where a finding is shown: the line of the program that declares it, else the recipients file."""

from __future__ import annotations

import os

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.audit.declared import Place


if TYPE_CHECKING:
    from collections.abc import Mapping


def location_of(finding: Mapping[str, Any], recipients_path: str) -> Place:
    """The file, relative to the working directory if it is inside it, and the line."""
    place = finding["location"] or {"file": recipients_path, "line": 1}
    return Place(_relative(place["file"]), place["line"])


def _relative(name: str) -> str:
    path = Path(os.path.normpath(name))
    below = path.is_absolute() and path.is_relative_to(Path.cwd())
    return (path.relative_to(Path.cwd()) if below else path).as_posix()
