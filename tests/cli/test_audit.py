"""`cbr-sharing audit`: exit codes, files, accounts, baselines and wrong usage."""

from __future__ import annotations

import json

from typing import TYPE_CHECKING, Any

import pytest

from click.testing import CliRunner

from audited import World
from clouds import environment
from pulumi_cbr_sharing.cli import main
from pulumi_cbr_sharing.cli.audit import Target, targets
from pulumi_cbr_sharing.emulator import Fault


if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

    from pulumi_cbr_sharing.emulator import Emulator


OTHER = "9ee6e4bd-5c7d-4c3a-a1f0-2f6c1d1b7a10"  # of nothing that there is


@pytest.fixture(name="world")
def _world(emulator: Emulator, tmp_path: Path) -> World:
    """A cloud where everything is declared."""
    world = World(emulator, tmp_path)
    world.plant_clean(5)
    return world


def findings(run: Result) -> list[dict[str, Any]]:
    """The findings of a report in JSON."""
    found: list[dict[str, Any]] = json.loads(run.stdout)["findings"]
    return found


def kinds(run: Result) -> list[str]:
    """Their kinds."""
    return [one["kind"] for one in findings(run)]


def test_a_clean_account_ends_with_0(world: World) -> None:
    """It says how much was checked."""
    run = world.audit()
    assert run.exit_code == 0
    lines = run.output.splitlines()
    assert lines[:2] == ["Complete, exit code 0", "0 findings, in 5 backups and 4 shares"]
    assert any(line.startswith(f"  account    default: project {world.owner} (") for line in lines)
    assert max(len(line) for line in lines if "/" not in line) <= 80


@pytest.mark.parametrize(
    ("fail_on", "code"),
    [
        ([], 2),
        (["--fail-on", "undeclared"], 2),
        (["--fail-on", "missing"], 0),
        (["--fail-on", "missing", "--fail-on", "undeclared"], 2),
        (["--fail-on", "medium"], 2),
        (["--fail-on", "high"], 0),
        (["--fail-on", "none"], 0),
    ],
)
def test_findings_of_fail_on_end_with_2(world: World, fail_on: list[str], code: int) -> None:
    """By kind, or by severity and higher; a share with a friendly project has medium severity."""
    world.share(world.backup(), world.to.friendly)
    assert world.audit(*fail_on).exit_code == code


def test_what_was_not_looked_at_ends_with_3_and_findings_come_first(world: World) -> None:
    """Never 0."""
    unseen = world.backup()
    world.cloud.add_fault(Fault(status=403, path=f"{unseen.id}/members", times=100))
    assert world.audit().exit_code == 3
    assert world.audit("--fail-on", "none").exit_code == 3
    world.share(world.backup(), world.to.third)
    assert world.audit().exit_code == 2


def test_a_covered_finding_stays_in_the_report_and_does_not_count(world: World) -> None:
    """With reason, owner and expiry; a pattern covers, too."""
    backup = world.backup()
    world.share(backup, world.to.unknown)
    world.exception("*", world.to.unknown)
    run = world.audit("--format", "json")
    assert run.exit_code == 0
    assert sorted(kinds(run)) == ["recipient-not-allowed", "undeclared"]
    assert {one["covered"] for one in findings(run)} == {True}
    assert findings(run)[0]["exception"]["reason"] == "the auditor's copy"


