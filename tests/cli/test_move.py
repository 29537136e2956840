"""`cbr-sharing move`: what another tool declares is declared here, or the other way round; nobody cancels anything."""

from __future__ import annotations

import json
import re
import shlex

from typing import TYPE_CHECKING, Any

import pytest


if TYPE_CHECKING:
    from pathlib import Path

    from commands import Done, Operator


BACKUP, OTHER = "9ee6e4bd-5c7d-4c3a-a1f0-2f6c1d1b7a10", "0b07081e-3ec7-4e77-8571-54e2947da422"
DR, PARTNER = "02e814ff2f81f01a5fb11caf75eed906", "c760cf1f860fbdebc209d41a40e7e450"
VAULT = "3ba8b1c2-7f8d-4f6e-9a3b-2f4b6c8d0e1f"
ADDRESSES = [
    'module.dr["eu"].huaweicloud_cbr_backup_share.web[0]',
    'module.dr["eu"].huaweicloud_cbr_backup_share.web[1]',
    "huaweicloud_cbr_backup_share_accepter.web",
]


def terraform_state() -> dict[str, Any]:
    """Two shares with `count` in a module, and an accepter, as Terraform 1.9 writes them."""
    shares = [
        {
            "index_key": index,
            "schema_version": 0,
            "attributes": {
                "backup_id": backup,
                "id": backup,
                "members": [
                    {"dest_project_id": project, "id": VAULT, "image_id": "", "status": "pending", "vault_id": ""}
                    for project in projects
                ],
                "region": "eu-de",
            },
            "sensitive_attributes": [],
            "private": "bnVsbA==",
        }
        for index, (backup, projects) in enumerate([(BACKUP, [DR, PARTNER]), (OTHER, [DR])])
    ]
    module = {"module": 'module.dr["eu"]', "type": "huaweicloud_cbr_backup_share", "name": "web"}
    accepter = {"backup_id": OTHER, "id": OTHER, "region": "eu-de", "source_project_id": PARTNER, "vault_id": VAULT}
    provider = 'provider["registry.terraform.io/huaweicloud/huaweicloud"]'
    common = {"mode": "managed", "provider": provider}
    return {
        "version": 4,
        "terraform_version": "1.9.8",
        "serial": 7,
        "lineage": "4f0d2c2e-0f8e-1d4d-5b4e-0b1a2c3d4e5f",
        "outputs": {},
        "resources": [
            {**common, **module, "instances": shares},
            {
                **common,
                "type": "huaweicloud_cbr_backup_share_accepter",
                "name": "web",
                "instances": [{"schema_version": 0, "attributes": accepter}],
            },
        ],
        "check_results": None,
    }


def stack_export(*resources: tuple[str, str, dict[str, Any]]) -> dict[str, Any]:
    """An export of the stack shares/dev with these resources: type, name, inputs."""
    return {
        "version": 3,
        "deployment": {
            "manifest": {"time": "2026-11-30T10:00:00Z", "magic": "", "version": "v3.274.1"},
            "resources": [
                {
                    "urn": f"urn:pulumi:dev::shares::{token}::{name}",
                    "custom": True,
                    "id": inputs["backup_id"] if "backup_id" in inputs else inputs["backupId"],
                    "type": token,
                    "inputs": inputs,
                    "outputs": inputs,
                }
                for token, name, inputs in resources
            ],
        },
    }


OURS = "pulumi-python:dynamic/huaweicloud/cbr:"
OF_OURS = (
    (f"{OURS}BackupShareMember", "web dr", {"backup_id": BACKUP, "dest_project_id": DR}),
    (f"{OURS}BackupShareMember", "web-partner", {"backup_id": BACKUP, "dest_project_id": PARTNER}),
    (f"{OURS}BackupShareAccepter", "1st", {"backup_id": OTHER, "vault_id": VAULT}),
)
BRIDGED = (
    "huaweicloud:index/cbrBackupShare:CbrBackupShare",
    "web",
    {"backupId": BACKUP, "members": [{"destProjectId": DR}, {"destProjectId": PARTNER}]},
)


def moved(operator: Operator, tmp_path: Path, state: dict[str, Any], *words: str) -> Done:
    """What the command prints for a state."""
    (tmp_path / "state.json").write_text(json.dumps(state))
    return operator.run("move", "--state", str(tmp_path / "state.json"), *words)


