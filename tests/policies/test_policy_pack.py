"""The pack on a real engine: nothing that it stops is sent to the cloud."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from clouds import environment
from stack import Run, Stack
from wheelhouse import pip_environment, wheelhouse


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pulumi_cbr_sharing.emulator import Emulator

    Pack = Callable[..., tuple[str, ...]]


pytestmark = pytest.mark.engine

ROOT = Path(__file__).parent.parent.parent
SOURCE = ROOT / "examples" / "policy_pack"
REFUSED = "which is not among the allowed recipients"

MEMBER = """
import pulumi
from pulumi_cbr_sharing import BackupShareMember

BackupShareMember("dr", backup_id={backup!r}, dest_project_id={project!r}{options})
"""

COMPUTED = """
import pulumi
from pulumi.dynamic import CreateResult, Resource, ResourceProvider, UpdateResult
from pulumi_cbr_sharing import BackupShareMember

class Provider(ResourceProvider):
    def create(self, props):
        return CreateResult("made", {{"project": props["wanted"]}})

    def update(self, _id, _olds, news):
        return UpdateResult({{"project": news["wanted"]}})

class Account(Resource):
    project: pulumi.Output[str]

    def __init__(self, name, wanted):
        super().__init__(Provider(), name, {{"wanted": wanted, "project": None}})

account = Account("account", {project!r})
BackupShareMember("dr", backup_id={backup!r}, dest_project_id=account.project)
"""

NAMED = """
from pulumi_cbr_sharing import BackupShareMember

BackupShareMember("dr", backup_id={backup!r}, dest_account={account!r})
"""

WINDOW = """
import pulumi
from pulumi_cbr_sharing.resources.vault_share import VaultShare

VaultShare("nightly", vault_id={vault!r}, dest_project_ids=[{project!r}], keep=1,
           opts=pulumi.ResourceOptions(protect=True))
"""

BRIDGED = """
import pulumi

class Provider(pulumi.ProviderResource):
    def __init__(self, name, props):
        super().__init__("huaweicloud", name, props)

class BackupShare(pulumi.CustomResource):
    def __init__(self, name, backup_id, projects, opts):
        members = [{{"destProjectId": project}} for project in projects]
        super().__init__("huaweicloud:Cbr/backupShare:BackupShare", name,
                         {{"backupId": backup_id, "members": members}}, opts)

account = Provider("account", {{"region": "eu-de", "secretKey": {secret}}})
BackupShare("bridged", {backup!r}, [{project!r}], pulumi.ResourceOptions(provider=account))
"""


@pytest.fixture(name="stack")
def _stack(request: pytest.FixtureRequest, tmp_path: Path, emulator: Emulator) -> Iterator[Stack]:
    """A new stack with the credentials of the emulated sharer."""
    stack = Stack(tmp_path, **getattr(request, "param", {}))
    stack.env.update(environment(emulator))
    yield stack
    shutil.rmtree(tmp_path, ignore_errors=True)


@pytest.fixture(name="installed", scope="session")
def _installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pack of the examples, installed as its README says, over the environment of these tests."""
    folder = tmp_path_factory.mktemp("policies") / "cbr"
    shutil.copytree(SOURCE, folder, ignore=shutil.ignore_patterns("environment"))
    install = [sys.executable, str(folder / "install.py"), "--environment", sys.prefix]
    subprocess.run(install, check=True, capture_output=True)
    return folder


@pytest.fixture(name="pack")
def _pack(stack: Stack, installed: Path) -> Pack:
    """The options that enable the pack, with or without a configuration."""

    def words(config: dict[str, Any] | None = None, folder: Path = installed) -> tuple[str, ...]:
        if config is None:
            return ("--policy-pack", str(folder))
        return ("--policy-pack", str(folder), "--policy-pack-config", str(stack.file("pack.json", json.dumps(config))))

    return words


