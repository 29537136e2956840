"""Checks at preview refuse what the cloud would refuse, called as the engine does for new resources."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from typing_extensions import Self

from clouds import environment
from doors import DYNAMIC_ONLY, process
from plugin import UNKNOWN, Checked
from pulumi_cbr_sharing import Connection
from pulumi_cbr_sharing.emulator import Fault
from pulumi_cbr_sharing.resources.accepter import BackupShareAccepterProvider
from pulumi_cbr_sharing.resources.share import BackupShareProvider
from pulumi_cbr_sharing.resources.share_member import BackupShareMemberProvider
from stack import Stack


if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pulumi.dynamic import ResourceProvider

    from pulumi_cbr_sharing.emulator import Emulator


MEMBER, SHARE, ACCEPTER = BackupShareMemberProvider(), BackupShareProvider(), BackupShareAccepterProvider()
pytestmark = pytest.mark.usefixtures("door")
MISSING = "0b07081e-3ec7-4e77-8571-54e2947da422"


@dataclass
class Plan:
    """A process that checks, and its output when it has ended."""

    emulator: Emulator
    account: str = "sharer"
    env: dict[str, str] = field(default_factory=dict)
    printed: str = ""

    def __enter__(self) -> Self:
        self.plugin = process(env=environment(self.emulator, self.account) | self.env).__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.printed = self.plugin.stop()

    def member(self, **changes: Any) -> dict[str, str]:
        """The failures of a new BackupShareMember."""
        return self._check(MEMBER, {"dest_project_id": team(self.emulator, "recipient")} | changes).failures

    def share(self, *projects: str, **changes: Any) -> dict[str, str]:
        """The failures of a new BackupShare."""
        return self._check(SHARE, {"dest_project_ids": list(projects)} | changes).failures

    def accepter(self, **changes: Any) -> dict[str, str]:
        """The failures of a new BackupShareAccepter."""
        return self._check(ACCEPTER, {"vault_id": self.emulator.vault(self.account).id} | changes).failures

    def _check(self, provider: ResourceProvider, news: dict[str, Any]) -> Checked:
        return self.plugin.check(provider, {"backup_id": self.emulator.backup.id} | news)


@pytest.fixture(name="plan")
def _plan(emulator: Emulator) -> Iterator[Plan]:
    """A preview with the sharer's credentials."""
    with Plan(emulator) as plan:
        yield plan


@pytest.fixture(name="theirs")
def _theirs(emulator: Emulator) -> Iterator[Plan]:
    """A preview with the recipient's credentials."""
    with Plan(emulator, "recipient") as plan:
        yield plan


def team(emulator: Emulator, name: str) -> str:
    """The project of an account, which is created if necessary."""
    if name not in [account.name for account in emulator.accounts.all()]:
        emulator.add_account(name)
    return emulator.account(name).project_id


def crowd(emulator: Emulator, count: int) -> list[str]:
    """Share the first backup with new accounts; returns their projects."""
    projects = [team(emulator, f"team-{number}") for number in range(count)]
    for project in projects:
        emulator.add_member(emulator.backup.id, project)
    return projects


def asked(emulator: Emulator) -> list[str]:
    """The last parts of the requested paths."""
    return [request.path.rpartition("/")[2] for request in emulator.requests]


def test_a_good_share_passes_with_two_looks_a_backup(plan: Plan, emulator: Emulator) -> None:
    """For any number of recipients in the same process."""
    for number in range(10):
        assert plan.member(dest_project_id=team(emulator, f"team-{number}")) == {}
    assert sorted(asked(emulator)) == [emulator.backup.id, "members"]


@pytest.mark.parametrize("kind", ["member", "share"])
def test_a_missing_backup_is_refused(kind: str, plan: Plan) -> None:
    """The error has the project."""
    failures = getattr(plan, kind)(backup_id=MISSING)
    assert list(failures) == ["backup_id"]
    assert "does not exist in project" in failures["backup_id"]


@pytest.mark.parametrize("kind", ["member", "share"])
def test_a_received_backup_is_refused(kind: str, theirs: Plan, emulator: Emulator) -> None:
    """The recipient can read it, but not share it."""
    emulator.add_member(emulator.backup.id, team(emulator, "recipient"), status="accepted")
    own = {"dest_project_id": team(emulator, "bystander")} if kind == "member" else {}
    failures = getattr(theirs, kind)(**own)
    assert f"let its owner, project {team(emulator, 'sharer')}, share it" in failures["backup_id"]


def test_the_eleventh_recipient_is_refused_and_those_that_are_there_pass(plan: Plan, emulator: Emulator) -> None:
    """Existing shares are adopted, also at the limit."""
    ten = crowd(emulator, 10)
    assert plan.member(dest_project_id=ten[3]) == {}
    assert "is shared with 10 projects, this program adds 1, and the maximum is 10" in plan.member()["dest_project_id"]


def test_those_that_one_program_adds_count_together(plan: Plan, emulator: Emulator) -> None:
    """With nine recipients, the program adds two: the second is refused, in each check."""
    crowd(emulator, 9)
    assert plan.member() == {}
    assert plan.member() == {}
    for _ in range(2):
        refusal = plan.member(dest_project_id=team(emulator, "bystander"))["dest_project_id"]
        assert "is shared with 9 projects, this program adds 2" in refusal


