"""Secrets are planted in every source, and searched in everything that a run writes or prints."""

from __future__ import annotations

import json

from typing import TYPE_CHECKING

import pytest

from clouds import environment
from plugin import Plugin, PluginError
from pulumi_cbr_sharing.emulator import Fault
from pulumi_cbr_sharing.resources.share_member import BackupShareMemberProvider
from stack import Stack


if TYPE_CHECKING:
    from pathlib import Path

    from pulumi_cbr_sharing.emulator import Emulator


PROGRAM = """
from pulumi_cbr_sharing import Agency, BackupShareMember, Connection

BackupShareMember("by-key", backup_id={backup!r}, dest_project_id={recipient!r})
BackupShareMember(
    "by-password", backup_id={backup!r}, dest_project_id={bystander!r}, connection=Connection(namespace="word")
)
BackupShareMember(
    "by-profile", backup_id={backup!r}, dest_project_id={more!r}, connection=Connection(profile="planted")
)
BackupShareMember(
    "by-agency",
    backup_id={foreign!r},
    dest_project_id={recipient!r},
    connection=Connection(agency=Agency("backup-admin", "bystander")),
)
"""


def planted(emulator: Emulator, stack: Stack, home: Path) -> list[str]:
    """Plant a credential in each source; returns all secrets."""
    sharer = emulator.account("sharer")
    stack.env.update(environment(emulator))
    del stack.env["HW_ACCESS_KEY"], stack.env["HW_SECRET_KEY"]
    for key, value in (("accessKey", sharer.access_key), ("secretKey", sharer.secret_key)):
        stack.config_set(f"huaweicloud:{key}", value, secret=key == "secretKey")
    stack.env["WORD_HW_USER_NAME"], stack.env["WORD_HW_USER_PASSWORD"] = sharer.user_name, sharer.password
    stack.env["WORD_HW_DOMAIN_NAME"], stack.env["WORD_HW_PROJECT_ID"] = sharer.name, sharer.project_id
    access, secret, token, _ = emulator.temporary_key("sharer", 3600)
    profile = {"name": "planted", "mode": "AKSK", "accessKeyId": access, "secretAccessKey": secret}
    profile |= {"securityToken": token, "projectId": sharer.project_id, "region": sharer.region}
    (home / ".hcloud").mkdir(parents=True)
    (home / ".hcloud" / "config.json").write_text(json.dumps({"current": "planted", "profiles": [profile]}))
    stack.env["HOME"] = str(home)
    return [sharer.secret_key, sharer.password, secret, token]


def issued(emulator: Emulator) -> list[str]:
    """The tokens and temporary keys that the cloud has issued."""
    return sorted(emulator.keys.secrets())


def without_the_engines_own(log: str) -> str:
    """A debug log without the line in which the engine writes the configuration of a plugin.

    CLI 3.259 logs the decrypted stack configuration there; no provider can keep it from doing so. The README says to
    give credentials by the environment where such logs are kept.
    """
    return "\n".join(line for line in log.splitlines() if "Configure().inputs" not in line)


@pytest.mark.engine
def test_no_planted_secret_appears_anywhere(emulator: Emulator, tmp_path: Path) -> None:
    """Not in the state, an export, the debug log of the engine, an error, or the emulator's own log."""
    stack = Stack(tmp_path, passphrase=True)
    secrets = planted(emulator, stack, tmp_path / "user")
    foreign = emulator.add_backup("bystander")
    names = {name: emulator.account(name).project_id for name in ("recipient", "bystander")}
    more = emulator.add_account("more").project_id
    stack.program(PROGRAM.format(backup=emulator.backup.id, foreign=foreign.id, more=more, **names))

    written = without_the_engines_own(stack.up("--logtostderr", "-v=9").output)
    assert len(emulator.members(emulator.backup.id)) == 3
    assert len(emulator.members(foreign.id)) == 1
    written += stack.preview("--refresh", "--diff").output
    emulator.add_fault(Fault(method="GET", status=500, body="{}", times=50))
    stack.env["HW_MAX_RETRIES"] = "1"
    written += stack.refresh(check=False).output
    written += stack.state_text() + str(stack.export()) + str(emulator.requests)
    written += "".join(path.read_text() for path in stack.folder.rglob("*.yaml"))

    assert [secret for secret in {*secrets, *issued(emulator)} if secret in written] == []


@pytest.mark.engine
def test_a_plain_secret_in_the_stack_config_brings_a_warning(emulator: Emulator, tmp_path: Path) -> None:
    """The warning has the key, and the command to encrypt it; an encrypted secret causes none."""
    stack = Stack(tmp_path, passphrase=True)
    stack.env.update(environment(emulator))
    recipient = emulator.account("recipient").project_id
    source = "from pulumi_cbr_sharing import BackupShareMember\n"
    stack.program(f"{source}BackupShareMember('dr', backup_id={emulator.backup.id!r}, dest_project_id={recipient!r})\n")
    stack.config_set("huaweicloud:accessKey", emulator.account("sharer").access_key)
    for secret, warned in ((False, True), (True, False)):
        stack.config_set("huaweicloud:secretKey", emulator.account("sharer").secret_key, secret=secret)
        output = stack.preview().output
        assert ("huaweicloud:secretKey is in the stack's configuration in plain text" in output) is warned
        assert emulator.account("sharer").secret_key not in output


@pytest.mark.parametrize("status", [400, 401, 403, 500])
def test_a_service_that_echoes_credentials_does_not_get_them_into_errors(status: int, emulator: Emulator) -> None:
    """The service's message is not quoted if it repeats a secret."""
    env = environment(emulator)
    token = emulator.token("sharer")
    del env["HW_ACCESS_KEY"], env["HW_SECRET_KEY"]
    emulator.add_fault(Fault(status=status, body=json.dumps({"code": "X", "message": f"bad token {token}"}), times=9))
    inputs = {"backup_id": emulator.backup.id, "dest_project_id": emulator.account("recipient").project_id}
    with (
        Plugin(env=env | {"HW_AUTH_TOKEN": token, "HW_MAX_RETRIES": "0"}) as plugin,
        pytest.raises(PluginError) as told,
    ):
        plugin.create(BackupShareMemberProvider(), inputs)
    assert token not in str(told.value)
