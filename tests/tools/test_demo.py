"""`make demo` ends at the first step that fails, and says which."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from itertools import groupby
from operator import itemgetter
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from stack import search_path


pytestmark = pytest.mark.engine

ROOT = Path(__file__).parent.parent.parent
DEMO = ROOT / "tools" / "demo.py"
DRAWN = ROOT / "docs" / "demo.svg"
SVG = "{http://www.w3.org/2000/svg}"

# Stands for a Pulumi that breaks at one command; it passes all others on.
BREAKING = """#!/bin/sh
case "$*" in *"{command}"*) echo "error: {why}" >&2; exit {code} ;; esac
PATH="{path}" exec pulumi "$@"
"""


def demo(scratch: Path, path: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the demonstration with its scratch folder in a folder of the test."""
    env = os.environ | {"PATH": path, "TMPDIR": str(scratch)}
    return subprocess.run(
        [sys.executable, DEMO, *words], cwd=scratch, env=env, capture_output=True, text=True, check=False, timeout=300
    )


def breaking(folder: Path, command: str, code: int = 1) -> str:
    """A PATH whose `pulumi` breaks at a command."""
    folder.mkdir()
    script = folder / "pulumi"
    script.write_text(BREAKING.format(command=command, why="broken on purpose", code=code, path=search_path()))
    script.chmod(0o755)
    return os.pathsep.join([str(folder), search_path()])


def test_it_shows_sharing_from_end_to_end_and_the_guide_shows_it(tmp_path: Path) -> None:
    """Every step succeeds, and nothing is left behind; `make record` draws docs/demo.svg anew."""
    run = demo(tmp_path, search_path(), "--svg", "drawn.svg")
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.endswith("Every step ended as it should.\n")
    assert [path.name for path in tmp_path.iterdir()] == ["drawn.svg"]
    assert lines((tmp_path / "drawn.svg").read_text()) == lines(DRAWN.read_text())


def lines(drawing: str) -> list[str]:
    """The lines of a drawing, without what is another one in each run: times, durations, ports."""
    pieces = [("".join(text.itertext()), text.get("y")) for text in ET.fromstring(drawing).iter(f"{SVG}text")]
    whole = ["".join(text for text, _ in line) for _, line in groupby(pieces, key=itemgetter(1))]
    varying = re.compile(r"\d{4}-\d\d-\d\dT[\d:]+Z|\([\d.]+m?s\)|(?<=127\.0\.0\.1:)\d+")
    return [varying.sub("…", line.replace("\xa0", " ")).rstrip() for line in whole]


@pytest.mark.parametrize(
    ("command", "step", "end"),
    [
        ("stack init", "Share it", "`pulumi stack init demo` ended with exit code 1"),
        ("up --yes", "Share it", "`pulumi up --yes --skip-preview` ended with exit code 1"),
    ],
)
def test_it_ends_at_the_first_step_that_fails(command: str, step: str, end: str, tmp_path: Path) -> None:
    """The error names the step and the failure, without a traceback; nothing is left behind."""
    run = demo(tmp_path, breaking(tmp_path / "bin", command))
    assert run.returncode == 1
    assert run.stderr.endswith(f"The demonstration ends here, at: {step}\n{end}\n")
    assert "broken on purpose" in run.stdout
    assert "sees the offer" not in run.stdout
    assert "Traceback" not in run.stdout + run.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["bin"]


def test_a_check_that_finds_nothing_is_a_failure(tmp_path: Path) -> None:
    """If no drift is found, the demonstration fails."""
    run = demo(tmp_path, breaking(tmp_path / "bin", "preview --refresh", code=0))
    assert run.returncode == 1
    assert "`pulumi preview --refresh --expect-no-changes` ended with exit code 0" in run.stderr, run.stdout
    assert "Repair it" not in run.stdout
