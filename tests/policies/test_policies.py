"""Each rule: what passes, fails, is unknown and is covered by an exception, tested as users test it."""

from __future__ import annotations

import json
import re
import subprocess
import sys

from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pulumi_policy import EnforcementLevel

from pulumi_cbr_sharing import policies
from pulumi_cbr_sharing.policies import RULES, testing
from pulumi_cbr_sharing.policies.testing import (
    UNKNOWN,
    ConfigError,
    PolicyTest,
    Report,
    Resource,
    accepter,
    bridged_share,
    member,
    provider,
    secret,
    share,
)
from pulumi_cbr_sharing.sharing import kinds
from pulumi_cbr_sharing.sharing.inputs import camel


if TYPE_CHECKING:
    from collections.abc import Mapping


BACKUP, ANOTHER = "9ee6e4bd-5c7d-4c3a-a1f0-2f6c1d1b7a10", "0b07081e-3ec7-4e77-8571-54e2947da422"
DR, STRANGER, THIRD = "02e814ff2f81f01a5fb11caf75eed906", "c760cf1f860fbdebc209d41a40e7e450", "f" * 32
TODAY = date(2026, 6, 15)
NAMES = (
    "allowed-recipients",
    "denied-recipients",
    "most-recipients",
    "recipients-in-outputs",
    "no-mixed-ownership",
    "protected-share",
    "pending-too-long",
    "rejected-share",
    "no-plain-secrets",
    "authoritative-required",
)
ONLY_DR = {"recipients": [{"project_id": DR, "note": "DR account, owned by Anna"}]}
NOT_STRANGER = {"recipients": [{"project_id": STRANGER, "note": "sold"}]}
DYNAMIC = "pulumi:providers:pulumi-python"
STACK_CONFIG = "huaweicloud:secretKey"
LONG_AGO = "2026-05-01T10:00:00Z"
AGREED = {"reason": "agreed", "owner": "security@example.org", "until": "2026-12-31"}


@dataclass(frozen=True)
class Case:
    """What a rule reports for which resources; exceptions are tried on the first that fails."""

    rule: str
    fails: list[tuple[Resource, ...]]
    passes: list[tuple[Resource, ...]]
    unknown: list[tuple[Resource, ...]]
    named: tuple[str, ...] = ("dr", BACKUP, STRANGER)
    config: Mapping[str, Any] = field(default_factory=dict)


