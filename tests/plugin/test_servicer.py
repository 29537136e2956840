"""The engine's protocol, call by call: each trap that a plugin can fall into."""

from __future__ import annotations

import json
import subprocess
import sys
import time

from functools import partial
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from google.protobuf import empty_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from clouds import environment, stack_config
from doors import seen
from inprocess import FakeTime, Run, settings_of
from native import ACCEPTER, MEMBER, SET, Failed, Made, Native, secret, struct, urn_of
from plugin import Plugin
from pulumi_cbr_sharing.emulator import Fault
from pulumi_cbr_sharing.errors import WaitTimeout
from pulumi_cbr_sharing.plugin.semver import own_version
from pulumi_cbr_sharing.resources.share_member import BackupShareMemberProvider
from pulumi_cbr_sharing.sharing.inputs import NOT_KNOWN
from pulumi_cbr_sharing.sharing.ledger import Ledger


if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_cbr_sharing.emulator import Emulator


MISSING = "0b07081e-3ec7-4e77-8571-54e2947da422"


DYNAMIC = BackupShareMemberProvider()


def inputs(emulator: Emulator, **changes: Any) -> dict[str, Any]:
    """The inputs to share the first backup with the recipient."""
    given = {"backupId": emulator.backup.id, "destProjectId": emulator.account("recipient").project_id}
    return {**given, **changes}


def recipients(emulator: Emulator) -> dict[str, str]:
    """The status of each share of the first backup."""
    return {project: member.status for project, member in emulator.members(emulator.backup.id).items()}


def sent(emulator: Emulator) -> list[str]:
    """The methods of the requests to the cloud."""
    return [request.method for request in emulator.requests]


def config_of(emulator: Emulator, account: str) -> dict[str, Any]:
    """The properties of an explicit provider, as the engine sends them."""
    rows = stack_config(emulator, account, "p").items()
    endpoints = {"endpoints": json.dumps({"cbr": emulator.url, "iam": emulator.iam_url})}
    return {key.removeprefix("p:"): secret(text) if key == "p:secretKey" else text for key, text in rows} | endpoints


def test_the_life_of_a_share(emulator: Emulator) -> None:
    """One POST; a refresh is one GET and finds the same; nothing changes; delete cancels."""
    recipient = emulator.account("recipient").project_id
    with Native() as run:
        made = run.create(MEMBER, inputs(emulator))
        assert recipients(emulator) == {recipient: "pending"}
        assert made.id == f"{emulator.backup.id}/{recipient}"
        assert run.read(MEMBER, made) == made
        assert not run.diff(MEMBER, made, inputs(emulator)).changes
    with Native() as run:
        run.delete(MEMBER, made)
    assert recipients(emulator) == {}
    assert sent(emulator) == ["POST", "GET", "DELETE"]


