"""Attempts to evade the rules: other type tokens, wrappers, spellings and names, and gaps in a configuration."""

from __future__ import annotations

import json
import subprocess
import sys

from datetime import date, datetime, timedelta, timezone
from itertools import product
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from hypothesis import given
from hypothesis import strategies as st
from pulumi_policy import PolicyCustomTimeouts, PolicyResourceOptions, ResourceValidationArgs
from pulumi_policy.deserialize import SPECIAL_SECRET_SIG, SPECIAL_SIG_KEY, deserialize_properties
from pulumi_policy.proxy import unknown_checking_proxy

from pulumi_cbr_sharing.policies import allowed_recipients, no_plain_secrets
from pulumi_cbr_sharing.policies.testing import (
    UNKNOWN,
    ConfigError,
    PolicyTest,
    Report,
    Resource,
    bridged_share,
    member,
    provider,
    secret,
    share,
)


if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pulumi_policy import Policy


BACKUP = "9ee6e4bd-5c7d-4c3a-a1f0-2f6c1d1b7a10"
DR, STRANGER, THIRD = "02e814ff2f81f01a5fb11caf75eed906", "c760cf1f860fbdebc209d41a40e7e450", "f" * 32
TODAY = date(2026, 6, 15)
ONLY_DR = {"recipients": [{"project_id": DR, "note": "DR account, owned by Anna"}]}
NOT_STRANGER = {"recipients": [{"project_id": STRANGER}]}
WHILE = {"reason": "agreed", "owner": "security@example.org", "until": "2026-12-31"}
PLAIN = "pulumi-python:dynamic:Resource"
TOKENS = (
    PLAIN,
    "pulumi-python:dynamic/dr:Share",
    "pulumi-python:dynamic/huaweicloud/cbr:BackupShareAccepter",
    "pulumi-python:dynamic/aws/s3:Bucket",
    "pulumi-python:index:Anything",
)
SHARED = (
    {"backup_id": BACKUP, "dest_project_id": STRANGER},
    {"backup_id": BACKUP, "dest_project_ids": [DR, STRANGER]},
    {"backup_id": BACKUP, "dest_project_ids": [[DR], [STRANGER]]},
    {"backup_id": BACKUP, "dest_project_ids": {"first": STRANGER}},
    {"backup_id": BACKUP, "dest_project_ids": {STRANGER: True}},
    {"backup_id": BACKUP, "dest_project_ids": STRANGER},
    {"backup_id": BACKUP, "dest_project_id": [STRANGER]},
    {"backup_id": BACKUP, "dest_project_id": f"{DR},{STRANGER}"},
    {"backup_id": BACKUP, "dest_project_id": int("9" * 32)},
    {"backup_id": BACKUP, "dest_project_id": DR, "dest_project_ids": [STRANGER]},
    {"backup_id": BACKUP, "dest_project_id": DR, "hidden": {"dest_project_id": STRANGER}},
    {"backupId": BACKUP, "destProjectId": STRANGER},
    {"share": {"backup_id": BACKUP, "dest_project_id": STRANGER}},
    {"shares": [{"backup_id": BACKUP, "dest_project_id": DR}, {"backup_id": BACKUP, "dest_project_id": STRANGER}]},
    {"dest_project_id": STRANGER},
    {"backup_id": BACKUP, "dest_account": "stranger"},
    {"backup_id": BACKUP, "dest_project_id": None, "dest_account": "stranger"},
    {"backup_id": BACKUP, "dest_project_ids": [], "dest_account": "stranger"},
    {"backup_id": BACKUP, "dest_project_ids": [[]], "dest_accounts": ["stranger"]},
    {"backup_id": BACKUP, "dest_project_id": ""},
    {"backup_id": BACKUP, "dest_project_id": secret(STRANGER)},
    {"backup_id": BACKUP, "dest_project_ids": [DR, secret(STRANGER)]},
)


