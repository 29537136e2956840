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
FOREIGN = ("HW_", "OS_", "HUAWEICLOUD_", "PULUMI_")


def main() -> int:
    """Run the demonstration; returns the exit code."""
    with tempfile.TemporaryDirectory(prefix="cbr-sharing-demo-") as scratch, serve() as emulator:
        return Demo(Path(scratch), emulator).run()


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

    def run(self) -> int:
        """The story; returns 0 if every step ended as it should."""
        backup = self._emulator.backup.id
        title("An emulated cloud, with two accounts; the environment signs in to the first, which owns a backup")
        tell(f"CBR at {self._emulator.url}; backup {backup} of project {self._sharer.project_id}")
        tell(f"recipient: project {self._recipient.project_id} of another account")

        title("The program (examples/share_member)")
        print((self._folder / PROJECT[1]).read_text().rstrip())

        title("Share it")
        good = self.pulumi("stack", "init", "demo", quiet=True)
        good &= self.pulumi("config", "set", "backupId", backup)
        good &= self.pulumi("config", "set", "destProjectId", self._recipient.project_id)
        good &= self.pulumi("up", "--yes")

        title("The recipient sees the offer")
        offers = self.call("recipient", "GET", "backups?own_type=shared&member_status=pending")
        good &= show(offers, "backups", "id", "name", "status")

        title("The recipient accepts it into a vault of its own")
        answer = {"status": "accepted", "vault_id": self._emulator.vault("recipient").id}
        member = f"backups/{backup}/members/{self._recipient.project_id}"
        good &= show(self.call("recipient", "PUT", member, answer), "member", "dest_project_id", "status", "vault_id")

        title("Somebody cancels the share by hand, behind the stack's back")
        self.call("sharer", "DELETE", member)

        title("The pipeline finds out: no changes were expected, so the exit code is not 0")
        good &= not self.pulumi("preview", "--refresh", "--expect-no-changes", "--diff")

        title("Repair it")
        good &= self.pulumi("up", "--refresh", "--yes")

        title("Take it back")
        good &= self.pulumi("destroy", "--yes")

        left = len(self._emulator.members(backup))
        tell(f"\nThe backup is now shared with {left} projects." if left else "\nThe backup is shared with nobody now.")
        good &= not left
        tell("Every step ended as it should." if good else "A step did not end as it should: see above.")
        return 0 if good else 1

    def pulumi(self, *args: str, quiet: bool = False) -> bool:
        """Show and run a command; returns whether it ended with 0."""
        if not quiet:
            print(f"$ {shlex.join(['pulumi', *args])}", flush=True)
        command = ["pulumi", "--non-interactive", *args]
        output = subprocess.DEVNULL if quiet else None
        code = subprocess.run(command, cwd=self._folder, env=self._env, stdout=output, check=False).returncode
        if code:
            print(f"(exit code {code})", flush=True)
        return code == 0

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
        answer.raise_for_status()
        return dict(answer.json()) if answer.content else {}


def title(text: str) -> None:
    """A heading."""
    print(f"\n--- {text}", flush=True)


def tell(text: str) -> None:
    """A line."""
    print(text, flush=True)


def show(answer: Mapping[str, Any], key: str, *columns: str) -> bool:
    """Print some columns of what an answer has under a key; returns whether there was anything."""
    found = answer[key] if isinstance(answer[key], list) else [answer[key]]
    for row in found:
        print("  " + "  ".join(f"{column}={row[column]}" for column in columns), flush=True)
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
