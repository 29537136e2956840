"""Recipients by the name of their account: looked up in each run, without ever losing a share."""

from __future__ import annotations

import json

from typing import TYPE_CHECKING, Any

import pytest

from clouds import environment
from doors import DYNAMIC_ONLY, process
from plugin import UNKNOWN, Plugin, PluginError
from pulumi_cbr_sharing.emulator import Fault
from pulumi_cbr_sharing.resources.share_member import BackupShareMemberProvider
from stack import Stack


if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pulumi_cbr_sharing.emulator import Emulator


pytestmark = pytest.mark.usefixtures("door")
OURS = BackupShareMemberProvider()
LOOKUP = r"/v3/domain/"


@pytest.fixture(name="plugin")
def _plugin(emulator: Emulator) -> Iterator[Plugin]:
    """A run with the sharer's credentials in the environment."""
    with process(env=environment(emulator)) as plugin:
        yield plugin


def inputs(emulator: Emulator, **changes: Any) -> dict[str, Any]:
    """The inputs to share the first backup with an account."""
    return {"backup_id": emulator.backup.id, "dest_account": "recipient", **changes}


def recipients(emulator: Emulator) -> set[str]:
    """The accounts that the first backup is shared with."""
    return {emulator.accounts.of_project(project).name for project in emulator.members(emulator.backup.id)}  # type: ignore[union-attr]


def two_projects() -> Fault:
    """An account with several projects in the region, and no main project."""
    projects = [{"project_id": f"{number:032x}", "project_name": f"ap-southeast-1_{number}"} for number in (1, 2)]
    return Fault(path=LOOKUP, status=200, body=json.dumps({"projects": projects}))


def test_an_account_is_a_recipient(emulator: Emulator, plugin: Plugin) -> None:
    """The resource's id has the project id, as with `dest_project_id`."""
    made = plugin.create(OURS, inputs(emulator))
    assert recipients(emulator) == {"recipient"}
    assert made.id == f"{emulator.backup.id}/{emulator.account('recipient').project_id}"
    assert made.outs["dest_project_id"] == emulator.account("recipient").project_id


def test_an_account_is_looked_up_once_a_run(emulator: Emulator, plugin: Plugin) -> None:
    """Once for all its backups."""
    for _ in range(5):
        plugin.check(OURS, inputs(emulator, backup_id=emulator.add_backup("sharer").id))
    assert sum(LOOKUP in request.path for request in emulator.requests) == 1


def test_several_projects_are_an_error_that_lists_them(emulator: Emulator, plugin: Plugin) -> None:
    """The user can set one of them."""
    emulator.add_fault(two_projects())
    (reason,) = plugin.check(OURS, inputs(emulator)).failures.values()
    assert "it is not clear which of its projects is meant" in reason
    assert f"ap-southeast-1_1 ({1:032x}), ap-southeast-1_2 ({2:032x})" in reason


def test_an_unknown_account_is_an_error(emulator: Emulator, plugin: Plugin) -> None:
    """An unknown name is probably misspelt."""
    emulator.unknown_account = "empty"  # a 404 is a look-up that failed, and says so
    (reason,) = plugin.check(OURS, inputs(emulator, dest_account="recipiemt")).failures.values()
    assert "lists no project of this account: check the name" in reason


def test_the_own_account_is_refused(emulator: Emulator, plugin: Plugin) -> None:
    """Like its project."""
    assert "owns the backup" in plugin.check(OURS, inputs(emulator, dest_account="sharer")).failures["dest_project_id"]


@pytest.mark.parametrize(
    "value", ["", " ", "..", "a/b", "a\nb", " a", "x" * 10_000, 5.0, True, ["a"], {"a": "b"}], ids=repr
)
def test_what_is_no_name_is_refused_unsent(value: Any, emulator: Emulator, plugin: Plugin) -> None:
    """The error is one short line."""
    failures = plugin.check(OURS, inputs(emulator, dest_account=value)).failures
    assert list(failures) == ["dest_account"]
    assert failures["dest_account"].isprintable()
    assert len(failures["dest_account"]) < 200
    assert emulator.requests == []


def test_one_of_the_two_is_given(emulator: Emulator, plugin: Plugin) -> None:
    """Both, or neither, is an error."""
    both = inputs(emulator, dest_project_id=emulator.account("bystander").project_id)
    assert "give one of the two" in plugin.check(OURS, both).failures["dest_account"]
    none = {"backup_id": emulator.backup.id}
    assert "or the account's name" in plugin.check(OURS, none).failures["dest_project_id"]


def test_an_unknown_name_makes_an_unknown_project(emulator: Emulator, plugin: Plugin) -> None:
    """The update looks it up."""
    checked = plugin.check(OURS, inputs(emulator, dest_account=UNKNOWN))
    assert checked.failures == {}
    assert checked.inputs.get("dest_project_id", UNKNOWN) == UNKNOWN  # the native plugin leaves it open
    assert not [request for request in emulator.requests if LOOKUP in request.path]


FAULTS = {
    "failing": Fault(path=LOOKUP, status=503, times=99),
    "forbidden": Fault(path=LOOKUP, status=403, body='{"code": 403}', times=99),
    "telling nothing": Fault(path=LOOKUP, status=200, body='{"projects": []}', times=99),
    "open": two_projects(),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_share_stays_where_it_is_while_nobody_can_tell(fault: Fault, emulator: Emulator) -> None:
    """If the lookup fails, the share is neither moved nor lost, and a warning is printed."""
    env = environment(emulator) | {"HW_MAX_RETRIES": "0"}
    with process(env=env) as plugin:
        olds = plugin.check(OURS, inputs(emulator)).inputs
    emulator.add_fault(fault)
    later = process(env=env).__enter__()
    checked = later.check(OURS, inputs(emulator), olds=olds)
    assert (checked.failures, checked.inputs["dest_project_id"]) == ({}, olds["dest_project_id"])
    assert "the share keeps project" in later.stop()


def test_a_new_share_needs_an_answer(emulator: Emulator) -> None:
    """Without the lookup there is no project."""
    emulator.add_fault(FAULTS["failing"])
    env = environment(emulator) | {"HW_MAX_RETRIES": "0"}
    with process(env=env) as plugin, pytest.raises(PluginError, match="listing the projects of account recipient"):
        plugin.create(OURS, inputs(emulator))


PROGRAM = """
import pulumi
from pulumi_cbr_sharing import BackupShareMember

share = BackupShareMember("dr", backup_id="{backup}", dest_account={account})
pulumi.export("project", share.dest_project_id)
"""


@DYNAMIC_ONLY
@pytest.mark.engine
def test_a_stack_shares_with_an_account(emulator: Emulator, tmp_path: Path) -> None:
    """`up`, refresh, another account and `destroy`; an outage in between changes nothing."""
    stack = Stack(tmp_path)
    stack.env.update(environment(emulator) | {"HW_MAX_RETRIES": "0"})
    stack.program(PROGRAM.format(backup=emulator.backup.id, account="'recipient'"))
    stack.up()
    assert stack.outputs() == {"project": emulator.account("recipient").project_id}
    stack.up("--expect-no-changes")
    stack.refresh("--expect-no-changes")

    emulator.add_fault(Fault(path=LOOKUP, status=503, times=99))
    stack.up("--expect-no-changes")
    emulator.clear_faults()

    stack.program(PROGRAM.format(backup=emulator.backup.id, account="pulumi.Output.from_input('bystander')"))
    stack.up("--refresh")
    assert recipients(emulator) == {"bystander"}
    stack.destroy()
    assert recipients(emulator) == set()
