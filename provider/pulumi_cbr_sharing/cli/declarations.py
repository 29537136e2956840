"""Reads the declarations of stacks, with the Pulumi CLI, and of state files."""

from __future__ import annotations

import subprocess

from dataclasses import replace
from typing import TYPE_CHECKING

from pulumi_cbr_sharing.audit.declared import Place
from pulumi_cbr_sharing.audit.states import read_state, read_state_file
from pulumi_cbr_sharing.errors import SettingsError, one_line


if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pulumi_cbr_sharing.audit.declared import Declaration


SECONDS = 300  # a slow backend needs a minute for many thousand resources


def declarations_of(stacks: Sequence[str], files: Sequence[Path], folder: Path) -> list[Declaration]:
    """Read all declarations of stacks and state files.

    Raises:
        SettingsError: one of them cannot be read.
    """
    exported = [read_state(_export(stack, folder), f"stack {stack}") for stack in stacks]
    return [_below(folder, one) for found in (*exported, *map(read_state_file, files)) for one in found]


def _below(folder: Path, one: Declaration) -> Declaration:
    """Make paths in a state, which are relative to the program's folder, relative to the working directory."""
    return replace(one, place=Place(str(folder / one.place.file), one.place.line)) if one.place else one


def _export(stack: str, folder: Path) -> str:
    words = ["pulumi", "stack", "export", "--non-interactive", "--stack", stack]
    try:
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SettingsError(f"reading stack {stack} by `pulumi stack export`: {one_line(error)}") from None
    if done.returncode:
        said = one_line(done.stderr or done.stdout)
        raise SettingsError(f"reading stack {stack} by `pulumi stack export` in {folder}: {said}")
    return done.stdout
