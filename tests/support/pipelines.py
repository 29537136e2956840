"""The pipelines of the examples, run here: each command as it stands in the file, in the shell that it would have.

What is foreign is stood in for: actions are left out, because a test has the files and the tools, and `gh` is a script
that keeps what it was told. Expressions are replaced by what a repository has set; one that is not known fails.
"""

from __future__ import annotations

import re
import shlex
import subprocess

from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml


if TYPE_CHECKING:
    from collections.abc import Mapping

    from stack import Stack


EXAMPLES = Path(__file__).parent.parent.parent / "examples" / "pipelines"
GITLAB = EXAMPLES / "gitlab" / ".gitlab-ci.yml"
SECONDS = 180  # for one command
GH = """\
#!/bin/sh
# gh pr comment NUMBER … --body-file FILE: keeps the words, and what the file holds.
echo "$@" > {kept}/gh.txt
for last; do :; done
cat "$last" > {kept}/gh-comment.md
"""


@dataclass
class Ran:
    """How a job ended, and what its commands printed.

    Attributes:
        code: of the first command that failed; 0 if none did.
    """

    code: int = 0
    output: str = ""
    commands: list[str] = field(default_factory=list)

    def command(self, words: list[str], folder: Path, env: Mapping[str, str]) -> None:
        """Run one more."""
        done = subprocess.run(
            words,
            cwd=folder,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        self.commands.append(words[-1])
        self.output += done.stdout
        self.code = self.code or done.returncode


def github(stack: Stack, file: str | Path, values: Mapping[str, str]) -> Ran:
    """Run the jobs of a workflow in the folder of a stack, where one finds what the one before kept.

    Args:
        stack: where the program is, and the environment of the machine.
        file: of the workflow: `up.yml`, or a path.
        values: what expressions stand for: `secrets.HW_ACCESS_KEY`, ….
    """
    workflow = yaml.safe_load((EXAMPLES / "github" / file).read_text())
    ran = Ran()
    for job in workflow["jobs"].values():
        shell = job.get("defaults", {}).get("run", {}).get("shell")
        options = ["--noprofile", "--norc", "-eo", "pipefail"] if shell == "bash" else ["-e"]
        env = {**stack.env, **_filled(job.get("env", {}), values), "GITHUB_REPOSITORY": "acme/shares"}
        env |= {"GITHUB_STEP_SUMMARY": str(stack.folder / "summary.md"), "PATH": f"{_gh(stack)}:{env['PATH']}"}
        failed = ran.code != 0 and "!cancelled()" not in job.get("if", "")
        before, ran.code = ran.code, int(failed)
        for step in job["steps"]:
            if "run" in step and _is_due(step.get("if", ""), stack.folder, failed=ran.code != 0):
                own = {**env, **_filled(step.get("env", {}), values)}
                ran.command(["bash", *options, "-c", step["run"]], stack.folder, own)
        ran.code = before or ran.code
    return ran


def gitlab(stack: Stack, job: str, values: Mapping[str, str], file: Path = GITLAB) -> Ran:
    """Run a job of a pipeline in the folder of a stack: the lines of its script in one shell.

    Args:
        stack: where the program is, and the environment of the machine.
        job: its name.
        values: the variables of the project.
        file: the pipeline.
    """
    pipeline = yaml.safe_load(file.read_text())
    ran, env = Ran(), {**stack.env, **values}
    before = pipeline[job].get("before_script", pipeline["default"]["before_script"])
    ran.command(["bash", "-eo", "pipefail", "-c", "\n".join([*before, *pipeline[job]["script"]])], stack.folder, env)
    return ran


def lock_of(requirements: str) -> str:
    """A lock for a requirements file whose packages are installed: pip trusts these, and asks for no hash."""
    names = [line.partition(">")[0].partition("=")[0].strip() for line in requirements.splitlines()]
    pins = [f"{name}=={version(name.partition('[')[0])} --hash=sha256:{'0' * 64}" for name in names]
    return "\n".join(pins)


def commands_of(file: str | Path) -> list[str]:
    """Every command of a workflow, in order."""
    workflow = yaml.safe_load((EXAMPLES / "github" / file).read_text())
    return [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]


def _filled(env: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, str]:
    return {
        name: re.sub(r"\$\{\{ *(.*?) *\}\}", lambda found: values[found[1]], str(text)) for name, text in env.items()
    }


def _is_due(condition: str, folder: Path, *, failed: bool) -> bool:
    """Whether a step runs: after a failure only if it says so, and only with the file that it asks for."""
    file = re.search(r"hashFiles\('(.*?)'\)", condition)
    return ("!cancelled()" in condition or not failed) and (file is None or (folder / file[1]).exists())


def _gh(stack: Stack) -> Path:
    tool = stack.file("stand-ins/gh", GH.format(kept=shlex.quote(str(stack.folder))))
    tool.chmod(0o755)
    return tool.parent