def test_a_process_as_the_engine_starts_it(emulator: Emulator) -> None:
    """It prints its port and nothing else, serves, asks no proxy for its engine, and ends without noise on SIGINT."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    env = environment(emulator) | {"grpc_proxy": "http://127.0.0.1:9"}
    with Native() as run:
        command = [sys.executable, "-m", "pulumi_cbr_sharing.plugin", run.address]
        process = subprocess.Popen(command, env=env, text=True, **pipes)  # type: ignore[call-overload]
        port = int(process.stdout.readline())
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = provider_pb2_grpc.ResourceProviderStub(channel)
            assert stub.GetPluginInfo(empty_pb2.Empty()).version == own_version()
            stub.Configure(provider_pb2.ConfigureRequest(args=struct({})))
            request = {"urn": urn_of(MEMBER), "type": MEMBER, "properties": struct(inputs(emulator))}
            assert stub.Create(provider_pb2.CreateRequest(**request)).id
        assert [line.text.partition(" with ")[0] for line in run.said] == ["signing in"]
        process.send_signal(2)
        assert process.communicate(timeout=30) == ("", "")
    assert process.returncode == 0
    assert set(recipients(emulator).values()) == {"pending"}


def test_it_refuses_an_sdk_that_lacks_fields_of_the_protocol_in_one_line(tmp_path: Any) -> None:
    """With an older one, aliases would be lost without a word."""
    (tmp_path / "pulumi-3.215.0.dist-info").mkdir()
    (tmp_path / "pulumi-3.215.0.dist-info" / "METADATA").write_text("Name: pulumi\nVersion: 3.215.0\n")
    run = subprocess.run(
        [sys.executable, "-m", "pulumi_cbr_sharing.plugin"],
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert run.stderr.splitlines() == [
        "pulumi-resource-cbr-sharing needs the Python package pulumi 3.230 or newer, not 3.215.0: upgrade it"
    ]


def test_what_the_engine_is_told_of_the_plugin() -> None:
    """A semantic version; secrets and previews are understood, outputs are not."""
    with Native() as run:
        assert run.call("GetPluginInfo", empty_pb2.Empty()).version == own_version()
        configured = run.call("Configure", provider_pb2.ConfigureRequest(args=struct({})))
        assert (configured.acceptSecrets, configured.supportsPreview) == (True, True)
        assert (configured.acceptResources, configured.acceptOutputs) == (False, False)
        assert run.call("Attach", plugin_pb2.PluginAttach(address="127.0.0.1:1")) == empty_pb2.Empty()
        assert json.loads(run.call("GetSchema", provider_pb2.GetSchemaRequest()).schema)["version"] == own_version()


def test_what_a_plugin_has_declared_counts_until_its_engine_ends(emulator: Emulator) -> None:
    """A plugin that somebody else started lives on, and a later engine may get the same address."""
    pair = emulator.backup.id, emulator.account("recipient").project_id

    def is_declared() -> bool:
        ledger = Ledger(run.address)
        try:
            return ledger.declares(*pair)
        finally:
            ledger.close()

    with Native() as run:
        run.check(MEMBER, inputs(emulator))
        assert is_declared()
    ends = time.monotonic() + 20
    while is_declared():
        assert time.monotonic() < ends
        time.sleep(0.05)


def test_a_provider_is_never_replaced(emulator: Emulator) -> None:
    """The engine would replace all its shares: moving the region into the stack's configuration did that once."""
    olds, news = struct({}), struct(config_of(emulator, "recipient"))
    with Native() as run:
        answer = run.call("DiffConfig", provider_pb2.DiffRequest(olds=olds, news=news))
    assert answer.changes == provider_pb2.DiffResponse.DIFF_NONE
    assert not answer.replaces


def test_settings_that_do_not_exist_are_refused_with_those_that_do() -> None:
    """The engine hands on whatever the stack has; its own `version` is fine."""
    with Native() as run:
        assert run.check_config({"region": "eu-de", "version": "0.1.0", "__internal": {}}) == {}
        wrong = run.check_config({"acessKey": "AK"})
    assert set(wrong) == {"acessKey"}
    assert "accessKey" in wrong["acessKey"]


@pytest.mark.differs("a second account", "native")
def test_two_providers_are_two_accounts(emulator: Emulator) -> None:
    """The configuration of an explicit provider: objects are JSON texts, secrets are wrapped, a version is added."""
    ours = config_of(emulator, "sharer") | {"version": own_version()}
    with Native(ours) as owner, Native(config_of(emulator, "recipient")) as other:
        made = owner.create(MEMBER, inputs(emulator))
        vault = emulator.vault("recipient").id
        taken = other.create(ACCEPTER, {"backupId": emulator.backup.id, "vaultId": vault})
    assert made.outs["ownerProjectId"] == emulator.account("sharer").project_id
    assert taken.outs["recipientProjectId"] == emulator.account("recipient").project_id
    assert set(recipients(emulator).values()) == {"accepted"}


def test_a_project_in_the_environment_is_not_that_of_an_explicit_credential(emulator: Emulator) -> None:
    """The environment has the sharer's project; the provider's key is the recipient's, and tells no project."""
    config = config_of(emulator, "recipient")
    del config["projectId"]
    vault = emulator.vault("recipient").id
    emulator.add_member(emulator.backup.id, emulator.account("recipient").project_id)
    with Native(config) as run:
        made = run.create(ACCEPTER, {"backupId": emulator.backup.id, "vaultId": vault})
    assert made.outs["recipientProjectId"] == emulator.account("recipient").project_id


