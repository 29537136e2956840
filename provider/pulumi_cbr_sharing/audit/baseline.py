"""An earlier report, to tell what is new, what has changed, and what is gone.

It is a file from somewhere, so nothing in it is trusted: only the fields that are compared and shown are taken.
"""

from __future__ import annotations

import re

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.audit.findings import KINDS, SEVERITIES
from pulumi_cbr_sharing.audit.states import NoState, parsed, read_file
from pulumi_cbr_sharing.errors import one_line


if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from pulumi_cbr_sharing.audit.findings import Finding


SCHEMA_VERSION = 1
COMPARED = ("severity", "status", "covered")  # what makes a finding a changed one
SHOWN = (
    "message",
    "owner_project_id",
    "backup_id",
    "resource_name",
    "recipient_project_id",
    "recipient_name",
    "status",
)


@dataclass(frozen=True)
class Baseline:
    """An earlier report.

    Attributes:
        name: its file.
        at: when it was made; "" if it does not say so.
        findings: by id.
        trouble: why it cannot be compared with; None if it can.
    """

    name: str
    at: str = ""
    findings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    trouble: str | None = None


def read_baseline(path: Path) -> Baseline:
    """Read the findings of an earlier report in JSON.

    Raises:
        SettingsError: the file cannot be read.
    """
    content, name = read_file(path), one_line(path, 500)
    try:
        document = parsed(content)
        if (version := document["schema_version"]) != SCHEMA_VERSION:
            return Baseline(name, trouble=f"its schema_version is {one_line(version, 20)}, not {SCHEMA_VERSION}")
        found = map(_earlier, document["findings"])
        return Baseline(name, one_line(document.get("generated_at", ""), 40), {one["id"]: one for one in found})
    except NoState as error:
        return Baseline(name, trouble=str(error))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Baseline(name, trouble="it is not the JSON report of an audit")


def _earlier(one: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is taken of a finding of the baseline.

    Raises:
        ValueError: it is none.
    """
    if not re.fullmatch(r"[0-9a-f]{16}", one["id"]) or one["kind"] not in KINDS or one["severity"] not in SEVERITIES:
        raise ValueError(one)
    texts = {name: one.get(name) for name in SHOWN}
    shown = {name: one_line(text, 1000) if isinstance(text, str) else None for name, text in texts.items()}
    return {**shown, "id": one["id"], "kind": one["kind"], "severity": one["severity"], "covered": bool(one["covered"])}


def compared(found: Mapping[str, Finding], baseline: Baseline | None) -> dict[str, Finding]:
    """The findings, each with what has changed since the baseline."""
    if baseline is None or baseline.trouble:
        return dict(found)
    return {id_: _compared(finding, baseline.findings.get(id_)) for id_, finding in found.items()}


def _compared(finding: Finding, earlier: Mapping[str, Any] | None) -> Finding:
    if earlier is None:
        return replace(finding, change="new")
    now = {
        "severity": finding.severity,
        "status": finding.share.member.status or None,
        "covered": finding.covered,
    }
    before = {name: earlier[name] for name in COMPARED if earlier[name] != now[name]}
    return replace(finding, change="changed", before=before) if before else replace(finding, change="unchanged")


def gone_since(
    baseline: Baseline | None, found: Collection[str], is_known: Callable[[Mapping[str, Any]], bool]
) -> list[Mapping[str, Any]] | None:
    """The findings of the baseline that no longer exist, so far as that is known; None if there is no baseline.

    Args:
        baseline: the earlier report.
        found: the ids of the findings of this audit.
        is_known: whether this audit could have found one of the baseline.
    """
    if baseline is None or baseline.trouble:
        return None
    return [one for id_, one in sorted(baseline.findings.items()) if id_ not in found and is_known(one)]
