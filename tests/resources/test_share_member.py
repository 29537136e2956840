"""The lifecycle of a BackupShareMember in the real plugin, just above gRPC, against the emulated cloud."""

from __future__ import annotations

import threading

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from clouds import environment, stack_config
from doors import DYNAMIC_ONLY, process
from plugin import UNKNOWN, Made, Plugin, PluginError
from pulumi_cbr_sharing import Connection
from pulumi_cbr_sharing.emulator import Fault
from pulumi_cbr_sharing.resources.share_member import BackupShareMemberProvider


if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi_cbr_sharing.emulator import Emulator


pytestmark = pytest.mark.usefixtures("door")
OURS = BackupShareMemberProvider()
MISSING = "0b07081e-3ec7-4e77-8571-54e2947da422"


@pytest.fixture(name="plugin")
def _plugin(emulator: Emulator) -> Iterator[Plugin]:
    """A run with the sharer's credentials in the environment."""
    with process(env=environment(emulator)) as plugin:
        yield plugin


@pytest.fixture(name="blind")
def _blind(emulator: Emulator) -> Iterator[Plugin]:
    """The same without checks at preview, to test what `create` itself sends and refuses."""
    with process(env=environment(emulator) | {"HW_PLAN_CHECKS": "0"}) as plugin:
        yield plugin


@pytest.fixture(name="later")
def _later(emulator: Emulator) -> Iterator[Plugin]:
    """A run to which nothing has been declared: what it deletes is not in the program any more."""
    with process(env=environment(emulator)) as plugin:
        yield plugin


def inputs(emulator: Emulator, **changes: Any) -> dict[str, Any]:
    """The inputs to share the first backup with the recipient."""
    given = {"backup_id": emulator.backup.id, "dest_project_id": emulator.account("recipient").project_id}
    return {**given, **changes}


def sent(emulator: Emulator) -> list[str]:
    """The methods of the requests to the cloud."""
    return [request.method for request in emulator.requests]


def recipients(emulator: Emulator) -> dict[str, str]:
    """The status of each share of the first backup."""
    return {project: member.status for project, member in emulator.members(emulator.backup.id).items()}


def test_create_shares_the_backup_with_one_post_and_nothing_else(emulator: Emulator, blind: Plugin) -> None:
    """One request creates the share, and its answer has all outputs."""
    made = blind.create(OURS, inputs(emulator))

    recipient = emulator.account("recipient").project_id
    assert recipients(emulator) == {recipient: "pending"}
    assert sent(emulator) == ["POST"]
    assert made.id == f"{emulator.backup.id}/{recipient}"
    assert made.outs["status"] == "pending"
    assert made.outs["share_id"] == emulator.members(emulator.backup.id)[recipient].id
    assert made.outs["owner_project_id"] == emulator.account("sharer").project_id
    assert made.outs["region"] == emulator.account("sharer").region
    assert made.outs["created_at"].endswith("Z")


def test_requests_are_as_the_api_has_them(emulator: Emulator, blind: Plugin, later: Plugin) -> None:
    """The path ends in the recipient's project, and texts are asked for in English."""
    later.delete(blind.create(OURS, inputs(emulator)))

    post, delete = emulator.requests
    owner, recipient = emulator.account("sharer").project_id, emulator.account("recipient").project_id
    assert post.path == f"/v3/{owner}/backups/{emulator.backup.id}/members"
    assert delete.path == f"{post.path}/{recipient}"
    assert {request.headers["X-Language"] for request in (post, delete)} == {"en-us"}
    assert recipient in str(post.body)


def test_a_refresh_of_all_members_of_a_backup_is_one_list(emulator: Emulator, plugin: Plugin) -> None:
    """Ten members that are read in parallel need one GET."""
    emulator.page_size = 1000  # requests are counted
    projects = [emulator.add_account(f"team-{n}").project_id for n in range(10)]
    made = [plugin.create(OURS, inputs(emulator, dest_project_id=project)) for project in projects]
    emulator.clear_requests()

    with process(env=environment(emulator)) as refresh, ThreadPoolExecutor(4) as pool:
        live = list(pool.map(refresh.read, made))

    assert sent(emulator) == ["GET"]
    assert [one.id for one in live if one] == [one.id for one in made]