@pytest.mark.differs("stack configuration", "native")
def test_missing_settings_are_one_error_at_the_resource(monkeypatch: pytest.MonkeyPatch, emulator: Emulator) -> None:
    """It names the plugin's own configuration, and the environment."""
    for name in environment(emulator):
        monkeypatch.delenv(name)
    with Native() as run, pytest.raises(Failed) as error:
        run.check(MEMBER, inputs(emulator))
    text = str(error.value)
    assert "cbr-sharing:region" in text
    assert "HW_ACCESS_KEY" in text
    assert "\n" not in text
    assert sent(emulator) == []


def test_a_resource_below_a_component_is_of_its_own_type(emulator: Emulator) -> None:
    """Its URN has the types of its parents, too."""
    urn = f"urn:pulumi:dev::shares::my:index:Vault${MEMBER}::dr"
    given: dict[str, Any] = {"urn": urn, "type": MEMBER, "name": "dr"}
    with Native() as run:
        checked = run.call("Check", provider_pb2.CheckRequest(news=struct(inputs(emulator)), **given))
        run.call("Create", provider_pb2.CreateRequest(properties=checked.inputs, **given))
    assert set(recipients(emulator).values()) == {"pending"}


def test_a_typo_in_a_property_is_refused(emulator: Emulator) -> None:
    """The engine lets any name pass in a program without types."""
    with Native() as run:
        _, wrong = run.check(MEMBER, inputs(emulator, waitforBackup=1))
    assert set(wrong) == {"waitforBackup"}
    assert "waitForBackup" in wrong["waitforBackup"]


@pytest.mark.differs("names in messages", "native")
def test_problems_name_properties_as_the_program_writes_them(emulator: Emulator) -> None:
    """Not as Python does."""
    with Native() as run:
        _, wrong = run.check(MEMBER, {"backupId": "not-a-backup", "destProjectId": "x"})
        _, missing = run.check(MEMBER, {"backupId": emulator.backup.id})
    assert set(wrong) == {"backupId", "destProjectId"}
    assert "destAccount" in missing["destProjectId"]


def test_unknown_inputs_pass_and_come_back_as_they_came(emulator: Emulator) -> None:
    """A preview of what another resource's output will say."""
    with Native(preview=True) as run:
        given = {"backupId": NOT_KNOWN, "destProjectId": secret(NOT_KNOWN)}
        assert run.check(MEMBER, given) == (given, {})
        made = run.create(MEMBER, given)
        several = run.create(SET, {"backupId": emulator.backup.id, "destProjectIds": ["0" * 32, NOT_KNOWN]})
    assert made.outs["status"] == made.outs["backupId"] == NOT_KNOWN
    assert several.outs["destProjectIds"] == ["0" * 32, NOT_KNOWN]
    assert "POST" not in sent(emulator)


def test_a_preview_tells_what_it_knows_of_the_outputs(emulator: Emulator) -> None:
    """The inputs are known, the rest is not; nothing is made."""
    with Native(preview=True) as run:
        made = run.create(MEMBER, inputs(emulator))
    assert made.outs["backupId"] == emulator.backup.id
    assert made.outs["shareId"] == NOT_KNOWN
    assert recipients(emulator) == {}


def test_secrets_stay_secret_in_what_echoes_them(emulator: Emulator) -> None:
    """In the inputs, and in each output in which they occur, after a create, a refresh and an update."""
    recipient = emulator.account("recipient").project_id
    hidden = {"backupId": emulator.backup.id, "destProjectIds": secret([recipient])}
    with Native() as run:
        made = run.create(SET, hidden)
        live = run.read(SET, made)
        changed = run.update(SET, made, hidden)
    assert made.inputs["destProjectIds"] == secret([recipient])
    for one in filter(None, (made, live, changed)):
        shown = json.dumps({name: value for name, value in one.outs.items() if name in ("backupId", "endpoint")})
        assert recipient not in shown
        for name in ("destProjectIds", "statuses", "shareIds", "declared"):
            assert one.outs[name] == secret(one.outs[name]["value"])


