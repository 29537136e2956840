"""What a process needs: few connections, limited answers, and no HTTP library before it sends something."""

from __future__ import annotations

import gzip
import json
import resource
import subprocess
import sys
import traceback

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests.adapters

from inprocess import Run, settings_of
from pulumi_cbr_sharing.cbr.members import list_members
from pulumi_cbr_sharing.emulator import Fault
from pulumi_cbr_sharing.errors import UnexpectedAnswer
from pulumi_cbr_sharing.http.client import Client


if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi_cbr_sharing.emulator import Emulator


@pytest.fixture(name="few_files")
def _few_files() -> Iterator[None]:
    """Allow 256 file descriptors, as some systems do; the emulated cloud in this process uses some of them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.slow
@pytest.mark.usefixtures("few_files")
def test_45_sets_of_ten_are_destroyed_with_256_file_descriptors(emulator: Emulator) -> None:
    """All threads share the connections of the process."""
    projects = [emulator.add_account(f"team-{number}").project_id for number in range(10)]
    backups = [emulator.add_backup("sharer").id for _ in range(45)]
    for backup in backups:
        for project in projects:
            emulator.add_member(backup, project)
    inputs = [{"backup_id": backup, "dest_project_ids": projects} for backup in backups]
    with Run(settings_of(emulator)) as run, ThreadPoolExecutor(4) as pool:
        states = list(pool.map(lambda props: run.share.create(props).outs, inputs))
        list(pool.map(lambda state: run.share.delete(state["backup_id"], state), states))

    assert not any(emulator.members(backup) for backup in backups)


def test_create_and_read_reach_the_http_library_in_seven_calls(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader can follow it from the resource to the request."""
    send, stacks = requests.adapters.HTTPAdapter.send, list[list[str]]()

    def spy(*args: Any, **options: Any) -> Any:
        stacks.append([frame.name for frame in traceback.extract_stack() if "/pulumi_cbr_sharing/" in frame.filename])
        return send(*args, **options)

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", spy)
    with Run(settings_of(emulator)) as run:
        run.read(run.create(emulator.backup.id, emulator.account("recipient").project_id))

    assert [stack[0] for stack in stacks] == ["create", "read"]
    assert all(len(stack) <= 7 for stack in stacks)


def test_threads_that_end_leave_no_connection_behind(emulator: Emulator) -> None:
    """Later threads use the connections of earlier ones."""
    client = Client(settings_of(emulator))
    before = open_files()
    for _ in range(20):
        with ThreadPoolExecutor(10) as pool:
            list(pool.map(lambda _: list_members(client, emulator.backup.id), range(10)))
    assert open_files() - before < 60


def open_files() -> int:
    """The number of open files of this process."""
    return len(list(Path("/dev/fd").iterdir()))


def test_a_compressed_answer_is_not_decompressed(emulator: Emulator) -> None:
    """A small compressed answer could fill the memory, so none is asked for."""
    client = Client(settings_of(emulator))
    body = gzip.compress(b" " * 10_000_000).decode("latin-1")
    emulator.add_fault(Fault("GET", status=200, body=body, headers={"Content-Encoding": "gzip"}))
    with pytest.raises(UnexpectedAnswer, match="the answer is compressed, which was not asked for"):
        list_members(client, emulator.backup.id)
    list_members(client, emulator.backup.id)
    assert {dict(request.headers).get("Accept-Encoding") for request in emulator.requests} == {"identity"}


def test_no_cookie_and_no_password_of_a_netrc_file_is_sent(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What other tools have stored for this host is not used."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password planted\n")
    monkeypatch.setenv("NETRC", str(netrc))
    client = Client(settings_of(emulator))
    headers = {"Set-Cookie": "planted=1"}
    emulator.add_fault(Fault("GET", status=503, headers=headers))
    for _ in range(2):
        list_members(client, emulator.backup.id)
    sent = [{name.lower(): text for name, text in request.headers.items()} for request in emulator.requests]
    assert "planted" not in json.dumps(sent)
    assert not any("cookie" in names for names in sent)


IMPORTS = """
import sys, pulumi
before = set(sys.modules)
import pulumi_cbr_sharing
new = {name.partition(".")[0] for name in set(sys.modules) - before}
print(" ".join(sorted(new & {"requests", "urllib3", "flask", "click", "pulumi_policy", "ssl", "asyncio"})))
"""


def test_a_program_that_sends_nothing_imports_no_http_library() -> None:
    """Every preview imports the package."""
    done = subprocess.run([sys.executable, "-c", IMPORTS], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("\n", "")
