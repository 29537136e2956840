"""The pipelines of the examples: valid, with few permissions, and every command is run."""

from __future__ import annotations

import json
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
from pipelines import EXAMPLES, GITLAB, Ran, commands_of, github, gitlab, lock_of
from stack import Stack


if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi_cbr_sharing.emulator import Emulator


WORKFLOWS = sorted(EXAMPLES.parent.glob("**/github/*.yml"))
GITLABS = sorted(EXAMPLES.parent.glob("**/gitlab/*.yml"))
PROGRAM = """\
from pulumi_cbr_sharing import BackupShareMember
BackupShareMember("dr", backup_id="{backup}", dest_project_id="{project}")
"""
RECIPIENTS = """\
recipients:
  - {{project_id: {project}, name: disaster recovery, owner: platform@example.org, class: friendly}}
"""


@pytest.fixture(name="stack")
def _stack(request: pytest.FixtureRequest, emulator: Emulator, tmp_path: Path) -> Stack:
    """A program that shares the first backup with the recipient, as checked out by a pipeline."""
    stack = Stack(tmp_path, **getattr(request, "param", {}))
    stack.program(PROGRAM.format(backup=emulator.backup.id, project=recipient(emulator)))
    stack.file("requirements.lock", lock_of((EXAMPLES / "requirements.txt").read_text()))
    stack.file("cbr-sharing.yaml", RECIPIENTS.format(project=recipient(emulator)))
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
    values |= {
        "secrets.PULUMI_ACCESS_TOKEN": "",
        "secrets.PULUMI_READ_ACCESS_TOKEN": "",
        "github.token": "t",
        "github.event.pull_request.number": "7",
    }
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
    """Jobs name their permissions, actions are named by commit, and steps that need no secret have none."""
    content = yaml.safe_load(workflow.read_text())
    assert content["permissions"] == {}
    used = re.findall(r"uses: (.*)", workflow.read_text())
    assert [one for one in used if not re.match(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+\b", one)] == []
    for job in content["jobs"].values():
        assert set(job["permissions"]) <= {"contents", "pull-requests", "security-events", "id-token"}
        assert job["permissions"].get("contents", "read") == "read"
        assert "secrets." not in str(job.get("env", {}))
        installs = [step for step in job["steps"] if "pip install" in step.get("run", "")]
        assert ["env" in step for step in installs] == [False] * len(installs)
        assert ["--require-hashes" in step["run"] for step in installs] == [True] * len(installs)
        given = [pair for step in job["steps"] for pair in step.get("env", {}).items()]
        keys = [text for name, text in given if "KEY" in name or name.endswith("ACCESS_TOKEN")]
        assert [text for text in keys if not text.startswith("${{ secrets.")] == []
        assert "environment" in job or not keys
        # What an event says is text of strangers: it reaches a shell by the environment alone.
        assert [step["run"] for step in job["steps"] if "${{" in step.get("run", "")] == []


def test_unreviewed_code_is_given_what_can_only_read() -> None:
    """The job that runs it has no token that may write: to the stack, to the cloud, or to the repository."""
    jobs = yaml.safe_load((EXAMPLES / "github" / "preview.yml").read_text())["jobs"]
    assert jobs["preview"]["permissions"] == {"contents": "read"}
    assert jobs["preview"]["environment"] == "preview"
    secrets = re.findall(r"secrets\.(\w+)", str(jobs["preview"]))
    assert set(secrets) == {"PULUMI_READ_ACCESS_TOKEN", "HW_READ_ACCESS_KEY", "HW_READ_SECRET_KEY"}
    assert [step for step in jobs["comment"]["steps"] if "checkout" in step.get("uses", "")] == []
    assert "COMMENT_TOKEN" not in str(pipeline("preview"))
    assert pipeline("comment")["variables"]["GIT_STRATEGY"] == "none"
    names = [pipeline(job)["environment"] for job in ("preview", "comment", "up", "audit")]
    assert [one["name"] if isinstance(one, dict) else one for one in names] == [
        "preview",
        "comment",
        "production",
        "audit",
    ]


@pytest.mark.engine
def test_github_previews_in_a_comment(emulator: Emulator, stack: Stack) -> None:
    """The comment shows what would be shared; nothing is shared."""
    ran = run_github(emulator, stack, "preview.yml")
    comment = (stack.folder / "gh-comment.md").read_text()
    assert ran.code == 0, ran.output
    assert ran.commands == commands_of("preview.yml")
    assert recipient(emulator) in comment
    assert "+ 2 to create" in comment
    assert comment.splitlines()[:3] == ["### What this would do to the shares", "~~~text", "Previewing update (dev):"]
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
def test_a_comment_holds_no_secret_ends_with_its_fence_and_says_what_is_cut(emulator: Emulator, stack: Stack) -> None:
    """Whatever the code of the branch prints."""
    program = (stack.folder / "__main__.py").read_text()
    stack.program(
        f"{program}\nimport os, pulumi\nprint('installed 200 packages')\n"
        "pulumi.info(f\"{os.environ['HW_SECRET_KEY']}\\n~~~\\n@everybody\\n\" + 'x' * 70000)"
    )
    ran = run_github(emulator, stack, "preview.yml")
    comment = (stack.folder / "gh-comment.md").read_text()
    assert ran.code == 0, ran.output
    assert environment(emulator)["HW_SECRET_KEY"] not in comment
    assert "***" in comment
    assert [line for line in comment.splitlines() if line.startswith("~~~")] == ["~~~text", "~~~"]
    assert comment.splitlines()[-1] == "This is cut after 60,000 bytes; all of it is in the log of the job."
    assert len(comment) < 61000


@pytest.mark.engine
@pytest.mark.parametrize("stack", [{"passphrase": True}], indirect=True, ids=["passphrase"])
def test_a_preview_that_did_not_begin_is_said(emulator: Emulator, stack: Stack) -> None:
    """A stack that is not there, say: the comment sends to the log."""
    stack.env["PULUMI_CONFIG_PASSPHRASE"] = "wrong"
    ran = run_github(emulator, stack, "preview.yml")
    assert ran.code != 0
    assert "The preview ended before it began" in (stack.folder / "gh-comment.md").read_text()


@pytest.mark.engine
def test_github_updates(emulator: Emulator, stack: Stack) -> None:
    """The merged program is deployed; a share that was cancelled is created again."""
    for _ in range(2):
        ran = run_github(emulator, stack, "up.yml")
        assert ran.code == 0, ran.output
        assert ran.commands == commands_of("up.yml")
        assert list(emulator.members(emulator.backup.id)) == [recipient(emulator)]
        emulator.remove_member(emulator.backup.id, recipient(emulator))


class IdentityTokens(BaseHTTPRequestHandler):
    """GitHub's address for identity tokens."""

    token: ClassVar[str]

    def do_GET(self) -> None:
        """Issue a token to a job that may ask for one."""
        allowed = self.headers["Authorization"] == "Bearer of-the-job" and self.path.endswith("&audience=cbr-sharing")
        self.send_response(200 if allowed else 401)
        self.end_headers()
        self.wfile.write(json.dumps({"count": 1, "value": self.token}).encode())

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


@pytest.mark.engine
def test_github_updates_without_a_stored_key(emulator: Emulator, stack: Stack) -> None:
    """The identity token of the job is exchanged for a key."""
    emulator.add_identity_provider("sharer", "ci", "cbr-sharing")
    handler = type("Handler", (IdentityTokens,), {"token": emulator.id_token("ci", "cbr-sharing")})
    values = {
        "secrets.PULUMI_ACCESS_TOKEN": "",
        "vars.PULUMI_STACK": stack.name,
        "vars.HW_REGION_NAME": emulator.account("sharer").region,
        "vars.HW_ASSUME_ROLE_IDP_ID": "ci",
        "runner.temp": str(stack.folder),
    }
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/token?api-version=2.0"
        stack.env |= {"ACTIONS_ID_TOKEN_REQUEST_URL": address, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "of-the-job"}
        ran = github(stack, "up-keyless.yml", values)
        server.shutdown()
    assert ran.code == 0, ran.output
    assert ran.commands == commands_of("up-keyless.yml")
    assert list(emulator.members(emulator.backup.id)) == [recipient(emulator)]


@pytest.mark.engine
def test_gitlab_updates_without_a_stored_key(emulator: Emulator, stack: Stack) -> None:
    """GitLab fills the variable of the job with its identity token."""
    emulator.add_identity_provider("sharer", "ci", "cbr-sharing")
    file = GITLAB.with_name("up-keyless.yml")
    ((variable, asked),) = yaml.safe_load(file.read_text())["up"]["id_tokens"].items()
    values = {
        variable: emulator.id_token("ci", asked["aud"]),
        "HW_ASSUME_ROLE_IDP_ID": "ci",
        "HW_REGION_NAME": emulator.account("sharer").region,
        "STACK": stack.name,
    }
    ran = gitlab(stack, "up", values, file)
    assert ran.code == 0, ran.output
    assert list(emulator.members(emulator.backup.id)) == [recipient(emulator)]


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
def test_an_audit_without_its_recipients_file_is_an_error(emulator: Emulator, stack: Stack) -> None:
    """One that was renamed, or never made, would let everybody pass."""
    (stack.folder / "cbr-sharing.yaml").unlink()
    assert "cbr-sharing.yaml" in (ran := run_gitlab(emulator, stack, "audit")).output
    assert ran.code != 0


@pytest.mark.engine
def test_gitlab_previews_in_a_comment(emulator: Emulator, stack: Stack) -> None:
    """With GitLab's API, and the token of the project."""
    more = {"CI_PROJECT_ID": "12", "CI_MERGE_REQUEST_IID": "7", "COMMENT_TOKEN": "a-token"}
    assert run_gitlab(emulator, stack, "preview").code == 0
    with gitlab_api() as (address, comments):
        ran = run_gitlab(emulator, stack, "comment", CI_API_V4_URL=address, **more)
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
    assert ours == ["drift.yml", "preview.yml", "up-keyless.yml", "up.yml"]
    assert [name for name, part in pipeline().items() if "script" in part] == ["preview", "comment", "up", "audit"]


def pipeline(job: str | None = None) -> dict[str, Any]:
    """GitLab's file, or a job of it."""
    content: dict[str, Any] = yaml.safe_load(GITLAB.read_text())
    return dict(content[job]) if job else content
