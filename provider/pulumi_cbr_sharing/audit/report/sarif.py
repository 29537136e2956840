"""The findings as SARIF 2.1.0, with what code scanning needs.

The location is the line of the program that declares the share, else the recipients file. What could not be checked is
a result of kind `open`, which is neither failed nor passed, and a notification. Covered findings are suppressed, with
the reason of the exception.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pulumi_cbr_sharing.audit.findings import KINDS, NOT_LOOKED_AT
from pulumi_cbr_sharing.audit.report.document import as_json
from pulumi_cbr_sharing.audit.report.location import location_of


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {"high": "error", "medium": "warning", "low": "note", "none": "none"}
SCORES = {"high": "8.0", "medium": "5.0", "low": "2.0", "none": "0.0"}  # code scanning treats 7.0 and more as high
Json = dict[str, Any]


def as_sarif(report: Mapping[str, Any], recipients_path: str) -> Iterator[str]:
    """A SARIF log with one run."""
    run = {
        "tool": {"driver": _driver()},
        "automationDetails": {"id": "cbr-sharing/audit/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(report)],
        "results": [_result(finding, recipients_path) for finding in report["findings"]],
    }
    return as_json({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _driver() -> Json:
    return {
        "name": "cbr-sharing audit",
        "semanticVersion": version("pulumi-cbr-sharing"),
        "rules": [_rule(kind) for kind in KINDS],
    }


def _rule(kind: str) -> Json:
    about = KINDS[kind]
    return {
        "id": kind,
        "name": "".join(word.capitalize() for word in kind.split("-")),
        "shortDescription": {"text": about.title},
        "fullDescription": {"text": about.meaning},
        "help": {"text": f"{about.meaning} Each result says what to do.", "markdown": about.meaning},
        "defaultConfiguration": {"level": LEVELS[about.severity]},
        "properties": {
            "security-severity": SCORES[about.severity],
            "precision": "very-high",
            "tags": ["security", "backup", "sharing"],
        },
    }


def _invocation(report: Mapping[str, Any]) -> Json:
    unseen = [finding for finding in report["findings"] if finding["kind"] == NOT_LOOKED_AT]
    return {
        "executionSuccessful": True,
        "toolExecutionNotifications": [{"level": "warning", "message": {"text": one["message"]}} for one in unseen],
    }


def _result(finding: Mapping[str, Any], recipients_path: str) -> Json:
    place = location_of(finding, recipients_path)
    is_open = finding["kind"] == NOT_LOOKED_AT
    result: Json = {
        "ruleId": finding["kind"],
        "ruleIndex": list(KINDS).index(finding["kind"]),
        "kind": "open" if is_open else "fail",
        "level": LEVELS[finding["severity"]],
        "message": {"text": f"{finding['message']}. What to do: {finding['remedy']}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(place.file)},
                    "region": {"startLine": place.line},
                }
            }
        ],
        "partialFingerprints": {"cbrSharingFinding/v1": finding["id"]},
        "properties": {"security-severity": SCORES[finding["severity"]], **_facts(finding)},
    }
    if finding["new"] is not None:
        result["baselineState"] = "new" if finding["new"] else "unchanged"
    if finding["covered"]:
        result["suppressions"] = [{"kind": "external", "justification": _reason(finding["exception"])}]
    return result


def _facts(finding: Mapping[str, Any]) -> Json:
    names = ("owner_project_id", "backup_id", "recipient_project_id", "recipient_class", "status", "since")
    return {name: finding[name] for name in names if finding[name] is not None}


def _reason(exception: Mapping[str, Any]) -> str:
    return f"{exception['reason']} ({exception['owner']}, until {exception['until']})"
