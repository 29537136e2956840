"""The findings as workflow commands of GitHub Actions: each becomes an annotation, on the line of the program if known.

GitHub shows ten annotations of each level for a step, so the most severe come first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.audit.findings import KINDS
from pulumi_cbr_sharing.audit.report.location import location_of
from pulumi_cbr_sharing.errors import one_line


if TYPE_CHECKING:
    from collections.abc import Mapping


LEVELS = {"high": "error", "medium": "warning", "low": "notice", "none": "warning"}


def as_commands(report: Mapping[str, Any], recipients_path: str) -> str:
    """The commands, one for each finding."""
    return "".join(f"{_command(finding, recipients_path)}\n" for finding in report["findings"])


def _command(finding: Mapping[str, Any], recipients_path: str) -> str:
    place = location_of(finding, recipients_path)
    level = "notice" if finding["covered"] else LEVELS[finding["severity"]]
    covered = f" (covered until {finding['exception']['until']})" if finding["covered"] else ""
    title = f"{KINDS[finding['kind']].title}{covered}"
    text = one_line(f"{finding['message']}. What to do: {finding['remedy']}", 1000)
    return f"::{level} file={_property(place.file)},line={place.line},title={_property(title)}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
