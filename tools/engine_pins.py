"""Which engine: `tools/engine/go.mod` is the one place that says it, this file reads it."""

from __future__ import annotations

import re

from pathlib import Path


MODULE = Path(__file__).with_name("engine")
CLI = "github.com/pulumi/pulumi/pkg/v3"


def pulumi_version() -> str:
    """The version of the Pulumi command line."""
    return _pinned(rf"^require {CLI} v(\S+)$")


def go_version() -> str:
    """The oldest Go that builds it."""
    return _pinned(r"^go (\S+)$")


def _pinned(pattern: str) -> str:
    match = re.search(pattern, (MODULE / "go.mod").read_text(), re.MULTILINE)
    if not match:
        raise LookupError(f"{MODULE / 'go.mod'} has no line like {pattern}")
    return match[1]