def test_read_follows_the_recipients_answer(emulator: Emulator, plugin: Plugin) -> None:
    """An accepted share shows its vault."""
    made = plugin.create(OURS, inputs(emulator))
    recipient = emulator.account("recipient").project_id
    emulator.answer(emulator.backup.id, recipient, "accepted")

    live = plugin.read(made)

    assert live
    assert live.outs["status"] == "accepted"
    assert live.outs["vault_id"] == emulator.vault("recipient").id


@pytest.mark.parametrize("how", ["member removed", "backup removed", "malformed url"])
def test_read_reports_gone_only_where_the_cloud_says_so(how: str, emulator: Emulator, plugin: Plugin) -> None:
    """A complete list without the member, 404 6200, and the 401 body that means the same."""
    made = plugin.create(OURS, inputs(emulator))
    if how == "member removed":
        emulator.remove_member(emulator.backup.id, emulator.account("recipient").project_id)
    else:
        emulator.remove_backup(emulator.backup.id)
        emulator.quirk_malformed_url = how == "malformed url"

    assert plugin.read(made) is None


NOT_GONE = {
    "wrong endpoint": Fault(status=404, body='{"error_code": "APIGW.0101", "error_msg": "The API does not exist"}'),
    "404 without code": Fault(status=404, body="<html>not here</html>", headers={"Content-Type": "text/html"}),
    "404 of a vault": Fault(status=404, body='{"error_code": "BackupService.6105", "error_msg": "no vault"}'),
    "6705 with 400": Fault(status=400, body='{"error_code": "BackupService.6705", "error_msg": "no member"}'),
    "a page of a proxy": Fault(status=200, body="<html>sign in</html>", headers={"Content-Type": "text/html"}),
    "an empty body": Fault(status=200, body=""),
    "an empty object": Fault(status=200, body="{}"),
    "a list under another name": Fault(status=200, body='{"backups": [], "count": 0}'),
    "half a JSON": Fault(status=200, body='{"members": ['),
    "more counted than listed": Fault(status=200, body='{"members": [], "count": 3}', times=5),
    "403": Fault(status=403, body='{"error_code": "APIGW.0302", "error_msg": "no"}'),
    "another 401": Fault(status=401, body='{"unauthorized": {"code": "401", "message": "Something else"}}'),
}


@pytest.mark.parametrize("fault", NOT_GONE.values(), ids=NOT_GONE.keys())
def test_read_raises_where_nothing_can_be_concluded(fault: Fault, emulator: Emulator, plugin: Plugin) -> None:
    """A share that is gone is dropped from the state, so doubt is an error."""
    made = plugin.create(OURS, inputs(emulator))
    emulator.add_fault(fault)

    with pytest.raises(PluginError) as told:
        plugin.read(made)

    assert "\n" not in str(told.value)
    assert "Traceback" not in str(told.value)
    assert recipients(emulator)


def test_delete_is_one_request(emulator: Emulator, plugin: Plugin, later: Plugin) -> None:
    """Nothing is looked up before."""
    made = plugin.create(OURS, inputs(emulator))
    emulator.clear_requests()

    later.delete(made)

    assert recipients(emulator) == {}
    assert sent(emulator) == ["DELETE"]


@pytest.mark.parametrize("how", ["member", "backup"])
def test_delete_of_what_is_gone_is_success(how: str, emulator: Emulator, plugin: Plugin, later: Plugin) -> None:
    """A share that somebody else has cancelled counts as cancelled."""
    made = plugin.create(OURS, inputs(emulator))
    if how == "member":
        emulator.remove_member(emulator.backup.id, emulator.account("recipient").project_id)
    else:
        emulator.remove_backup(emulator.backup.id)

    later.delete(made)

    assert emulator.requests[-1].status == 404