def test_an_exception_is_not_called_unused_while_something_is_not_known(world: World) -> None:
    """The share that it covers may exist."""
    backup = world.backup()
    world.exception(backup.id, world.to.third)
    world.cloud.add_fault(Fault(status=403, path=f"{backup.id}/members", times=1))
    assert kinds(world.audit("--format", "json")) == ["not-looked-at"]
    assert kinds(world.audit("--format", "json")) == ["exception-unused"]
    other = next(iter(world.cloud.state.backups))
    assert kinds(world.audit("--format", "json", "--backup", other)) == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ["--fail-on", "everything"],
            "'--fail-on': 'everything' is not one of 'high', 'medium', 'low', 'none', 'undecl",
        ),
        (["--vault", "x"], "'--vault': it has another shape"),
        (["--backup", "x"], "'--backup': it has another shape"),
        (["--max-age", "soon"], "'soon' is not a duration such as 7, 7d, 12h or 2w"),
        (["--recipients", "none.yaml"], "Error: reading none.yaml: "),
        (["--baseline", "none.json"], "Error: reading none.json: "),
        (["--state", "none.json"], "Error: reading none.json: "),
        (["--format", "text", "--output", "a", "--output", "b"], "--output b: there is no --format left for it"),
        (["--parallel", "0"], "0 is not in the range"),
        (["--stack", ""], "'--stack': it is empty: is a variable not set?"),
        (["--connection", " "], "'--connection': it is empty: is a variable not set?"),
        (["--output", "/nonexistent/x.json"], "Error: writing /nonexistent/x.json: "),
    ],
)
def test_wrong_usage_ends_with_1(world: World, words: list[str], told: str) -> None:
    """One line, before anything is sent."""
    run = world.audit(*words)
    assert run.exit_code == 1
    assert told in run.output
    assert "Traceback" not in run.output


def test_missing_settings_end_with_1(tmp_path: Path) -> None:
    """The error lists every missing setting."""
    run = CliRunner().invoke(main, ["audit", "--cwd", str(tmp_path)], env={"HOME": str(tmp_path)})
    assert run.exit_code == 1
    assert run.output.startswith("Error: Settings: ")


def test_an_age_may_be_given_in_other_units(world: World) -> None:
    """Hours and weeks."""
    backup = world.backup(days=2)
    world.share(backup, world.to.friendly, "accepted")
    world.member(backup.id, world.to.friendly)
    assert kinds(world.audit("--format", "json", "--max-age", "36h", limits=False)) == ["recovery-point-too-old"]
    assert kinds(world.audit("--format", "json", "--max-age", "1w", limits=False)) == []
    assert kinds(world.audit("--format", "json", limits=False)) == []


def test_a_scope_of_one_vault_and_of_one_backup(world: World) -> None:
    """Declared shares out of scope are neither missing nor checked; the age of backups is not guessed."""
    vault = world.cloud.add_vault(account="sharer", name="second")
    inside = world.backup(days=5, vault_id=vault.id)
    world.share(inside, world.to.third, "accepted", days=4)
    world.backup(days=1, resource_id=inside.resource_id)  # which may be shared as well
    world.cloud.clear_requests()
    for scope in (["--vault", vault.id], ["--backup", inside.id]):
        report = json.loads(world.audit("--format", "json", *scope).stdout)
        assert [(one["kind"], one["vault_name"]) for one in report["findings"]] == [("undeclared", "second")]
        assert report["summary"]["backups"] == 1
    assert len([one for one in world.cloud.requests if one.path.endswith("/members")]) == 2


def test_several_accounts(world: World) -> None:
    """Each has the name of its connection; shares of an account that is not audited are not missing."""
    env = environment(world.cloud) | environment(world.cloud, "recipient", "DR_")
    own = world.cloud.add_backup("recipient")
    world.cloud.add_member(own.id, world.owner)
    elsewhere = world.cloud.add_backup("bystander")
    project = world.cloud.account("bystander").project_id
    world.member(elsewhere.id, world.to.friendly, owner_project_id=project)
    words = ["audit", *world.files(), "--format", "json"]
    both = CliRunner().invoke(main, [*words, "--connection", "huaweicloud", "--connection", "dr"], env=env)
    assert {(one["kind"], one["account"], one["backup_id"]) for one in findings(both)} == {
        ("undeclared", "dr", own.id),
        ("recipient-not-allowed", "dr", own.id),
        ("not-looked-at", "", elsewhere.id),
    }
    (unseen,) = [one for one in findings(both) if one["kind"] == "not-looked-at"]
    assert project in unseen["cause"]


def test_a_state_without_the_owner_of_a_backup_makes_nothing_missing(world: World) -> None:
    """The backup may be another account's: it is reported as not checked."""
    world.terraform_set(OTHER, world.to.friendly)
    run = world.audit("--format", "json")
    assert kinds(run) == ["not-looked-at"]
    assert run.exit_code == 3


def incoming(world: World, *words: str) -> Result:
    """An audit of the recipient's account."""
    env = environment(world.cloud, "friend")
    return CliRunner().invoke(main, ["audit", *world.files(), "--format", "json", *words], env=env)


