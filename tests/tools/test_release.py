"""A release is a tag that is the version, with notes; the workflows use what was pinned."""

from __future__ import annotations

import re
import subprocess
import sys

from pathlib import Path

import pytest

import release


WORKFLOWS = sorted((release.ROOT / ".github" / "workflows").glob("*.yml"))
PYPROJECT = 'name = "x"\nversion = "0.1.0"\n'
NOTES = "# Changelog\n\n## 0.1.0 (2026-12-01)\n\nThe first.\n"


@pytest.mark.parametrize(
    ("tag", "notes", "why"),
    [
        pytest.param("v0.1.0", NOTES, "", id="a release"),
        pytest.param(
            "v0.1.1", NOTES, "the tag is v0.1.1, the version in pyproject.toml is 0.1.0", id="another version"
        ),
        pytest.param("0.1.0", NOTES, "the tag is 0.1.0, the version in pyproject.toml is 0.1.0: tag v0.1.0", id="no v"),
        pytest.param("v0.1.0", "## Unreleased\n\nThe first.\n", "CHANGELOG.md has no notes", id="no notes"),
        pytest.param("v0.1.0", "## 0.1.0\n\n## 0.0.9\n\nOld.\n", "CHANGELOG.md has no notes", id="empty notes"),
        pytest.param("v0.1.0", "## 0.1.01\n\nOther.\n", "CHANGELOG.md has no notes", id="notes of another version"),
    ],
)
def test_a_tag_is_judged(tag: str, notes: str, why: str) -> None:
    """By the version and the notes; the reason is told."""
    trouble = release.refusal(tag, pyproject=PYPROJECT, notes=notes)
    assert trouble.startswith(why)
    assert bool(trouble) is bool(why)


def test_a_wrong_tag_ends_the_workflow() -> None:
    """The exit code is not 0, and the reason is one line."""
    run = subprocess.run(
        [sys.executable, release.__file__, "v9.9.9"], capture_output=True, text=True, check=False, timeout=60
    )
    assert run.returncode == 1
    assert run.stderr.startswith("the tag is v9.9.9, the version in pyproject.toml is ")
    assert len(run.stderr.splitlines()) == 1


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_each_action_is_pinned_by_its_commit(workflow: Path) -> None:
    """A tag can be moved."""
    text = workflow.read_text()
    assert len(release.PIN.findall(text)) == len(re.findall(r"\buses:", text)) > 0


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("vendor.github-workflows", "workflows/*.yml"),
        ("vendor.github-issue-config", "ISSUE_TEMPLATE/config.yml"),
        ("vendor.github-issue-forms", "ISSUE_TEMPLATE/[!c]*.yml"),
        ("vendor.github-issue-forms", "ISSUE_TEMPLATE/cloud.yml"),
    ],
)
def test_workflows_and_forms_are_what_github_reads(schema: str, files: str) -> None:
    """By its published schemas."""
    validator = Path(sys.executable).with_name("check-jsonschema")
    paths = [str(path) for path in (release.ROOT / ".github").glob(files)]
    run = subprocess.run(
        [validator, "--builtin-schema", schema, *paths], capture_output=True, text=True, check=False, timeout=60
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_pins_are_renewed_within_their_major_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest by number, not by name, and the commit under an annotated tag."""
    origin = tmp_path / "actions" / "checkout"
    origin.mkdir(parents=True)
    commits = [_tagged(origin, tag) for tag in ("v7.0.1", "v7.2.0", "v7.10.0", "v8.0.0")]
    for name, text in (
        ("COUNT", "1"),
        ("KEY_0", f"url.{tmp_path.as_uri()}/.insteadOf"),
        ("VALUE_0", "https://github.com/"),
    ):
        monkeypatch.setenv(f"GIT_CONFIG_{name}", text)
    (tmp_path / ".github/workflows").mkdir(parents=True)
    workflow = tmp_path / ".github/workflows/x.yml"
    workflow.write_text(f"- uses: actions/checkout@{commits[0]} # v7.0.1\n")
    monkeypatch.setattr(release, "ROOT", tmp_path)

    assert release.main("--pins") == 0
    assert workflow.read_text() == f"- uses: actions/checkout@{commits[2]} # v7.10.0\n"


def _tagged(repository: Path, tag: str) -> str:
    """Make a commit with an annotated tag; returns the commit."""
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    for command in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", tag], ["tag", "-a", tag, "-m", tag]):
        subprocess.run(["git", *who, *command], cwd=repository, check=True)
    return subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=repository, check=True, capture_output=True, text=True
    ).stdout.strip()
