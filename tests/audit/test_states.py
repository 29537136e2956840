"""Declarations, read from states of every kind."""

from __future__ import annotations

import gzip
import json

from pathlib import Path
from typing import Any

import pytest

from pulumi_cbr_sharing.audit.declared import Declared
from pulumi_cbr_sharing.audit.states import SECRET, read_state, read_state_file
from pulumi_cbr_sharing.errors import SettingsError


BACKUP, OTHER = "9ee6e4bd-5c7d-4c3a-a1f0-2f6c1d1b7a10", "0b07081e-3ec7-4e77-8571-54e2947da422"
A, B, OWNER = "a" * 32, "b" * 32, "c" * 32
ENCRYPTED = {SECRET: "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:abc"}
DYNAMIC = "pulumi-python:dynamic/huaweicloud/cbr:"


def resource(type_: str, outputs: dict[str, Any], id_: str = BACKUP, **more: Any) -> dict[str, Any]:
    """A resource of a stack."""
    made = {"urn": f"urn:pulumi:dev::shares::{type_}::x", "custom": True, "id": id_, "type": type_}
    return {**made, "outputs": outputs, **more}


def export(*resources: dict[str, Any]) -> str:
    """What `pulumi stack export` prints."""
    return json.dumps({"version": 3, "deployment": {"manifest": {}, "resources": list(resources)}})


@pytest.mark.parametrize(
    ("type_", "outputs", "role", "recipients"),
    [
        (f"{DYNAMIC}BackupShareMember", {"backup_id": BACKUP, "dest_project_id": A}, "member", (A,)),
        (f"{DYNAMIC}BackupShare", {"backup_id": BACKUP, "dest_project_ids": [A, B]}, "set", (A, B)),
        # After a refresh an undeclared recipient is in dest_project_ids.
        (f"{DYNAMIC}BackupShare", {"backup_id": BACKUP, "dest_project_ids": [A, B], "declared": [A]}, "set", (A,)),
        (f"{DYNAMIC}BackupShare", {"backup_id": BACKUP, "dest_project_ids": [], "declared": []}, "set", ()),
        (f"{DYNAMIC}BackupShareAccepter", {"backup_id": BACKUP, "recipient_project_id": A}, "accepter", (A,)),
        ("pulumi-python:dynamic:OurShare", {"backup_id": BACKUP, "dest_project_id": A}, "member", (A,)),
        ("pulumi-python:dynamic/ours:Shares", {"backup_id": BACKUP, "dest_project_ids": [A]}, "set", (A,)),
        ("cbr-sharing:index:BackupShareMember", {"backupId": BACKUP, "destProjectId": A}, "member", (A,)),
        ("cbr-sharing:index:BackupShare", {"backupId": BACKUP, "destProjectIds": [A]}, "set", (A,)),
        (
            "huaweicloud:Cbr/backupShare:BackupShare",
            {"backupId": BACKUP, "members": [{"destProjectId": A}, {"destProjectId": B}]},
            "set",
            (A, B),
        ),
        ("huaweicloud:index/cbrBackupShare:CbrBackupShare", {"backupId": BACKUP, "members": []}, "set", ()),
    ],
)
def test_every_door_is_known(type_: str, outputs: dict[str, Any], role: str, recipients: tuple[str, ...]) -> None:
    """Resources are recognised by their type, dynamic resources with other names by their properties."""
    (found,) = read_state(export(resource(type_, outputs)), "x.json")
    assert (found.role, found.backup, found.recipients) == (role, BACKUP, recipients)
    assert not found.hidden
    assert found.stack == "shares/dev"


@pytest.mark.parametrize(
    "other",
    [
        resource("huaweicloud:Cbr/vault:Vault", {"backupId": BACKUP, "destProjectId": A}),
        resource("pulumi-python:dynamic:Other", {"name": "x"}),
        resource(f"{DYNAMIC}BackupShareMember", {"backup_id": BACKUP, "dest_project_id": A}, delete=True),
        resource(f"{DYNAMIC}BackupShareMember", {"backup_id": BACKUP, "dest_project_id": A}, external=True),
        resource("huaweicloud:cbr:VaultShare", {"vault_id": OTHER}, custom=False),
    ],
)
def test_what_declares_no_share_is_passed_over(other: dict[str, Any]) -> None:
    """Other resources, those pending deletion, and external ones."""
    assert read_state(export(other), "x.json") == []


@pytest.mark.parametrize(
    "document",
    [
        {"version": 3, "deployment": {"manifest": {}, "resources": None}},
        {"version": 3, "deployment": None},
        {"version": 3, "checkpoint": {"stack": "organization/shares/dev"}},
        {"version": 3, "checkpoint": {"stack": "organization/shares/dev", "latest": None}},
        {"version": 4, "terraform_version": "1.9.0", "resources": []},
        {"format_version": "1.0", "terraform_version": "1.9.0", "values": {"root_module": {}}},
    ],
)
def test_an_empty_state_declares_nothing(document: dict[str, Any]) -> None:
    """It is a valid state."""
    assert read_state(json.dumps(document), "x.json") == []