CASES = [
    Case(
        "allowed-recipients",
        config=ONLY_DR,
        fails=[
            (member(dest_project_id=STRANGER),),
            (member(dest_project_id=secret(STRANGER)),),
            (share(dest_project_ids=[DR, STRANGER]),),
            (share(dest_project_ids=[UNKNOWN, STRANGER]),),
            (bridged_share(dest_project_ids=[DR, STRANGER]),),
            (Resource("huaweicloud:index:CbrBackupShare", "dr", {"members": [{"destProjectId": STRANGER}]}),),
        ],
        passes=[
            (member(dest_project_id=DR),),
            (member(dest_project_id=f" {DR.upper()} "),),
            (share(dest_project_ids=[]),),
            (bridged_share(dest_project_ids=[DR]),),
            (accepter(), provider(secretKey="x"), Resource("aws:s3:Bucket", "dr", {"members": [STRANGER]})),
        ],
        unknown=[
            (member(dest_project_id=UNKNOWN),),
            (share(dest_project_ids=[DR, UNKNOWN]),),
            (share(dest_project_ids=UNKNOWN),),
            (bridged_share(dest_project_ids=[DR, UNKNOWN]),),
            (bridged_share(dest_project_ids=UNKNOWN),),
            (Resource("huaweicloud:Cbr/backupShare:BackupShare", "dr", {"members": [UNKNOWN]}),),
        ],
    ),
    Case(
        "denied-recipients",
        config=NOT_STRANGER,
        fails=[
            (member(dest_project_id=STRANGER),),
            (member(dest_project_id=STRANGER.upper()),),
            (share(dest_project_ids=[DR, STRANGER]),),
            (bridged_share(dest_project_ids=[STRANGER]),),
        ],
        passes=[(member(dest_project_id=DR),), (share(dest_project_ids=[DR]),)],
        unknown=[(member(dest_project_id=UNKNOWN),), (share(dest_project_ids=UNKNOWN),)],
    ),
    Case(
        "most-recipients",
        config={"most": 1},
        fails=[
            (share(dest_project_ids=[STRANGER, DR]),),
            (share(dest_project_ids=[STRANGER, DR], backup_id=BACKUP), member("other", backup_id=ANOTHER)),
            (member("first", dest_project_id=DR), member(dest_project_id=STRANGER)),
            (bridged_share(dest_project_ids=[STRANGER, DR, UNKNOWN]),),
        ],
        passes=[
            (member(dest_project_id=DR), member("other", backup_id=ANOTHER, dest_project_id=STRANGER)),
            (member("first", dest_project_id=DR), member(dest_project_id=DR)),
            (member(dest_project_id=UNKNOWN),),
        ],
        unknown=[
            (share(dest_project_ids=[STRANGER, UNKNOWN]),),
            (share(dest_project_ids=UNKNOWN),),
            (member(backup_id=UNKNOWN),),
            (member("first", dest_project_id=DR), member(dest_project_id=UNKNOWN)),
        ],
    ),
    Case(
        "recipients-in-outputs",
        fails=[
            (member(dest_project_id=DR, outputs={"dest_project_id": STRANGER}),),
            (share(dest_project_ids=[DR], outputs={"dest_project_ids": [DR, STRANGER]}),),
            (Resource("ours:index:Copy", "dr", {"to": "x"}, outputs={"backupId": BACKUP, "destProjectId": STRANGER}),),
            (
                bridged_share(
                    dest_project_ids=[DR], outputs={"members": [{"destProjectId": DR}, {"destProjectId": STRANGER}]}
                ),
            ),
        ],
        passes=[
            (member(dest_project_id=DR, outputs={"status": "pending", "dest_project_id": DR}),),
            (share(dest_project_ids=[DR, STRANGER], outputs={"dest_project_ids": [STRANGER]}),),
            (member(dest_project_id=UNKNOWN, outputs={"dest_project_id": STRANGER}),),
            (accepter(outputs={"recipient_project_id": STRANGER}),),
            (bridged_share(dest_project_ids=UNKNOWN),),
        ],
        unknown=[],
    ),
    Case(
        "no-mixed-ownership",
        fails=[
            (share("set", dest_project_ids=[DR]), member(dest_project_id=STRANGER)),
            (member("one", dest_project_id=DR), share(dest_project_ids=[STRANGER])),
            (bridged_share("set", dest_project_ids=[DR]), member(dest_project_id=STRANGER)),
            (bridged_share("set", dest_project_ids=[DR]), share(dest_project_ids=[STRANGER])),
        ],
        passes=[
            (member("one"), member("two", dest_project_id=STRANGER)),
            (share(), member("one", backup_id=ANOTHER), accepter("answer")),
        ],
        unknown=[(member(backup_id=UNKNOWN),), (share("set"), member(backup_id=UNKNOWN))],
        named=("dr", BACKUP),
    ),
    Case(
        "protected-share",
        config={"stacks": ["sandbox", "labs/*"]},
        fails=[
            (member(dest_project_id=STRANGER),),
            (share(dest_project_ids=[STRANGER]),),
            (bridged_share(dest_project_ids=[STRANGER]),),
            (member(dest_project_id=STRANGER, stack="sandbox/prod"),),
            (accepter(),),
        ],
        passes=[
            (member(protect=True), share(protect=True, dest_project_ids=UNKNOWN)),
            (member(stack="project/sandbox"),),
            (member(stack="labs/prod"),),
            (accepter(protect=True),),
        ],
        unknown=[],
    ),
    Case(
        "pending-too-long",
        config={"days": 7},
        fails=[
            (member(dest_project_id=STRANGER, status="pending", created_at=LONG_AGO),),
            (member(dest_project_id=STRANGER, status="pending", created_at="2026-05-01T10:00:00.209782"),),
            (
                Resource(
                    "huaweicloud:Cbr/backupShare:BackupShare",
                    "dr",
                    {
                        "backupId": BACKUP,
                        "members": [{"destProjectId": STRANGER, "status": "pending", "createdAt": LONG_AGO}],
                    },
                ),
            ),
        ],
        passes=[
            (member(),),
            (member(status="accepted", created_at=LONG_AGO),),
            (member(status="pending", created_at="2026-06-14T10:00:00Z"),),
            (share(statuses={STRANGER: "pending"}), accepter(status="accepted")),
        ],
        unknown=[(member(status=UNKNOWN),), (share(statuses=UNKNOWN),), (share(statuses={STRANGER: UNKNOWN}),)],
    ),
    Case(
        "rejected-share",
        fails=[
            (member(dest_project_id=STRANGER, status="rejected"),),
            (share(dest_project_ids=[DR, STRANGER], statuses={DR: "accepted", STRANGER: "rejected"}),),
        ],
        passes=[(member(status="pending"),), (member(),), (share(statuses={DR: "accepted"}),)],
        unknown=[(member(status=UNKNOWN),), (share(statuses=UNKNOWN),)],
    ),
    Case(
        "no-plain-secrets",
        config={"names": ["accessKey"], "namespaces": ["huaweicloud", "dr"]},
        fails=[
            (provider("dr", secretKey="planted"),),
            (provider("dr", token="pulumi:providers:cbr-sharing", secretKey="planted"),),
            (provider("dr", accessKey="planted"),),
            (provider("dr", token=DYNAMIC, **{STACK_CONFIG: "planted"}),),
            (provider("dr", token=DYNAMIC, **{"dr:password": "planted"}),),
        ],
        passes=[
            (provider(secretKey=secret("planted"), region="eu-de"),),
            (provider(token=DYNAMIC, **{STACK_CONFIG: secret("planted"), "aws:secretKey": "planted"}),),
            (provider(token="pulumi:providers:aws", secretKey="planted"), member()),
        ],
        unknown=[(provider("dr", secretKey=UNKNOWN),)],
        named=("dr",),
    ),
    Case(
        "authoritative-required",
        fails=[(member(dest_project_id=STRANGER),)],
        passes=[(share(), bridged_share("other"), accepter())],
        unknown=[],
    ),
]
ABOUT_RECIPIENTS = {"allowed-recipients", "denied-recipients", "recipients-in-outputs"}
ABOUT_ONE_RECIPIENT = set(NAMES) - {"most-recipients", "no-plain-secrets"}
CASE_OF = {case.rule: case for case in CASES}