def program(template: str, emulator: Emulator, account: str = "bystander", **words: str) -> str:
    """A program that shares the seeded backup with an account."""
    project = emulator.account(account).project_id
    return template.format(backup=emulator.backup.id, project=project, **{"options": "", "secret": "None", **words})


def only_recipient(emulator: Emulator, **more: Any) -> dict[str, Any]:
    """A configuration that allows one account."""
    allowed = [{"project_id": emulator.account("recipient").project_id, "note": "DR account, owned by Anna"}]
    return {"allowed-recipients": {"enforcementLevel": "mandatory", "recipients": allowed, **more}}


def told(run: Run, level: str, rule: str) -> bool:
    """Whether the engine shows a report of a rule at a level."""
    return any(line.split()[1:3] == [f"[{level}]", rule] for line in run.output.splitlines() if f"[{level}]" in line)


def assert_nothing_was_written(emulator: Emulator) -> None:
    """Only reads were sent to the cloud, and it has no share."""
    assert {request.method for request in emulator.requests} <= {"GET"}
    assert emulator.members(emulator.backup.id) == {}


def test_a_mandatory_violation_stops_preview_and_up(emulator: Emulator, stack: Stack, pack: Pack) -> None:
    """With or without a preview; the message names all resources involved."""
    stack.program(program(MEMBER, emulator))
    words = pack(only_recipient(emulator))

    for refused in (stack.preview(*words, check=False), stack.up(*words, check=False)):
        assert not refused.ok
        assert told(refused, "mandatory", "allowed-recipients")
        message = next(line for line in refused.output.splitlines() if REFUSED in line)
        names = ("'dr'", emulator.backup.id, emulator.account("bystander").project_id, "allowed-recipients", "Anna")
        assert [name for name in names if name not in message] == []

    assert_nothing_was_written(emulator)
    assert stack.resources("BackupShareMember") == []


def test_an_allowed_recipient_gets_its_share(emulator: Emulator, stack: Stack, pack: Pack) -> None:
    """The pack lets it pass; stack rules see the outputs at the end."""
    stack.program(program(MEMBER, emulator, "recipient"))

    done = stack.up(*pack({**only_recipient(emulator), "pending-too-long": {"days": 0}}))

    assert set(emulator.members(emulator.backup.id)) == {emulator.account("recipient").project_id}
    assert not told(done, "mandatory", "allowed-recipients")
    assert told(done, "advisory", "pending-too-long")
    assert "which has not answered since" in done.output


def test_a_computed_recipient_is_checked_by_the_update(emulator: Emulator, stack: Stack, pack: Pack) -> None:
    """The preview reports that it cannot be checked yet; the update stops before the share is sent."""
    stack.program(program(COMPUTED, emulator))
    words = pack(only_recipient(emulator))

    seen = stack.preview(*words)
    assert told(seen, "advisory", "allowed-recipients")
    assert "cannot be checked yet" in seen.output
    assert "Traceback" not in seen.output, seen.output

    refused = stack.pulumi("up", "--yes", *words, check=False)  # with its preview
    assert not refused.ok
    assert told(refused, "mandatory", "allowed-recipients")
    assert len(stack.resources(":Resource")) == 1  # the other resource was made, so the value was known
    assert_nothing_was_written(emulator)

    stack.program(program(COMPUTED, emulator, "recipient"))
    stack.up(*words)
    assert set(emulator.members(emulator.backup.id)) == {emulator.account("recipient").project_id}


def test_an_account_name_is_judged_by_its_project(emulator: Emulator, stack: Stack, pack: Pack) -> None:
    """A recipient that is given by name is compared by its project id."""
    words = pack(only_recipient(emulator))
    stack.program(NAMED.format(backup=emulator.backup.id, account="bystander"))
    for refused in (stack.preview(*words, check=False), stack.up(*words, check=False)):
        assert told(refused, "mandatory", "allowed-recipients")
        assert emulator.account("bystander").project_id in refused.output
    assert_nothing_was_written(emulator)

    stack.program(NAMED.format(backup=emulator.backup.id, account="recipient"))
    stack.up(*words)
    assert set(emulator.members(emulator.backup.id)) == {emulator.account("recipient").project_id}


