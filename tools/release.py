"""What a release must be: `release.py v0.1.0` judges a tag, `release.py --pins` renews the pins of the actions.

The tag is `v` and the version of pyproject.toml, and CHANGELOG.md has notes for this version. Actions in
`.github/workflows` are pinned by commit, with their version behind it; it is the newest of the same major version.
"""

from __future__ import annotations

import re
import subprocess
import sys

from pathlib import Path


ROOT = Path(__file__).parent.parent
PIN = re.compile(
    r"uses: (?P<action>[\w.-]+/[\w.-]+)@(?P<commit>[0-9a-f]{40}) # (?P<major>v\d+)(?P<minor>[.\d]*)$", re.MULTILINE
)


def main(*words: str) -> int:
    """Returns the exit code."""
    if words == ("--pins",):
        for workflow in sorted((ROOT / ".github" / "workflows").glob("*.yml")):
            workflow.write_text(PIN.sub(_newest, workflow.read_text()))
        return 0
    trouble = refusal(
        *words, pyproject=(ROOT / "pyproject.toml").read_text(), notes=(ROOT / "CHANGELOG.md").read_text()
    )
    if trouble:
        print(trouble, file=sys.stderr)
    return 1 if trouble else 0


def refusal(tag: str, *, pyproject: str, notes: str) -> str:
    """Why a tag is no release, or ""."""
    version = re.findall(r'^version = "(.*)"$', pyproject, re.MULTILINE)[0]
    if tag != f"v{version}":
        return f"the tag is {tag}, the version in pyproject.toml is {version}: tag v{version}, or change the version"
    if not re.search(rf"^## {re.escape(version)}\b.*\n+[^#\n]", notes, re.MULTILINE):
        return f"CHANGELOG.md has no notes under a heading `## {version}`: write what changes for users"
    return ""


def _newest(pin: re.Match[str]) -> str:
    """A pin of the newest version with the same major number."""
    action, major = pin["action"], pin["major"]
    command = ["git", "ls-remote", "--tags", f"https://github.com/{action}", f"refs/tags/{major}.*"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    commits = {name: commit for commit, name in (line.split("\t") for line in listed.splitlines())}
    tags = {tuple(map(int, tag)): tag for name in commits if (tag := re.findall(r"\d+", name.partition("^")[0])[-3:])}
    version = "v" + ".".join(tags[max(tags)])
    commit = commits.get(f"refs/tags/{version}^{{}}") or commits[f"refs/tags/{version}"]
    return f"uses: {action}@{commit} # {version}"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
