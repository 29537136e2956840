"""The allowed recipients from the audit's file: who is allowed, and which errors stop the run."""

from __future__ import annotations

import json

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from google.protobuf import json_format  # type: ignore[import-untyped]
from pulumi.runtime.proto import analyzer_pb2 as proto

from pulumi_cbr_sharing.policies import pack, rules
from pulumi_cbr_sharing.policies.testing import ConfigError, PolicyTest, member


if TYPE_CHECKING:
    from pathlib import Path

    import grpc


DR, PARTNER, STRANGER = "02e814ff2f81f01a5fb11caf75eed906", "c760cf1f860fbdebc209d41a40e7e450", "f" * 32
AGREED_ON, UNTIL = "0b07081e-3ec7-4e77-8571-54e2947da422", datetime.now(timezone.utc).date() + timedelta(days=30)
FILE = f"""\
recipients:
  - {{project_id: {DR}, name: disaster recovery, owner: platform@example.org, class: friendly}}
  - {{project_id: {PARTNER}, name: auditor, owner: security@example.org, class: third-party}}
exceptions:
  - {{backup: {AGREED_ON}, recipient: {STRANGER}, reason: a test, owner: x@example.org, until: {UNTIL}}}
"""


@pytest.fixture(name="folder")
def folder_with_a_file(tmp_path: Path) -> Path:
    """A folder with `cbr-sharing.yaml`."""
    (tmp_path / "cbr-sharing.yaml").write_text(FILE)
    return tmp_path


def configured(folder: Path, **given: Any) -> PolicyTest:
    """The pack with a configuration file in a folder."""
    (folder / "config.json").write_text(json.dumps({"allowed-recipients": given}))
    return PolicyTest(folder / "config.json")


def stopped(pack: PolicyTest, project: str) -> bool:
    """Whether a project may not receive backups."""
    return "allowed-recipients" in pack.stopped_by(member(dest_project_id=project))


@pytest.mark.parametrize("absolute", [True, False])
def test_who_is_in_the_file_is_allowed(folder: Path, absolute: bool) -> None:
    """Whatever their class. Others are not allowed."""
    path = str(folder / "cbr-sharing.yaml") if absolute else "cbr-sharing.yaml"
    pack = configured(folder, recipients_file=path)
    assert [stopped(pack, project) for project in (DR, PARTNER, STRANGER)] == [False, False, True]
    (report,) = [one for one in pack.check(member(dest_project_id=STRANGER)) if one.rule == "allowed-recipients"]
    assert f"({DR} (disaster recovery, owned by platform@example.org), {PARTNER} (auditor, owned by" in report.message


def test_an_exception_of_the_file_counts_for_audits_and_policies(folder: Path) -> None:
    """For its backup, and no other."""
    pack = configured(folder, recipients_file="cbr-sharing.yaml")
    assert pack.stopped_by(member(backup_id=AGREED_ON, dest_project_id=STRANGER)) == set()
    assert pack.stopped_by(member(dest_project_id=STRANGER)) == {"allowed-recipients"}
    everywhere = (folder / "cbr-sharing.yaml").read_text().replace(AGREED_ON, '"*"')
    (folder / "cbr-sharing.yaml").write_text(everywhere)
    pack = configured(folder, recipients_file="cbr-sharing.yaml")
    assert pack.stopped_by(member(dest_project_id=STRANGER)) == set()