def test_delete_is_not_fooled_by_a_page_of_a_proxy(emulator: Emulator, plugin: Plugin, later: Plugin) -> None:
    """Only the service's own 204 means that the share is cancelled."""
    made = plugin.create(OURS, inputs(emulator))
    emulator.add_fault(Fault(method="DELETE", status=200, body="<html>sign in</html>"))

    with pytest.raises(PluginError, match="cancelling the share"):
        later.delete(made)

    assert recipients(emulator)


def test_delete_names_the_image_that_stands_in_the_way(emulator: Emulator, plugin: Plugin, later: Plugin) -> None:
    """6710: the recipient's image must be deleted first, and the error has its id."""
    made = plugin.create(OURS, inputs(emulator))
    recipient = emulator.account("recipient").project_id
    emulator.answer(emulator.backup.id, recipient, "accepted")
    image = emulator.register_image(emulator.backup.id, recipient)

    with pytest.raises(PluginError, match=f"the recipient must delete image {image} first"):
        later.delete(made)


def test_an_existing_share_is_adopted(emulator: Emulator, plugin: Plugin) -> None:
    """A share that was created by hand becomes the stack's, unchanged."""
    recipient = emulator.account("recipient").project_id
    emulator.add_member(emulator.backup.id, recipient)
    emulator.answer(emulator.backup.id, recipient, "accepted")

    made = plugin.create(OURS, inputs(emulator))

    assert made.outs["status"] == "accepted"
    assert recipients(emulator) == {recipient: "accepted"}


def test_adopt_false_refuses_an_existing_share_and_leaves_it(emulator: Emulator, blind: Plugin) -> None:
    """The error says what exists."""
    recipient = emulator.account("recipient").project_id
    emulator.add_member(emulator.backup.id, recipient)

    with pytest.raises(PluginError, match=r"is a recipient already .pending, since 20.*adopt is False"):
        blind.create(OURS, inputs(emulator, adopt=False))

    assert recipients(emulator) == {recipient: "pending"}
    assert "POST" not in sent(emulator)


def test_a_rejected_share_is_offered_again(emulator: Emulator, plugin: Plugin) -> None:
    """The rejected share still exists, so it is removed first."""
    recipient = emulator.account("recipient").project_id
    emulator.add_member(emulator.backup.id, recipient, status="rejected")

    made = plugin.create(OURS, inputs(emulator))

    assert made.outs["status"] == "pending"
    assert recipients(emulator) == {recipient: "pending"}


def test_renaming_a_resource_keeps_the_share(emulator: Emulator) -> None:
    """The engine creates under the new name, which adopts, before it deletes under the old one."""
    with process(env=environment(emulator)) as first:
        old = first.create(OURS, inputs(emulator))
    with process(env=environment(emulator)) as second:
        second.create(OURS, inputs(emulator))
        second.delete(old)
        assert recipients(emulator) == {emulator.account("recipient").project_id: "pending"}
    with process(env=environment(emulator)) as third:
        third.delete(old)
        assert recipients(emulator) == {}


def test_create_waits_for_a_backup_that_is_still_being_made(emulator: Emulator, plugin: Plugin) -> None:
    """A backup is shared as soon as it is available."""
    emulator.set_backup_status(emulator.backup.id, "protecting")
    ready = threading.Timer(1.5, emulator.set_backup_status, (emulator.backup.id, "available"))
    ready.start()

    made = plugin.create(OURS, inputs(emulator))

    ready.join()
    assert made.outs["status"] == "pending"
    assert recipients(emulator)


def test_the_wait_for_a_backup_is_bounded_and_said(emulator: Emulator) -> None:
    """The wait is reported, and ends with an error that says what to do."""
    emulator.set_backup_status(emulator.backup.id, "protecting")
    plugin = process(env=environment(emulator)).__enter__()
    with pytest.raises(PluginError, match="still protecting after 1 s: run it again"):
        plugin.create(OURS, inputs(emulator, wait_for_backup=1))

    assert "the backup is protecting; waiting up to" in plugin.stop()
    assert recipients(emulator) == {}


def test_a_backup_that_failed_is_not_waited_for(emulator: Emulator, plugin: Plugin) -> None:
    """A backup with the status error does not become available."""
    emulator.set_backup_status(emulator.backup.id, "error")

    with pytest.raises(PluginError, match="the backup's status is error"):
        plugin.create(OURS, inputs(emulator))