def pack(rule: str = "allowed-recipients", **config: Any) -> PolicyTest:
    """A pack with one mandatory rule; all others are disabled."""
    settings = {"enforcementLevel": "mandatory", **(ONLY_DR if rule == "allowed-recipients" else {}), **config}
    return PolicyTest({"all": "disabled", rule: settings}, today=TODAY)


def asked(policy: Policy, config: Mapping[str, Any], token: str, props: dict[str, Any], made_by: str = "") -> list[str]:
    """What a rule reports in a plain pack of the SDK, where the marks of secrets are lost."""
    options = PolicyResourceOptions(False, [], None, [], PolicyCustomTimeouts(0, 0, 0), [])
    origin: Any = SimpleNamespace(resource_type=made_by) if made_by else None
    urn = f"urn:pulumi:dev::project::{token}::dr"
    view = unknown_checking_proxy(deserialize_properties(props))
    said: list[str] = []
    args = ResourceValidationArgs(token, view, urn, "dr", options, origin, dict(config))
    policy.validate(args, lambda message, _urn=None: said.append(message))  # type: ignore[attr-defined]
    return said


@pytest.mark.parametrize(("token", "props"), list(product(TOKENS, SHARED)))
def test_a_dynamic_resource_that_names_a_recipient_is_judged(token: str, props: dict[str, Any]) -> None:
    """Whatever its type, at any depth and in any container."""
    shared = Resource(token, "dr", props)
    assert pack().stopped_by(shared) == {"allowed-recipients"}
    if STRANGER in json.dumps(props):
        assert pack("denied-recipients", **NOT_STRANGER).stopped_by(shared) == {"denied-recipients"}


@pytest.mark.parametrize("token", TOKENS)
def test_an_allowed_recipient_passes_by_any_token(token: str) -> None:
    """Only recipients are judged, not the type of the resource."""
    for props in ({"backup_id": BACKUP, "dest_project_id": DR}, {"backup_id": BACKUP, "dest_project_ids": [DR, DR]}):
        assert pack().check(Resource(token, "dr", props)) == []


@pytest.mark.parametrize("token", TOKENS[:2])
def test_an_unknown_recipient_of_a_dynamic_resource_is_told_at_preview(token: str) -> None:
    """As for any share: advisory at preview; the update checks it."""
    for recipients in (
        {"dest_project_id": UNKNOWN},
        {"dest_project_ids": UNKNOWN},
        {"dest_project_ids": [DR, UNKNOWN]},
    ):
        (report,) = pack().check(Resource(token, "dr", {"backup_id": BACKUP, **recipients}))
        assert report.level == "advisory"
        assert "cannot be checked yet" in report.message


@pytest.mark.parametrize(
    "props", [{}, {"backup_id": BACKUP}, {"backup_id": BACKUP, "to": STRANGER}, {"backup_id": BACKUP, "members": [DR]}]
)
def test_a_share_whose_recipient_cannot_be_seen_is_refused(props: dict[str, Any]) -> None:
    """Our type token with a provider that has another name for the recipient."""
    for name in ("BackupShareMember", "BackupShare"):
        shared = Resource(f"pulumi-python:dynamic/huaweicloud/cbr:{name}", "dr", props)
        assert pack().stopped_by(shared) == {"allowed-recipients"}
        assert pack("denied-recipients", **NOT_STRANGER).stopped_by(shared) == {"denied-recipients"}


@pytest.mark.parametrize("members", [None, "x", [STRANGER], [{"projectId": STRANGER}], {"destProjectId": STRANGER}])
def test_odd_members_of_a_bridged_share_are_refused(members: Any) -> None:
    """Each of its recipients must be an object with a destProjectId."""
    shared = Resource("huaweicloud:Cbr/backupShare:BackupShare", "dr", {"backupId": BACKUP, "members": members})
    assert pack().stopped_by(shared) == {"allowed-recipients"}