def test_a_compressed_checkpoint(tmp_path: Path) -> None:
    """The file backend may keep states so."""
    member = resource(f"{DYNAMIC}BackupShareMember", {"backup_id": BACKUP, "dest_project_id": A})
    document = {"version": 3, "checkpoint": {"latest": {"manifest": {}, "resources": [member]}}}
    path = tmp_path / "dev.json.gz"
    path.write_bytes(gzip.compress(json.dumps(document).encode()))
    assert [one.recipients for one in read_state_file(path)] == [(A,)]


def test_encrypted_ids_are_read_from_the_resource_id_where_it_has_them() -> None:
    """The id of a member has both; of a set only the backup is known."""
    member = resource(
        f"{DYNAMIC}BackupShareMember", {"backup_id": ENCRYPTED, "dest_project_id": ENCRYPTED}, f"{BACKUP}/{A}"
    )
    set_ = resource(f"{DYNAMIC}BackupShare", {"backup_id": ENCRYPTED, "declared": ENCRYPTED}, OTHER)
    plain = {SECRET: "1b47061264138c4ac30d75fd1eb44270", "plaintext": json.dumps([A, B])}
    shown = resource(f"{DYNAMIC}BackupShare", {"backup_id": BACKUP, "declared": plain})
    found = read_state(export(member, set_, shown), "x.json")
    assert [(one.backup, one.recipients, one.hidden) for one in found] == [
        (BACKUP, (A,), False),
        (OTHER, (), True),
        (BACKUP, (A, B), False),
    ]
    assert Declared(found).hidden == {OTHER}


def test_terraform_by_address() -> None:
    """In modules, with count and for_each; both of its forms."""
    attributes = {"id": BACKUP, "backup_id": BACKUP, "members": [{"dest_project_id": A}]}
    state = {
        "version": 4,
        "terraform_version": "1.9.0",
        "resources": [
            {"mode": "data", "type": "huaweicloud_cbr_backup_share", "name": "no", "instances": [{"attributes": {}}]},
            {
                "module": "module.dr",
                "mode": "managed",
                "type": "huaweicloud_cbr_backup_share",
                "name": "dr",
                "instances": [
                    {"index_key": "eu", "attributes": attributes},
                    {"index_key": 1, "attributes": attributes},
                    {"attributes": attributes, "deposed": "12345678"},
                ],
            },
            {
                "mode": "managed",
                "type": "huaweicloud_cbr_backup_share_accepter",
                "name": "in",
                "instances": [{"attributes": {"id": BACKUP, "backup_id": BACKUP, "vault_id": OTHER}}],
            },
        ],
    }
    found = read_state(json.dumps(state), "terraform.tfstate")
    assert [one.urn for one in found] == [
        'module.dr.huaweicloud_cbr_backup_share.dr["eu"]',
        "module.dr.huaweicloud_cbr_backup_share.dr[1]",
        "huaweicloud_cbr_backup_share_accepter.in",
    ]
    assert {one.stack for one in found} == {"terraform.tfstate"}
    assert [one.vault for one in found] == [None, None, OTHER]

    entry = {"address": "a.b", "mode": "managed", "type": "huaweicloud_cbr_backup_share", "values": attributes}
    shown = {"format_version": "1.0", "values": {"root_module": {"child_modules": [{"resources": [entry]}]}}}
    assert [one.recipients for one in read_state(json.dumps(shown), "x")] == [(A,)]


@pytest.mark.parametrize(
    ("frames", "place"),
    [
        (["project:///__main__.py#5"], ("__main__.py", 5)),
        (["project:///infra/my%20shares.py#12,3"], ("infra/my shares.py", 12)),
        # The package's own line, and the SDK's, are not the program's.
        (["project:///.venv/lib/python3.11/site-packages/x.py#1", "project:///shares.py#7"], ("shares.py", 7)),
        (["project:///../../elsewhere.py#1", None, "project:///__main__.py#2"], ("__main__.py", 2)),
        (["nonsense", "project:///../x.py#1"], None),
    ],
)
def test_the_programs_line(frames: list[str | None], place: tuple[str, int] | None) -> None:
    """The innermost line of the stack trace that is in the project."""
    trace = [{"sourcePosition": frame} if frame else {} for frame in frames]
    outputs = {"backup_id": BACKUP, "dest_project_id": A}
    (found,) = read_state(export(resource(f"{DYNAMIC}BackupShareMember", outputs, stackTrace=trace)), "x.json")
    assert found.place == place


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("nonsense", "it is not JSON"),
        ("[]", "it is neither an export or checkpoint of a Pulumi stack nor a Terraform state"),
        ('{"version": 3}', "it is neither"),
        ('{"deployment": {"resources": [{"custom": true}]}}', "an unexpected shape"),
        ('{"checkpoint": 5}', "an unexpected shape"),
    ],
)
def test_what_is_no_state_is_an_error(tmp_path: Path, text: str, told: str) -> None:
    """It names the file."""
    path = tmp_path / "state.json"
    path.write_text(text)
    with pytest.raises(SettingsError, match=told) as error:
        read_state_file(path)
    assert str(path) in str(error.value)


def test_a_file_that_is_not_there() -> None:
    """One line."""
    with pytest.raises(SettingsError, match="reading /nonexistent"):
        read_state_file(Path("/nonexistent"))
