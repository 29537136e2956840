"""An audit as evidence: what was not looked at is not clean, what has changed is told, the list in force is named."""

from __future__ import annotations

import json
import re

from typing import TYPE_CHECKING, Any

import pytest

from click.testing import CliRunner
from jsonschema import Draft202012Validator

from audited import World
from clouds import environment
from commands import Operator, Terminal
from pulumi_cbr_sharing.audit.findings import SEVERITIES
from pulumi_cbr_sharing.audit.report import schema
from pulumi_cbr_sharing.cli import common, main
from pulumi_cbr_sharing.emulator import Fault


if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

    from pulumi_cbr_sharing.emulator import Emulator


NOWHERE = "9ee6e4bd-5c7d-4c3a-a1f0-2f6c1d1b7a10"


@pytest.fixture(name="world")
def _world(emulator: Emulator, tmp_path: Path) -> World:
    """A cloud where everything is declared."""
    world = World(emulator, tmp_path)
    world.plant_clean(5)
    return world


def run(world: World, *words: str, files: bool = True, **env: str) -> Result:
    """An audit, with the states of the world or without."""
    given = world.files() if files else ["--cwd", str(world.folder)]
    return CliRunner().invoke(main, ["audit", *given, *words], env=environment(world.cloud) | env)


def report_of(world: World, *words: str, **more: Any) -> dict[str, Any]:
    """The same, as JSON that fits its schema."""
    made: dict[str, Any] = json.loads(run(world, "--format", "json", *words, **more).stdout)
    assert [error.message for error in Draft202012Validator(schema()).iter_errors(made)] == []
    return made


def unseen(report: dict[str, Any]) -> list[str]:
    """The messages about what could not be checked."""
    return [one["message"] for one in report["findings"] if one["kind"] == "not-looked-at"]


# -- nothing looked at is not clean ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("option", "what"), [("--vault", "no backup in vault"), ("--backup", "backup")])
def test_a_vault_or_backup_that_was_not_seen_is_not_clean(world: World, option: str, what: str) -> None:
    """A mistyped id ends with 3, and the first line says so."""
    done = run(world, option, NOWHERE)
    assert done.exit_code == 3
    assert done.output.startswith("NOT COMPLETE, exit code 3: nothing was looked at\n")
    assert f"{what} {NOWHERE}" in " ".join(done.output.split())
    seen = next(iter(world.cloud.state.backups.values()))
    assert run(world, option, seen.vault_id if option == "--vault" else seen.id).exit_code == 0


def test_an_account_without_backups_is_not_clean(world: World) -> None:
    """A mistyped region or project looks like this."""
    for backup in list(world.cloud.state.backups):
        world.cloud.remove_backup(backup)
    for state in (world.ours, world.bridged, world.terraform):
        state.clear()
    done = run(world)
    assert done.exit_code == 3
    assert done.output.startswith("NOT COMPLETE, exit code 3: nothing was looked at\n")
    assert f"no backup of project {world.owner} was seen" in done.output


def test_without_programs_it_is_an_inventory(world: World) -> None:
    """It is not complete, and tells nobody to cancel a share that may well be declared."""
    world.files()
    report = report_of(world, files=False)
    assert unseen(report) == ["no program was compared: neither --stack nor --state was given"]
    shares = [one for one in report["findings"] if one["kind"] == "undeclared"]
    assert len(shares) == 4
    assert {one["command"] for one in shares} == {None}
    assert {one["remedy"] for one in shares} == {
        "compare it with the programs that declare shares, by --stack or --state"
    }
    assert "no program declares it" not in json.dumps(report)
    world.share(world.backup(), world.to.unknown, "rejected")
    assert "cancel" not in run(world, files=False).output
    assert "nobody declared" not in run(world, "--format", "html", files=False).output
    assert run(world, "--fail-on", "none", files=False).exit_code == 3


def test_a_state_that_cannot_be_read_is_a_finding_and_the_others_are_judged(world: World) -> None:
    """Its shares look undeclared, so the advice is to read it, not to cancel them."""
    world.share(world.backup(), world.to.third)
    (world.folder / "plan.json").write_text('{"planned_values": {}, "terraform_version": "1.9.0"}')
    report = report_of(world, "--state", str(world.folder / "plan.json"))
    assert [message.partition(": ")[2] for message in unseen(report)] == [
        "it is a plan, not a state: export the state itself"
    ]
    (undeclared,) = [one for one in report["findings"] if one["kind"] == "undeclared"]
    assert (undeclared["severity"], undeclared["command"]) == ("high", None)
    assert "no program that could be read declares it" in undeclared["message"]
    assert [one["trouble"] for one in report["compared"]["programs"]].count(None) == 3