@pytest.mark.parametrize(
    "token",
    ["huaweicloud:cbr/other:Share", "opentelekomcloud:index/cbrBackupShareV3:CbrBackupShareV3", "x:y:backupShare"],
)
def test_another_bridge_is_judged_by_what_it_shares(token: str) -> None:
    """With other type tokens, too, a backup and a recipient make a share."""
    shared = Resource(token, "dr", {"backupId": BACKUP, "members": [{"destProjectId": STRANGER}]})
    assert pack().stopped_by(shared) == {"allowed-recipients"}


def test_other_resources_are_not_judged() -> None:
    """A backup alone, or a recipient in a resource of another cloud, is no share."""
    others = (
        Resource("pulumi-python:dynamic:Resource", "a", {"backup_id": BACKUP, "size": 3}),
        Resource("aws:backup:Plan", "b", {"backupId": BACKUP, "members": [STRANGER]}),
        Resource("gcp:x:Y", "c", {"destProjectId": STRANGER}),
    )
    assert pack().check(*others) == []


def test_a_resource_of_another_type_that_our_provider_makes_is_judged() -> None:
    """The engine uses the provider of a resource, whatever its type."""
    props = {"dest_project_id": STRANGER}
    assert asked(allowed_recipients, ONLY_DR, "aws:s3:Bucket", props) == []
    assert asked(allowed_recipients, ONLY_DR, "aws:s3:Bucket", props, made_by="pulumi:providers:pulumi-python")


def test_two_backups_in_one_resource_are_two_shares() -> None:
    """The rules count each of them."""
    two = {
        "shares": [{"backup_id": BACKUP, "dest_project_id": DR}, {"backup_id": BACKUP[::-1], "dest_project_id": THIRD}]
    }
    most = pack("most-recipients", most=1)
    assert most.stopped_by(Resource(PLAIN, "both", two)) == {"most-recipients"}
    mixed = pack("no-mixed-ownership")
    assert mixed.stopped_by(share("set"), Resource(PLAIN, "both", two)) == {"no-mixed-ownership"}


def test_spellings_of_a_denied_recipient() -> None:
    """A recipient that is not a project id cannot be compared, so it is refused."""
    denied = pack("denied-recipients", **NOT_STRANGER)
    for spelled in (
        f" {STRANGER}\n",
        STRANGER.upper(),
        f"{STRANGER}\u200b",
        STRANGER.replace("0", "\uff10"),
        "stranger",
    ):
        assert denied.stopped_by(member(dest_project_id=spelled)) == {"denied-recipients"}
        assert pack().stopped_by(member(dest_project_id=spelled)) == {"allowed-recipients"}
    assert denied.stopped_by(member(dest_project_id=DR)) == set()


@pytest.mark.parametrize(
    "shared",
    [
        member(dest_project_id=secret(STRANGER)),
        share(dest_project_ids=[secret(DR), secret(STRANGER)]),
        bridged_share(dest_project_ids=[secret(STRANGER)]),
        Resource(PLAIN, "dr", {"x": {"backup_id": secret(BACKUP), "dest_project_ids": [[secret(STRANGER)]]}}),
    ],
)
def test_a_secret_recipient_is_judged_and_not_shown(shared: Resource) -> None:
    """In a list, in an object, in every rule that names recipients."""
    config = {"allowed-recipients": ONLY_DR, "denied-recipients": NOT_STRANGER, "most-recipients": {"most": 0}}
    reports = PolicyTest({"all": "mandatory", **config}, today=TODAY).check(shared)
    assert {"allowed-recipients", "denied-recipients", "most-recipients"} <= {report.rule for report in reports}
    assert STRANGER not in "".join(report.message for report in reports)


def test_a_list_that_is_secret_as_a_whole_is_not_shown() -> None:
    """As sent for `pulumi.Output.secret([…])`."""
    marked = {SPECIAL_SIG_KEY: SPECIAL_SECRET_SIG, "value": [DR, STRANGER]}
    for props in (
        {"dest_project_ids": marked},
        {"share": {SPECIAL_SIG_KEY: SPECIAL_SECRET_SIG, "value": {"dest_project_id": STRANGER}}},
    ):
        (report,) = pack().check(Resource(PLAIN, "dr", {"backup_id": BACKUP, **props}))
        assert report.level == "mandatory"
        assert STRANGER not in report.message


