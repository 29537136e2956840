"""Which format of a report goes to which file, or to standard output."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click


if TYPE_CHECKING:
    from collections.abc import Sequence


FORMATS = ("text", "json", "sarif", "github", "markdown", "csv", "html")
BY_NAME = {".txt": "text", ".md": "markdown", ".htm": "html"} | {f".{name}": name for name in FORMATS}


class Target(NamedTuple):
    """A format and its file; None is standard output."""

    format: str
    file: Path | None


def targets(formats: Sequence[str], outputs: Sequence[str]) -> list[Target]:
    """Assign formats to files.

    The extension of a file selects the format, if that was requested or none was. The other files take the remaining
    formats in order. A format without a file goes to standard output.

    Raises:
        UsageError: there are more files than formats.
    """
    left, found = list(dict.fromkeys(formats)), dict[str, str]()
    for output in outputs:
        named = BY_NAME.get(Path(output).suffix.lower(), "")
        if named in left or (named and not formats):
            found[output] = named
            left = [one for one in left if one != named]
    for output in outputs:
        if output not in found and formats and not left:
            raise click.UsageError(f"--output {output}: there is no --format left for it")
        if output not in found:
            found[output] = left.pop(0) if left else "text"
    pairs = [Target(found[output], None if output == "-" else Path(output)) for output in dict.fromkeys(outputs)]
    rest = left or ([] if pairs else ["text"])
    return [*pairs, *(Target(one, None) for one in rest)]