def declared(program: str) -> list[tuple[str, tuple[Any, ...], dict[str, Any]]]:
    """What a program makes, without running an engine: class, arguments, options."""
    made: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    class Recorder:
        def __init__(self, path: str = "") -> None:
            self.path = path

        def __getattr__(self, name: str) -> Recorder:
            return Recorder(f"{self.path}.{name}".strip("."))

        def __call__(self, *args: Any, **named: Any) -> Any:
            made.append((self.path, args, named))
            return named

    body = re.sub(r"^(from|import) .*\n", "", program, flags=re.MULTILINE)
    names = ("BackupShare", "BackupShareMember", "BackupShareAccepter", "huaweicloud", "pulumi")
    exec(compile(body, "program", "exec"), {name: Recorder(name) for name in names})
    return made


def commands(text: str) -> list[list[str]]:
    """The commands in the comments."""
    return [
        shlex.split(line.lstrip("# ")) for line in text.splitlines() if re.match(r"#\s+(terraform|pulumi) state", line)
    ]


def test_what_terraform_declares_is_declared_here(operator: Operator, tmp_path: Path) -> None:
    """The same recipients and vaults, each resource with a name of its own."""
    done = moved(operator, tmp_path, terraform_state())
    assert done.code == 0
    assert declared(done.out) == [
        ("BackupShare", ("web-0",), {"backup_id": BACKUP, "dest_project_ids": [DR, PARTNER]}),
        ("BackupShare", ("web-1",), {"backup_id": OTHER, "dest_project_ids": [DR]}),
        ("BackupShareAccepter", ("web",), {"backup_id": OTHER, "vault_id": VAULT}),
    ]


def test_terraform_is_told_to_forget_before_this_declares(operator: Operator, tmp_path: Path) -> None:
    """By commands for a shell, each in a comment of the program, in the order of the steps."""
    text = moved(operator, tmp_path, terraform_state()).out
    assert commands(text) == [["terraform", "state", "rm", address] for address in ADDRESSES]
    assert text.index("terraform state rm") < text.index("pulumi up")


def test_a_plan_of_terraform_in_json_is_a_state_too(operator: Operator, tmp_path: Path) -> None:
    """As `terraform show -json` prints it."""
    values = {"backup_id": BACKUP, "id": BACKUP, "members": [{"dest_project_id": DR}]}
    resource = {"mode": "managed", "type": "huaweicloud_cbr_backup_share", "name": "web", "values": values}
    module = {"resources": [{**resource, "address": "huaweicloud_cbr_backup_share.web"}]}
    shown = {"format_version": "1.0", "terraform_version": "1.9.8", "values": {"root_module": module}}
    done = moved(operator, tmp_path, shown)
    assert declared(done.out) == [("BackupShare", ("web",), {"backup_id": BACKUP, "dest_project_ids": [DR]})]


def test_the_bridged_provider_is_another_tool(operator: Operator, tmp_path: Path) -> None:
    """Its resource is forgotten by Pulumi's state; what this package declares stays where it is."""
    done = moved(operator, tmp_path, stack_export(BRIDGED, *OF_OURS))
    assert declared(done.out) == [("BackupShare", ("web",), {"backup_id": BACKUP, "dest_project_ids": [DR, PARTNER]})]
    urn = "urn:pulumi:dev::shares::huaweicloud:index/cbrBackupShare:CbrBackupShare::web"
    assert commands(done.out) == [["pulumi", "state", "delete", urn, "--yes", "--stack", "dev"]]


def test_back_to_terraform(operator: Operator, tmp_path: Path) -> None:
    """One resource for a backup, since it owns all members, with an import block; names are those of Terraform."""
    done = moved(operator, tmp_path, stack_export(*OF_OURS), "--to", "terraform")
    assert done.code == 0
    body = "\n".join(line for line in done.out.splitlines() if not line.startswith("#"))
    assert body.strip().splitlines() == [
        "import {",
        "  to = huaweicloud_cbr_backup_share_accepter.share_1st",
        f'  id = "{OTHER}"',
        "}",
        "",
        'resource "huaweicloud_cbr_backup_share_accepter" "share_1st" {',
        f'  backup_id = "{OTHER}"',
        f'  vault_id  = "{VAULT}"',
        "}",
        "",
        "import {",
        "  to = huaweicloud_cbr_backup_share.web_dr",
        f'  id = "{BACKUP}"',
        "}",
        "",
        'resource "huaweicloud_cbr_backup_share" "web_dr" {',
        f'  backup_id = "{BACKUP}"',
        "",
        "  members {",
        f'    dest_project_id = "{DR}"',
        "  }",
        "",
        "  members {",
        f'    dest_project_id = "{PARTNER}"',
        "  }",
        "}",
    ]
    assert [words[3] for words in commands(done.out)] == [
        f"urn:pulumi:dev::shares::{one[0]}::{one[1]}" for one in OF_OURS
    ]
    assert "terraform apply" in done.out