def test_no_name_writes_on_the_terminal() -> None:
    """Names and ids are foreign texts, and messages end up in build logs."""
    (report,) = pack().check(member("dr\n::error::\x1b[2J", dest_project_id="x\x1b]0;\u2028"))
    assert report.message.isprintable()


@pytest.mark.parametrize("rule", ["allowed-recipients", "denied-recipients"])
def test_an_exception_for_a_resource_alone_is_refused_in_rules_about_recipients(rule: str) -> None:
    """It would allow every recipient of the resource; so would one for everybody."""
    for exception in ({"resource": "dr"}, {"resource": "*"}):
        with pytest.raises(ConfigError, match=r"exceptions\[0\].recipient is missing"):
            pack(rule, exceptions=[{**exception, **WHILE}])
    for everybody in (
        "*",
        "**",
        "?*",
        "[!x]*",
        "*?*",
        "[0-9a-f]*",
        "?" * 32,
        "[0-9a-f]" * 32,
        "*0*",
        f"{STRANGER[:-1]}?",
    ):
        with pytest.raises(ConfigError, match=r"exceptions\[0\].recipient is a pattern, and an exception is for one"):
            pack(rule, exceptions=[{"recipient": everybody, **WHILE}])


@pytest.mark.parametrize("pattern", ["*", "[a-z]*", "?*", "urn:pulumi:*::*::*::*", "[!x]*", "", " "])
def test_an_exception_is_for_some_resources_and_not_for_all(pattern: str) -> None:
    """In the rules that are not about recipients, too."""
    with pytest.raises(ConfigError, match=r"exceptions\[0\].resource names no resource: give a name"):
        protected(pattern, member())


def test_an_exception_ends_within_a_year() -> None:
    """Then somebody looks at it again."""
    today = datetime.now(timezone.utc).date()
    pack(exceptions=[{"recipient": STRANGER, **WHILE, "until": str(today + timedelta(days=366))}])
    with pytest.raises(ConfigError, match=r"exceptions\[0\].until is .*, and no exception may be longer than"):
        pack(exceptions=[{"recipient": STRANGER, **WHILE, "until": str(today + timedelta(days=368))}])


def test_an_exception_covers_its_recipient_and_no_other() -> None:
    """In a list, and in a resource that is judged as two shares."""
    freed = pack(exceptions=[{"recipient": STRANGER, "resource": "dr", **WHILE}])
    assert freed.stopped_by(share(dest_project_ids=[DR, STRANGER])) == set()
    assert freed.stopped_by(share(dest_project_ids=[DR, STRANGER, THIRD])) == {"allowed-recipients"}
    assert freed.stopped_by(share("other", dest_project_ids=[STRANGER])) == {"allowed-recipients"}


def protected(pattern: str, shared: Resource) -> bool:
    """Whether an exception with this pattern covers a resource."""
    return not pack("protected-share", exceptions=[{"resource": pattern, **WHILE}]).stopped_by(shared)


MINE = "urn:pulumi:dev::lab::*::dr"


@pytest.mark.parametrize(
    ("pattern", "shared", "covered"),
    [
        (MINE, member("dr", stack="lab/dev"), True),
        (MINE, member("dr", stack="project/dev"), False),
        (MINE, member("lab::x::dr", stack="project/dev"), False),
        ("urn:pulumi:*::lab::*::*", member("x::lab::y::dr", stack="project/dev"), False),
        ("urn:pulumi:*::*::*:BackupShareAccepter::*", member("huaweicloud:x:BackupShareAccepter::dr"), False),
        ("urn:pulumi:*::*::*:BackupShareMember::d*", member("d::r"), True),
        ("urn:pulumi:*::*::*::d::r", member("d::r"), True),
        ("urn:pulumi:*::*::*::r", member("d::r"), False),
        ("lab::*", member("dr", stack="lab/dev"), False),
    ],
)
def test_a_pattern_of_urns_matches_parts(pattern: str, shared: Resource, covered: bool) -> None:
    """A name with `::` cannot match as another project or type."""
    assert protected(pattern, shared) is covered