def test_the_eleventh_recipient_is_refused_in_plain_words(emulator: Emulator, blind: Plugin) -> None:
    """6701 says how many there can be and what to do."""
    for number in range(10):
        emulator.add_member(emulator.backup.id, emulator.add_account(f"team-{number}").project_id)

    with pytest.raises(PluginError, match=r"at most 10 projects .BackupService.6701, HTTP 400, request .*remove a"):
        blind.create(OURS, inputs(emulator))


def test_an_unknown_backup_is_an_error_of_one_line(emulator: Emulator, blind: Plugin) -> None:
    """What, why, code, request id and what to do."""
    with pytest.raises(PluginError) as told:
        blind.create(OURS, inputs(emulator, backup_id=MISSING))

    line = str(told.value)
    assert line.startswith(f"sharing backup {MISSING} with project {emulator.account('recipient').project_id}: ")
    assert "does not exist in this project (BackupService.6200, HTTP 404, request " in line
    assert "\n" not in line


AFTER = {
    "reset": Fault(method="POST", reset=True, when="after"),
    "closed": Fault(method="POST", close=True, when="after"),
    "500": Fault(method="POST", status=500, body="{}", when="after"),
    "502 page": Fault(method="POST", status=502, body="<html>", when="after"),
    "200 page": Fault(method="POST", status=200, body="<html>", when="after"),
    "408": Fault(method="POST", status=408, body="", when="after"),
    "answer without the member": Fault(method="POST", status=200, body='{"members": []}', when="after"),
}


@pytest.mark.parametrize("fault", AFTER.values(), ids=AFTER.keys())
def test_a_share_that_was_made_although_the_answer_was_lost_is_not_lost(
    fault: Fault, emulator: Emulator, plugin: Plugin
) -> None:
    """After an unknown effect the members are listed, and no POST is sent twice."""
    emulator.add_fault(fault)

    made = plugin.create(OURS, inputs(emulator, adopt=False))

    assert made.outs["share_id"] == emulator.members(emulator.backup.id)[made.outs["dest_project_id"]].id
    assert sent(emulator).count("POST") == 1


BEFORE = {
    "reset": Fault(method="POST", reset=True, when="before"),
    "503": Fault(method="POST", status=503, body="", when="before"),
    "429": Fault(method="POST", status=429, body="", headers={"Retry-After": "0"}, when="before"),
}


@pytest.mark.parametrize("fault", BEFORE.values(), ids=BEFORE.keys())
def test_a_share_that_was_not_made_is_made_by_a_second_try(fault: Fault, emulator: Emulator, plugin: Plugin) -> None:
    """If the list does not have it, the POST is sent again."""
    emulator.add_fault(fault)

    plugin.create(OURS, inputs(emulator))

    assert recipients(emulator) == {emulator.account("recipient").project_id: "pending"}
    assert sent(emulator).count("POST") == 2


def test_credentials_of_another_project_do_not_make_a_share_look_gone(emulator: Emulator, plugin: Plugin) -> None:
    """Read and delete fail for another project's state, before anything is sent."""
    made = plugin.create(OURS, inputs(emulator))
    emulator.clear_requests()

    with process(env=environment(emulator, "bystander")) as wrong:
        for verb in (wrong.read, wrong.delete):
            with pytest.raises(
                PluginError, match=r"the state records project .* nothing was sent and the state is kept"
            ):
                verb(made)

    assert sent(emulator) == []
    assert recipients(emulator)


DIFFS = {
    "nothing": ({}, {}, (False, (), False)),
    "another backup": ({}, {"backup_id": MISSING}, (True, ("backup_id",), False)),
    "another recipient": ({}, {"dest_project_id": "f" * 32}, (True, ("dest_project_id",), False)),
    "unknown backup": ({}, {"backup_id": UNKNOWN}, (True, ("backup_id",), False)),
    "rejected": ({"status": "rejected"}, {}, (True, (), False)),
    "accepted": ({"status": "accepted"}, {}, (False, (), False)),
    "adopt and wait": ({}, {"adopt": False, "wait_for_backup": 5}, (False, (), False)),
}


