"""Declarations, read from states of every kind."""

from __future__ import annotations

import gzip
import json

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pulumi_cbr_sharing.audit.states import MOST_BYTES, SECRET, read_state, read_state_file
from pulumi_cbr_sharing.errors import SettingsError


if TYPE_CHECKING:
    from pulumi_cbr_sharing.audit.declarations import Declaration


BACKUP, OTHER = "9ee6e4bd-5c7d-4c3a-a1f0-2f6c1d1b7a10", "0b07081e-3ec7-4e77-8571-54e2947da422"
A, B, OWNER = "a" * 32, "b" * 32, "c" * 32
ENCRYPTED = {SECRET: "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:abc"}
DYNAMIC = "pulumi-python:dynamic/huaweicloud/cbr:"


def resource(type_: str, inputs: dict[str, Any], id_: str = BACKUP, **more: Any) -> dict[str, Any]:
    """A resource of a stack."""
    made = {"urn": f"urn:pulumi:dev::shares::{type_}::x", "custom": True, "id": id_, "type": type_}
    return {**made, "inputs": inputs, **more}


def export(*resources: dict[str, Any]) -> bytes:
    """What `pulumi stack export` prints."""
    return json.dumps({"version": 3, "deployment": {"manifest": {}, "resources": list(resources)}}).encode()


def read(content: bytes) -> list[Declaration]:
    """The declarations in a state that can be read."""
    source = read_state(content, "x.json")
    assert source.trouble is None
    return list(source.declarations)


@pytest.mark.parametrize(
    ("type_", "inputs", "role", "recipients"),
    [
        (f"{DYNAMIC}BackupShareMember", {"backup_id": BACKUP, "dest_project_id": A}, "member", (A,)),
        (f"{DYNAMIC}BackupShare", {"backup_id": BACKUP, "dest_project_ids": [A, B]}, "set", (A, B)),
        (f"{DYNAMIC}BackupShare", {"backup_id": BACKUP, "dest_project_ids": []}, "set", ()),
        (
            "huaweicloud:Cbr/backupShare:BackupShare",
            {"backupId": f" {BACKUP.upper()}", "members": [A.upper()]},
            "set",
            (A,),
        ),
        (f"{DYNAMIC}BackupShareAccepter", {"backup_id": BACKUP}, "accepter", ()),
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
def test_every_door_is_known(type_: str, inputs: dict[str, Any], role: str, recipients: tuple[str, ...]) -> None:
    """Resources are recognised by their type, dynamic resources with other names by their inputs."""
    (found,) = read(export(resource(type_, inputs)))
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
        # Types that no policy judges, and properties that only a provider has written.
        resource("evil:index:OurBackupShare.BackupShareMember", {"backup_id": BACKUP, "members": [A]}),
        resource("pulumi-python:dynamic:Other", {}, outputs={"backup_id": BACKUP, "dest_project_id": A}),
    ],
)
def test_what_declares_no_share_is_passed_over(other: dict[str, Any]) -> None:
    """Other resources, those pending deletion, and external ones."""
    assert read(export(other)) == []


@pytest.mark.parametrize("name", ["BackupShare", "BackupShareMember"])
def test_what_a_provider_writes_declares_nobody(name: str) -> None:
    """Outputs, `declared` among them, and the id of a resource are its provider's words, which may be the author's."""
    outputs = {"backup_id": BACKUP, "dest_project_id": B, "dest_project_ids": [A, B], "declared": [A, B]}
    inputs = {"backup_id": BACKUP, "dest_project_id": A, "dest_project_ids": [A]}
    (found,) = read(export(resource(DYNAMIC + name, inputs, f"{BACKUP}/{B}", outputs=outputs)))
    assert found.recipients == (A,)


def test_outputs_tell_the_owner_and_the_project_that_accepts() -> None:
    """An accepter has no input that names its project."""
    outputs = {"recipient_project_id": A, "owner_project_id": OWNER}
    inputs = {"backup_id": BACKUP, "vault_id": OTHER}
    (found,) = read(export(resource(f"{DYNAMIC}BackupShareAccepter", inputs, outputs=outputs)))
    assert (found.recipients, found.owner, found.vault) == ((A,), OWNER, OTHER)


def test_an_account_is_not_hidden_by_an_empty_list() -> None:
    """Who is meant by the name of an account is not known, so the resource is not taken for one without recipients."""
    inputs = {"backup_id": BACKUP, "dest_project_ids": [], "dest_accounts": ["somebody"]}
    (found,) = read(export(resource("pulumi-python:dynamic/ours:Shares", inputs)))
    assert (found.recipients, found.hidden) == ((), True)


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
    assert read(json.dumps(document).encode()) == []


def test_a_compressed_checkpoint(tmp_path: Path) -> None:
    """The file backend may keep states so."""
    member = resource(f"{DYNAMIC}BackupShareMember", {"backup_id": BACKUP, "dest_project_id": A})
    document = {"version": 3, "checkpoint": {"latest": {"manifest": {}, "resources": [member]}}}
    path = tmp_path / "dev.json.gz"
    path.write_bytes(gzip.compress(json.dumps(document).encode()))
    assert [one.recipients for one in read_state_file(path, tmp_path).declarations] == [(A,)]


