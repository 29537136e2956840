"""An error names the setting to correct as its reader has it: in a program of either door, or for a command."""

from __future__ import annotations

import json

from typing import TYPE_CHECKING, Any

import pytest

from clouds import environment, stack_config
from commands import Operator
from native import MEMBER, Failed, Native
from plugin import Plugin, PluginError
from pulumi_cbr_sharing.emulator import Fault
from pulumi_cbr_sharing.resources.share_member import BackupShareMemberProvider
from pulumi_cbr_sharing.settings.connection import Connection


if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pulumi_cbr_sharing.emulator import Emulator

    Door = Callable[[Emulator, str, str], str]

NOWHERE = "http://127.0.0.1:9"
# What each reader can set. A word of another row would be of no use.
WORDS = {
    "command": ("HW_CBR_ENDPOINT", "HW_PROJECT_ID"),
    "option": ("--endpoint", "--project-id"),
    "native": ("cbr-sharing:endpoints.cbr", "cbr-sharing:projectId"),
    "dynamic": ("huaweicloud:endpoints.cbr", "huaweicloud:projectId"),
    "connection": ("Connection endpoint", "Connection project_id"),
}
PAGE = Fault(path="/backups", status=200, body="<html>", times=99)
NO_API = Fault(path="/backups", status=404, body='{"error_code": "APIGW.0101", "error_msg": "no such API"}', times=99)


def told_by_command(emulator: Emulator, home: Path, *options: str, **env: str) -> str:
    """The error of a command."""
    operator = Operator(emulator, home)
    operator.env |= env
    done = operator.run("members", emulator.backup.id, *options)
    assert done.code == 1
    return done.err


def told_by_native(emulator: Emulator, endpoint: str, project_id: str) -> str:
    """The error of the native plugin, which is configured by `cbr-sharing:…`."""
    rows = stack_config(emulator, "sharer", "p") | {"p:projectId": project_id, "p:maxRetries": "0"}
    config = {key.removeprefix("p:"): text for key, text in rows.items()}
    with Native({**config, "endpoints": json.dumps({"cbr": endpoint})}) as run, pytest.raises(Failed) as told:
        run.create(MEMBER, {"backupId": emulator.backup.id, "destProjectId": emulator.account("recipient").project_id})
    return str(told.value)


def told_by_dynamic(emulator: Emulator, config: dict[str, str], connection: Connection, **env: str) -> str:
    """The error of a dynamic provider."""
    inputs = {"backup_id": emulator.backup.id, "dest_project_id": emulator.account("recipient").project_id}
    with Plugin(config, env) as run, pytest.raises(PluginError) as told:
        run.create(BackupShareMemberProvider(connection), inputs)
    return str(told.value)


@pytest.fixture(name="told", params=list(WORDS))
def _told(
    request: pytest.FixtureRequest, emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str, str], str]:
    """The error that a reader sees, with an endpoint and a project."""

    def told(endpoint: str = emulator.url, project_id: str = emulator.account("sharer").project_id) -> str:
        reader = request.param
        if reader == "command":
            more = {"HW_CBR_ENDPOINT": endpoint, "HW_PROJECT_ID": project_id, "HW_MAX_RETRIES": "0"}
            error = told_by_command(emulator, tmp_path, **more)
        elif reader == "option":
            options = ("--endpoint", endpoint, "--project-id", project_id)
            error = told_by_command(emulator, tmp_path, *options, HW_MAX_RETRIES="0")
        elif reader == "native":
            error = told_by_native(emulator, endpoint, project_id)
        elif reader == "dynamic":
            config = stack_config(emulator) | {"huaweicloud:endpoints": json.dumps({"cbr": endpoint})}
            config |= {"huaweicloud:projectId": project_id, "huaweicloud:maxRetries": "0"}
            error = told_by_dynamic(emulator, config, Connection())
        else:
            connection = Connection(endpoint=endpoint, project_id=project_id)
            error = told_by_dynamic(emulator, {}, connection, **environment(emulator), HW_MAX_RETRIES="0")
        others = [word for key, words in WORDS.items() if key != reader for word in words]
        assert [word for word in others if word in error] == []
        return error

    monkeypatch.setenv("HOME", str(tmp_path))
    told.words = WORDS[request.param]  # type: ignore[attr-defined]
    return told


@pytest.mark.parametrize("fault", [NO_API, PAGE], ids=["no such API", "a page"])
def test_a_wrong_endpoint_is_named_by_the_setting_that_gave_it(fault: Fault, emulator: Emulator, told: Any) -> None:
    """Something answers there, but not CBR."""
    emulator.add_fault(fault)
    assert f"check the endpoint ({source_of(told.words[0])})" in told()


def test_so_is_an_endpoint_where_nothing_answers(told: Any) -> None:
    """Nothing listens there."""
    assert f"no connection: check the endpoint ({source_of(told.words[0])}) and the network" in told(endpoint=NOWHERE)


def test_a_wrong_project_is_named_by_the_setting_that_gave_it(emulator: Emulator, told: Any) -> None:
    """The credential is of another project."""
    emulator.quirk_wrong_project = True
    error = told(project_id=emulator.account("bystander").project_id)
    assert f"correct the project id ({source_of(told.words[1])})" in error


def source_of(name: str) -> str:
    """The source of a setting, and its name there."""
    kinds = {"H": "environment ", "c": "stack config ", "h": "stack config "}
    return f"{kinds.get(name[0], '')}{name}"