def test_what_others_offer(world: World) -> None:
    """Undeclared without an accepter; accepted elsewhere with another vault; not checked without --incoming."""
    cloud = world.cloud
    offered, taken, elsewhere, back = (cloud.add_backup("bystander") for _ in range(4))
    cloud.add_member(offered.id, world.to.friendly)
    for backup in (taken, elsewhere):
        cloud.add_member(backup.id, world.to.friendly, "accepted")
    vault, other = cloud.vault("friend").id, cloud.add_vault(account="friend").id
    owner = cloud.account("bystander").project_id
    world.ours.clear()
    world.bridged.clear()
    world.terraform.clear()
    for backup, into in ((taken, vault), (elsewhere, other), (back, vault)):
        world.accepter(backup.id, world.to.friendly, into)
        world.ours[-1]["outputs"]["owner_project_id"] = owner
    for backup in [one for one in cloud.state.backups.values() if one.project_id == world.owner]:
        cloud.remove_backup(backup.id)

    run = incoming(world, "--incoming")
    assert {(one["kind"], one["backup_id"], one["severity"]) for one in findings(run)} == {
        ("undeclared", offered.id, "low"),
        ("accepted-elsewhere", elsewhere.id, "medium"),
        ("missing", back.id, "medium"),
    }
    assert {one["incoming"] for one in findings(run) if one["kind"] == "undeclared"} == {True}
    assert set(kinds(incoming(world))) == {"not-looked-at"}

    # Whether a recipient may read its own membership is not known: the audit lives with either answer. If the list does
    # not tell the status either, it says that it could not look.
    cloud.ignores_member_status = False
    cloud.deny("friend", "cbr:member:get")
    denied = incoming(world, "--incoming")
    assert sorted(kinds(denied)) == sorted(kinds(run))
    cloud.deny("friend", "cbr:backups:list")
    assert kinds(incoming(world, "--incoming")).count("not-looked-at") == 2


def test_ids_are_stable_and_a_baseline_tells_what_is_new_and_gone(world: World, tmp_path: Path) -> None:
    """The same share has the same id in every run; Markdown is empty if nothing changed."""
    old, kept, fresh = (world.backup() for _ in range(3))
    for backup in (old, kept):
        world.share(backup, world.to.third)
    base = tmp_path / "base.json"
    world.audit("--output", str(base))
    again = world.audit("--format", "json", "--baseline", str(base))
    assert {one["change"] for one in findings(again)} == {"unchanged"}
    assert json.loads(again.stdout)["gone"] == []
    assert world.audit("--format", "markdown", "--baseline", str(base)).output == ""

    world.cloud.remove_member(old.id, world.to.third)
    world.share(fresh, world.to.third)
    changed = json.loads(world.audit("--format", "json", "--baseline", str(base)).stdout)
    assert {one["backup_id"]: one["change"] for one in changed["findings"]} == {
        kept.id: "unchanged",
        fresh.id: "new",
    }
    assert [one["backup_id"] for one in changed["gone"]] == [old.id]
    text = world.audit("--format", "markdown", "--baseline", str(base)).output
    assert "### New" in text
    assert "### Gone" in text
    assert "Unchanged: 1." in text

    # What nobody could look at, or was not to be looked at, is not gone.
    world.cloud.add_fault(Fault(status=403, path=f"{old.id}/members"))
    unseen = json.loads(world.audit("--format", "json", "--baseline", str(base)).stdout)
    assert unseen["gone"] == []
    other = json.loads(world.audit("--format", "json", "--baseline", str(base), "--backup", kept.id).stdout)
    assert other["gone"] == []


@pytest.mark.parametrize(
    "text",
    [
        b"[]",
        b"{}",
        b"nonsense",
        b'{"schema_version": 9, "findings": []}',
        b'{"schema_version": 1, "findings": [{"id": "x"}]}',
        b'{"schema_version": 1, "findings": ' + b"[" * 930 + b"]" * 930 + b"}",
        b'{"schema_version": 1, "findings": [{"id": "0123456789abcdef", "kind": [], "severity": {}}]}',
        b"\xff\xfe\x00",
    ],
)
def test_a_baseline_that_is_none(world: World, tmp_path: Path, text: bytes) -> None:
    """It is named, what has changed is not known, and all else is judged."""
    path = tmp_path / "base.json"
    path.write_bytes(text)
    world.share(world.backup(), world.to.third)
    run = world.audit("--format", "json", "--baseline", str(path))
    assert kinds(run) == ["undeclared", "not-looked-at"]
    assert str(path) in findings(run)[1]["message"]
    assert json.loads(run.stdout)["gone"] is None
    assert run.exit_code == 2
    assert world.audit("--baseline", str(path), "--fail-on", "none").exit_code == 3


