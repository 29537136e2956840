"""Which engine: `tools/engine/go.mod` is the one place that says it, this file reads it."""

from __future__ import annotations

import re

from pathlib import Path


MODULE = Path(__file__).with_name("engine")
YAML_MODULE = Path(__file__).with_name("yaml_host")
CLI = "github.com/pulumi/pulumi/pkg/v3"


def pulumi_version() -> str:
    """The version of the Pulumi command line."""
    return _pinned(MODULE, rf"^(?:require |\t){CLI} v(\S+)$")


def go_version() -> str:
    """The oldest Go that builds it."""
    return _pinned(MODULE, r"^go (\S+)$")


def yaml_version() -> str:
    """The version of the YAML language host."""
    return _pinned(YAML_MODULE, r"^require github.com/pulumi/pulumi-yaml v(\S+)$")


def _pinned(module: Path, pattern: str) -> str:
    match = re.search(pattern, (module / "go.mod").read_text(), re.MULTILINE)
    if not match:
        raise LookupError(f"{module / 'go.mod'} has no line like {pattern}")
    return match[1]