def test_what_cannot_be_reached_is_not_a_matter_of_credentials(world: World) -> None:
    """The remedy fits the cause."""
    free = report_of(world, HW_CBR_ENDPOINT="http://127.0.0.1:9")
    (finding,) = free["findings"]
    assert finding["remedy"] == "check region, endpoint and network, then run the audit again"
    world.cloud.deny("sharer", "cbr:backups:list")
    (denied,) = report_of(world)["findings"]
    assert denied["remedy"] == "run the audit again with credentials that may read it"


# -- the list in force -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "there is no "),
        ("exceptions: []", "cbr-sharing.yaml has no recipients"),
        ("recipients: [", "cbr-sharing.yaml: "),
        ("[" * 930, "cbr-sharing.yaml: "),
    ],
)
def test_without_a_list_nobody_is_allowed_in_silence(world: World, content: str | None, told: str) -> None:
    """A file that is missing, renamed, broken or without recipients is a finding; the rest is judged."""
    files = world.files()
    path = world.folder / "cbr-sharing.yaml"
    path.write_text(content or "")
    if content is None:
        path.unlink()
    done = CliRunner().invoke(main, ["audit", *files, "--format", "json"], env=environment(world.cloud))
    assert done.exit_code == 3
    report = json.loads(done.stdout)
    assert report["compared"]["recipients_file"]["recipients"] is None
    assert told in report["compared"]["recipients_file"]["trouble"]
    assert unseen(report)[0].startswith("whether recipients may receive backups was not checked: ")
    text = CliRunner().invoke(main, ["audit", *files], env=environment(world.cloud)).output
    assert "recipients NONE IN FORCE: " in " ".join(text.split())


def test_two_lists_are_refused(world: World) -> None:
    """One must be in force; the last one does not win in silence."""
    path = str(world.folder / "cbr-sharing.yaml")
    done = run(world, "--recipients", path, "--recipients", path)
    assert done.exit_code == 1
    assert "--recipients is given twice" in done.output


def test_who_agreed_to_what_until_when_is_shown(world: World) -> None:
    """Each exception with its owner, its last day, and whether it is needed."""
    agreed = world.backup()
    world.share(agreed, world.to.third)
    world.exception(agreed.id, world.to.third, days=20)
    world.exception(NOWHERE, world.to.third, days=10)
    world.exception(NOWHERE, world.to.friendly, days=-1)
    report = report_of(world)
    assert [(one["state"], one["owner"], len(one["covers"])) for one in report["exceptions"]] == [
        ("expired", "security@example.org", 0),
        ("unused", "security@example.org", 0),
        ("in use", "security@example.org", 1),
    ]
    assert [one["until"] for one in report["exceptions"]] == sorted(one["until"] for one in report["exceptions"])


def test_an_exception_for_everybody_covers_nobody(world: World) -> None:
    """The file is refused, so no list is in force, and nothing is covered."""
    world.share(world.backup(), world.to.unknown)
    world.exception("*", "*")
    report = report_of(world)
    assert "an exception is for one project" in report["compared"]["recipients_file"]["trouble"]
    assert not any(one["covered"] for one in report["findings"])


# -- what has changed --------------------------------------------------------------------------------------------------


def changed_to(world: World, before: str, after: str) -> tuple[dict[str, Any], dict[str, Result]]:
    """A stranger's share that changes between two audits: its finding, and the second audit in other formats."""
    backup = world.backup()
    world.share(backup, world.to.third, before)
    base = world.folder / "base.json"
    run(world, "--output", str(base))
    world.cloud.remove_member(backup.id, world.to.third)
    world.share(backup, world.to.third, after)
    names = ("markdown", "sarif", "text", "github", "html", "csv")
    others = {name: run(world, "--baseline", str(base), "--format", name) for name in names}
    report = report_of(world, "--baseline", str(base))
    return next(one for one in report["findings"] if one["kind"] == "undeclared"), others


@pytest.mark.parametrize(("before", "after"), [("pending", "accepted"), ("rejected", "accepted")])
def test_an_answer_is_a_change_in_every_format(world: World, before: str, after: str) -> None:
    """Never "unchanged", and never an empty summary."""
    finding, others = changed_to(world, before, after)
    assert finding["change"] == "changed"
    assert finding["before"]["status"] == before
    assert finding["status"] == after
    assert "### Changed: 1" in others["markdown"].output
    assert f"was {before}" in others["markdown"].output
    results = json.loads(others["sarif"].stdout)["runs"][0]["results"]
    assert [one["baselineState"] for one in results if one["ruleId"] == "undeclared"] == ["updated"]
    assert f"changed since the baseline was {before}" in " ".join(others["text"].output.split())
    assert f"(was {before}" in others["github"].output
    assert f"was {before}" in others["html"].output
    assert ",changed," in others["csv"].output


