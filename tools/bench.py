"""Measures what many shares cost: ratios of one run, not seconds of one machine.

Commands of the engine are measured beside a provider that does nothing, the client's processor time beside a bare
`requests.Session` that sends the same requests.

make bench
make bench SHARES=200
python tools/bench.py client
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time

from pathlib import Path
from typing import TYPE_CHECKING

import requests

from pulumi_cbr_sharing import Connection
from pulumi_cbr_sharing.cbr.members import add_members
from pulumi_cbr_sharing.emulator import serve
from pulumi_cbr_sharing.http.client import Client
from pulumi_cbr_sharing.settings.resolve import resolve


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pulumi_cbr_sharing.emulator import Emulator


PER_BACKUP = 10
WARM_UP, CREATES = 20, 1040  # of which each of two sends half
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
    """Run both programs in turn, and print a table; then the client."""
    if sys.argv[1:] != ["client"]:
        compare_commands()
    compare_client()
    return 0


def compare_commands() -> None:
    """Print what each command of the engine costs."""
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


def compare_client() -> None:
    """Print the processor time of creates, beside a session of `requests` that sends the same."""
    with serve() as emulator:
        pairs, sharer = seed(emulator, CREATES), emulator.account("sharer")
        headers = {"X-Auth-Token": emulator.token("sharer"), "X-Project-Id": sharer.project_id}
        key = {"HW_ACCESS_KEY": sharer.access_key, "HW_SECRET_KEY": sharer.secret_key}
        where = {"HW_REGION_NAME": sharer.region, "HW_CBR_ENDPOINT": emulator.url, "HW_PROJECT_ID": sharer.project_id}
        client = Client(resolve(Connection(), config={}, environ=key | where))
        with requests.Session() as session:
            bare = seconds_of(
                pairs[::2], lambda backup, project: bare_create(session, emulator.url, headers, backup, project)
            )
        ours = seconds_of(
            pairs[1::2], lambda backup, project: add_members(client, backup, [project], look=lambda: None)
        )
    print(f"processor time of a create: {ours * 1e6:.0f} µs, bare {bare * 1e6:.0f} µs, ratio {ours / bare:.2f}")


def bare_create(session: requests.Session, url: str, headers: Mapping[str, str], backup: str, project: str) -> None:
    """The same request, with nothing around it."""
    path = f"{url}/v3/{headers['X-Project-Id']}/backups/{backup}/members"
    session.post(path, json={"members": [project]}, headers=headers, timeout=60).raise_for_status()


def seconds_of(pairs: list[tuple[str, str]], create: Callable[[str, str], object]) -> float:
    """Processor time of this thread for one create; the emulated cloud runs in others."""
    for pair in pairs[:WARM_UP]:
        create(*pair)
    started = time.thread_time()
    for pair in pairs[WARM_UP:]:
        create(*pair)
    return (time.thread_time() - started) / len(pairs[WARM_UP:])


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