@pytest.mark.parametrize(("state", "news", "expected"), DIFFS.values(), ids=DIFFS.keys())
def test_diff(
    state: dict[str, Any],
    news: dict[str, Any],
    expected: tuple[bool, tuple[str, ...], bool],
    emulator: Emulator,
    plugin: Plugin,
) -> None:
    """Another backup or recipient replaces, a rejected offer is an update, the rest is no change."""
    made = plugin.create(OURS, inputs(emulator))
    diff = plugin.diff(OURS, Made(made.id, {**made.outs, **state}), inputs(emulator, **news))
    assert (diff.changes, diff.replaces, diff.delete_before_replace) == expected


@DYNAMIC_ONLY
@pytest.mark.differs("a second account", "dynamic")
def test_another_connection_is_an_update_that_keeps_the_share(emulator: Emulator) -> None:
    """The state must have the connection that will delete, and that connection must find the share."""
    env = {**environment(emulator), **environment(emulator, prefix="DR_")}
    moved = BackupShareMemberProvider(Connection(namespace="dr"))
    with process(env=env) as plugin:
        made = plugin.create(OURS, inputs(emulator))
        diff = plugin.diff(moved, made, inputs(emulator))
        updated = plugin.update(moved, made, inputs(emulator))

    assert (diff.changes, diff.replaces) == (True, ())
    assert updated.outs["share_id"] == made.outs["share_id"]
    assert updated.outs["__provider"] != made.outs["__provider"]
    assert (made.outs.get("connection"), updated.outs["connection"]) == (None, {"namespace": "dr"})


CHECKS = {
    "empty backup": ("backup_id", "", "is empty: give a backup id"),
    "upper case": ("backup_id", MISSING.upper(), "has upper-case letters"),
    "blanks": ("dest_project_id", " " + "f" * 32, "has white space around it"),
    "path pieces": ("backup_id", "../../vaults", "has another shape"),
    "control characters": ("dest_project_id", "f" * 31 + "\n", "has "),
    "endless": ("backup_id", "a" * 10_000, "has 10000 characters"),
    "another alphabet": ("dest_project_id", "\u0661" * 32, "has another shape"),
    "a number": ("dest_project_id", 5.0, "is not a string but of type float"),
    "a negative wait": ("wait_for_backup", -1, "is not a number of seconds from 0"),
}


@pytest.mark.parametrize(("name", "value", "reason"), CHECKS.values(), ids=CHECKS.keys())
def test_check_refuses_wrong_input_before_anything_is_sent(
    name: str, value: Any, reason: str, emulator: Emulator, plugin: Plugin
) -> None:
    """Each failure names its property and says what to give."""
    checked = plugin.check(OURS, inputs(emulator, **{name: value}))
    assert list(checked.failures) == [name]
    assert reason in checked.failures[name]
    assert sent(emulator) == []


def test_check_refuses_a_share_with_oneself(emulator: Emulator, plugin: Plugin) -> None:
    """The owner's project is known from the settings."""
    own = emulator.account("sharer").project_id
    checked = plugin.check(OURS, inputs(emulator, dest_project_id=own))
    assert "is the project that owns the backup" in checked.failures["dest_project_id"]


def test_a_share_with_oneself_is_refused_where_the_project_is_only_looked_up(emulator: Emulator) -> None:
    """Without a project id in the settings, create finds it out before it offers anything."""
    env = environment(emulator) | {"HW_PROJECT_ID": "", "HW_PLAN_CHECKS": "0"}
    own = emulator.account("sharer").project_id
    with process(env=env) as plugin, pytest.raises(PluginError, match="it is the project that owns the backup"):
        plugin.create(OURS, inputs(emulator, dest_project_id=own))
    assert sent(emulator) == ["GET"]


def test_check_lets_unknown_values_pass(emulator: Emulator, plugin: Plugin) -> None:
    """Values of other resources are checked when they are known."""
    checked = plugin.check(OURS, inputs(emulator, backup_id=UNKNOWN, dest_project_id=UNKNOWN))
    assert checked.failures == {}
    assert checked.inputs["backup_id"] == UNKNOWN


