"""Measures whether the emulator keeps up: 200 requests a second from 32 connections for 30 seconds, without an error.

make bench-emulator
make bench-emulator SECONDS=5

Each connection lists backups and members, and shares and cancels with a recipient of its own. It fails if an answer is
wrong, or fewer than nineteen of twenty requests were sent in the time.
"""

from __future__ import annotations

import http.client
import json
import os
import statistics
import subprocess
import sys
import threading
import time

from dataclasses import dataclass, field
from itertools import cycle
from typing import Any
from urllib.parse import urlsplit


CONNECTIONS, RATE = 32, 200
BACKUPS = 40
ENOUGH = 0.95


@dataclass
class Load:
    """What one connection does, and what came of it."""

    address: str
    headers: dict[str, str]
    calls: list[tuple[str, str, str]]  # method, path, body
    until: float
    taken: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Send the calls in turn, at an even pace, until the time is over."""
        connection = http.client.HTTPConnection(self.address, timeout=30)
        calls, due = cycle(self.calls), time.monotonic()
        while due < self.until:
            time.sleep(max(0.0, due - time.monotonic()))
            self._send(connection, *next(calls))
            due = max(due + CONNECTIONS / RATE, time.monotonic() - 1)  # late ones are sent at once, for a second

    def _send(self, connection: http.client.HTTPConnection, method: str, path: str, body: str) -> None:
        start = time.monotonic()
        try:
            connection.request(method, path, body or None, self.headers)
            answer = connection.getresponse()
            answer.read()
        except OSError as error:
            self.wrong.append(f"{method} {path}: {type(error).__name__}")
            connection.close()
            return
        self.taken.append(time.monotonic() - start)
        if answer.status not in (200, 204):
            self.wrong.append(f"{method} {path}: {answer.status}")


def main() -> int:
    """Print one line; 1 if the emulator did not keep up."""
    seconds = float(os.environ.get("SECONDS", "30"))
    command = [sys.executable, "-m", "pulumi_cbr_sharing.cli", "emulator", "--json", "--accounts", str(CONNECTIONS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            loads = loads_of(json.loads(next(iter(process.stdout or ()))), seconds)
            threads = [threading.Thread(target=load.run) for load in loads]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            process.terminate()
    return report(loads, seconds)


def loads_of(cloud: dict[str, Any], seconds: float) -> list[Load]:
    """The work of each connection, in a cloud with some backups."""
    address = urlsplit(cloud["url"]).netloc
    token = control(address, "token", name="sharer")
    for _ in range(BACKUPS):
        control(address, "backups", account="sharer")
    headers = {"X-Auth-Token": token, "Content-Type": "application/json"}
    backups = [control(address, "backups", account="sharer")["id"] for _ in range(CONNECTIONS)]
    project, until = cloud["accounts"][0]["project_id"], time.monotonic() + seconds
    return [
        Load(address, headers, calls_of(f"/v3/{project}/backups", backup, account["project_id"]), until)
        for backup, account in zip(backups, cloud["accounts"][3:], strict=True)
    ]


def calls_of(backups: str, backup: str, recipient: str) -> list[tuple[str, str, str]]:
    """Two reads, a share, two reads, and its end."""
    members = f"{backups}/{backup}/members"
    reads = [("GET", backups, ""), ("GET", members, "")]
    share = ("POST", members, json.dumps({"members": [recipient]}))
    return [
        *reads,
        share,
        ("GET", members, ""),
        ("GET", f"{backups}/{backup}", ""),
        ("DELETE", f"{members}/{recipient}", ""),
    ]


def control(address: str, name: str, /, **fields: Any) -> Any:
    """Use a control endpoint."""
    connection = http.client.HTTPConnection(address, timeout=30)
    connection.request("POST", f"/_emulator/{name}", json.dumps(fields), {"Content-Type": "application/json"})
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer


def report(loads: list[Load], seconds: float) -> int:
    """Print what was measured."""
    taken = sorted(second for load in loads for second in load.taken)
    wrong = [text for load in loads for text in load.wrong]
    rate = len(taken) / seconds
    late = statistics.quantiles(taken, n=100)
    print(
        f"{rate:.0f} requests a second from {CONNECTIONS} connections for {seconds:g} s: {len(wrong)} errors, "
        f"half within {late[49] * 1000:.0f} ms, 99 of 100 within {late[98] * 1000:.0f} ms"
    )
    for text in wrong[:5]:
        print(f"  {text}")
    return int(bool(wrong) or rate < RATE * ENOUGH)


if __name__ == "__main__":
    sys.exit(main())