def native(one: Resource) -> Resource:
    """The same resource of the native plugin; others are what they are."""
    if not one.token.startswith(kinds.DYNAMIC):
        return one
    props, outputs = ({camel(name): value for name, value in given.items()} for given in (one.props, one.outputs))
    return replace(one, token=one.token.replace(kinds.DYNAMIC, kinds.NATIVE), props=props, outputs=outputs)


def through_the_native_plugin(case: Case) -> Case:
    """The same case with resources of the native plugin."""
    of_each = (case.fails, case.passes, case.unknown)
    fails, passes, unknown = ([tuple(map(native, one)) for one in some] for some in of_each)
    return replace(case, fails=fails, passes=passes, unknown=unknown)


BY_RULE = [
    pytest.param(one, id=f"{one.rule} {door}")
    for case in CASES
    for door, one in (("dynamic", case), ("native", through_the_native_plugin(case)))
]


def said(case: Case, *resources: Resource, **config: Any) -> list[Report]:
    """What a mandatory rule reports in June 2026."""
    settings = {"enforcementLevel": "mandatory", **case.config, **config}
    pack = PolicyTest({"all": "disabled", case.rule: settings}, today=TODAY)
    reports = pack.check(*resources)
    assert {report.rule for report in reports} <= {case.rule}
    return reports


def test_the_rules_are_these() -> None:
    """Their names are in users' configurations, and each can be imported."""
    assert tuple(rule.name for rule in RULES) == NAMES
    assert tuple(getattr(policies, name.replace("-", "_")).name for name in NAMES) == NAMES
    assert tuple(case.rule for case in CASES) == NAMES


@pytest.mark.parametrize("case", BY_RULE)
def test_what_passes(case: Case) -> None:
    """Nothing is reported."""
    for resources in case.passes:
        assert said(case, *resources) == [], resources


@pytest.mark.parametrize("case", BY_RULE)
def test_what_fails(case: Case) -> None:
    """One violation at the configured level, which names all resources involved."""
    for resources in case.fails:
        violations = [report for report in said(case, *resources) if report.level == "mandatory"]
        assert len(violations) == 1, resources
        assert violations[0].message.startswith(f"{case.rule}: ")
        assert violations[0].resource == resources[-1 if case.rule != "most-recipients" else violated(resources)].urn
        assert "planted" not in violations[0].message


