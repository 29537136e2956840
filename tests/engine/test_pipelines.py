"""The pipelines of the examples: valid, with few permissions, and every command is run."""

from __future__ import annotations

import re
import subprocess
import sys
import threading

from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qs

import pytest
import yaml

from clouds import environment
from pipelines import EXAMPLES, GITLAB, Ran, commands_of, github, gitlab
from stack import Stack


if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi_cbr_sharing.emulator import Emulator


WORKFLOWS = sorted(EXAMPLES.parent.glob("**/github/*.yml"))
GITLABS = sorted(EXAMPLES.parent.glob("**/gitlab/.gitlab-ci.yml"))
PROGRAM = """\
from pulumi_cbr_sharing import BackupShareMember
BackupShareMember("dr", backup_id="{backup}", dest_project_id="{project}")
"""


@pytest.fixture(name="stack")
def _stack(emulator: Emulator, tmp_path: Path) -> Stack:
    """A program that shares the first backup with the recipient, as checked out by a pipeline."""
    stack = Stack(tmp_path)
    stack.program(PROGRAM.format(backup=emulator.backup.id, project=recipient(emulator)))
    stack.file("requirements.txt", (EXAMPLES / "requirements.txt").read_text())
    stack.env |= {name: text for name, text in environment(emulator).items() if name.endswith("ENDPOINT")}
    return stack


def recipient(emulator: Emulator) -> str:
    """The recipient's project."""
    return emulator.account("recipient").project_id


def run_github(emulator: Emulator, stack: Stack, file: str) -> Ran:
    """A workflow, with the secrets and variables of a repository that shares from the emulated cloud."""
    names = environment(emulator)
    secrets = {name: names[name.replace("READ_", "")] for name in KEYS}
    values = {f"secrets.{name}": text for name, text in secrets.items()}
    values |= {"vars.PULUMI_STACK": stack.name, "vars.HW_REGION_NAME": names["HW_REGION_NAME"]}
    values |= {"secrets.PULUMI_ACCESS_TOKEN": "", "github.token": "t", "github.event.pull_request.number": "7"}
    return github(stack, file, values)


KEYS = ("HW_ACCESS_KEY", "HW_SECRET_KEY", "HW_READ_ACCESS_KEY", "HW_READ_SECRET_KEY")


def run_gitlab(emulator: Emulator, stack: Stack, job: str, **more: str) -> Ran:
    """A job, with the variables of a project that shares from the emulated cloud."""
    return gitlab(stack, job, {**environment(emulator), "STACK": stack.name, **more})


class Notes(BaseHTTPRequestHandler):
    """A GitLab API that takes comments."""

    seen: ClassVar[list[tuple[str, str | None, str]]]

    def do_POST(self) -> None:
        """Record the path, the token and the comment."""
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.seen.append((self.path, self.headers["PRIVATE-TOKEN"], parse_qs(body)["body"][0]))
        self.send_response(201)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


@contextmanager
def gitlab_api() -> Iterator[tuple[str, list[tuple[str, str | None, str]]]]:
    """The URL of the API, and the comments that it received."""
    seen: list[tuple[str, str | None, str]] = []
    handler = type("Handler", (Notes,), {"seen": seen})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/api/v4", seen
        server.shutdown()


@pytest.mark.parametrize(
    ("schema", "files", "options"),
    [
        ("vendor.github-workflows", WORKFLOWS, []),
        ("vendor.gitlab-ci", GITLABS, ["--data-transform", "gitlab-ci"]),
    ],
)
def test_they_are_valid(schema: str, files: list[Path], options: list[str]) -> None:
    """They fit the published schemas of GitHub and GitLab."""
    validator = Path(sys.executable).with_name("check-jsonschema")
    words = [str(validator), "--builtin-schema", schema, *options, *map(str, files)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.relative_to(EXAMPLES.parent).as_posix())
def test_a_workflow_may_do_little(workflow: Path) -> None:
    """Jobs name their permissions, actions have versions, and credentials come from secrets."""
    content = yaml.safe_load(workflow.read_text())
    assert content["permissions"] == {}
    for job in content["jobs"].values():
        assert job["permissions"]["contents"] == "read"
        used = [step["uses"] for step in job["steps"] if "uses" in step]
        assert [one for one in used if not re.fullmatch(r"[\w/-]+@v\d+", one)] == []
        keys = [text for name, text in job["env"].items() if "KEY" in name or "TOKEN" in name]
        assert [text for text in keys if not text.startswith("${{ secrets.")] == []
        # What an event says is text of strangers: it reaches a shell by the environment alone.
        assert [step["run"] for step in job["steps"] if "${{" in step.get("run", "")] == []


