"""VaultShare on the real engine."""

from __future__ import annotations

import re

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi
import pytest

from clouds import environment
from pulumi_cbr_sharing import VaultShare
from stack import Stack


if TYPE_CHECKING:
    from pulumi_cbr_sharing.emulator import Emulator


ROOT = Path(__file__).parent.parent.parent
EXAMPLE = ROOT / "examples" / "newest_backups"
NOW = datetime.now(timezone.utc)

PROGRAM = """
import pulumi
from datetime import timedelta
from pulumi_cbr_sharing import BackupShareMember, VaultShare

nightly = VaultShare("nightly", vault_id={vault!r}, dest_project_ids={projects!r}, {rest})
pulumi.export("backup_ids", nightly.backup_ids)
pulumi.export("shares", nightly.shares)
"""


ARGUMENTS: dict[str, tuple[dict[str, Any], str]] = {
    "keep": ({"keep": 0}, "keep is 0: give a number of backups, 1 or more"),
    "no number": ({"keep": True}, "keep is True"),
    "prefix": ({"name_prefix": 3}, "name_prefix is of type int"),
    "age": ({"older_than": 3}, "older_than is of type int: give a datetime or a timedelta"),
    "no age": ({"newer_than": timedelta.max}, "newer_than is 999999999 days, 23:59:59.999999: give an age from 0 to"),
}


@pytest.mark.parametrize(("argument", "reason"), ARGUMENTS.values(), ids=ARGUMENTS.keys())
def test_wrong_arguments_are_refused_at_once(argument: dict[str, Any], reason: str) -> None:
    """Nothing is registered or sent."""
    with pytest.raises(pulumi.RunError, match=f"VaultShare nightly: {reason}"):
        VaultShare("nightly", vault_id="v", dest_project_ids=[], **argument)


@pytest.fixture(name="stack")
def _stack(emulator: Emulator, tmp_path: Path) -> Stack:
    """A new stack with the sharer's credentials; the cloud has no backup yet."""
    emulator.remove_backup(emulator.backup.id)
    stack = Stack(tmp_path)
    stack.env.update(environment(emulator))
    return stack


def program(emulator: Emulator, *recipients: str, **rest: Any) -> str:
    """A program that shares the sharer's vault; arguments are code."""
    projects = [emulator.account(name).project_id for name in recipients]
    words = ", ".join(f"{name}={value}" for name, value in rest.items())
    return PROGRAM.format(vault=emulator.vault("sharer").id, projects=projects, rest=words)


def back_up(emulator: Emulator, days: float, resource: str = "server-1", **fields: Any) -> str:
    """Create a backup of a server that is some days old; returns its id."""
    created = NOW - timedelta(days=days)
    return emulator.add_backup(created_at=created, resource_id=resource, **fields).id


def shared(emulator: Emulator) -> set[str]:
    """The shared backups."""
    return {id_ for id_ in emulator.state.backups if emulator.members(id_)}


def changes(emulator: Emulator) -> list[str]:
    """The requests that changed something: the method and the backup."""
    return [f"{one.method} {one.path.split('/')[4]}" for one in emulator.requests if one.method != "GET"]


def lists(emulator: Emulator) -> int:
    """The number of lists of backups."""
    return sum(one.method == "GET" and one.path.endswith("/backups") for one in emulator.requests)


@pytest.mark.engine
def test_the_window_rolls(emulator: Emulator, stack: Stack) -> None:
    """Four runs with new backups in between: one list each, only moved shares change, as the preview shows."""
    made = [back_up(emulator, days) for days in (9, 8)]
    stack.program(program(emulator, "recipient", keep=3))
    stack.up()
    assert shared(emulator) == set(made)
    assert lists(emulator) == 1

    for run in range(3):
        made.append(back_up(emulator, 7 - run))
        window, gone = made[-3:], made[:-3][-1:]
        emulator.clear_requests()

        plan = stack.preview().output
        for new in window[-1:]:
            assert re.search(rf"\+ .*nightly-{new}-\w+ create", plan)
        for old in gone:
            assert re.search(rf"- .*nightly-{old}-\w+ delete", plan)
        assert not any(f"nightly-{kept}" in plan for kept in window[:-1])
        assert changes(emulator) == []

        emulator.clear_requests()
        stack.up()
        assert shared(emulator) == set(window)
        assert changes(emulator) == [f"POST {window[-1]}", *(f"DELETE {old}" for old in gone)]
        assert lists(emulator) == 1
        assert stack.outputs()["backup_ids"] == window[::-1]

    stack.up("--expect-no-changes", "--refresh")
    stack.destroy()
    assert shared(emulator) == set()