@pytest.mark.parametrize(
    ("formats", "outputs", "pairs"),
    [
        ([], [], [("text", None)]),
        (["json"], [], [("json", None)]),
        (["json"], ["x.sarif"], [("json", "x.sarif")]),
        (
            [],
            ["a.sarif", "b.html", "c.md", "d"],
            [("sarif", "a.sarif"), ("html", "b.html"), ("markdown", "c.md"), ("text", "d")],
        ),
        (["text", "sarif"], ["x.sarif"], [("sarif", "x.sarif"), ("text", None)]),
        (["markdown", "json"], ["out.txt", "x.json"], [("markdown", "out.txt"), ("json", "x.json")]),
        (["github", "text"], [], [("github", None), ("text", None)]),
        (["json", "text"], ["-", "x"], [("json", None), ("text", "x")]),
    ],
)
def test_formats_find_their_files(formats: list[str], outputs: list[str], pairs: list[tuple[str, str | None]]) -> None:
    """By extension, else in order; the rest goes to standard output."""
    found = targets(formats, outputs)
    assert [(one.format, str(one.file) if one.file else None) for one in found] == pairs
    assert all(isinstance(one, Target) for one in found)


def test_another_account_of_the_same_project_is_looked_at_once(world: World) -> None:
    """Two connections with the same project count once."""
    world.cloud.page_size = 1000  # requests are counted
    env = environment(world.cloud) | environment(world.cloud, "sharer", "DR_")
    world.cloud.clear_requests()
    words = ["audit", *world.files(), "--connection", "huaweicloud", "--connection", "dr"]
    assert CliRunner().invoke(main, words, env=env).exit_code == 0
    assert len(world.cloud.requests) == 2 + len(world.cloud.state.backups)


def test_a_backup_that_expires_between_the_list_and_the_look_is_gone(world: World) -> None:
    """Its declared share is missing; if it can still be read, it is reported as not checked."""
    backup = world.backup()
    world.member(backup.id, world.to.friendly)
    gone = '{"error_code": "BackupService.6200", "error_msg": "no"}'
    world.cloud.add_fault(Fault(status=404, body=gone, path=f"{backup.id}/members"))
    assert kinds(world.audit("--format", "json")) == ["not-looked-at"]
    for _ in range(2):
        world.cloud.add_fault(Fault(status=404, body=gone, path=backup.id))
    run = world.audit("--format", "json")
    assert [(one["kind"], one["cause"]) for one in findings(run)] == [("missing", "the backup no longer exists")]


def test_an_incomplete_list_makes_nothing_missing(world: World) -> None:
    """If the members do not match their count, only those that are there are judged."""
    backup = world.backup()
    world.share(backup, world.to.third)
    world.member(backup.id, world.to.friendly)
    record = {"id": OTHER, "status": "pending", "dest_project_id": world.to.third, "backup_id": backup.id}
    body = json.dumps({"members": [record], "count": 2})
    for _ in range(2):
        world.cloud.add_fault(Fault(status=200, body=body, path=f"{backup.id}/members"))
    assert sorted(kinds(world.audit("--format", "json"))) == ["not-looked-at", "undeclared"]


def test_encrypted_recipients_are_named_and_accuse_nobody(world: World) -> None:
    """The live shares of a set with encrypted recipients are not undeclared."""
    backup = world.backup()
    world.share(backup, world.to.third)
    world.set_(backup.id)
    world.ours[-1]["inputs"]["dest_project_ids"] = {"4dabf18193072939515e22adb298388d": "x", "ciphertext": "v1:x"}
    run = world.audit("--format", "json")
    assert kinds(run) == ["not-looked-at"]
    assert run.exit_code == 3