def test_back_to_the_bridged_provider(operator: Operator, tmp_path: Path) -> None:
    """Its resources import what is there."""
    done = moved(operator, tmp_path, stack_export(*OF_OURS[:2]), "--to", "bridged")
    options, share = declared(done.out)
    assert options == ("pulumi.ResourceOptions", (), {"import_": BACKUP})
    members = [{"dest_project_id": DR}, {"dest_project_id": PARTNER}]
    assert share == (
        "huaweicloud.CbrBackupShare",
        ("web-dr",),
        {"backup_id": BACKUP, "members": members, "opts": {"import_": BACKUP}},
    )


@pytest.mark.parametrize("to", ["pulumi", "terraform", "bridged"])
def test_what_cannot_be_read_is_neither_moved_nor_forgotten(operator: Operator, tmp_path: Path, to: str) -> None:
    """An encrypted recipient: it is told, and the rest is moved; 3 is the exit code of something incomplete."""
    secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:abc"}
    token = "huaweicloud:index/cbrBackupShare:CbrBackupShare" if to != "bridged" else f"{OURS}BackupShare"
    hidden = (token, "hidden", {"backupId": OTHER, "members": [{"destProjectId": secret}]})
    if to == "bridged":
        hidden = (token, "hidden", {"backup_id": OTHER, "dest_project_ids": [secret]})
    good = BRIDGED if to != "bridged" else OF_OURS[0]
    done = moved(operator, tmp_path, stack_export(good, hidden), "--to", to)
    assert done.code == 3
    assert "hidden" not in done.out
    assert OTHER not in done.out
    assert "not moved: urn:pulumi:dev::shares" in done.err
    assert "it is encrypted" in done.err


def test_a_secret_is_not_printed(operator: Operator, tmp_path: Path) -> None:
    """One that an export shows in plain text, too."""
    shown = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "plaintext": json.dumps(DR)}
    secret = (f"{OURS}BackupShareMember", "web", {"backup_id": BACKUP, "dest_project_id": shown})
    done = moved(operator, tmp_path, stack_export(secret), "--to", "terraform")
    assert (done.code, done.out) == (3, "")
    assert DR not in done.err
    assert "is secret, and would be plain text" in done.err


def test_what_is_no_state_is_one_line(operator: Operator, tmp_path: Path) -> None:
    """With the file."""
    done = moved(operator, tmp_path, {"resources": []})
    assert (done.code, done.out) == (1, "")
    assert re.fullmatch(r"Error: reading .*state\.json: .*\n", done.err)


def test_equal_names_stay_apart(operator: Operator, tmp_path: Path) -> None:
    """Two modules may name their resources alike."""
    state = terraform_state()
    again = json.loads(json.dumps(state["resources"][0]).replace("eu", "us").replace(BACKUP, BACKUP.replace("9", "8")))
    state["resources"].append(again)
    names = [args[0] for kind, args, _ in declared(moved(operator, tmp_path, state).out) if kind == "BackupShare"]
    assert names == ["web-0", "web-1", "web-0-2", "web-1-2"]


def test_nothing_to_move_is_said(operator: Operator, tmp_path: Path) -> None:
    """It prints no program; without any state it is wrong usage."""
    done = moved(operator, tmp_path, stack_export(*OF_OURS))
    assert (done.code, done.out) == (0, "")
    assert "nothing to move" in done.err
    assert operator.run("move").code == 1


def test_a_name_writes_no_code(operator: Operator, tmp_path: Path) -> None:
    """Names in a state are foreign texts: they reach the program as a slug, and commands by quotes, on one line."""
    odd = (BRIDGED[0], "$(id); \"'x", BRIDGED[2])
    done = moved(operator, tmp_path, stack_export(odd))
    assert declared(done.out)[0][1] == ("id-x",)
    assert commands(done.out)[0][3].endswith("::$(id); \"'x")
    broken = (BRIDGED[0], "x\nimport os\n#", BRIDGED[2])
    done = moved(operator, tmp_path, stack_export(broken))
    assert [line for line in done.out.splitlines() if line.startswith("import os")] == []
    assert declared(done.out)[0][1] == ("x-import-os",)
