"""An earlier report, to tell what is new and what is gone."""

from __future__ import annotations

import json

from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.errors import SettingsError, one_line


if TYPE_CHECKING:
    from pathlib import Path


SCHEMA_VERSION = 1
Baseline = dict[str, dict[str, Any]]


def read_baseline(path: Path) -> Baseline:
    """Read the findings of an earlier report in JSON, by id.

    Raises:
        SettingsError: the file cannot be read, or is not a report.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
        version, findings = document["schema_version"], document["findings"]
        found = {str(one["id"]): dict(one) for one in findings}
    except OSError as error:
        raise SettingsError(f"reading the baseline {path}: {one_line(error)}") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise SettingsError(f"reading the baseline {path}: it is not the JSON report of an audit") from None
    if version != SCHEMA_VERSION:
        raise SettingsError(f"reading the baseline {path}: its schema_version is {one_line(version, 20)}, not 1")
    return found