def test_a_preview_asks_what_the_cloud_would_refuse(emulator: Emulator) -> None:
    """A backup that does not exist is refused before anything is made; a replaced resource is not asked for."""
    with Native(preview=True) as run:
        with pytest.raises(Failed, match="backupId") as error:
            run.create(MEMBER, inputs(emulator, backupId=MISSING))
        run.check(MEMBER, inputs(emulator, backupId=MISSING), olds=inputs(emulator), name="other")
    assert error.value.problems.keys() == {"backupId"}
    assert "POST" not in sent(emulator)


@pytest.mark.differs("what the cloud would refuse", "native")
def test_previews_of_many_shares_ask_side_by_side(emulator: Emulator) -> None:
    """Twelve take less than four times what one takes; checks, which come one after the other, send nothing."""
    backups = [emulator.add_backup().id for _ in range(13)]
    emulator.add_fault(Fault(delay=0.3, times=1000))
    with Native(preview=True) as run:

        def seconds(*wanted: str) -> float:
            began = time.monotonic()
            run.at_once(*(partial(run.create, MEMBER, inputs(emulator, backupId=one), one) for one in wanted))
            return time.monotonic() - began

        for backup in backups:
            run.check(MEMBER, inputs(emulator, backupId=backup), name=backup)
        assert sent(emulator) == []
        one = seconds(backups[0])
        assert seconds(*backups[1:]) < 4 * one