def test_what_a_vault_share_makes_is_seen(emulator: Emulator, stack: Stack, pack: Pack) -> None:
    """Its members are judged, too, and inherit its protection."""
    vault = emulator.vault("sharer").id
    stack.program(program(WINDOW, emulator, vault=vault))
    words = pack({**only_recipient(emulator), "protected-share": "mandatory"})

    refused = stack.up(*words, check=False)

    assert told(refused, "mandatory", "allowed-recipients")
    assert not told(refused, "mandatory", "protected-share")
    assert "BackupShareMember 'nightly-" in refused.output
    assert_nothing_was_written(emulator)

    stack.program(program(WINDOW, emulator, "recipient", vault=vault))
    stack.up(*words)
    assert len(emulator.members(emulator.backup.id)) == 1


RECIPIENTS = """
recipients:
  - {{project_id: {project}, name: disaster recovery, owner: anna@example.org, class: friendly}}
exceptions:
  - {{backup: {backup}, recipient: {agreed}, reason: forensics, owner: anna@example.org, until: {until}}}
"""


def test_the_list_of_the_audit_beside_the_pack(emulator: Emulator, stack: Stack, pack: Pack, installed: Path) -> None:
    """Who may receive, and what was agreed besides, comes from the audit's file in the folder of the pack."""
    folder = stack.folder / "policies"
    shutil.copytree(installed, folder, symlinks=True)
    recipient, agreed = (emulator.account(name).project_id for name in ("recipient", "bystander"))
    until = datetime.now(timezone.utc).date() + timedelta(days=30)
    listed = RECIPIENTS.format(project=recipient, backup=emulator.backup.id, agreed=agreed, until=until)
    (folder / "cbr-sharing.yaml").write_text(listed)
    words = pack({"allowed-recipients": {"recipients_file": "cbr-sharing.yaml"}}, folder)

    stack.program(MEMBER.format(backup=emulator.backup.id, project=emulator.add_account("more").project_id, options=""))
    refused = stack.up(*words, check=False)
    assert told(refused, "mandatory", "allowed-recipients")
    assert f"{recipient} (disaster recovery, owned by anna@example.org)" in refused.output
    assert_nothing_was_written(emulator)

    stack.program(program(MEMBER, emulator))
    stack.up(*words)
    assert set(emulator.members(emulator.backup.id)) == {agreed}


def test_the_state_is_judged_without_a_run(emulator: Emulator, stack: Stack, pack: Pack) -> None:
    """`pulumi policy analyze` sees the answers that the last refresh found, such as a rejection."""
    stack.program(program(MEMBER, emulator))
    stack.up()
    emulator.answer(emulator.backup.id, emulator.account("bystander").project_id, "rejected")
    stack.refresh()
    emulator.clear_requests()
    words = pack({**only_recipient(emulator), "rejected-share": "mandatory"})

    judged = stack.pulumi("policy", "analyze", *words, check=False)

    assert not judged.ok
    assert told(judged, "mandatory", "rejected-share")
    assert told(judged, "mandatory", "allowed-recipients")
    assert emulator.requests == []


def test_an_exception_holds_until_its_last_day(emulator: Emulator, stack: Stack, pack: Pack) -> None:
    """An expired one is reported as a violation; a renewed one covers it."""
    stack.program(program(MEMBER, emulator))
    agreed = {"recipient": emulator.account("bystander").project_id, "reason": "forensics", "owner": "Anna"}
    ended, open_ = (str(datetime.now(timezone.utc).date() + timedelta(days=days)) for days in (-2, 30))

    refused = stack.up(*pack(only_recipient(emulator, exceptions=[{**agreed, "until": ended}])), check=False)
    assert not refused.ok
    assert f"the exception for it (forensics) ended on {ended}" in refused.output
    assert_nothing_was_written(emulator)

    stack.up(*pack(only_recipient(emulator, exceptions=[{**agreed, "until": open_}])))
    assert len(emulator.members(emulator.backup.id)) == 1


