"""Lookups in this process, and in programs on the real engine."""

from __future__ import annotations

import json

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pulumi
import pytest

from clouds import environment, stack_config
from pulumi_cbr_sharing import (
    Connection,
    LookupFailed,
    get_backup,
    get_backups,
    get_projects,
    get_share_members,
    get_vaults,
)
from pulumi_cbr_sharing.emulator import Fault
from pulumi_cbr_sharing.errors import BackupNotFound, SettingsError
from stack import Stack


if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pulumi_cbr_sharing.emulator import Emulator
    from pulumi_cbr_sharing.emulator.records import Dialect


NOW = datetime.now(timezone.utc)


@pytest.fixture(name="signed_in", autouse=True)
def _signed_in(emulator: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The environment of a program: the sharer's credentials, the recipient's under `dr`, no sessions."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, text in (environment(emulator) | environment(emulator, "recipient", prefix="DR_")).items():
        monkeypatch.setenv(name, text)


def series(emulator: Emulator, count: int, **fields: Any) -> list[str]:
    """Create backups a day apart; returns their ids, newest first."""
    days = range(1, count + 1)
    return [emulator.add_backup(created_at=NOW - timedelta(days=day), **fields).id for day in days]


def ids(**filters: Any) -> list[str]:
    """The ids of the backups that a lookup finds."""
    return [backup.id for backup in get_backups(**filters)]


def test_backups_come_newest_first(emulator: Emulator) -> None:
    """The service may have another order."""
    found = series(emulator, 3)
    old = emulator.add_backup(created_at=NOW - timedelta(days=30)).id
    assert ids() == [emulator.backup.id, *found, old]


@pytest.mark.parametrize("dialect", ["huawei", "otc"])
def test_a_backup_has_its_facts(dialect: Dialect, emulator: Emulator) -> None:
    """In both dialects; missing times are ""."""
    emulator.dialect = dialect
    made = emulator.add_backup(name="n", size=80, resource_id="server-1", resource_name="web")
    backup = get_backup(made.id)
    assert (backup.id, backup.name, backup.status) == (made.id, "n", "available")
    assert (backup.resource_id, backup.resource_name, backup.resource_size) == ("server-1", "web", 80)
    assert (backup.vault_id, backup.checkpoint_id, backup.expired_at) == (made.vault_id, made.checkpoint_id, "")
    assert abs(backup.created - made.created_at) < timedelta(milliseconds=1)
    assert backup.created_at.endswith("Z")


FILTERS: dict[str, Callable[[Emulator], dict[str, Any]]] = {
    "vault": lambda emulator: {"vault_id": emulator.add_vault(account="sharer").id},
    "resource": lambda _: {"resource_id": "server-1"},
    "name": lambda _: {"name": "weekly"},
    "status": lambda _: {"status": "error"},
}


@pytest.mark.parametrize("make", FILTERS.values(), ids=FILTERS.keys())
def test_filters(make: Callable[[Emulator], dict[str, Any]], emulator: Emulator) -> None:
    """Each filter works alone."""
    series(emulator, 2)
    fields = make(emulator)
    wanted = series(emulator, 2, **fields)
    assert ids(**fields) == wanted


def test_filters_are_all_sent_and_hold_together(emulator: Emulator) -> None:
    """All filters are sent to the service, too."""
    vault = emulator.vault("sharer").id
    (wanted,) = series(emulator, 1, name="weekly", resource_id="server-1")
    series(emulator, 1, name="weekly", resource_id="server-2")
    assert ids(vault_id=vault, name="weekly", resource_id="server-1", status="available") == [wanted]
    assert len(emulator.requests) == 1
    assert emulator.requests[0].query.count("=") == 4


def test_what_the_service_lets_pass_is_filtered_again(emulator: Emulator) -> None:
    """For example, a name with the same prefix, or another project's backup."""
    own, other = emulator.account("sharer").project_id, emulator.account("recipient").project_id
    first, second, third = (f"{number}1111111-2222-4333-8444-555555555555" for number in "123")
    rows = [(first, "nightly", own), (second, "nightly-2", own), (third, "nightly", other)]
    records = [{"id": id_, "name": name, "status": "available", "project_id": owner} for id_, name, owner in rows]
    emulator.add_fault(Fault(method="GET", status=200, body=json.dumps({"backups": records, "count": 3})))
    assert ids(name="nightly") == [first]


def test_received_backups_only_where_asked_for(emulator: Emulator) -> None:
    """Own, shared or both; by the status of the share; with the recipient's vault."""
    emulator.ignores_member_status, emulator.listed_vault = False, "recipient's"  # the list is shown as it is answered
    dr = Connection(namespace="dr")
    project, vault = emulator.account("recipient").project_id, emulator.vault("recipient").id
    accepted, offered = series(emulator, 2)
    own = emulator.add_backup("recipient", created_at=NOW - timedelta(days=9)).id
    emulator.add_member(offered, project)
    emulator.add_member(accepted, project)
    emulator.answer(accepted, project, "accepted")

    assert ids(connection=dr) == [own]
    assert ids(own_type="shared", connection=dr) == [accepted, offered]
    assert ids(own_type="all_granted", connection=dr) == [accepted, offered, own]
    assert ids(own_type="shared", member_status="pending", connection=dr) == [offered]
    assert ids(own_type="shared", vault_id=vault, connection=dr) == [accepted]
    assert get_backup(accepted, connection=dr).project_id == emulator.account("sharer").project_id


def test_more_backups_than_a_page_holds(emulator: Emulator) -> None:
    """All backups are returned, each once."""
    emulator.page_size = 1000  # requests are counted
    made = [emulator.add_backup(resource_id="server-1").id for _ in range(1500)]
    assert sorted(ids(resource_id="server-1")) == sorted(made)
    assert len(emulator.requests) == 2


def test_a_list_that_changed_between_pages_is_asked_again(emulator: Emulator) -> None:
    """A new backup does not make the lookup fail."""
    emulator.add_fault(Fault(method="GET", status=200, body='{"backups": [], "count": 5}'))
    assert ids() == [emulator.backup.id]


def test_whom_a_backup_is_shared_with(emulator: Emulator) -> None:
    """By project, with the status of each share."""
    names = ("recipient", "bystander")
    for name in names:
        emulator.add_member(emulator.backup.id, emulator.account(name).project_id)
    emulator.answer(emulator.backup.id, emulator.account("recipient").project_id, "accepted")
    found = get_share_members(emulator.backup.id)
    assert [member.dest_project_id for member in found] == sorted(emulator.members(emulator.backup.id))
    assert sorted(member.status for member in found) == ["accepted", "pending"]


def test_vaults_and_projects(emulator: Emulator) -> None:
    """Vaults of the own project, and projects of an account by its name."""
    emulator.unknown_account = "empty"  # a 404 is a look-up that failed, and says so
    assert [vault.id for vault in get_vaults()] == [emulator.vault("sharer").id]
    assert [vault.id for vault in get_vaults(name="vault")] == [emulator.vault("sharer").id]
    assert [project.id for project in get_projects("recipient")] == [emulator.account("recipient").project_id]
    assert get_projects("nobody") == []


def test_one_client_serves_all_lookups_of_a_process(emulator: Emulator) -> None:
    """A refused key is not sent again."""
    emulator.rotate_key("sharer")
    for look_up in (get_backups, get_vaults, get_backups):
        with pytest.raises(LookupFailed):
            look_up()
    assert len(emulator.requests) == 1


def test_an_error_is_pulumis_own_with_its_cause(emulator: Emulator) -> None:
    """Pulumi prints it without a traceback; a program can catch it, and read its cause."""
    missing = emulator.backup.id.replace("9", "0")
    with pytest.raises(LookupFailed, match=f"reading backup {missing}: the backup does not exist") as failed:
        get_backup(missing)
    assert isinstance(failed.value, pulumi.RunError)
    assert isinstance(failed.value.__cause__, BackupNotFound)
    assert "\n" not in str(failed.value)


def test_missing_settings_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error lists all of them."""
    for name in ("HW_ACCESS_KEY", "HW_SECRET_KEY", "HW_REGION_NAME", "HW_CBR_ENDPOINT"):
        monkeypatch.delenv(name)
    with pytest.raises(LookupFailed, match=r"a credential is missing.*the region is missing") as failed:
        get_backups()
    assert isinstance(failed.value.__cause__, SettingsError)


WRONG: dict[str, tuple[Callable[[], Any], str]] = {
    "backup": (lambda: get_backup("x"), "an id that has another shape"),
    "path": (lambda: get_share_members("../x"), "an id that has another shape"),
    "vault": (lambda: get_backups(vault_id="x"), "listing backups: vault_id has another shape"),
    "blank": (lambda: get_backups(name=" "), "listing backups: name is empty"),
    "number": (lambda: get_vaults(name=3), "listing vaults: name is not a string"),  # type: ignore[arg-type]
    "account": (lambda: get_projects(""), "'' is not an account name"),
    "member_status": (lambda: get_backups(member_status="pending"), "member_status is for the last two only"),
    "own_type": (lambda: get_backups(own_type="mine"), "own_type is 'mine'"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize(("call", "reason"), WRONG.values(), ids=WRONG.keys())
def test_wrong_arguments_are_not_sent(call: Callable[[], Any], reason: str, emulator: Emulator) -> None:
    """An ignored filter would find everything."""
    with pytest.raises(LookupFailed, match=reason):
        call()
    assert emulator.requests == []


# -- on the engine -----------------------------------------------------------------------------------------------

EVERYTHING = """
import pulumi
from pulumi_cbr_sharing import (
    BackupShareMember, get_backup, get_backup_output, get_backups, get_backups_output, get_projects,
    get_projects_output, get_share_members, get_share_members_output, get_vaults, get_vaults_output,
)

account = "recipient"
(project,) = get_projects(account)
(vault,) = get_vaults()
newest = get_backups(vault_id=vault.id)[0]
share = BackupShareMember("dr", backup_id=newest.id, dest_project_id=project.id)
pulumi.export("plain", [get_backup(newest.id).name, vault.name, len(get_share_members(newest.id))])

later = share.share_id.apply(lambda _: newest.id)  # unknown while the share is not made
pulumi.export("backup", get_backup_output(later).name)
pulumi.export("backups", get_backups_output(vault_id=later.apply(lambda _: vault.id))[0].id)
pulumi.export("members", get_share_members_output(later).apply(lambda found: [one.status for one in found]))
pulumi.export("vault", get_vaults_output(name=later.apply(lambda _: vault.name))[0].id)
pulumi.export("project", get_projects_output(later.apply(lambda _: account))[0].id)
"""


@pytest.fixture(name="stack")
def _stack(emulator: Emulator, tmp_path: Path) -> Stack:
    """A new stack with the credentials of the emulated sharer."""
    stack = Stack(tmp_path / "stack")
    stack.env.update(environment(emulator))
    return stack


@pytest.mark.differs("lookups", "dynamic")
@pytest.mark.engine
def test_all_lookups_in_a_program(emulator: Emulator, stack: Stack) -> None:
    """At preview the Output forms are unknown and send nothing; at `up` they see what the run has created."""
    stack.program(EVERYTHING)
    asked = ["projects", "vaults", "backups", emulator.backup.id, "members"]

    shown = stack.preview().output

    assert [request.path.rpartition("/")[2] for request in emulator.requests][:5] == asked
    assert all(request.method == "GET" for request in emulator.requests)
    assert "plain" in shown

    stack.up()
    assert stack.outputs() == {
        "plain": ["nightly", "vault", 0],
        "backup": "nightly",
        "backups": emulator.backup.id,
        "members": ["pending"],
        "vault": emulator.vault("sharer").id,
        "project": emulator.account("recipient").project_id,
    }


@pytest.mark.engine
def test_errors_on_the_engine_are_one_line(emulator: Emulator, stack: Stack) -> None:
    """Plain or in an apply: no traceback, no secret, and the key is sent once."""
    for name in [name for name in stack.env if name.startswith("HW_") and not name.endswith("ENDPOINT")]:
        del stack.env[name]
    for key, value in stack_config(emulator).items():
        stack.config_set(key, value, secret=key.endswith("secretKey"))
    secret = emulator.account("sharer").secret_key
    stack.program("from pulumi_cbr_sharing import get_vaults\nassert len(get_vaults()) == 1\n")
    stack.preview()

    emulator.rotate_key("sharer")
    emulator.clear_requests()
    for call in ("get_vaults()", "get_vaults_output(name=pulumi.Output.from_input('x'))"):
        stack.program(f"import pulumi\nfrom pulumi_cbr_sharing import *\npulumi.export('x', {call})\n")
        failed = stack.preview(check=False)
        assert not failed.ok
        assert "Traceback" not in failed.output
        assert "error: listing the vaults of project" in failed.output
        assert "it came from stack config huaweicloud:accessKey" in failed.output
        assert secret not in failed.output
    assert len(emulator.requests) == 2