def test_a_preview_goes_on_if_the_cloud_cannot_be_reached(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a warning; also where the recipient has to be looked up by name."""
    monkeypatch.setenv("HW_CBR_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("HW_MAX_RETRIES", "0")
    account = {"backupId": emulator.backup.id, "destAccount": emulator.account("recipient").name}
    with Native(preview=True) as run:
        run.create(MEMBER, inputs(emulator))
        made = run.create(MEMBER, account, name="named")
        said = [line for line in run.said if line.severity == "WARNING"]
    assert made.outs["destProjectId"] == NOT_KNOWN
    assert said


def test_a_recipient_by_name_is_found_again_in_each_run(emulator: Emulator) -> None:
    """Its project becomes an input, and later runs find no change."""
    account = {"backupId": emulator.backup.id, "destAccount": emulator.account("recipient").name}
    with Native() as run:
        made = run.create(MEMBER, account)
    with Native() as run:
        again, wrong = run.check(MEMBER, account, olds=made.inputs)
        assert not wrong
        assert not run.diff(MEMBER, made, again).changes
    assert made.outs["destProjectId"] == emulator.account("recipient").project_id


def test_a_recipient_by_name_that_a_check_could_not_find_is_looked_up_by_create(emulator: Emulator) -> None:
    """An update makes no share without it, and says why."""
    account = {"backupId": emulator.backup.id, "destAccount": emulator.account("recipient").name}
    emulator.add_fault(Fault(path="projects", status=403, times=1))
    with Native() as run:
        checked, wrong = run.check(MEMBER, account)
        assert not wrong
        assert "destProjectId" not in checked
        with pytest.raises(Failed, match="listing the projects"):
            run.create(MEMBER, account)
    with Native() as run:
        assert run.create(MEMBER, account).outs["status"] == "pending"


def test_another_recipient_replaces_the_share(emulator: Emulator) -> None:
    """And the engine is told by which property."""
    with Native() as run:
        made = run.create(MEMBER, inputs(emulator))
        found = run.diff(MEMBER, made, inputs(emulator, destProjectId=emulator.account("bystander").project_id))
    assert found.replaces == ("destProjectId",)
    assert found.detailed == {"destProjectId": "UPDATE_REPLACE"}


def test_another_vault_of_the_recipient_is_an_update(emulator: Emulator) -> None:
    """And the engine is told by which property."""
    emulator.accepts_after_reject = True  # otherwise no backup can be moved
    emulator.add_member(emulator.backup.id, emulator.account("recipient").project_id)
    first, second = emulator.vault("recipient").id, emulator.add_vault(account="recipient").id
    with Native(config_of(emulator, "recipient")) as run:
        made = run.create(ACCEPTER, {"backupId": emulator.backup.id, "vaultId": first})
        moved = {"backupId": emulator.backup.id, "vaultId": second}
        assert run.diff(ACCEPTER, made, moved).detailed == {"vaultId": "UPDATE"}
        assert run.update(ACCEPTER, made, moved).outs["vaultId"] == second


@pytest.mark.parametrize("answer", ["accepted", "rejected"])
def test_a_rejected_share_is_a_change_and_an_accepted_one_is_none(emulator: Emulator, answer: str) -> None:
    """The next `up` offers it again."""
    recipient = emulator.account("recipient").project_id
    with Native() as run:
        made = run.create(MEMBER, inputs(emulator))
    emulator.answer(emulator.backup.id, recipient, answer)
    with Native() as run:
        live = run.read(MEMBER, made)
        assert live
        found = run.diff(MEMBER, live, inputs(emulator))
        assert found.detailed == ({"status": "UPDATE"} if answer == "rejected" else {})
        assert found.replaces == ()
        if found.changes:
            assert run.update(MEMBER, live, inputs(emulator)).outs["status"] == "pending"
    assert recipients(emulator) == {recipient: "pending" if answer == "rejected" else "accepted"}


def test_values_that_are_the_defaults_change_nothing(emulator: Emulator) -> None:
    """Whether they are written out or not."""
    with Native() as run:
        made = run.create(MEMBER, inputs(emulator))
        assert not run.diff(MEMBER, made, inputs(emulator, adopt=True, waitForBackup=600)).changes


@pytest.mark.parametrize(
    ("account", "more", "changed", "told"),
    [
        ("bystander", {}, "ownerProjectId", "the state records project"),
        ("sharer", {"region": "elsewhere"}, "region", "the state records region"),
    ],
)
def test_settings_of_another_project_or_region_are_an_update_that_is_refused(
    account: str, more: dict[str, str], changed: str, told: str, emulator: Emulator
) -> None:
    """Nobody replaces the provider, so the resource has to notice."""
    with Native() as run:
        made = run.create(MEMBER, inputs(emulator))
    with Native(config_of(emulator, account) | more) as run:
        assert run.diff(MEMBER, made, inputs(emulator)).detailed == {changed: "UPDATE"}
        with pytest.raises(Failed, match=told):
            run.update(MEMBER, made, inputs(emulator))


@pytest.mark.parametrize("kind", [MEMBER, SET, ACCEPTER])
def test_import_by_id(emulator: Emulator, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """One read; the inputs are what a program has to say, and the next `up` changes nothing."""
    recipient = emulator.account("recipient")
    emulator.add_member(emulator.backup.id, recipient.project_id)
    emulator.answer(emulator.backup.id, recipient.project_id, "accepted")
    if kind == ACCEPTER:
        for name, value in environment(emulator, "recipient").items():
            monkeypatch.setenv(name, value)
    wanted = {
        MEMBER: inputs(emulator),
        SET: {"backupId": emulator.backup.id, "destProjectIds": [recipient.project_id]},
        ACCEPTER: {"backupId": emulator.backup.id, "vaultId": emulator.vault("recipient").id},
    }[kind]
    id_ = emulator.backup.id if kind == SET else f"{emulator.backup.id}/{recipient.project_id}"
    with Native() as run:
        found = run.read(kind, Made(id_, {}))
        assert found
        assert sent(emulator) == ["GET"]
        assert found.inputs == wanted
        assert run.check(kind, wanted, olds=found.inputs)[1] == {}
        assert not run.diff(kind, found, wanted).changes
        assert [line.text.partition(" with ")[0] for line in run.said] == ["signing in"]


@pytest.mark.parametrize("kind", [MEMBER, SET, ACCEPTER])
def test_what_is_not_there_is_not_imported(emulator: Emulator, kind: str) -> None:
    """The engine says that the resource does not exist."""
    id_ = MISSING if kind == SET else f"{MISSING}/{emulator.account('sharer').project_id}"
    with Native() as run:
        assert run.read(kind, Made(id_, {})) is None


@pytest.mark.parametrize("id_", ["", "x", f"{MISSING}/x", f"{MISSING}/{'0' * 32}/more"])
def test_what_is_no_id_is_refused(emulator: Emulator, id_: str) -> None:
    """With the form that it must have."""
    with Native() as run, pytest.raises(Failed, match=r"of the form \{backupId\}/\{destProjectId\}"):
        run.read(MEMBER, Made(id_, {}))
    assert sent(emulator) == []


def test_a_wait_ends_when_custom_timeouts_say_so(emulator: Emulator) -> None:
    """The backup is still being made, and would be for ten minutes more."""
    emulator.set_backup_status(emulator.backup.id, "protecting")
    with Native() as run, pytest.raises(Failed, match="stopped after 1 s, as customTimeouts says"):
        run.create(MEMBER, inputs(emulator), seconds=1)
    assert recipients(emulator) == {}


@pytest.mark.differs("`customTimeouts`", "native")
@pytest.mark.parametrize(
    ("verb", "method"), [("create", "POST"), ("read", "GET"), ("update", "POST"), ("delete", "DELETE")]
)
def test_a_request_in_flight_ends_when_custom_timeouts_say_so(emulator: Emulator, verb: str, method: str) -> None:
    """The cloud takes longer than that, but not as long as the time-out for an answer."""
    wanted = {"backupId": emulator.backup.id, "destProjectIds": [recipient_of(emulator)]}
    with Native() as run:
        made = run.create(SET, wanted)
    if method == "POST":
        emulator.remove_member(emulator.backup.id, recipient_of(emulator))
    emulator.add_fault(Fault(method=method, delay=20, times=9))
    with Native() as run:
        acts: dict[str, Callable[..., Any]] = {
            "create": partial(run.create, SET, wanted),
            "read": partial(run.read, SET, made),
            "update": partial(run.update, SET, made, wanted),
            "delete": partial(run.delete, SET, made),  # by threads of its own
        }
        with pytest.raises(Failed, match=f"{verb}: stopped after 1 s, as customTimeouts says"):
            acts[verb](seconds=1)


def test_a_call_that_waits_for_the_same_answer_outlives_the_one_that_asked(emulator: Emulator) -> None:
    """It asks itself; and a short one does not wait for a long one."""
    with Native() as run:
        made = run.create(MEMBER, inputs(emulator))
    emulator.add_fault(Fault(method="GET", delay=4))

    def read(seconds: float) -> str:
        while seconds == 0 and emulator.unused_faults:  # nobody asks yet
            pass
        try:
            return run.read(MEMBER, made, seconds=seconds).id  # type: ignore[union-attr]
        except Failed as error:
            return str(error)

    with Native() as run:
        leader, follower = run.at_once(partial(read, 1), partial(read, 0))
    assert leader.startswith("read: stopped after 1 s")
    assert follower == made.id


def test_a_wait_ends_when_the_run_is_cancelled(emulator: Emulator) -> None:
    """And the share is not made after that. The next run is not cancelled."""
    emulator.set_backup_status(emulator.backup.id, "protecting")
    with Native() as run:

        def cancel() -> None:
            while "POST" not in sent(emulator):
                pass
            run.cancel()

        def create() -> Failed:
            with pytest.raises(Failed) as error:
                run.create(MEMBER, inputs(emulator))
            return error.value

        assert "the run was cancelled" in str(run.at_once(create, cancel)[0])
        run.call("Handshake", provider_pb2.ProviderHandshakeRequest(engine_address="127.0.0.1:1"))
        emulator.complete_checkpoints()
        emulator.set_backup_status(emulator.backup.id, "available")
        run.create(MEMBER, inputs(emulator))
    assert set(recipients(emulator).values()) == {"pending"}


@pytest.mark.parametrize("seconds", [0, 1], ids=["cancelled", "customTimeouts"])
def test_the_threads_that_remove_two_end_with_their_call(emulator: Emulator, seconds: float) -> None:
    """Each waits to try again, five minutes long."""
    two = [recipient_of(emulator), emulator.account("bystander").project_id]
    with Native() as run:
        made = run.create(SET, {"backupId": emulator.backup.id, "destProjectIds": two})
    emulator.add_fault(Fault(method="DELETE", status=503, headers={"Retry-After": "300"}, times=99))
    emulator.clear_requests()
    with Native() as run:

        def cancel() -> None:
            while sent(emulator).count("DELETE") < len(two):
                pass
            if not seconds:
                run.cancel()

        def delete() -> Failed:
            with pytest.raises(Failed) as error:
                run.delete(SET, made, seconds=seconds)
            return error.value

        told = str(run.at_once(delete, cancel)[0])
    assert ("as customTimeouts says" if seconds else "the run was cancelled") in told
    assert sent(emulator) == ["DELETE"] * 2


def test_lines_for_the_user_belong_to_the_resource(emulator: Emulator) -> None:
    """The wait for a backup is told in the engine's log, under the URN; a warning is one there, too."""
    recipient = emulator.account("recipient").project_id
    emulator.add_member(emulator.backup.id, emulator.account("bystander").project_id)
    with Native() as run:
        made = run.create(SET, {"backupId": emulator.backup.id, "destProjectIds": [recipient]})
        emulator.add_member(emulator.backup.id, emulator.account("bystander").project_id)
    with Native() as refresh:
        refresh.read(SET, made)
    told, warned = run.said[1], refresh.said[1]  # after the line about who signs in
    assert (told.urn, told.severity) == (urn_of(SET), "INFO")
    assert "cancelled 1 undeclared share" in told.text
    assert (warned.urn, warned.severity) == (urn_of(SET), "WARNING")
    assert warned.text.startswith("backup ")


def test_a_wrong_key_costs_one_request_for_two_hundred_shares(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than five wrong signatures in a row lock a key."""
    monkeypatch.setenv("HW_SECRET_KEY", "wrong")
    with Native() as run:

        def refused(number: int) -> str:
            project = f"{number:032x}"
            with pytest.raises(Failed) as error:
                run.create(MEMBER, inputs(emulator, destProjectId=project), name=project)
            return str(error.value)

        told = run.at_once(*(partial(refused, number) for number in range(200)))
    assert len(emulator.requests) == 1
    assert all("\n" not in text for text in told)


def test_errors_are_one_line_with_what_to_do(emulator: Emulator) -> None:
    """No traceback: neither for what the cloud refuses, nor for a mistake of our own."""
    emulator.set_backup_status(emulator.backup.id, "error")
    with Native() as run:
        with pytest.raises(Failed, match="the backup's status is error") as refused:
            run.create(MEMBER, inputs(emulator))
        with pytest.raises(Failed, match="a bug in this provider") as ours:
            run.call("Read", provider_pb2.ReadRequest(type="cbr-sharing:index:Nothing", id="x"))
    for error in (refused, ours):
        assert "\n" not in str(error.value)
        assert "Traceback" not in str(error.value)


NOBODY = "0" * 32
REFUSED = Fault.refusal("BackupService.6711", method="DELETE")
CUT = Fault(method="DELETE", reset=True, times=99)


@pytest.mark.parametrize(
    ("wanted", "fault", "trouble"),
    [
        ((), None, "image"),
        ((NOBODY,), None, f"project {NOBODY}"),
        ((), REFUSED, "could not be cancelled"),
        ((), CUT, "no answer"),
        ((), Fault(method="GET", path="members$", reset=True, times=99, nth=2), "image"),
    ],
    ids=["image", "wrong recipient", "refused removal", "broken removal", "and nobody can look"],
)
def test_a_half_done_create_is_recorded(
    wanted: tuple[str, ...], fault: Fault | None, trouble: str, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An undeclared recipient has an image of the backup and cannot be removed; the others are shared with."""
    monkeypatch.setenv("HW_MAX_RETRIES", "0")
    bystander, recipient = (emulator.account(name).project_id for name in ("bystander", "recipient"))
    emulator.add_member(emulator.backup.id, bystander)
    emulator.answer(emulator.backup.id, bystander, "accepted")
    emulator.register_image(emulator.backup.id, bystander)
    if fault:
        emulator.add_fault(fault)
    with Native() as run:
        with pytest.raises(Failed, match=trouble) as error:
            run.create(SET, {"backupId": emulator.backup.id, "destProjectIds": [recipient, *wanted]})
        made = error.value.made
        assert made
        assert made.id == emulator.backup.id
        assert made.outs["declared"] == [recipient]
        assert error.value.reasons == [str(error.value)]
        assert not [line for line in run.said if "does not record" in line.text]
        emulator.clear_faults()
        emulator.remove_member(emulator.backup.id, bystander)
        right = {"backupId": emulator.backup.id, "destProjectIds": [recipient]}
        assert run.update(SET, made, right).outs["destProjectIds"] == [recipient]


@pytest.mark.differs("an update that is half done", "native")
def test_a_half_done_update_is_recorded(emulator: Emulator) -> None:
    """A removal is refused; what was added is in the state, and the next update goes on."""
    one, two = recipient_of(emulator), emulator.account("bystander").project_id
    given = {"backupId": emulator.backup.id, "destProjectIds": [one]}
    with Native() as run:
        made = run.create(SET, given)
        emulator.add_fault(Fault.refusal("BackupService.6711", method="DELETE"))
        with pytest.raises(Failed, match="could not be cancelled") as error:
            run.update(SET, made, {**given, "destProjectIds": [two]})
        half = error.value.made
        assert half
        assert half.outs["destProjectIds"] == half.outs["declared"] == sorted([one, two])
        assert run.update(SET, half, {**given, "destProjectIds": [two]}).outs["destProjectIds"] == [two]


def test_a_create_that_made_nothing_is_not_recorded(emulator: Emulator) -> None:
    """The next `up` creates the resource."""
    with Native() as run, pytest.raises(Failed) as error:
        run.create(SET, {"backupId": emulator.backup.id, "destProjectIds": [NOBODY]})
    assert error.value.made is None


def test_an_acceptance_that_is_in_no_vault_yet_is_recorded(emulator: Emulator) -> None:
    """The service has accepted it; the next `up` makes sure of it."""
    emulator.accept_seconds = 0.0  # the run has a clock of its own
    emulator.add_member(emulator.backup.id, recipient_of(emulator))
    taken = {"backup_id": emulator.backup.id, "vault_id": emulator.vault("recipient").id}
    gone = Fault.refusal("BackupService.6200", method="GET", times=99)
    with Run(settings_of(emulator, "recipient"), FakeTime().clock, door="@native") as run:
        emulator.add_fault(gone)
        with pytest.raises(WaitTimeout, match="the service reports success") as error:
            run.provider("accepter").create(taken)
        made = seen(error.value).made
        assert made
        assert made.outs["status"] == "pending"
        emulator.clear_faults()
        assert run.provider("accepter").update(made.id, made.outs, taken).outs["vaultId"] == taken["vault_id"]


def test_a_state_of_the_dynamic_door_is_an_update_that_reads_the_same_share(emulator: Emulator) -> None:
    """Its outputs have Python's names; after the update they have the names of this door. Nothing is made anew."""
    with Native() as run:
        made = run.create(MEMBER, inputs(emulator))
    old = {"backup_id": emulator.backup.id, "dest_project_id": emulator.account("recipient").project_id}
    old |= {"status": "pending", "share_id": made.outs["shareId"], "endpoint": emulator.url, "__provider": "pickle"}
    emulator.clear_requests()
    with Native() as run:
        dynamic = Made(made.id, old, old)
        checked, wrong = run.check(MEMBER, inputs(emulator), olds=old)
        assert not wrong
        assert run.diff(MEMBER, dynamic, checked).detailed == {"__provider": "DELETE"}
        assert run.update(MEMBER, dynamic, checked).outs == made.outs
    assert sent(emulator) == ["GET"]


@pytest.mark.parametrize("leaving", ["dynamic", "native"])
def test_a_share_that_changes_doors_stays(leaving: str, emulator: Emulator) -> None:
    """Both processes of the run know what the other one declares, in either direction."""
    theirs, ours = {"backup_id": emulator.backup.id, "dest_project_id": recipient_of(emulator)}, inputs(emulator)
    with Native() as run, Plugin(env=environment(emulator), engine=run.address) as dynamic:
        if leaving == "dynamic":
            made = dynamic.create(DYNAMIC, theirs)
    with Native() as run:
        native = run.create(MEMBER, ours) if leaving == "native" else None
    emulator.answer(emulator.backup.id, recipient_of(emulator), "accepted")
    with Native() as run, Plugin(env=environment(emulator), engine=run.address) as dynamic:
        if native:
            dynamic.create(DYNAMIC, theirs)
            run.delete(MEMBER, native)
        else:
            run.create(MEMBER, ours)
            dynamic.delete(made)
    assert recipients(emulator) == {recipient_of(emulator): "accepted"}


def recipient_of(emulator: Emulator) -> str:
    """The recipient's project."""
    return emulator.account("recipient").project_id