def test_without_a_list_nobody_may_receive(emulator: Emulator, stack: Stack, pack: Pack) -> None:
    """Without any configuration, too; the message says that there is no list."""
    stack.program(program(MEMBER, emulator, options=", opts=pulumi.ResourceOptions(protect=True)"))
    for config in (None, {"allowed-recipients": "mandatory"}, {"all": "mandatory"}):
        refused = stack.up(*pack(config), check=False)
        assert told(refused, "mandatory", "allowed-recipients")
        assert "no recipients are configured" in refused.output
    assert_nothing_was_written(emulator)


def test_protection_and_the_number_of_recipients(emulator: Emulator, stack: Stack, pack: Pack) -> None:
    """Violations of two mandatory rules are both reported; a protected share within the limit passes."""
    stack.program(program(MEMBER, emulator))
    config: dict[str, Any] = {"allowed-recipients": "disabled", "protected-share": "mandatory"}
    config["most-recipients"] = {"enforcementLevel": "mandatory", "most": 0}

    refused = stack.up(*pack(config), check=False)
    assert told(refused, "mandatory", "protected-share")
    assert told(refused, "mandatory", "most-recipients")
    assert_nothing_was_written(emulator)

    stack.program(program(MEMBER, emulator, options=", opts=pulumi.ResourceOptions(protect=True)"))
    config["most-recipients"] = {"enforcementLevel": "mandatory", "most": 1}
    stack.up(*pack(config))


def test_a_wrong_configuration_stops_everything(emulator: Emulator, stack: Stack, pack: Pack) -> None:
    """The engine checks it against the schemas before the program runs; the pack refuses the rest."""
    stack.program(program(MEMBER, emulator, "recipient"))

    refused = stack.up(*pack({"allowed-recipients": {"recipients": [{"project_id": "dr"}]}}), check=False)
    assert not refused.ok
    assert "allowed-recipients: recipients.0.project_id: Does not match pattern" in refused.output
    assert "recipients.0: note is required" in refused.output

    refused = stack.up(*pack(only_recipient(emulator, exeptions=[])), check=False)
    assert not refused.ok
    assert "allowed-recipients.exeptions is not known: did you mean exceptions?" in refused.output
    assert_nothing_was_written(emulator)


def test_a_misspelled_rule_is_refused(emulator: Emulator, stack: Stack, pack: Pack) -> None:
    """With a level by the pack, which knows the right name; without one by the engine, which does not."""
    stack.program(program(MEMBER, emulator))
    rule = only_recipient(emulator)["allowed-recipients"]
    del rule["enforcementLevel"]
    for level, message in (
        ({"enforcementLevel": "mandatory"}, "there is no rule alowed-recipients: did you mean allowed-recipients?"),
        ({}, "invalid enforcement level"),
    ):
        for command in (stack.preview, stack.up):
            refused = command(*pack({"alowed-recipients": {**rule, **level}}), check=False)
            assert not refused.ok
            assert message in refused.output
            assert "Traceback" not in refused.of_resources
    assert_nothing_was_written(emulator)


OUTPUTS = """
import pulumi
from pulumi.dynamic import CreateResult, Resource, ResourceProvider

class Provider(ResourceProvider):
    def create(self, props):
        return CreateResult("made", {{"backup_id": {backup!r}, "dest_project_id": {project!r}}})

class DrShare(Resource, module="huaweicloud/cbr", name="Copy"):
    def __init__(self):
        super().__init__(Provider(), "dr", {{"backup_id": None, "dest_project_id": None}})

DrShare()
"""