@DYNAMIC_ONLY
@pytest.mark.differs("stack configuration", "dynamic")
def test_missing_settings_come_in_one_message(emulator: Emulator) -> None:
    """Everything that is missing, and where each can be set."""
    with process() as plugin:
        failures = plugin.check(OURS, inputs(emulator)).failures
    assert list(failures) == [""]
    for name in ("huaweicloud:region", "HW_REGION_NAME", "huaweicloud:accessKey", "HW_ACCESS_KEY", "huaweicloud:token"):
        assert name in failures[""]


def test_a_wrong_key_is_sent_once_and_told_to_all(emulator: Emulator) -> None:
    """More than five wrong signatures lock a key, so a refused one is not sent again."""
    env = environment(emulator) | {"HW_SECRET_KEY": "wrong-secret-key"}
    projects = [f"{number:032x}" for number in range(1, 41)]
    told = []
    with process(env=env) as plugin, ThreadPoolExecutor(4) as pool:

        def attempt(project: str) -> None:
            with pytest.raises(PluginError) as error:
                plugin.create(OURS, inputs(emulator, dest_project_id=project))
            told.append(str(error.value))

        list(pool.map(attempt, projects))

    assert len(emulator.requests) == 1
    assert len(told) == 40
    assert all("it came from environment HW_ACCESS_KEY" in text for text in told)
    assert not any("wrong-secret-key" in text for text in told)


def test_a_refused_key_of_the_stack_config_names_the_way_out(emulator: Emulator) -> None:
    """A plain refresh uses the configuration of the last `up`; the error says so."""
    config = stack_config(emulator) | {"huaweicloud:secretKey": "wrong"}
    where = {name: text for name, text in environment(emulator).items() if "ENDPOINT" in name}
    with process(config=config, env=where) as plugin, pytest.raises(PluginError, match="add --run-program"):
        plugin.create(OURS, inputs(emulator))


def test_a_missing_permission_is_named_and_locks_nothing(emulator: Emulator, blind: Plugin) -> None:
    """The error has the missing IAM action; permissions depend on the enterprise project, so others are tried."""
    emulator.deny("sharer", "cbr:member:create")
    for number in range(1, 5):
        with pytest.raises(PluginError, match="cbr:member:create is needed"):
            blind.create(OURS, inputs(emulator, dest_project_id=f"{number:032x}"))
    assert sent(emulator) == ["POST"] * 4
    emulator.allow("sharer", "cbr:member:create")
    assert blind.create(OURS, inputs(emulator))


def test_the_endpoint_that_does_not_answer_is_named(emulator: Emulator) -> None:
    """A refused connection is given up after a few tries."""
    env = environment(emulator) | {"HW_CBR_ENDPOINT": "http://127.0.0.1:9", "HW_MAX_RETRIES": "1"}
    with process(env=env) as plugin, pytest.raises(PluginError, match=r"no answer from 127\.0\.0\.1:9: no connection"):
        plugin.create(OURS, inputs(emulator))


def test_open_telekom_clouds_answers_are_read_as_well(emulator: Emulator) -> None:
    """Missing keys mean the same as nulls, and timestamps with a zone the same as without."""
    emulator.dialect = "otc"
    with process(env=environment(emulator)) as plugin:
        made = plugin.create(OURS, inputs(emulator))
        live = plugin.read(made)
    assert live
    assert live.outs["created_at"].endswith("Z")
    assert "+00:00" not in live.outs["created_at"]
    assert "vault_id" not in live.outs


def test_a_read_while_the_cloud_is_slow_blocks_nobody_for_ever(emulator: Emulator, plugin: Plugin) -> None:
    """All that wait for the same list get the same answer."""
    made = plugin.create(OURS, inputs(emulator))
    emulator.clear_requests()
    emulator.latency = 0.3
    with ThreadPoolExecutor(4) as pool:
        live = list(pool.map(plugin.read, [made] * 4))
    assert all(live)
    assert sent(emulator) == ["GET"]
