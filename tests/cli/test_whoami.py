"""`cbr-sharing whoami`, and how a command finds its account."""

from __future__ import annotations

import json

from typing import TYPE_CHECKING

import pytest


if TYPE_CHECKING:
    from pathlib import Path

    from commands import Operator
    from pulumi_cbr_sharing.emulator import Emulator


def test_it_tells_who_and_where(emulator: Emulator, operator: Operator) -> None:
    """It shows the settings in use, and the source of the credential without secrets."""
    sharer = emulator.account("sharer")
    about = operator.run("whoami", "--json").json
    assert about == {
        "project_id": sharer.project_id,
        "account_id": sharer.domain_id,
        "account": None,
        "region": sharer.region,
        "endpoint": emulator.url,
        "iam_endpoint": emulator.iam_url,
        "credential": {
            "kind": "access key",
            "name": f"…{sharer.access_key[-4:]}",
            "source": "environment HW_ACCESS_KEY",
        },
        "outranked": [],
        "agency": None,
    }
    text = operator.run("whoami").out
    assert sharer.project_id in text
    assert sharer.secret_key not in text
    assert sharer.access_key not in text
    assert [name for name in about if name not in operator.run("whoami", "--help").out] == []


def test_it_asks_iam_alone(emulator: Emulator, operator: Operator) -> None:
    """One request shows that the credential is good, and whose it is."""
    operator.run("whoami")
    assert [(one.method, one.path) for one in emulator.requests] == [("GET", "/v3/projects")]


def test_an_account_that_iam_does_not_tell_is_no_failure(emulator: Emulator, operator: Operator) -> None:
    """Standard error says which permission is missing."""
    emulator.deny("sharer", "iam:projects:list")
    done = operator.run("whoami", "--json")
    assert (done.code, done.json["account_id"]) == (0, None)
    assert "the account id is not known: looking up the account" in done.err
    assert "iam:projects:list" in done.err


def test_iam_out_of_reach_is_told_and_no_failure(emulator: Emulator, operator: Operator) -> None:
    """The rest works without IAM."""
    operator.env["HW_IAM_ENDPOINT"] = "http://127.0.0.1:9/v3"
    done = operator.run("whoami", "--json")
    assert done.code == 0
    assert done.json["account_id"] is None
    assert done.json["project_id"] == emulator.account("sharer").project_id


def test_a_wrong_key_costs_one_refused_request(emulator: Emulator, operator: Operator) -> None:
    """More than five would lock it."""
    operator.env["HW_SECRET_KEY"] = "wrong"
    done = operator.run("whoami")
    assert (done.code, done.out) == (1, "")
    assert "environment HW_ACCESS_KEY" in done.err
    assert len(emulator.requests) == 1


def test_a_user_signs_in_and_is_named(emulator: Emulator, operator: Operator) -> None:
    """With a password the name of the account is known."""
    sharer = emulator.account("sharer")
    for name in ("HW_ACCESS_KEY", "HW_SECRET_KEY"):
        del operator.env[name]
    operator.env |= {
        "HW_USER_NAME": sharer.user_name,
        "HW_USER_PASSWORD": sharer.password,
        "HW_DOMAIN_NAME": sharer.name,
    }
    about = operator.run("whoami", "--json").json
    assert about["account"] == sharer.name
    assert about["credential"]["kind"] == "user"
    assert about["credential"]["name"] == sharer.user_name


def test_a_connection_is_a_namespace_of_the_environment(emulator: Emulator, operator: Operator) -> None:
    """As `Connection(namespace="dr")` in a program."""
    about = operator.run("whoami", "--connection", "dr", "--json").json
    assert about["project_id"] == emulator.account("recipient").project_id
    assert about["credential"]["source"] == "environment DR_HW_ACCESS_KEY"


def test_or_else_a_profile(emulator: Emulator, operator: Operator, tmp_path: Path) -> None:
    """As `Connection(profile="night")`; the cloud comes from the environment."""
    account = emulator.account("bystander")
    profile = {
        "name": "night",
        "accessKeyId": account.access_key,
        "secretAccessKey": account.secret_key,
        "projectId": account.project_id,
        "region": account.region,
    }
    folder = tmp_path / ".hcloud"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"current": "other", "profiles": [profile]}))
    about = operator.run("whoami", "--connection", "night", "--json").json
    assert about["project_id"] == account.project_id
    assert "profile night" in about["credential"]["source"]