def test_a_recipient_in_the_outputs_alone_is_a_violation(emulator: Emulator, stack: Stack, pack: Pack) -> None:
    """An author's own provider may write there what it likes, after the rules have judged the inputs."""
    stack.program(program(OUTPUTS, emulator))
    refused = stack.up(*pack(only_recipient(emulator)), check=False)
    assert not refused.ok
    assert told(refused, "mandatory", "recipients-in-outputs")
    assert not told(refused, "mandatory", "allowed-recipients")


EVASIONS = {
    "subclass": """
class DrShare(BackupShareMember):
    pass

DrShare("dr", backup_id={backup!r}, dest_project_id={project!r})
""",
    "subclass with another module": """
class DrShare(BackupShareMember, module="dr", name="Share"):
    pass

DrShare("dr", backup_id={backup!r}, dest_project_id={project!r})
""",
    "own resource around our provider": """
class DrShare(Resource):
    pass

inputs = {{"backup_id": {backup!r}, "dest_project_id": {project!r}, "adopt": True, "wait_for_backup": 0}}
DrShare(BackupShareMemberProvider(), "dr", inputs)
""",
    "own resource with the token of an accepter": """
class DrShare(Resource, module="huaweicloud/cbr", name="BackupShareAccepter"):
    pass

inputs = {{"backup_id": {backup!r}, "dest_project_id": {project!r}, "adopt": True, "wait_for_backup": 0}}
DrShare(BackupShareMemberProvider(), "dr", inputs)
""",
    "custom resource of any name, in a component": """
from pulumi.dynamic.dynamic import serialize_provider

class Wrapper(pulumi.ComponentResource):
    def __init__(self):
        super().__init__("huaweicloud::cbr:BackupShareMember", "x::dr")
        inputs = {{"backup_id": {backup!r}, "dest_project_id": {project!r}, "adopt": True, "wait_for_backup": 0}}
        inputs["__provider"] = serialize_provider(BackupShareMemberProvider())
        pulumi.CustomResource("pulumi-python:x:Y", "dr", inputs, pulumi.ResourceOptions(parent=self))

Wrapper()
""",
    "set in a secret list": """
BackupShare("dr", backup_id={backup!r}, dest_project_ids=pulumi.Output.secret([{project!r}]))
""",
    "own provider that takes the recipient by another name": """
class Provider(BackupShareMemberProvider):
    def check(self, _olds, news):
        return CheckResult(news, [])

    def create(self, props):
        return super().create({{**props, "dest_project_id": {project!r}}})

class DrShare(BackupShareMember):
    def __init__(self):
        pulumi.dynamic.Resource.__init__(self, Provider(), "dr", {{"backup_id": {backup!r}, "to": {project!r}}})

DrShare()
""",
}
IMPORTS = """
import pulumi
from pulumi.dynamic import CheckResult, Resource
from pulumi_cbr_sharing import BackupShare, BackupShareMember
from pulumi_cbr_sharing.resources.share_member import BackupShareMemberProvider
"""


@pytest.mark.parametrize("way", EVASIONS)
def test_no_way_to_write_a_share_gets_past(emulator: Emulator, stack: Stack, pack: Pack, way: str) -> None:
    """However the program creates it, the recipient is judged before anything is sent."""
    stack.program(IMPORTS + program(EVASIONS[way], emulator))

    refused = stack.up(*pack(only_recipient(emulator)), check=False)

    assert told(refused, "mandatory", "allowed-recipients"), refused.output
    shown = emulator.account("bystander").project_id in refused.output
    assert not (shown and "secret" in way)
    assert_nothing_was_written(emulator)