@pytest.mark.parametrize("pattern", ["urn:*", "urn:pulumi:dev::*", "urn:pulumi:dev::project::dr"])
def test_half_a_urn_is_no_pattern(pattern: str) -> None:
    """It is not clear which of the four parts it means."""
    with pytest.raises(ConfigError, match=r"exceptions\[0\].resource is no URN of four parts"):
        protected(pattern, member())


@pytest.mark.parametrize(
    ("config", "meant"),
    [
        ({"alowed-recipients": ONLY_DR}, "allowed-recipients"),
        ({"alowed-recipients": {"enforcementLevel": "mandatory", **ONLY_DR}}, "allowed-recipients"),
        ({"allowed_recipients": "mandatory"}, "allowed-recipients"),
        ({"Allowed-Recipients": "mandatory"}, "allowed-recipients"),
        ({"recipients-denied": {}, "denied-recipient": {}}, "denied-recipients"),
        ({"al": "mandatory"}, "all"),
        ({"allowed-recipients": {"recipient": []}}, "recipients"),
        ({"allowed-recipients": {**ONLY_DR, "enforcementlevel": "mandatory"}}, "not known"),
        ({"allowed-recipients": {"recipients": [{"projectid": DR, "note": "x"}]}}, "project_id"),
        ({"allowed-recipients": {"recipients": [{"project_id": DR, "notes": "x"}]}}, "note"),
        ({"allowed-recipients": {**ONLY_DR, "exeptions": []}}, "exceptions"),
        ({"denied-recipients": {"exceptions": [{"recipient": DR, "reason": "x", "untill": "2026-12-31"}]}}, "until"),
        ({"protected-share": {"exceptions": [{"resourc": "dr", **WHILE}]}}, "resource"),
    ],
)
def test_a_misspelled_name_is_refused_with_the_one_that_was_meant(config: dict[str, Any], meant: str) -> None:
    """At every level of the configuration."""
    with pytest.raises(ConfigError, match=f"did you mean {meant}" if meant != "not known" else meant):
        PolicyTest(config)


@pytest.mark.parametrize(
    ("config", "trouble"),
    [
        ({"all": {"enforcementLevel": "mandatory", **ONLY_DR}}, "all sets the level of every rule and nothing else"),
        ({"allowed-recipients": {**ONLY_DR, "enforcementLevel": "Mandatory"}}, "enforcementLevel must be one of"),
        ({"allowed-recipients": {**ONLY_DR, "enforcementLevel": ["mandatory"]}}, "enforcementLevel must be one of"),
        ({"allowed-recipients": None}, "enforcementLevel must be one of"),
        ({"allowed-recipients": {"recipients": None}}, "recipients must be a list"),
        ({"allowed-recipients": {"recipients": {"project_id": DR}}}, "recipients must be a list"),
        ({"protected-share": {"exceptions": [{"resource": "dr", "until": "2026-12-31"}]}}, "reason is missing"),
        ({"protected-share": {"exceptions": [{"resource": "dr", "reason": "x"}]}}, "until is missing"),
        ({"protected-share": {"exceptions": [{"resource": "dr", "reason": "x"}]}}, "owner is missing"),
        ({"protected-share": {"exceptions": [WHILE]}}, "needs recipient or backup or resource"),
        ({"protected-share": {"exceptions": [{"resource": "dr", **WHILE, "reason": " "}]}}, "reason is empty"),
        (
            {"protected-share": {"exceptions": [{"resource": "dr", **WHILE, "until": "never"}]}},
            "until is 'never': give",
        ),
        ({"protected-share": {"exceptions": ["dr"]}}, "must be an object with recipient, backup or resource"),
    ],
)
def test_gaps_in_a_configuration_are_refused(config: dict[str, Any], trouble: str) -> None:
    """They are not filled with defaults that allow more."""
    with pytest.raises(ConfigError, match=trouble):
        PolicyTest(config)