def test_adopt_false_is_refused_in_the_plan(plan: Plan, emulator: Emulator) -> None:
    """The existing share is known before anything is created."""
    emulator.add_member(emulator.backup.id, team(emulator, "recipient"))
    assert "is a recipient already (pending, since 20" in plan.member(adopt=False)["dest_project_id"]


def test_a_new_set_warns_of_those_it_will_remove(emulator: Emulator) -> None:
    """It lists the shares that it will cancel."""
    one, two = crowd(emulator, 2)
    with Plan(emulator) as plan:
        assert plan.share(one) == {}
    assert f"is also shared with {two}: this BackupShare cancels that" in plan.printed


@pytest.mark.parametrize("kind", ["member", "share"])
def test_what_will_be_adopted_or_offered_again_is_told(kind: str, emulator: Emulator) -> None:
    """As far as the look knows: somebody may answer until the update."""
    (one,) = crowd(emulator, 1)
    for status, line in {
        "accepted": "(accepted): the update adopts that",
        "rejected": "the update offers it again",
    }.items():
        emulator.answer(emulator.backup.id, one, status)
        with Plan(emulator) as plan:
            assert (plan.share(one) if kind == "share" else plan.member(dest_project_id=one)) == {}
        assert plan.printed.count(line) == 1


def test_a_set_at_the_limit_makes_room_for_itself(plan: Plan, emulator: Emulator) -> None:
    """It removes others first, so ten other recipients are no error."""
    crowd(emulator, 10)
    assert plan.share(team(emulator, "recipient")) == {}