def test_a_severity_that_rose_is_a_change(world: World) -> None:
    """A stranger that had rejected was of low severity."""
    finding, _ = changed_to(world, "rejected", "accepted")
    assert SEVERITIES.index(finding["severity"]) < SEVERITIES.index(finding["before"]["severity"])


def test_an_exception_that_ends_is_a_change(world: World) -> None:
    """The finding counts again."""
    backup = world.backup()
    world.share(backup, world.to.third)
    world.exception(backup.id, world.to.third)
    base = world.folder / "base.json"
    run(world, "--output", str(base))
    world.exceptions.clear()
    (finding,) = report_of(world, "--baseline", str(base))["findings"]
    assert (finding["change"], finding["before"]) == ("changed", {"covered": True})


def test_a_baseline_may_be_redacted(world: World) -> None:
    """What is gone is told by the beginnings of its ids."""
    backup = world.backup()
    world.share(backup, world.to.third)
    base = world.folder / "base.json"
    run(world, "--redact", "--output", str(base))
    assert report_of(world, "--baseline", str(base))["summary"]["changes"]["unchanged"] == 1
    world.cloud.remove_member(backup.id, world.to.third)
    (gone,) = report_of(world, "--baseline", str(base))["gone"]
    assert gone["kind"] == "undeclared"


# -- recovery points ---------------------------------------------------------------------------------------------------


def test_who_could_restore_what_from_when(world: World) -> None:
    """The newest copy may be pending; then an older one that was accepted is what can be restored."""
    old = world.backup(days=3, resource_name="erp")
    new = world.backup(days=1, resource_name="erp", resource_id=old.resource_id)
    world.share(old, world.to.friendly, "accepted")
    world.share(new, world.to.friendly)
    (point,) = [one for one in report_of(world)["recovery_points"] if one["resource_name"] == "erp"]
    assert (point["newest"]["backup_id"], point["newest"]["status"]) == (new.id, "pending")
    assert point["restorable"]["backup_id"] == old.id
    assert round(point["restorable"]["age_hours"]) == 72
    assert (point["copies"], point["undeclared"]) == (2, 2)


# -- what must not be told ---------------------------------------------------------------------------------------------


def test_a_secret_recipient_is_secret_in_every_format(world: World) -> None:
    """A state with `--show-secrets` has it in plain; the report compares it, and shows it nowhere."""
    backup = world.backup()
    world.share(backup, world.to.third)
    world.member(backup.id, world.to.third)
    plain = {"4dabf18193072939515e22adb298388d": "x", "plaintext": json.dumps(world.to.third)}
    world.ours[-1]["inputs"]["dest_project_id"] = plain
    undeclared = world.backup()
    world.share(undeclared, world.to.third)
    for name in ("text", "json", "sarif", "github", "markdown", "csv", "html"):
        output = run(world, "--format", name).output
        assert undeclared.id in output
        assert world.to.third not in output, name


# -- before and during the work ----------------------------------------------------------------------------------------


def test_output_paths_are_checked_before_the_work(world: World) -> None:
    """Nothing is sent, no file is left behind, and none is emptied."""
    kept, fresh = world.folder / "kept.json", world.folder / "fresh.json"
    kept.write_text("yesterday's")
    words = ["--output", str(kept), "--output", str(fresh), "--output", "/nonexistent/x.html"]
    world.cloud.clear_requests()
    done = run(world, *words)
    assert (done.exit_code, world.cloud.requests) == (1, [])
    assert "writing /nonexistent/x.html: " in done.output
    assert kept.read_text() == "yesterday's"
    assert not fresh.exists()


def test_progress_is_a_line_now_and_then(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """On standard error, where there is no terminal."""
    monkeypatch.setattr(common, "NEWS_EVERY", 0.0)
    done = run(world, "--format", "json")
    assert "reading backups: 5 of 5\n" in done.stderr
    assert json.loads(done.stdout)["complete"]


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["audit", "adopt"])
def test_progress_is_a_bar_on_a_terminal(world: World, verb: str) -> None:
    """It moves while backups are read, and is gone at the end."""
    world.cloud.latency = 0.1
    with Terminal(Operator(world.cloud, world.folder), verb, *world.files(), "--parallel", "1") as terminal:
        assert terminal.code == 0
        shown = terminal.shown
    assert re.search(r"reading backups [^\n]*\d+%", shown)
    assert "━" in shown
    assert "\x1b[2K" in shown.rpartition("reading backups")[2]


@pytest.mark.slow
def test_one_server_that_fails_leaves_the_others_judged(world: World) -> None:
    """The summary counts it, and the page names it in its head."""
    lost = world.backup()
    world.cloud.add_fault(Fault(status=500, path=f"{lost.id}/members", times=100))
    report = report_of(world)
    assert report["summary"]["not_checked"] == 1
    assert f"<strong>Not checked:</strong> the recipients of backup {lost.id}" in run(world, "--format", "html").output
