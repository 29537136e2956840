"""The control endpoints under /_emulator/, and the log of requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from emulated import SECONDS, ask, control, members_of, project, signed


if TYPE_CHECKING:
    from typing import Any

    from pulumi_cbr_sharing.emulator import Emulator


def test_the_state_can_be_seen_from_outside(emulator: Emulator) -> None:
    """It has accounts with keys, vaults, and backups with members, for scripts in any language."""
    emulator.add_member(emulator.backup.id, project(emulator), "accepted")
    state = control(emulator, "GET", "state").json()

    assert [one["name"] for one in state["accounts"]] == ["sharer", "recipient", "bystander"]
    assert state["accounts"][0]["secret_key"] == emulator.account("sharer").secret_key
    assert state["backups"][0]["members"][project(emulator)]["status"] == "accepted"
    assert state["url"] == emulator.url
    assert len(state["vaults"]) == 3


def test_shares_can_be_changed_from_outside(emulator: Emulator) -> None:
    """Each control endpoint does what the method of its name does."""
    share = {"backup_id": emulator.backup.id, "project_id": project(emulator)}
    steps: list[tuple[str, dict[str, Any]]] = [
        ("add-member", share),
        ("answer", {**share, "status": "accepted"}),
        ("register-image", share),
    ]
    assert [control(emulator, "POST", name, **fields).status_code for name, fields in steps] == [200] * 3
    member = emulator.members(emulator.backup.id)[project(emulator)]
    assert (member.status, member.vault_id) == ("accepted", emulator.vault("recipient").id)
    assert member.image_id

    assert control(emulator, "POST", "remove-member", **share).status_code == 200
    assert emulator.members(emulator.backup.id) == {}


def test_the_cloud_can_be_set_up_from_outside(emulator: Emulator) -> None:
    """Accounts, vaults and backups can be created, changed and removed."""
    account = control(emulator, "POST", "accounts", name="more").json()
    vault = control(emulator, "POST", "vaults", account="more", size=5, object_type="disk").json()
    backup = control(emulator, "POST", "backups", account="more", vault_id=vault["id"], status="protecting").json()
    control(emulator, "POST", "backup-status", backup_id=backup["id"], status="error")
    status = ask(emulator, "GET", f"/backups/{backup['id']}", account="more").json()["backup"]["status"]
    control(emulator, "POST", "remove-backup", backup_id=backup["id"])

    assert account["project_id"] == project(emulator, "more")
    assert status == "error"
    assert emulator.visible_to(account["project_id"]) == set()


def test_keys_tokens_and_permissions_can_be_taken_from_outside(emulator: Emulator) -> None:
    """The next request is refused."""
    old, token = emulator.account("sharer"), emulator.token("sharer")
    control(emulator, "POST", "rotate-key", name="sharer")
    control(emulator, "POST", "revoke-tokens")
    control(emulator, "POST", "deny", account="sharer", action="cbr:backups:list")
    address = f"{emulator.url}/v3/{old.project_id}/backups"

    assert requests.get(address, headers=signed("GET", address, old), timeout=SECONDS).status_code == 401
    assert requests.get(address, headers={"X-Auth-Token": token}, timeout=SECONDS).status_code == 401
    assert ask(emulator, "GET", "/backups").status_code == 403
    control(emulator, "POST", "allow", account="sharer", action="cbr:backups:list")
    assert ask(emulator, "GET", "/backups").status_code == 200


def test_switches_and_limits_can_be_set_from_outside(emulator: Emulator) -> None:
    """A reset undoes these and all other changes."""
    control(emulator, "POST", "switches", latency=0.01, dialect="otc", quirk_malformed_url=True)
    control(emulator, "POST", "throttle", limit=1, window=60)
    control(emulator, "POST", "faults", method="GET", status=500)
    emulator.add_member(emulator.backup.id, project(emulator))
    set_ = (emulator.latency, emulator.dialect, emulator.quirk_malformed_url, len(emulator.unused_faults))
    statuses = [ask(emulator, "GET", "/vaults").status_code for _ in range(3)]
    control(emulator, "POST", "reset")

    assert set_ == (0.01, "otc", True, 1)
    assert statuses == [500, 200, 429]
    assert (emulator.latency, emulator.quirk_malformed_url, emulator.requests) == (0.0, False, [])
    assert emulator.members(emulator.backup.id) == {}
    assert [ask(emulator, "GET", "/vaults").status_code for _ in range(3)] == [200] * 3


def test_faults_can_be_listed_and_removed_from_outside(emulator: Emulator) -> None:
    """Also those added after a reset."""
    emulator.reset()
    control(emulator, "POST", "faults", status=500, times=3)
    control(emulator, "POST", "refusals", code="BackupService.6711", method="DELETE")
    waiting = control(emulator, "GET", "faults").json()
    control(emulator, "DELETE", "faults")

    assert [(one["method"], one["status"], one["times"]) for one in waiting] == [(None, 500, 3), ("DELETE", 400, 1)]
    assert control(emulator, "GET", "faults").json() == []


def test_checkpoints_can_be_completed_from_outside(emulator: Emulator) -> None:
    """Backups that are being made become available."""
    emulator.checkpoint_seconds = 60
    resource = {"id": emulator.backup.resource_id, "type": "OS::Nova::Server"}
    vault = emulator.add_vault(account="sharer", resources=[resource])
    ask(emulator, "POST", "/checkpoints", {"checkpoint": {"vault_id": vault.id}})
    control(emulator, "POST", "complete-checkpoints")
    backups = ask(emulator, "GET", f"/backups?vault_id={vault.id}").json()["backups"]
    assert [one["status"] for one in backups] == ["available"]


WRONG: dict[str, tuple[str, dict[str, Any]]] = {
    "account": ("rotate-key", {"name": "nobody"}),
    "backup": ("remove-backup", {"backup_id": "none"}),
    "field": ("reset", {"hard": True}),
    "switch": ("switches", {"gravity": 0}),
    "member": ("answer", {"backup_id": "none", "project_id": "none", "status": "accepted"}),
    "vault": ("vaults", {"account": "nobody"}),
    "right": ("deny", {"account": "nobody", "action": "cbr:member:get"}),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_control_request_is_refused(case: str, emulator: Emulator) -> None:
    """400, with what is wrong."""
    name, fields = WRONG[case]
    answer = control(emulator, "POST", name, **fields)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_there_is_no_other_control_endpoint(emulator: Emulator) -> None:
    """A wrong name is an error."""
    assert control(emulator, "POST", "resett").status_code == 404


def test_the_log_tells_who_asked_what_and_how_it_was_answered(emulator: Emulator) -> None:
    """Control requests are not in it."""
    ask(emulator, "POST", f"{members_of(emulator)}?x=1", {"members": [project(emulator)]})
    ask(emulator, "GET", f"{members_of(emulator)}/{project(emulator, 'bystander')}")
    first, second = control(emulator, "GET", "requests").json()

    assert (first["method"], first["query"], first["status"], first["code"]) == ("POST", "x=1", 200, "")
    assert first["path"].endswith(members_of(emulator))
    assert first["body"] == {"members": [project(emulator)]}
    assert (second["account"], second["status"], second["code"]) == ("sharer", 404, "BackupService.6705")
    control(emulator, "DELETE", "requests")
    assert emulator.requests == []


def test_the_log_holds_no_secret(emulator: Emulator) -> None:
    """Keys, signatures, tokens and passwords are masked, wherever and however they were sent."""
    sharer, token = emulator.account("sharer"), emulator.token("sharer")
    address = f"{emulator.url}/v3/{sharer.project_id}/backups"
    signature = signed("GET", address, sharer, headers={"X-Security-Token": token})
    user = {"name": sharer.user_name, "password": sharer.password}
    sign_in = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}}
    by_token = {"auth": {"identity": {"methods": ["token"], "token": {"id": token}}}}
    tokens = f"{emulator.iam_url}/auth/tokens"
    requests.get(address, headers=signature, timeout=SECONDS)
    requests.get(tokens, headers={"X-Auth-Token": token, "X-Subject-Token": token}, timeout=SECONDS)
    for body in (sign_in, by_token):
        requests.post(tokens, json=body, timeout=SECONDS)
    requests.post(tokens, data=f'{{"password": "{sharer.password}"', timeout=SECONDS)

    log = repr(emulator.requests) + control(emulator, "GET", "requests").text
    secrets = [sharer.secret_key, sharer.password, token, signature["Authorization"].rpartition("=")[2]]
    assert len(emulator.requests) == 5
    assert [text for text in secrets if text in log] == []
    assert sharer.user_name in log


def test_every_answer_has_a_request_id(emulator: Emulator) -> None:
    """Each answer has another id."""
    answers = [ask(emulator, "GET", path) for path in ("/backups", "/nothing", members_of(emulator))]
    assert len({answer.headers["X-Request-Id"] for answer in answers}) == 3


def test_a_bug_of_the_emulator_is_no_answer_of_the_service(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It answers 500, and prints the traceback."""
    monkeypatch.delattr(emulator.state, "backups")
    assert ask(emulator, "GET", "/backups").status_code == 500
    assert "AttributeError" in caplog.text


def test_the_control_endpoints_list_themselves(emulator: Emulator) -> None:
    """Each with what it does and its fields, in words; a wrong field is answered with those that there are."""
    listed = {(one["method"], one["path"]): one for one in control(emulator, "GET", "endpoints").json()}
    share = listed["POST", "/_emulator/add-member"]

    assert all(one["does"] for one in listed.values())
    assert share["fields"].keys() == {"backup_id", "project_id", "status"}
    assert listed["POST", "/_emulator/switches"]["fields"]["dialect"] == "huawei or otc"
    told = control(emulator, "POST", "add-member", backup="x").json()["error"]
    assert told == "ValueError: there is no field 'backup'; there are: backup_id, project_id, status"