def violated(resources: tuple[Resource, ...]) -> int:
    """The share with too many recipients: a set alone, or the last of several members."""
    return 0 if resources[0].token.endswith(":BackupShare") else -1


@pytest.mark.parametrize("case", BY_RULE)
def test_messages_name_all_and_say_what_to_do(case: Case) -> None:
    """The resource, the backup, the recipient; then, after a colon, what to do."""
    (report,) = said(case, *case.fails[0])
    assert [name for name in case.named if name not in report.message] == []
    assert report.message.count(": ") >= 2
    assert "\n" not in report.message


@pytest.mark.parametrize("case", BY_RULE)
def test_what_is_unknown_is_advisory(case: Case) -> None:
    """A preview continues even at the mandatory level, and says what could not be checked."""
    for resources in case.unknown:
        (report,) = said(case, *resources)
        assert report.level == "advisory", resources
        assert "cannot be checked yet" in report.message
        assert "dr" in report.message


@pytest.mark.parametrize("case", BY_RULE)
def test_an_exception_for_a_resource(case: Case) -> None:
    """By name or URN, until the end of the last day; in rules about recipients with a recipient."""
    agreed = {**AGREED, "until": "2026-06-15", **recipient_in(case)}
    for pattern in ("dr", "d*", "urn:pulumi:dev::project::*::dr"):
        assert said(case, *case.fails[0], exceptions=[{"resource": pattern, **agreed}]) == []
    assert len(said(case, *case.fails[0], exceptions=[{"resource": "other", **agreed}])) == 1


def recipient_in(case: Case) -> dict[str, str]:
    """The recipient that an exception must also name in rules about recipients."""
    return {"recipient": STRANGER} if case.rule in ABOUT_RECIPIENTS else {}


@pytest.mark.parametrize("case", BY_RULE)
def test_an_expired_exception_is_a_violation_and_says_so(case: Case) -> None:
    """From the day after its last day."""
    last = {"reason": "the audit of spring", "until": "2026-06-14"}
    ended = {"resource": "dr", **AGREED, **last, **recipient_in(case)}
    (report,) = said(case, *case.fails[0], exceptions=[ended])
    assert report.level == "mandatory"
    assert "the exception for it (the audit of spring) ended on 2026-06-14" in report.message


@pytest.mark.parametrize("case", [case for case in BY_RULE if str(case.id).partition(" ")[0] in ABOUT_ONE_RECIPIENT])
def test_an_exception_for_a_recipient(case: Case) -> None:
    """By its project; and for one backup, if it names one."""
    for agreed in ({"recipient": STRANGER}, {"recipient": STRANGER, "backup": BACKUP}):
        assert said(case, *case.fails[0], exceptions=[{**agreed, **AGREED}]) == []
    for other in ({"recipient": DR}, {"recipient": STRANGER, "backup": ANOTHER}):
        assert len(said(case, *case.fails[0], exceptions=[{**other, **AGREED}])) == 1


def test_one_exception_of_a_recipient_does_not_cover_two() -> None:
    """A finding about several recipients is only covered if all of them are."""
    case, both = CASE_OF["protected-share"], share(dest_project_ids=[DR, STRANGER])
    assert len(said(case, both, exceptions=[{"recipient": STRANGER, **AGREED}])) == 1
    assert said(case, both, exceptions=[{"backup": BACKUP, **AGREED}]) == []


@pytest.mark.parametrize("rule", ["protected-share", "authoritative-required"])
def test_an_exception_for_what_is_not_known_yet(rule: str) -> None:
    """It is not known whether it applies, so the rule reports that it cannot be checked."""
    case = next(case for case in CASES if case.rule == rule)
    for agreed, shared in (
        ({"recipient": DR}, member(dest_project_id=UNKNOWN)),
        ({"backup": BACKUP}, member(backup_id=UNKNOWN)),
    ):
        (report,) = said(case, shared, exceptions=[{**agreed, **AGREED}])
        assert report.level == "advisory"
        assert "cannot be checked yet" in report.message
    assert said(case, member(dest_project_id=UNKNOWN))[0].level == "mandatory"


