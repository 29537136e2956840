"""Writes the report of an audit in each format."""

from __future__ import annotations

import shutil
import sys

from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.audit.report import csv, document, github, html, markdown, sarif
from pulumi_cbr_sharing.cli.audit_text import as_text
from pulumi_cbr_sharing.errors import SettingsError, one_line


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from pulumi_cbr_sharing.audit.audit import Report
    from pulumi_cbr_sharing.cli.output import Target


MADE_BY: Mapping[str, Callable[[Mapping[str, Any]], Iterable[str]]] = {
    "json": document.as_json,
    "csv": csv.as_csv,
    "html": html.as_html,
    "markdown": markdown.as_markdown,
}


def write(report: Report, made: dict[str, Any], targets: Sequence[Target]) -> None:
    """Write the report to all outputs.

    Raises:
        SettingsError: a file cannot be written.
    """
    for target in targets:
        text = _rendered(report, made, target)
        pieces = [text] if isinstance(text, str) else text
        if target.file is None:
            sys.stdout.writelines(pieces)
        else:
            _save(target.file, pieces)


def _rendered(report: Report, made: dict[str, Any], target: Target) -> Iterable[str]:
    if target.format == "sarif":
        return sarif.as_sarif(made, report.evidence.file.path)
    if target.format == "github":
        return github.as_commands(made, report.evidence.file.path)
    if target.format == "text":
        terminal = target.file is None and sys.stdout.isatty()
        return as_text(made, colour=terminal, width=shutil.get_terminal_size().columns if terminal else None)
    return MADE_BY[target.format](made)


def _save(path: Path, pieces: Iterable[str]) -> None:
    try:
        with path.open("w", encoding="utf-8") as file:
            file.writelines(pieces)
    except OSError as error:
        raise SettingsError(f"writing {path}: {one_line(error)}") from None