@pytest.mark.parametrize("words", [["backups"], ["audit"], ["adopt"]])
def test_a_connection_that_is_neither_names_both(operator: Operator, words: list[str]) -> None:
    """In one line."""
    done = operator.run(*words, "--connection", "other-one")
    assert done.code == 1
    assert "profile other-one" in done.err
    assert "OTHER_ONE_HW_ACCESS_KEY" in done.err
    assert done.err.count("\n") == 1


def test_it_tells_which_sources_lost(operator: Operator, tmp_path: Path) -> None:
    """A profile that is just there, and keys of another tool."""
    (tmp_path / ".hcloud").mkdir()
    profile = {"name": "night", "mode": "AKSK", "accessKeyId": "A" * 20, "secretAccessKey": "s" * 40}
    (tmp_path / ".hcloud/config.json").write_text(json.dumps({"current": "night", "profiles": [profile]}))
    operator.env |= {"OS_TOKEN": "t"}
    lost = ["environment OS_TOKEN", f"profile night of {tmp_path}/.hcloud/config.json"]
    assert operator.run("whoami", "--json").json["outranked"] == lost
    assert f"outranked     {', '.join(lost)}" in operator.run("whoami").out


def test_options_come_before_the_environment(emulator: Emulator, operator: Operator) -> None:
    """Each option is a field of a Connection."""
    operator.env |= {"HW_CBR_ENDPOINT": "http://127.0.0.1:9", "HW_REGION_NAME": "eu-de", "HW_PROJECT_ID": "0" * 32}
    sharer = emulator.account("sharer")
    options = ("--endpoint", emulator.url, "--region", sharer.region, "--project-id", sharer.project_id)
    about = operator.run("whoami", *options, "--json").json
    assert (about["endpoint"], about["region"], about["project_id"]) == (emulator.url, options[3], options[5])


def test_missing_settings_are_one_line(operator: Operator) -> None:
    """The line lists all of them, and where each can be set."""
    operator.env = {"HOME": operator.env["HOME"]}
    done = operator.run("backups")
    assert (done.code, done.out) == (1, "")
    assert "a credential is missing" in done.err
    assert "the region is missing (--region, environment HW_REGION_NAME" in done.err
    assert "stack config" not in done.err
    assert done.err.count("\n") == 1


def test_an_error_names_what_a_command_has(emulator: Emulator, operator: Operator) -> None:
    """There is no stack configuration to set the project or the endpoint in."""
    done = operator.run("backups", "--endpoint", f"{emulator.url}/nowhere")
    assert "--endpoint" in done.err
    emulator.quirk_wrong_project = True
    operator.env["HW_PROJECT_ID"] = emulator.account("bystander").project_id
    wrong = operator.run("members", emulator.backup.id)
    assert "correct the project id (environment HW_PROJECT_ID)" in wrong.err
    assert "huaweicloud:" not in done.err + wrong.err


def test_no_name_reaches_the_terminal_raw(operator: Operator) -> None:
    """Nor the log of a pipeline: names come from the environment, which may be somebody's."""
    for name in ("HW_ACCESS_KEY", "HW_SECRET_KEY"):
        operator.env.pop(name)
    evil = "ev\x1b[31mil\n::error::x"
    operator.env |= {"HW_USER_NAME": evil, "HW_DOMAIN_NAME": evil, "HW_USER_PASSWORD": "p"}
    operator.env["HW_IAM_ENDPOINT"] = "http://127.0.0.1:9"
    done = operator.run("whoami")
    assert "user ev [31mil : :error::x from environment HW_USER_PASSWORD" in done.out
    assert "\x1b" not in done.out + done.err
    assert not any(line.startswith("::") for line in (done.out + done.err).splitlines())


@pytest.mark.parametrize("words", [["backups", "--json"], ["audit", "--format", "json"]])
def test_insecure_is_warned_of(operator: Operator, words: list[str]) -> None:
    """As in a program, on standard error."""
    operator.env["HW_INSECURE"] = "true"
    done = operator.run(*words)
    assert done.err.startswith("warning: insecure is set")
    assert done.json