@pytest.mark.parametrize(
    "text", ["[]", "null", "{", '{"all": "mandatory", "all": "disabled"}', '"mandatory"', '{"\xe9": 1}']
)
def test_a_file_that_is_no_configuration_is_refused(text: str, tmp_path: Path) -> None:
    """For example, with a rule twice, of which the engine would use the last."""
    file = tmp_path / "config.json"
    file.write_text(text, encoding="latin-1")
    with pytest.raises(ConfigError, match=r"config\.json"):
        PolicyTest(file)


def test_the_sdk_is_left_as_it_is() -> None:
    """Other rules in the same process are not affected."""
    program = """
from pulumi_policy import deserialize, policy, proxy, secret
modules = (deserialize, policy, proxy, secret)
before = [dict(vars(module)) for module in modules]
import pulumi_cbr_sharing.policies.testing
assert [dict(vars(module)) for module in modules] == before
wire = {"x": {deserialize.SPECIAL_SIG_KEY: deserialize.SPECIAL_SECRET_SIG, "value": "text"}}
assert type(deserialize.deserialize_properties(wire)["x"]) is str
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_pack_of_the_sdk_judges_and_shows_nothing_that_may_be_secret() -> None:
    """The SDK removes the marks of secrets; a rule about secrets reports that it cannot check them."""
    marked = {SPECIAL_SIG_KEY: SPECIAL_SECRET_SIG, "value": STRANGER}
    for recipients in ({"dest_project_id": marked}, {"dest_project_ids": [DR, marked]}):
        (message,) = asked(allowed_recipients, ONLY_DR, PLAIN, {"backup_id": BACKUP, **recipients})
        assert STRANGER not in message
        assert "[not shown]" in message
    hidden = {"huaweicloud:secretKey": {SPECIAL_SIG_KEY: SPECIAL_SECRET_SIG, "value": "planted"}}
    (message,) = asked(no_plain_secrets, {}, "pulumi:providers:pulumi-python", hidden)
    assert "it is not known whether huaweicloud:secretKey" in message
    assert asked(allowed_recipients, ONLY_DR, PLAIN, {"backup_id": BACKUP, "dest_project_id": DR}) == []


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([DR, STRANGER, "", "x", "::", UNKNOWN, secret(STRANGER)])
)
PROPS = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["backup_id", "dest_project_id", "dest_project_ids", "members", "x", ""]), inner, max_size=3
        )
    ),
    max_leaves=12,
)


@pytest.mark.slow
@given(
    token=st.sampled_from([*TOKENS, "huaweicloud:Cbr/backupShare:BackupShare"]), props=st.dictionaries(st.text(), PROPS)
)
def test_odd_properties_end_in_a_judgement(token: str, props: dict[str, Any]) -> None:
    """Never in a traceback or with a secret in a message; a denied recipient never passes."""
    rules = PolicyTest(
        {"all": "mandatory", "allowed-recipients": ONLY_DR, "pending-too-long": {"days": 0}}, today=TODAY
    )
    reports = rules.check(Resource(token, "dr", {**props, "backup_id": BACKUP, "dest_project_id": secret(STRANGER)}))
    assert all(isinstance(report, Report) for report in reports)
    assert "allowed-recipients" in {report.rule for report in reports if report.level == "mandatory"}
    assert all(report.message.isprintable() for report in reports)


def test_a_plain_secret_is_found_whatever_its_type() -> None:
    """A number can be a password."""
    rule = pack("no-plain-secrets")
    assert rule.stopped_by(provider(password=12345)) == {"no-plain-secrets"}
    assert rule.stopped_by(provider(password=secret("12345"))) == set()
