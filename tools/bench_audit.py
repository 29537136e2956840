"""Measures what an audit of many backups costs, beside the least possible: the same reads by bare threads.

make bench-audit
make bench-audit BACKUPS="500 1000 2000"
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import requests

from pulumi_cbr_sharing.emulator import serve


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pulumi_cbr_sharing.emulator import Emulator


PARALLEL = 8
SHARES = 5  # for every two backups
LATENCIES = (0.0, 0.05)
LIMIT = 3600


class Cost(NamedTuple):
    """What a process took."""

    seconds: float
    requests: int
    megabytes: float


def main() -> int:
    """Print a table."""
    sizes = [int(word) for word in os.environ.get("BACKUPS", "500 1000 2000").split()]
    print(f"{PARALLEL} requests in flight; `bare` sends the same reads with a token, and does nothing else")
    print(f"{'backups':>8}{'shares':>8}{'latency':>9}{'requests':>10}{'bare':>9}{'audit':>9}{'ratio':>7}{'memory':>9}")
    for size in sizes:
        with serve() as emulator:
            shares = seed(emulator, size)
            for latency in LATENCIES:
                emulator.latency = latency
                bare, audit = measure(emulator, bare_words(emulator)), measure(emulator, audit_words())
                print(
                    f"{size:8}{shares:8}{latency * 1000:7.0f}ms{audit.requests:10}{bare.seconds:8.1f}s"
                    f"{audit.seconds:8.1f}s{audit.seconds / bare.seconds:7.2f}{audit.megabytes:6.0f} MB",
                    flush=True,
                )
    return 0


def seed(emulator: Emulator, size: int) -> int:
    """So many backups, and five shares for every two; returns how many shares there are."""
    emulator.remove_backup(emulator.backup.id)
    projects = [emulator.add_account(f"team-{number}").project_id for number in range(5)]
    for number in range(size):
        backup = emulator.add_backup("sharer", name=f"nightly-{number}", resource_name=f"server-{number}")
        for project in projects[: math.ceil(SHARES / 2) if number % 2 else SHARES // 2]:
            emulator.add_member(backup.id, project)
    return sum(len(backup.members) for backup in emulator.state.backups.values())


def audit_words() -> list[str]:
    """The command that is measured."""
    return [sys.executable, "-m", "pulumi_cbr_sharing.cli", "audit", "--format", "json", "--fail-on", "none"]


def bare_words(emulator: Emulator) -> list[str]:
    """This very program, as the bare threads."""
    return [sys.executable, __file__, "bare", emulator.token("sharer")]


def measure(emulator: Emulator, words: Sequence[str]) -> Cost:
    """Run a process to its end."""
    before, started = len(emulator.requests), time.monotonic()
    process = subprocess.Popen(words, env={**os.environ, **environment(emulator)}, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 3):  # 3: nothing was compared, which is not what is measured
        sys.exit(f"{words[-1]} ended with {process.returncode}")
    # Linux counts kilobytes.
    return Cost(time.monotonic() - started, len(emulator.requests) - before, usage.ru_maxrss / 1024)


def environment(emulator: Emulator) -> Mapping[str, str]:
    """What leads to the emulated account."""
    sharer = emulator.account("sharer")
    return {
        "HW_REGION_NAME": sharer.region,
        "HW_PROJECT_ID": sharer.project_id,
        "HW_ACCESS_KEY": sharer.access_key,
        "HW_SECRET_KEY": sharer.secret_key,
        "HW_CBR_ENDPOINT": emulator.url,
    }


def bare(token: str) -> int:
    """The reads of an audit by threads that do nothing else: what the network and the emulator cost anyway."""
    root = f"{os.environ['HW_CBR_ENDPOINT']}/v3/{os.environ['HW_PROJECT_ID']}"
    with requests.Session() as session, ThreadPoolExecutor(PARALLEL) as pool:
        session.headers["X-Auth-Token"] = token
        ids: list[str] = []
        while True:
            page = session.get(f"{root}/backups", params={"offset": len(ids)}, timeout=LIMIT).json()
            ids += [backup["id"] for backup in page["backups"]]
            if len(ids) >= page["count"]:
                break
        session.get(f"{root}/vaults", timeout=LIMIT)
        answers = pool.map(lambda id_: session.get(f"{root}/backups/{id_}/members", timeout=LIMIT).status_code, ids)
        return 0 if set(answers) == {200} else 1


if __name__ == "__main__":
    sys.exit(bare(sys.argv[2]) if sys.argv[1:2] == ["bare"] else main())