def test_a_relative_path_begins_at_the_folder_of_the_pack(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Those who keep the policy keep the file there."""
    config = tmp_path_factory.mktemp("elsewhere") / "config.json"
    config.write_text(json.dumps({"allowed-recipients": {"recipients_file": "cbr-sharing.yaml"}}))
    assert not stopped(PolicyTest(config, folder=folder), DR)
    with pytest.raises(ConfigError, match=r"reading .*elsewhere\d*/cbr-sharing\.yaml"):
        PolicyTest(config)


def test_a_file_and_a_list_are_one_list(folder: Path) -> None:
    """Both are allowed."""
    listed = [{"project_id": STRANGER, "note": "no stranger any more"}]
    pack = configured(folder, recipients_file="cbr-sharing.yaml", recipients=listed)
    assert [stopped(pack, project) for project in (DR, STRANGER, "a" * 32)] == [False, False, True]


def test_a_file_is_a_list_that_is_mandatory_unless_the_configuration_says_less(folder: Path) -> None:
    """It may say advisory, while the list grows."""
    advice = configured(folder, recipients_file="cbr-sharing.yaml", enforcementLevel="advisory")
    assert not stopped(advice, STRANGER)
    assert stopped(configured(folder, recipients_file="cbr-sharing.yaml", enforcementLevel="remediate"), STRANGER)


def test_an_empty_list_allows_nobody(folder: Path) -> None:
    """An empty list is a list."""
    (folder / "cbr-sharing.yaml").write_text("recipients: []")
    assert stopped(configured(folder, recipients_file="cbr-sharing.yaml"), DR)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("recipients: [{}]", "line 1: recipients[0] has no project_id"),
        (FILE.replace(DR, "dr"), "line 2: recipients[0].project_id has another shape ('dr')"),
        (FILE.replace("class: friendly", "class: friend"), "line 2: recipients[0].class is 'friend'"),
        (FILE.replace("recipients:", "recipient:"), "line 1: recipient is not known"),
        ("exceptions: []", "has no recipients: list the projects that may receive backups"),
        ("", "has no recipients: list the projects that may receive backups"),
        ("{", "cbr-sharing.yaml: "),
    ],
)
def test_a_file_with_anything_wrong_in_it_is_refused(folder: Path, content: str, message: str) -> None:
    """The error has the rule, the file and the line."""
    (folder / "cbr-sharing.yaml").write_text(content)
    with pytest.raises(ConfigError) as refused:
        configured(folder, recipients_file="cbr-sharing.yaml")
    assert str(refused.value).startswith(f"allowed-recipients.recipients_file: {folder / 'cbr-sharing.yaml'}")
    assert message in str(refused.value)


@pytest.mark.parametrize("path", ["missing.yaml", ".", "a\0b"])
def test_a_file_that_cannot_be_read_is_refused(folder: Path, path: str) -> None:
    """Whatever the cause."""
    with pytest.raises(ConfigError, match=r"^allowed-recipients\.recipients_file: "):
        configured(folder, recipients_file=path)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"allowed-recipients": {"recipients_file": 1}}, "recipients_file must be the path of a file"),
        ({"allowed-recipients": {"recipients_file": " "}}, "recipients_file must be the path of a file"),
        ({"allowed-recipients": {"recipients_file": "cbr-sharing.yaml"}}, "recipients_file must be an absolute path"),
        ({"denied-recipients": {"recipients_file": "/x"}}, "denied-recipients.recipients_file is not known"),
    ],
)
def test_a_wrong_path_is_refused(config: dict[str, Any], message: str) -> None:
    """So is a relative path, if the configuration is not a file."""
    with pytest.raises(ConfigError, match=message):
        PolicyTest(config)


def test_a_pack_that_did_not_read_the_file_shares_with_nobody(folder: Path) -> None:
    """In a plain pack of the SDK the rule gets the path, but no list."""
    pack = configured(folder, recipients_file="cbr-sharing.yaml")
    pack._config = {"allowed-recipients": {"recipients_file": "cbr-sharing.yaml", "recipients": []}}
    (report,) = [one for one in pack.check(member(dest_project_id=DR)) if one.rule == "allowed-recipients"]
    assert (report.level, "recipients_file was not read" in report.message) == ("mandatory", True)


class Refused(Exception):
    """The pack ended the call."""


class Call:
    """The call of an engine, as grpc hands it to a pack."""

    def abort(self, code: grpc.StatusCode, sentence: str) -> None:
        """End it."""
        raise Refused(code, sentence)


def engine_configures(folder: Path, **given: Any) -> dict[str, Any]:
    """What the rule gets after the engine has configured the pack, with level and properties apart."""
    level = proto.EnforcementLevel.Value("MANDATORY")
    request = proto.ConfigureAnalyzerRequest()
    for policy in rules():
        request.policyConfig[policy.name].enforcementLevel = level
    json_format.ParseDict(given, request.policyConfig["allowed-recipients"].properties)
    pack.Analyzer("cbr-sharing", rules(), folder).Configure(request, Call())
    config = request.policyConfig["allowed-recipients"]
    level_now = proto.EnforcementLevel.Name(config.enforcementLevel)
    return {"level": level_now, **json_format.MessageToDict(config.properties)}


def test_the_engine_configures_the_pack_by_the_file(folder: Path) -> None:
    """The rule gets a list and never the path, and is mandatory."""
    handed = engine_configures(folder, recipients_file="cbr-sharing.yaml")
    assert [entry["recipient"] for entry in handed["exceptions"]] == [STRANGER]
    assert [entry["project_id"] for entry in handed["recipients"]] == [DR, PARTNER]
    assert (handed["level"], "recipients_file" in handed) == ("MANDATORY", False)


def test_the_engine_is_told_what_is_wrong_with_the_file(folder: Path) -> None:
    """Before the program starts."""
    (folder / "cbr-sharing.yaml").write_text("recipients: [{}]")
    with pytest.raises(Refused, match=r"cbr-sharing must be corrected: .*line 1: recipients\[0\] has no project_id"):
        engine_configures(folder, recipients_file=str(folder / "cbr-sharing.yaml"))