def test_an_exception_for_a_resource_and_a_recipient_needs_both() -> None:
    """Narrow exceptions stay narrow."""
    agreed = [{"resource": "dr", "recipient": STRANGER, **AGREED}]
    assert said(CASE_OF["allowed-recipients"], member(dest_project_id=STRANGER), exceptions=agreed) == []
    assert len(said(CASE_OF["allowed-recipients"], member("other", dest_project_id=STRANGER), exceptions=agreed)) == 1
    assert len(said(CASE_OF["allowed-recipients"], member(dest_project_id=THIRD), exceptions=agreed)) == 1


def test_a_known_violation_beside_an_unknown_recipient_is_told_at_once() -> None:
    """The violation stops the preview; what is unknown is reported, too."""
    reports = said(CASE_OF["allowed-recipients"], share(dest_project_ids=[UNKNOWN, STRANGER]))
    assert [report.level for report in reports] == ["mandatory", "advisory"]


def test_a_secret_recipient_is_judged_and_not_printed() -> None:
    """The pack does not print what the program marks as secret."""
    (report,) = said(CASE_OF["allowed-recipients"], member(dest_project_id=secret(STRANGER)))
    assert STRANGER not in report.message
    assert "[secret]" in report.message


def test_pending_sets_count_only_if_no_day_is_allowed() -> None:
    """Their outputs have no times."""
    pending = share(dest_project_ids=[STRANGER], statuses={STRANGER: "pending"})
    assert said(CASE_OF["pending-too-long"], pending) == []
    (report,) = said(CASE_OF["pending-too-long"], pending, days=0)
    assert STRANGER in report.message


@pytest.mark.parametrize("config", [{}, {"allowed-recipients": "mandatory"}, {"all": "mandatory"}])
def test_without_a_list_nobody_may_receive(config: dict[str, Any]) -> None:
    """If the list is forgotten, nothing may be shared, not even with unknown recipients; the message says so."""
    for shared in (member(protect=True), member(protect=True, dest_project_id=UNKNOWN)):
        reports = PolicyTest(config).check(shared)
        (report,) = [one for one in reports if one.rule == "allowed-recipients" and one.level == "mandatory"]
        assert "no recipients are configured" in report.message


def test_remediate_is_mandatory() -> None:
    """No rule rewrites resources."""
    given = {"enforcementLevel": "remediate"}
    pack = PolicyTest({"allowed-recipients": {**ONLY_DR, **given}, "most-recipients": {"most": 0, **given}})
    assert pack.stopped_by(member(dest_project_id=STRANGER)) == {"allowed-recipients", "most-recipients"}


def test_a_list_is_mandatory_unless_the_configuration_says_less() -> None:
    """With a list the rule is mandatory."""
    assert PolicyTest({"allowed-recipients": ONLY_DR}).stopped_by(member(dest_project_id=STRANGER)) == {
        "allowed-recipients"
    }
    advice = {"allowed-recipients": {**ONLY_DR, "enforcementLevel": "advisory"}}
    assert PolicyTest(advice).stopped_by(member(dest_project_id=STRANGER)) == set()
    nobody: dict[str, Any] = {"allowed-recipients": {"recipients": []}}
    assert PolicyTest(nobody).stopped_by(member()) == {"allowed-recipients"}


def test_the_optional_rule_is_off() -> None:
    """A BackupShare is only required if configured."""
    assert policies.authoritative_required.enforcement_level is EnforcementLevel.DISABLED
    assert "authoritative-required" not in {report.rule for report in PolicyTest().check(member())}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            {"alowed-recipients": {}},
            "no rule alowed-recipients: did you mean allowed-recipients? the rules are allowed-recipients, ",
        ),
        ({"all": "strict"}, "all.enforcementLevel must be one of advisory, mandatory, remediate, disabled"),
        ({"most-recipients": {"enforcementLevel": "on"}}, "most-recipients.enforcementLevel must be one of"),
        ({"most-recipients": {"most": 11}}, "most-recipients.most must be a whole number from 0 to 10; it is 11"),
        ({"most-recipients": {"most": 1.5}}, "most-recipients.most must be a whole number"),
        ({"most-recipients": {"most": True}}, "most-recipients.most must be a whole number"),
        ({"protected-share": {"stacks": "dev"}}, "protected-share.stacks must be a list of stacks"),
        ({"protected-share": {"stacks": [" "]}}, "protected-share.stacks[0] is empty"),
        (
            {"allowed-recipients": {"recipient": []}},
            "allowed-recipients.recipient is not known: did you mean recipients? known are recipients",
        ),
        (
            {"allowed-recipients": {"recipients": [{"project_id": "dr", "note": "x"}]}},
            "allowed-recipients.recipients[0].project_id must be a project id: 32 hexadecimal digits in lower case",
        ),
        (
            {"allowed-recipients": {"recipients": [{"project_id": DR}]}},
            "allowed-recipients.recipients[0].note is missing: give a text",
        ),
        ({"allowed-recipients": {"recipients": [DR]}}, "recipients[0] must be an object with project_id and note"),
        (
            {"denied-recipients": {"exceptions": [{"reason": "x", "until": "2026-12-31"}]}},
            "exceptions[0].recipient is missing: give a project id",
        ),
        (
            {"denied-recipients": {"exceptions": [{"resource": "x", "until": "31.12.2026"}]}},
            "exceptions[0].until is '31.12.2026': give the last day, such as",
        ),
        (
            {"denied-recipients": {"exceptions": [{"resource": "x", "reason": "x", "until": "2026-02-30"}]}},
            "exceptions[0].until is '2026-02-30'",
        ),
    ],
)
def test_a_wrong_configuration_is_told_clearly(config: dict[str, Any], message: str) -> None:
    """The place, what must be there, and what is."""
    with pytest.raises(ConfigError) as refused:
        PolicyTest(config)
    assert message in str(refused.value)