@pytest.mark.engine
def test_github_previews_in_a_comment(emulator: Emulator, stack: Stack) -> None:
    """The comment shows what would be shared; nothing is shared."""
    ran = run_github(emulator, stack, "preview.yml")
    comment = (stack.folder / "gh-comment.md").read_text()
    assert ran.code == 0, ran.output
    assert ran.commands == commands_of("preview.yml")
    assert recipient(emulator) in comment
    assert "+ 2 to create" in comment
    assert (stack.folder / "gh.txt").read_text().startswith("pr comment 7 --repo acme/shares")
    assert emulator.members(emulator.backup.id) == {}


@pytest.mark.engine
def test_github_comments_on_a_plan_that_is_refused(emulator: Emulator, stack: Stack) -> None:
    """The job fails, and the comment says why."""
    emulator.remove_backup(emulator.backup.id)
    ran = run_github(emulator, stack, "preview.yml")
    assert ran.code != 0
    assert "has a problem: it" in (stack.folder / "gh-comment.md").read_text()


@pytest.mark.engine
def test_github_updates(emulator: Emulator, stack: Stack) -> None:
    """The merged program is deployed; a share that was cancelled is created again."""
    for _ in range(2):
        ran = run_github(emulator, stack, "up.yml")
        assert ran.code == 0, ran.output
        assert ran.commands == commands_of("up.yml")
        assert list(emulator.members(emulator.backup.id)) == [recipient(emulator)]
        emulator.remove_member(emulator.backup.id, recipient(emulator))


@pytest.mark.engine
def test_github_audits(emulator: Emulator, stack: Stack) -> None:
    """A clean audit passes; a cancelled share and an undeclared one fail the job, and are in all reports."""
    assert run_github(emulator, stack, "up.yml").code == 0
    clean = run_github(emulator, stack, "drift.yml")
    assert clean.code == 0, clean.output
    assert clean.commands == commands_of("drift.yml")

    bystander = emulator.account("bystander").project_id
    emulator.remove_member(emulator.backup.id, recipient(emulator))
    emulator.add_member(emulator.backup.id, bystander)
    ran = run_github(emulator, stack, "drift.yml")
    assert ran.code != 0
    assert ran.commands == commands_of("drift.yml")
    assert re.search(r"^::(error|warning) ", ran.output, re.MULTILINE)
    assert bystander in (stack.folder / "summary.md").read_text()
    assert bystander in (stack.folder / "audit.html").read_text()
    assert bystander in (stack.folder / "audit.sarif").read_text()


@pytest.mark.engine
def test_gitlab_previews_in_a_comment(emulator: Emulator, stack: Stack) -> None:
    """With GitLab's API, and the token of the project."""
    more = {"CI_PROJECT_ID": "12", "CI_MERGE_REQUEST_IID": "7", "COMMENT_TOKEN": "a-token"}
    with gitlab_api() as (address, comments):
        ran = run_gitlab(emulator, stack, "preview", CI_API_V4_URL=address, **more)
    ((path, token, comment),) = comments
    assert ran.code == 0, ran.output
    assert (path, token) == ("/api/v4/projects/12/merge_requests/7/notes", "a-token")
    assert recipient(emulator) in comment
    assert emulator.members(emulator.backup.id) == {}


@pytest.mark.engine
def test_gitlab_updates(emulator: Emulator, stack: Stack) -> None:
    """The merged program is deployed."""
    ran = run_gitlab(emulator, stack, "up")
    assert ran.code == 0, ran.output
    assert list(emulator.members(emulator.backup.id)) == [recipient(emulator)]


@pytest.mark.engine
def test_gitlab_audits(emulator: Emulator, stack: Stack) -> None:
    """A clean audit passes; an undeclared share fails the job, and is in its artifacts."""
    assert run_gitlab(emulator, stack, "up").code == 0
    clean = run_gitlab(emulator, stack, "audit")
    assert clean.code == 0, clean.output

    bystander = emulator.account("bystander").project_id
    emulator.add_member(emulator.backup.id, bystander)
    ran = run_gitlab(emulator, stack, "audit")
    assert ran.code == 2, ran.output
    kept = pipeline("audit")["artifacts"]["paths"]
    assert [file for file in kept if bystander not in (stack.folder / file).read_text()] == []


def test_every_job_is_run_by_a_test() -> None:
    """A new one wants a new test; those of the disaster recovery are in `test_disaster_recovery.py`."""
    ours = [path.name for path in WORKFLOWS if path.is_relative_to(EXAMPLES)]
    assert ours == ["drift.yml", "preview.yml", "up.yml"]
    assert [name for name, part in pipeline().items() if "script" in part] == ["preview", "up", "audit"]


def pipeline(job: str | None = None) -> dict[str, Any]:
    """GitLab's file, or a job of it."""
    content: dict[str, Any] = yaml.safe_load(GITLAB.read_text())
    return dict(content[job]) if job else content
