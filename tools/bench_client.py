"""Measures the processor time of a create, beside a bare `requests.Session` that sends the same requests.

make bench-client
"""

from __future__ import annotations

import time

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


def main() -> None:
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


if __name__ == "__main__":
    main()
