"""Measures what many shares cost, beside a provider that does nothing: ratios of one run, not seconds of one machine.

make bench
make bench SHARES=200
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time

from pathlib import Path
from typing import TYPE_CHECKING

from pulumi_cbr_sharing.emulator import serve


if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_cbr_sharing.emulator import Emulator


PER_BACKUP = 10
COMMANDS = {
    "up": ("up", "--yes", "--skip-preview"),
    "up, nothing to do": ("up", "--yes", "--skip-preview", "--expect-no-changes"),
    "refresh": ("refresh", "--yes", "--skip-preview"),
    "destroy": ("destroy", "--yes", "--skip-preview"),
}

NOTHING = """
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider


class Nothing(ResourceProvider):
    serialize_as_secret_always = False

    def diff(self, _id, olds, news):
        return DiffResult(changes=False)

    def create(self, props):
        return CreateResult(props["name"], props)


class Share(Resource):
    pass


for number in range({shares}):
    Share(Nothing(), f"share-{{number}}", {{"name": f"n{{number}}"}})
"""

SHARES = """
from pulumi_cbr_sharing import BackupShareMember

for backup, project in {pairs!r}:
    BackupShareMember(f"{{backup[:8]}}-{{project[:8]}}", backup_id=backup, dest_project_id=project)
"""


def main() -> int:
    """Run both programs in turn, and print a table."""
    shares = int(os.environ.get("SHARES", "100"))
    with tempfile.TemporaryDirectory(prefix="cbr-sharing-bench-") as scratch, serve() as emulator:
        pairs = seed(emulator, shares)
        sharer = emulator.account("sharer")
        env = {
            "HW_REGION_NAME": sharer.region,
            "HW_PROJECT_ID": sharer.project_id,
            "HW_ACCESS_KEY": sharer.access_key,
            "HW_SECRET_KEY": sharer.secret_key,
            "HW_CBR_ENDPOINT": emulator.url,
        }
        nothing = measure(Path(scratch, "nothing"), NOTHING.format(shares=shares), env)
        ours = measure(Path(scratch, "shares"), SHARES.format(pairs=pairs), env, emulator)
    print(f"{shares} shares of {shares // PER_BACKUP} backups; beside a provider that does nothing, in the same run")
    print(f"{'':20}{'nothing':>10}{'shares':>10}{'ratio':>8}  requests")
    for command, (seconds, _) in nothing.items():
        mine, requests = ours[command]
        print(f"{command:20}{seconds:9.1f}s{mine:9.1f}s{mine / seconds:8.2f}  {requests}")
    return 0


def seed(emulator: Emulator, shares: int) -> list[tuple[str, str]]:
    """Enough backups and recipients; returns pairs of backup and project."""
    projects = [emulator.add_account(f"team-{number}").project_id for number in range(PER_BACKUP)]
    backups = [emulator.add_backup("sharer").id for _ in range(-(-shares // PER_BACKUP))]
    return [(backup, project) for backup in backups for project in projects][:shares]


def measure(
    folder: Path, program: str, env: Mapping[str, str], emulator: Emulator | None = None
) -> dict[str, tuple[float, int]]:
    """Seconds and requests of each command."""
    (folder / "state").mkdir(parents=True)
    (folder / "Pulumi.yaml").write_text("name: bench\nruntime: python\n")
    (folder / "__main__.py").write_text(program)
    clean = {name: text for name, text in os.environ.items() if not name.startswith(("HW_", "OS_", "PULUMI_"))}
    own = {
        "PULUMI_BACKEND_URL": (folder / "state").as_uri(),
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_CONFIG_PASSPHRASE": "bench",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    run(folder, {**clean, **own}, "stack", "init", "dev")
    found = {}
    for name, command in COMMANDS.items():
        before, started = len(emulator.requests) if emulator else 0, time.monotonic()
        run(folder, {**clean, **own, **env}, *command)
        found[name] = (time.monotonic() - started, len(emulator.requests) - before if emulator else 0)
    return found


def run(folder: Path, env: Mapping[str, str], *command: str) -> None:
    """Run `pulumi`; its output is shown only if it fails."""
    words = ["pulumi", "--non-interactive", *command]
    done = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"pulumi {' '.join(command)} failed:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    sys.exit(main())