def test_encrypted_ids_are_hidden_and_shown_ones_are_secret() -> None:
    """The id of a resource has them, too, but it is its provider's word; with `--show-secrets` they are compared."""
    member = resource(
        f"{DYNAMIC}BackupShareMember", {"backup_id": BACKUP, "dest_project_id": ENCRYPTED}, f"{BACKUP}/{A}"
    )
    set_ = resource(f"{DYNAMIC}BackupShare", {"backup_id": ENCRYPTED, "dest_project_ids": ENCRYPTED}, OTHER)
    plain = {SECRET: "1b47061264138c4ac30d75fd1eb44270", "plaintext": json.dumps([A, B])}
    shown = resource(f"{DYNAMIC}BackupShare", {"backup_id": BACKUP, "dest_project_ids": plain})
    found = read(export(member, set_, shown))
    assert [(one.backup, one.recipients, one.hidden, one.secret) for one in found] == [
        (BACKUP, (), True, frozenset()),
        (None, (), True, frozenset()),
        (BACKUP, (A, B), False, {A, B}),
    ]


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
    found = read_state(json.dumps(state).encode(), "terraform.tfstate").declarations
    assert [one.urn for one in found] == [
        'module.dr.huaweicloud_cbr_backup_share.dr["eu"]',
        "module.dr.huaweicloud_cbr_backup_share.dr[1]",
        "huaweicloud_cbr_backup_share_accepter.in",
    ]
    assert {one.stack for one in found} == {"terraform.tfstate"}
    assert [one.vault for one in found] == [None, None, OTHER]

    entry = {"address": "a.b", "mode": "managed", "type": "huaweicloud_cbr_backup_share", "values": attributes}
    shown = {"format_version": "1.0", "values": {"root_module": {"child_modules": [{"resources": [entry]}]}}}
    assert [one.recipients for one in read(json.dumps(shown).encode())] == [(A,)]


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
    inputs = {"backup_id": BACKUP, "dest_project_id": A}
    (found,) = read(export(resource(f"{DYNAMIC}BackupShareMember", inputs, stackTrace=trace)))
    assert found.place == place


NESTED = '{"child_modules": [' * 460 + "{}" + "]}" * 460
HOSTILE = [
    (b"nonsense", "it is not JSON"),
    (b"[]", "it is neither an export or checkpoint of a Pulumi stack nor a Terraform state"),
    (b'{"version": 3}', "it is neither"),
    (b'{"deployment": {"resources": [{"custom": true}]}}', "an unexpected shape"),
    (b'{"checkpoint": 5}', "an unexpected shape"),
    (b"[" * 100_000, "it is not JSON"),
    (b'{"deployment": ' + b"[" * 930 + b"]" * 930 + b"}", "an unexpected shape"),
    (gzip.compress(b" " * 2**20) * (MOST_BYTES // 2**20 + 1), "it has more than 256 MB"),
    (b"\x1f\x8bnonsense", "it is not JSON"),
    (b"\xff\xfe{\x00\xd8", "it is not JSON"),
    (b'{"format_version": "1.2", "planned_values": {}, "terraform_version": "1.9.0"}', "it is a plan, not a state"),
    (b'{"version": 1, "plan": {"resourcePlans": {}}}', "it is a plan, not a state"),
    (b'{"version": 3, "terraform_version": "0.11.0", "modules": []}', "its version is 3, not 4"),
    (b'{"version": 4, "terraform_version": "1.9.0"}', "an unexpected shape"),
    (
        (
            b'{"version": 4, "terraform_version": "1.9.0", "resources": [{"mode": "managed", "name": "dr", "type": '
            b'"huaweicloud_cbr_backup_share", "instances": [{"attributes_flat": {}}]}]}'
        ),
        "huaweicloud_cbr_backup_share.dr has no attributes: write it again with Terraform 0.12 or newer",
    ),
]


@pytest.mark.parametrize(("content", "told"), HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_no_state_is_a_trouble_of_that_source(content: bytes, told: str) -> None:
    """One short line; nothing is raised, so that the other sources are judged."""
    source = read_state(content, "state.json")
    assert source.declarations == ()
    assert source.trouble is not None
    assert told in source.trouble
    assert len(source.trouble.splitlines()) == 1
    assert len(source.trouble) < 300


def test_modules_may_be_nested_deep() -> None:
    """Deeper than functions may call each other."""
    state = b'{"format_version": "1.0", "values": {"root_module": ' + NESTED.encode() + b"}}"
    assert read(state) == []


def test_texts_of_a_state_are_one_line_in_valid_unicode() -> None:
    """A URN is shown in reports."""
    inputs = {"backup_id": BACKUP, "dest_project_id": A}
    evil = resource(f"{DYNAMIC}BackupShareMember", inputs) | {"urn": "urn:pulumi:d\ud800ev::sha\rres::t::x\n::error::y"}
    (found,) = read(export(evil))
    assert found.urn.isprintable()
    assert found.stack.encode()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_shell_may_write_another_encoding(encoding: str) -> None:
    """PowerShell's `>` writes UTF-16."""
    member = resource(f"{DYNAMIC}BackupShareMember", {"backup_id": BACKUP, "dest_project_id": A})
    assert [one.recipients for one in read(export(member).decode().encode(encoding))] == [(A,)]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """One line."""
    with pytest.raises(SettingsError, match="reading /nonexistent"):
        read_state_file(Path("/nonexistent"), tmp_path)
