"""Shows sharing from end to end: a real Pulumi engine, an emulated cloud, every command before its output.

Everything happens in a scratch folder: nothing is left running, and nothing in the user's Pulumi home or backend.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile

from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from pulumi_cbr_sharing.emulator import serve


if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_cbr_sharing.emulator import Emulator


ROOT = Path(__file__).parent.parent
PROJECT = ("Pulumi.yaml", "examples/share_member/__main__.py")
INTERRUPTED = 130  # as a shell has it
FOREIGN = ("HW_", "OS_", "HUAWEICLOUD_", "PULUMI_")


class StepFailed(Exception):
    """A step did not end as it should; the message says which, and why."""


def main() -> int:
    """Run the demonstration; returns the exit code."""
    try:
        with tempfile.TemporaryDirectory(prefix="cbr-sharing-demo-") as scratch, serve() as emulator:
            Demo(Path(scratch), emulator).run()
    except (StepFailed, OSError) as failure:
        print(
            f"\nThe demonstration ends here, at: {_titles[-1] if _titles else 'its start'}\n{failure}", file=sys.stderr
        )
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


class Demo:
    """A scratch copy of the root project, and the emulated cloud that it works on."""

    def __init__(self, scratch: Path, emulator: Emulator) -> None:
        self._emulator, self._folder = emulator, scratch / "project"
        for name in PROJECT:
            target = self._folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target)
        (scratch / "state").mkdir()
        self._sharer, self._recipient = emulator.account("sharer"), emulator.account("recipient")
        self._env = {name: text for name, text in os.environ.items() if not name.startswith(FOREIGN)} | {
            "PULUMI_BACKEND_URL": (scratch / "state").as_uri(),
            "PULUMI_HOME": str(scratch / "home"),
            "PULUMI_CONFIG_PASSPHRASE": "demo",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "HW_REGION_NAME": self._sharer.region,
            "HW_PROJECT_ID": self._sharer.project_id,
            "HW_ACCESS_KEY": self._sharer.access_key,
            "HW_SECRET_KEY": self._sharer.secret_key,
            "HW_CBR_ENDPOINT": emulator.url,
            "HW_IAM_ENDPOINT": emulator.iam_url,
        }

    def run(self) -> None:
        """The story.

        Raises:
            StepFailed: a step did not end as it should; none follows it.
        """
        backup = self._emulator.backup.id
        title("An emulated cloud, with two accounts; the environment signs in to the first, which owns a backup")
        tell(f"CBR at {self._emulator.url}; backup {backup} of project {self._sharer.project_id}")
        tell(f"recipient: project {self._recipient.project_id} of another account")

        title("The program (examples/share_member)")
        print((self._folder / PROJECT[1]).read_text().rstrip())

        title("Share it")
        self.pulumi("stack", "init", "demo", quiet=True)
        self.pulumi("config", "set", "backupId", backup)
        self.pulumi("config", "set", "destProjectId", self._recipient.project_id)
        self.pulumi("up", "--yes")

        title("The recipient sees the offer")
        offers = self.call("recipient", "GET", "backups?own_type=shared&member_status=pending")
        show(offers, "backups", "id", "name", "status")

        title("The recipient accepts it into a vault of its own")
        answer = {"status": "accepted", "vault_id": self._emulator.vault("recipient").id}
        member = f"backups/{backup}/members/{self._recipient.project_id}"
        show(self.call("recipient", "PUT", member, answer), "member", "dest_project_id", "status", "vault_id")

        title("Somebody cancels the share by hand, behind the stack's back")
        self.call("sharer", "DELETE", member)

        title("The pipeline finds out: no changes were expected, so the exit code is not 0")
        self.pulumi("preview", "--refresh", "--expect-no-changes", "--diff", fails=True)

        title("Repair it")
        self.pulumi("up", "--refresh", "--yes")
        if not self._emulator.members(backup):
            raise StepFailed("the share was not made again")

        title("Take it back")
        self.pulumi("destroy", "--yes")
        if left := self._emulator.members(backup):
            raise StepFailed(f"the backup is still shared with {', '.join(left)}")
        tell("\nThe backup is shared with nobody now.\nEvery step ended as it should.")

    def pulumi(self, *args: str, quiet: bool = False, fails: bool = False) -> None:
        """Show and run a command, which should succeed, or fail."""
        command = shlex.join(["pulumi", *args])
        if not quiet:
            tell(f"$ {command}")
        output = subprocess.DEVNULL if quiet else None
        run = subprocess.run(
            ["pulumi", "--non-interactive", *args], cwd=self._folder, env=self._env, stdout=output, check=False
        )
        if run.returncode:
            tell(f"(exit code {run.returncode})")
        if bool(run.returncode) is not fails:
            raise StepFailed(f"`{command}` ended with exit code {run.returncode}")

    def call(self, account: str, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Show and send a request to the API, as one of the accounts."""
        project = self._emulator.account(account).project_id
        print(f"as {account}: {method} /v3/{project}/{path}" + (f" {json.dumps(body)}" if body else ""), flush=True)
        answer = requests.request(
            method,
            f"{self._emulator.url}/v3/{project}/{path}",
            json=body,
            headers={"X-Auth-Token": self._emulator.token(account)},
            timeout=30,
        )
        if not answer.ok:
            raise StepFailed(f"{method} {path} was answered with HTTP {answer.status_code}: {answer.text.strip()}")
        return dict(answer.json()) if answer.content else {}


_titles: list[str] = []


def title(text: str) -> None:
    """A heading; what fails, fails under the last one."""
    _titles.append(text)
    print(f"\n--- {text}", flush=True)


def tell(text: str) -> None:
    """A line."""
    print(text, flush=True)


def show(answer: Mapping[str, Any], key: str, *columns: str) -> None:
    """Print some columns of what an answer has under a key, which should be something."""
    found = answer[key] if isinstance(answer[key], list) else [answer[key]]
    for row in found:
        print("  " + "  ".join(f"{column}={row[column]}" for column in columns), flush=True)
    if not found:
        raise StepFailed(f"there are no {key} in the answer")


if __name__ == "__main__":
    sys.exit(main())