def test_drift_that_a_set_removes_is_no_violation(emulator: Emulator, stack: Stack, pack: Pack) -> None:
    """A refresh writes an undeclared recipient into the state, and the update cancels it: no rule stands in its way."""
    recipient, stranger = (emulator.account(name).project_id for name in ("recipient", "bystander"))
    stack.program(
        "from pulumi_cbr_sharing import BackupShare\n"
        f"BackupShare('dr', backup_id={emulator.backup.id!r}, dest_project_ids=[{recipient!r}])"
    )
    words = pack(only_recipient(emulator))
    stack.up(*words)
    emulator.add_member(emulator.backup.id, stranger)
    done = stack.pulumi("up", "--yes", "--refresh", *words, check=False)  # with its preview
    assert done.ok, done.output
    assert set(emulator.members(emulator.backup.id)) == {recipient}


PLANTED = """
import os, sys

if "pulumi.policy" in sys.orig_argv:
    open({mark!r}, "w").close()

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "pulumi_policy" and "pulumi.policy" in sys.orig_argv:
            sys.meta_path.remove(self)
            import pulumi_policy
            pulumi_policy.ResourceValidationPolicy.validate = lambda *_: None

sys.meta_path.insert(0, Finder())
os.environ.pop("PYTHONPATH", None)
"""


@pytest.mark.parametrize("stack", [{"plain": True}], indirect=True, ids=["plain"])
@pytest.mark.parametrize("place", ["PYTHONPATH", "PYTHONUSERBASE"])
def test_code_from_the_environment_of_the_program_does_not_reach_the_rules(
    emulator: Emulator, stack: Stack, pack: Pack, place: str
) -> None:
    """A planted `sitecustomize` would remove them; the pack's interpreter does not load it."""
    mark = stack.folder / "planted"
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    folder = {"PYTHONPATH": "code", "PYTHONUSERBASE": f"code/lib/{version}/site-packages"}[place]
    for name in ("sitecustomize", "usercustomize"):
        stack.file(f"{folder}/{name}.py", PLANTED.format(mark=str(mark)))
    stack.env[place] = str(stack.folder / "code")
    stack.program(program(MEMBER, emulator))

    refused = stack.up(*pack(only_recipient(emulator)), check=False)

    assert told(refused, "mandatory", "allowed-recipients"), refused.output
    assert not mark.exists()
    assert_nothing_was_written(emulator)


def test_the_pack_is_not_given_the_secrets_of_the_stack(stack: Stack, installed: Path) -> None:
    """The engine passes the decrypted configuration to a pack in its environment; rules do not need it."""
    env = {**stack.env, "PULUMI_CONFIG": "planted", "HW_SECRET_KEY": "planted", "PYTHONPATH": "/planted"}
    program = "import os, sys; print(sorted(os.environ), sys.flags.isolated, sys.path)"
    python = installed / "isolated" / "bin" / "python"
    told = subprocess.run([python, "-c", program], env=env, capture_output=True, text=True, check=True).stdout
    assert told.startswith("['LC_ALL', 'PATH'] 1 ")
    assert "planted" not in told


def test_the_pack_does_not_run_in_the_environment_of_the_program(
    emulator: Emulator, stack: Stack, pack: Pack, installed: Path
) -> None:
    """Without its own environment it does not start, and says what to do; nothing is shared."""
    bare = stack.folder / "policies"
    shutil.copytree(installed, bare, symlinks=True)
    stack.program(program(MEMBER, emulator))
    settings = bare / "PulumiPolicy.yaml"
    settings.write_text(settings.read_text().partition("runtime:")[0] + "runtime: python\n")
    refused = stack.up(*pack(only_recipient(emulator), bare), check=False)
    assert not refused.ok
    assert "let `install.py` of the pack make its environment" in refused.output
    assert_nothing_was_written(emulator)


def test_a_pack_that_was_not_installed_says_what_to_do(emulator: Emulator, stack: Stack, pack: Pack) -> None:
    """The launcher is there from the start, and ends at once, so that the engine does not wait for it."""
    bare = stack.folder / "policies"
    shutil.copytree(SOURCE, bare, ignore=shutil.ignore_patterns("environment"))
    stack.program(program(MEMBER, emulator))
    refused = stack.up(*pack(only_recipient(emulator), bare), check=False)
    assert not refused.ok
    assert f"this policy pack has no environment yet: run python3 {bare}/install.py" in refused.output
    assert_nothing_was_written(emulator)