@pytest.mark.engine
def test_what_is_shared_and_what_is_not(emulator: Emulator, stack: Stack) -> None:
    """Own available backups of the named servers in this vault, with two recipients; nothing else."""
    wanted = {back_up(emulator, 1), back_up(emulator, 2), back_up(emulator, 3, "server-2")}
    back_up(emulator, 0, status="protecting")
    back_up(emulator, 0, status="error")
    back_up(emulator, 0, "server-3")
    back_up(emulator, 9)
    back_up(emulator, 0, vault_id=emulator.add_vault(account="sharer").id)
    received = emulator.add_backup("bystander", resource_id="server-1").id
    own = emulator.account("sharer").project_id
    emulator.add_member(received, own)
    emulator.answer(received, own, "accepted", emulator.vault("sharer").id)
    stack.program(
        program(emulator, "recipient", "bystander", keep=2, resource_ids=["server-1", "server-2", "server-4"])
    )

    run = stack.up()

    assert shared(emulator) == {received, *wanted}
    assert set(emulator.members(received)) == {own}
    assert all(len(emulator.members(id_)) == 2 for id_ in wanted)
    assert lists(emulator) == 1
    assert len(changes(emulator)) == 6
    assert "VaultShare nightly: no backup of server-4 is in the window" in run.output
    assert set(stack.outputs()["shares"].values()) == {"pending"}
    (component,) = stack.resources("VaultShare")
    assert component["type"] == "huaweicloud:cbr:VaultShare"
    children = stack.resources("BackupShareMember")
    assert {child["parent"] for child in children} == {component["urn"]}
    assert {child["id"] for child in children} == set(stack.outputs()["shares"])


@pytest.mark.engine
def test_an_empty_window_is_refused_and_cancels_nothing(emulator: Emulator, stack: Stack) -> None:
    """No share is cancelled by mistake, unless `allow_empty` is set."""
    made = back_up(emulator, 1)
    stack.program(program(emulator, "recipient"))
    stack.up()

    stack.program(program(emulator, "recipient", name_prefix="'weekly'"))
    for refused in (stack.preview(check=False), stack.up(check=False)):
        assert not refused.ok
        assert "Traceback" not in refused.output
        assert "VaultShare nightly: there is nothing to share: vault" in refused.output
        assert "1 named otherwise than 'weekly'…" in refused.output
        assert "give allow_empty=True" in refused.output
    stack.program(program(emulator, keep=1))
    assert "dest_project_ids is empty" in stack.up(check=False).output
    assert shared(emulator) == {made}

    stack.program(program(emulator, "recipient", name_prefix="'weekly'", allow_empty=True))
    stack.up()
    assert shared(emulator) == set()
    assert stack.outputs() == {"backup_ids": [], "shares": {}}


@pytest.mark.differs("ages of windows", "dynamic")
@pytest.mark.engine
def test_ages_are_moments_or_durations(emulator: Emulator, stack: Stack) -> None:
    """Older than a day and a half, newer than a time without zone, which is UTC."""
    _, wanted, _ = (back_up(emulator, days) for days in (1, 2, 3))
    moment = (NOW - timedelta(days=2, hours=12)).replace(tzinfo=None)
    ages = {"older_than": "timedelta(days=1.5)", "newer_than": f"datetime.fromisoformat({moment.isoformat()!r})"}
    stack.program("from datetime import datetime\n" + program(emulator, "recipient", **ages))
    stack.up()
    assert shared(emulator) == {wanted}


OUTPUTS = """
import pulumi
from pulumi_cbr_sharing import BackupShareMember, VaultShare

first = BackupShareMember("first", backup_id={backup!r}, dest_project_id={project!r})
nightly = VaultShare(
    "nightly",
    vault_id=first.share_id.apply(lambda _: {vault!r}),
    dest_project_ids=[first.dest_project_id],
    resource_ids=first.share_id.apply(lambda _: ["server-1"]),
)
pulumi.export("backup_ids", nightly.backup_ids)
pulumi.export("shares", nightly.shares)
"""