def test_a_misspelled_name_that_the_engine_lets_pass_is_a_violation() -> None:
    """A rule with an incomplete configuration would allow too much."""
    pack = PolicyTest({"allowed-recipients": ONLY_DR})
    pack._config = {"allowed-recipients": {**ONLY_DR, "exeptions": []}}
    (report,) = [report for report in pack.check(member(dest_project_id=DR)) if report.rule == "allowed-recipients"]
    assert report.level == "mandatory"
    assert (
        "allowed-recipients: its configuration must be corrected: exeptions is not known: did you mean "
        in report.message
    )


def test_the_example_configuration_is_one(tmp_path: Path) -> None:
    """It is valid, and stops other recipients; a copy of it, too."""
    example = Path(__file__).parent.parent.parent / "examples/policy_pack/config.example.json"
    copy = tmp_path / "config.json"
    copy.write_text(example.read_text())
    pack = PolicyTest(str(copy), today=TODAY)
    assert set(json.loads(example.read_text())) == set(NAMES)
    assert pack.stopped_by(member(dest_project_id=DR)) == set()
    assert pack.stopped_by(member(dest_project_id=THIRD)) == {"allowed-recipients"}


def test_each_rule_of_a_pack_remembers_only_its_own_deployment() -> None:
    """Two calls are two deployments; the same resource twice is one."""
    pack = PolicyTest({"all": "disabled", "most-recipients": {"enforcementLevel": "mandatory", "most": 1}})
    assert pack.stopped_by(member("one", dest_project_id=DR)) == set()
    assert pack.stopped_by(member("two", dest_project_id=STRANGER)) == set()
    assert pack.stopped_by(member("one", dest_project_id=DR), member("one", dest_project_id=STRANGER)) == set()


def test_without_the_policy_sdk_the_error_says_what_to_install() -> None:
    """The policy SDK is an extra."""
    program = "import sys; sys.modules['pulumi_policy'] = None; import pulumi_cbr_sharing.policies"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "install pulumi-cbr-sharing[policies]" in done.stderr.splitlines()[-1]


def test_the_harness_is_whole() -> None:
    """All of its public names can be imported."""
    assert [name for name in testing.__all__ if not hasattr(testing, name)] == []


def test_the_test_in_the_readme_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its code is complete, and its tests pass in the folder of the pack."""
    folder = Path(__file__).parent.parent.parent / "examples/policy_pack"
    blocks = re.findall(r"```python\n(.*?)```", (folder / "README.md").read_text(), re.DOTALL)
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {}
    exec(compile(blocks[0], "README.md", "exec"), names)
    tests = [test for name, test in names.items() if name.startswith("test_")]
    assert len(tests) == 3
    for test in tests:
        test()


def test_every_rule_is_in_the_documentation() -> None:
    """The documentation has every property, too."""
    root = Path(__file__).parent.parent.parent
    for text in ((root / "docs/recipients.md").read_text(), (root / "examples/policy_pack/README.md").read_text()):
        assert [name for name in NAMES if f"`{name}`" not in text] == []