def test_the_pack_installs_what_it_requires(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """From its requirements.txt, with this version of the package, into an environment of its own."""
    dist, folder = wheelhouse(tmp_path_factory), tmp_path / "cbr"
    shutil.copytree(SOURCE, folder, ignore=shutil.ignore_patterns("environment"))
    env = os.environ | pip_environment(dist)
    subprocess.run([sys.executable, folder / "install.py", "--find-links", dist], env=env, check=True)
    program = "import pulumi_cbr_sharing.policies as p, sys; print(p.__file__, sys.flags.isolated)"
    python = folder / "isolated" / "bin" / "python"
    told = subprocess.run([python, "-c", program], capture_output=True, text=True, check=True).stdout
    assert told.startswith(str(folder / "environment"))
    assert told.strip().endswith("1")


def test_a_lock_is_installed_by_its_hashes(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A package that is not the one of the lock is refused."""
    folder = tmp_path / "cbr"
    shutil.copytree(SOURCE, folder, ignore=shutil.ignore_patterns("environment"))
    requirement = (folder / "requirements.txt").read_text().strip()
    (folder / "requirements.lock").write_text(f"{requirement} --hash=sha256:{'0' * 64}\n")
    words = [
        sys.executable,
        str(folder / "install.py"),
        "--no-index",
        "--find-links",
        str(wheelhouse(tmp_path_factory)),
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "DO NOT MATCH THE HASHES" in done.stderr


def test_plain_secrets_in_the_stack_configuration(emulator: Emulator, stack: Stack, pack: Pack) -> None:
    """A plain secret is a violation, and is not printed; an encrypted one passes."""
    owner = emulator.account("sharer")
    stack.program(program(MEMBER, emulator))
    stack.config_set("huaweicloud:accessKey", owner.access_key)
    stack.config_set("huaweicloud:secretKey", owner.secret_key)
    words = pack({"allowed-recipients": "disabled", "no-plain-secrets": "mandatory"})

    refused = stack.up(*words, check=False)
    assert told(refused, "mandatory", "no-plain-secrets")
    assert owner.secret_key not in refused.output
    assert_nothing_was_written(emulator)

    stack.config_set("huaweicloud:secretKey", owner.secret_key, secret=True)
    stack.up(*words)
    assert len(emulator.members(emulator.backup.id)) == 1


def test_shares_and_secrets_of_the_bridged_provider(emulator: Emulator, stack: Stack, pack: Pack) -> None:
    """Its resources and explicit providers are judged by the same rules, before they are created."""
    plugin = stack.file(
        "bin/pulumi-resource-huaweicloud",
        f"#!/bin/sh\nexec {sys.executable} -u {ROOT / 'tests/support/bridged_plugin.py'}\n",
    )
    plugin.chmod(0o755)
    stack.env["PATH"] = os.pathsep.join([str(plugin.parent), stack.env["PATH"]])
    words = pack({**only_recipient(emulator), "no-plain-secrets": "mandatory"})

    stack.program(program(BRIDGED, emulator, secret="'planted'"))
    refused = stack.up(*words, check=False)
    assert told(refused, "mandatory", "no-plain-secrets")
    assert "secretKey of provider 'account'" in refused.output

    stack.program(program(BRIDGED, emulator, secret="pulumi.Output.secret('planted')"))
    refused = stack.up(*words, check=False)
    assert not told(refused, "mandatory", "no-plain-secrets")
    assert told(refused, "mandatory", "allowed-recipients")
    assert "BackupShare 'bridged'" in refused.output
    assert stack.resources(":BackupShare") == []

    stack.program(program(BRIDGED, emulator, "recipient", secret="pulumi.Output.secret('planted')"))
    stack.up(*words)
    assert len(stack.resources(":BackupShare")) == 1