@pytest.mark.engine
def test_inputs_may_be_outputs(emulator: Emulator, stack: Stack) -> None:
    """They are unknown at the first preview, and known at `up`; the shares depend on the vault's resource."""
    other, made = back_up(emulator, 1, "server-2"), back_up(emulator, 2)
    project = emulator.account("recipient").project_id
    source = OUTPUTS.format(backup=other, project=project, vault=emulator.vault("sharer").id)
    stack.program(source)

    plan = stack.preview().output
    assert "VaultShare nightly create" in plan
    assert made not in plan
    assert lists(emulator) == 0

    stack.up()
    assert shared(emulator) == {other, made}
    assert stack.outputs() == {"backup_ids": [made], "shares": {f"{made}/{project}": "pending"}}
    (child,) = [one for one in stack.resources("BackupShareMember") if one["id"].startswith(made)]
    assert [urn.rpartition("::")[2] for urn in child["dependencies"]] == ["first"]

    back_up(emulator, 0)
    plan = stack.preview().output
    assert re.search(r"\+ .*nightly-\S+ create", plan)
    stack.up()
    stack.up("--expect-no-changes")

    stack.program(source.replace("server-1", "server-9"))
    refused = stack.up(check=False)
    assert re.search(r"\b3 of a server or disk that is not in resource_ids", refused.output), refused.output
    assert "Traceback" not in refused.output
    emulator.clear_requests()
    stack.destroy()
    assert shared(emulator) == set()
    assert changes(emulator)[-1] == f"DELETE {other}"


@pytest.mark.differs("`VaultShare(accept_into=…)`", "dynamic")
@pytest.mark.engine
def test_one_program_shares_and_accepts(emulator: Emulator, stack: Stack) -> None:
    """In order: shared, then accepted; given back, then cancelled."""
    stack.env.update(environment(emulator, "recipient", prefix="DR_"))
    made = [back_up(emulator, days) for days in (3, 2)]
    vault = emulator.vault("recipient").id
    words = {"accept_into": repr(vault), "accept_connection": "Connection(namespace='dr')", "keep": 2}
    stack.program("from pulumi_cbr_sharing import Connection\n" + program(emulator, "recipient", **words))
    stack.up()
    recipient = emulator.account("recipient").project_id
    assert {emulator.members(id_)[recipient].vault_id for id_ in made} == {vault}
    for id_ in made:
        assert [one for one in changes(emulator) if id_ in one] == [f"POST {id_}", f"PUT {id_}"]

    made.append(back_up(emulator, 1))
    emulator.clear_requests()
    stack.up()
    assert emulator.visible_to(recipient) == set(made[1:])
    assert [one.partition(" ")[0] for one in changes(emulator) if made[0] in one] == ["PUT", "DELETE"]
    stack.up("--expect-no-changes")
    stack.destroy()
    assert shared(emulator) == set()


@pytest.mark.engine
def test_a_vault_that_nobody_backs_up_into_is_told(emulator: Emulator, stack: Stack) -> None:
    """If the newest backup is older than max_age, there is a warning, and the window is shared."""
    made = back_up(emulator, 4)
    stack.program(program(emulator, "recipient", max_age="timedelta(days=1.5)"))
    assert f"VaultShare nightly: the newest backup of server (server-1) is 4.0 days old ({made}" in stack.up().output
    assert shared(emulator) == {made}


@pytest.mark.engine
def test_wrong_ids_are_told_in_one_line(emulator: Emulator, stack: Stack) -> None:
    """Nothing is sent."""
    back_up(emulator, 1)
    project = emulator.account("recipient").project_id
    good = program(emulator, "recipient")
    for wrong, reason in (
        (good.replace(emulator.vault("sharer").id, "x"), "vault_id has another shape"),
        (good.replace(f"['{project}']", "['x']"), "dest_project_ids has an entry that has another shape"),
        (good.replace(f"['{project}']", f"['{project}'] * 2"), f"dest_project_ids has {project} twice"),
        (good.replace(f"['{project}']", f"'{project}'"), "dest_project_ids is not a list"),
        (program(emulator, "recipient", resource_ids="'server-1'"), "resource_ids is not a list of ids"),
    ):
        stack.program(wrong)
        refused = stack.preview(check=False)
        assert f"error: VaultShare nightly: {reason}" in refused.output
        assert "Traceback" not in refused.output
    assert emulator.requests == []


@pytest.mark.engine
def test_the_program_in_the_guide_runs(emulator: Emulator, tmp_path: Path) -> None:
    """Its names are those of the emulated cloud."""
    page = (ROOT / "docs/rolling-window.md").read_text()
    stack = Stack(tmp_path)
    stack.env.update(environment(emulator))
    stack.program(page.partition("```python\n")[2].partition("```")[0])
    stack.up()
    assert stack.outputs() == {"backups": [emulator.backup.id]}
    assert list(emulator.members(emulator.backup.id)) == [emulator.account("recipient").project_id]