FAULTS = {
    "server error": Fault(status=500, times=99),
    "cut": Fault(reset=True, times=99),
    "page of a proxy": Fault(status=200, body="<html>", times=99),
    "half a list": Fault(path="/members", status=200, body='{"members": [], "count": 3}', times=99),
    "wrong endpoint": Fault(status=404, body='{"error_code": "APIGW.0101", "error_msg": "no"}', times=99),
    "throttled": Fault(status=429, headers={"Retry-After": "3600"}, times=99),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_cloud_that_gives_no_answer_is_one_warning(fault: Fault, emulator: Emulator) -> None:
    """No preview fails without a network, and no fault means a missing backup."""
    emulator.add_fault(fault)
    others = [emulator.add_backup("sharer").id for _ in range(3)]
    with Plan(emulator) as plan:
        for backup_id in (emulator.backup.id, *others):
            assert plan.member(backup_id=backup_id) == {}
    assert plan.printed.count("warning: the preview is not checked against the cloud: ") == 1


def test_a_cloud_out_of_reach_is_a_warning(emulator: Emulator) -> None:
    """And it does not take long."""
    with Plan(emulator, env={"HW_CBR_ENDPOINT": "http://127.0.0.1:9"}) as plan:
        assert plan.member() == {}
        assert plan.member(backup_id=MISSING) == {}
    assert "no answer from 127.0.0.1:9" in plan.printed


def test_who_may_not_look_is_warned_once_a_permission(emulator: Emulator) -> None:
    """The share itself may be permitted."""
    for action in ("cbr:backups:get", "cbr:member:list"):
        emulator.deny("sharer", action)
    others = [emulator.add_backup("sharer").id for _ in range(3)]
    with Plan(emulator) as plan:
        for backup_id in (emulator.backup.id, *others):
            assert plan.member(backup_id=backup_id) == {}
    assert plan.printed.count("warning: the preview is not checked against the cloud: ") == 2
    assert plan.printed.count("cbr:backups:get is needed") == plan.printed.count("cbr:member:list is needed") == 1


def test_a_refused_credential_fails_the_plan_after_one_request(emulator: Emulator) -> None:
    """All other calls would fail, and more tries would lock the key."""
    with Plan(emulator, env={"HW_SECRET_KEY": "wrong"}) as plan:
        for number in range(20):
            failures = plan.member(dest_project_id=f"{number:032x}")
            assert "the signature or token is wrong" in failures[""]
    assert len(emulator.requests) == 1


@pytest.mark.parametrize("value", ["0", "false", "off"])
def test_the_switch_turns_it_off(value: str, emulator: Emulator) -> None:
    """Then nothing is sent or refused."""
    with Plan(emulator, env={"HW_PLAN_CHECKS": value}) as plan:
        assert plan.member(backup_id=MISSING) == {}
    assert emulator.requests == []


def test_what_exists_or_is_unknown_is_not_looked_at(plan: Plan, emulator: Emulator) -> None:
    """Existing resources are left to refresh; unknown backups are checked when they are known."""
    inputs = {"backup_id": MISSING, "dest_project_id": team(emulator, "recipient")}
    assert plan.plugin.check(MEMBER, inputs, olds=inputs).failures == {}
    assert plan.member(backup_id=UNKNOWN) == {}
    assert plan.accepter(vault_id=UNKNOWN) == {}
    assert emulator.requests == []


def test_a_missing_vault_is_refused(theirs: Plan) -> None:
    """Nobody waits for an offer."""
    assert "does not exist in project" in theirs.accepter(vault_id=MISSING)["vault_id"]


def test_a_backup_in_another_vault_is_refused(theirs: Plan, emulator: Emulator) -> None:
    """It would have to be given back first."""
    other = emulator.add_vault(account="recipient").id
    emulator.add_member(emulator.backup.id, team(emulator, "recipient"))
    emulator.answer(emulator.backup.id, team(emulator, "recipient"), "accepted", other)
    assert f"was accepted into vault {other} before" in theirs.accepter()["backup_id"]
    assert theirs.accepter(vault_id=other) == {}


def test_a_move_to_another_vault_is_not_refused(emulator: Emulator) -> None:
    """It is an update; under another name at the same time it would be refused."""
    emulator.add_member(emulator.backup.id, team(emulator, "recipient"))
    inputs = {"backup_id": emulator.backup.id, "vault_id": emulator.vault("recipient").id}
    moved = inputs | {"vault_id": emulator.add_vault(account="recipient").id}
    with process(env=environment(emulator, "recipient")) as plugin:
        plugin.create(ACCEPTER, inputs)
        assert plugin.check(ACCEPTER, moved, olds=inputs).failures == {}
        assert "was accepted into vault" in plugin.check(ACCEPTER, moved).failures["backup_id"]


PROGRAM = """
from pulumi_cbr_sharing import BackupShareMember

BackupShareMember("dr", backup_id="{backup}", dest_project_id="{project}")
"""


@DYNAMIC_ONLY
@pytest.mark.differs("names in messages", "dynamic")
@pytest.mark.engine
def test_a_preview_refuses_and_nothing_is_made(emulator: Emulator, tmp_path: Path) -> None:
    """The engine names resource and property; `up` stops in its preview, before any POST."""
    stack = Stack(tmp_path)
    stack.env.update(environment(emulator))
    stack.program(PROGRAM.format(backup=MISSING, project=team(emulator, "recipient")))
    for run in (stack.preview(check=False), stack.pulumi("up", "--yes", check=False)):
        assert not run.ok
        assert "property backup_id" in run.output
        assert "does not exist in project" in run.output
        assert "Traceback" not in run.of_resources
    assert {request.method for request in emulator.requests} == {"GET"}


@DYNAMIC_ONLY
@pytest.mark.engine
def test_a_preview_makes_two_reads_and_an_update_one_post(emulator: Emulator, tmp_path: Path) -> None:
    """The program tells the provider of a preview by a hidden property."""
    stack = Stack(tmp_path)
    stack.env.update(environment(emulator))
    stack.program(PROGRAM.format(backup=emulator.backup.id, project=team(emulator, "recipient")))
    shown = stack.preview("--diff").output
    assert sorted(asked(emulator)) == [emulator.backup.id, "members"]
    assert "__preview" not in shown
    emulator.clear_requests()
    stack.up()
    assert [request.method for request in emulator.requests] == ["POST"]
    assert "__preview" not in stack.state_text()


@DYNAMIC_ONLY
@pytest.mark.engine
def test_a_wrong_key_costs_one_request_with_a_preview_ahead(emulator: Emulator, tmp_path: Path) -> None:
    """The preview fails, so the update does not send it again."""
    stack = Stack(tmp_path)
    stack.env.update(environment(emulator) | {"HW_SECRET_KEY": "wrong"})
    stack.program(PROGRAM.format(backup=emulator.backup.id, project=team(emulator, "recipient")))
    run = stack.pulumi("up", "--yes", check=False)
    assert "the signature or token is wrong" in run.output
    assert len(emulator.requests) == 1


def test_a_wrong_key_costs_one_request_in_all_its_projects(emulator: Emulator) -> None:
    """Two connections with the same key share its circuit breaker."""
    place = environment(emulator) | {"HW_SECRET_KEY": "wrong"}
    inputs = {"backup_id": emulator.backup.id, "dest_project_id": team(emulator, "team")}
    with process(env=place) as plugin:
        for account in ("sharer", "recipient", "bystander"):
            there = BackupShareMemberProvider(Connection(project_id=emulator.account(account).project_id))
            assert "signature or token is wrong" in str(plugin.check(there, inputs).failures)
    assert len(emulator.requests) == 1


@DYNAMIC_ONLY
@pytest.mark.differs("a second account", "dynamic")
def test_a_second_connection_is_another_cloud(emulator: Emulator) -> None:
    """Another account may see what the first cannot."""
    emulator.add_member(emulator.backup.id, team(emulator, "recipient"))
    dr = BackupShareAccepterProvider(Connection(namespace="dr"))
    env = environment(emulator) | environment(emulator, "recipient", prefix="DR_")
    with process(env=env) as plugin:
        vault = emulator.vault("recipient").id
        assert plugin.check(dr, {"backup_id": emulator.backup.id, "vault_id": vault}).failures == {}
        assert "backup_id" in plugin.check(ACCEPTER, {"backup_id": emulator.backup.id, "vault_id": vault}).failures
