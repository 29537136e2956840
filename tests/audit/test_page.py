"""The page of an audit in a real browser: on a desktop, on a phone, on paper."""

from __future__ import annotations

import json
import re

from html import escape
from typing import TYPE_CHECKING, Any

import pytest

from pypdf import PdfReader

from audited import World
from browser import Browser
from pulumi_cbr_sharing.audit.report.page import as_html
from pulumi_cbr_sharing.emulator import serve


if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pulumi_cbr_sharing.emulator import Emulator


pytestmark = pytest.mark.slow


ROWS = "[...document.querySelectorAll('.part tr')]"
SHOWN = "[...document.querySelectorAll('.part tr')].filter(one => one.offsetHeight > 0).length"
FILTER = "document.forms[0].elements[%r].value = %r; document.forms[0].dispatchEvent(new Event('input'));"


@pytest.fixture(name="browser", scope="module")
def _browser(tmp_path_factory: pytest.TempPathFactory) -> Browser:
    return Browser(tmp_path_factory.mktemp("browser"))


@pytest.fixture(name="planted", scope="module")
def _planted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Every kind of finding; tests of this file change nothing in it."""
    with serve() as emulator:
        world = World(emulator, tmp_path_factory.mktemp("planted"))
        world.plant_clean(5)
        world.plant_everything(1)
        evil = world.backup(resource_name="<img src=x onerror=\"document.title='harm'\">" + "w" * 200)
        world.share(evil, world.to.unknown)
        yield world


@pytest.fixture(name="page", scope="module")
def _page(planted: World) -> str:
    return planted.audit("--format", "html").stdout


@pytest.fixture(name="report", scope="module")
def _report(planted: World) -> dict[str, Any]:
    return dict(json.loads(planted.audit("--format", "json").stdout))


@pytest.fixture(name="world")
def _world(emulator: Emulator, tmp_path: Path) -> World:
    world = World(emulator, tmp_path)
    world.plant_everything(1)
    return world


def test_it_begins_with_what_was_compared(browser: Browser, page: str, planted: World, report: dict[str, Any]) -> None:
    """Then totals, the picture, the findings and the exceptions; nothing was loaded or blocked, names are escaped."""
    seen: dict[str, Any] = json.loads(
        browser.ask(
            page,
            "{title: document.title, rows: document.querySelectorAll('.part tr').length, "
            "heads: [...document.querySelectorAll('h2')].map(one => one.textContent), "
            "compared: document.querySelector('dl').textContent, "
            "loaded: performance.getEntriesByType('resource').length, form: document.forms[0].offsetHeight > 0}",
        )
    )
    assert seen["title"].startswith(f"Shared backups: {report['summary']['findings']} findings: ")
    assert seen["rows"] == len(report["findings"])
    assert seen["heads"] == [
        "What was compared",
        "Totals",
        "Who could restore what, from when",
        "Findings",
        "Agreed exceptions",
    ]
    assert planted.owner in seen["compared"]
    assert "2 recipients, 3 exceptions, SHA-256 " in seen["compared"]
    assert (seen["loaded"], seen["form"]) == (0, True)


def test_the_picture_has_a_cell_for_each_server_and_recipient(
    browser: Browser, page: str, report: dict[str, Any]
) -> None:
    """With the status and the age of the newest copy."""
    cells = (
        "Object.fromEntries([...document.querySelectorAll('.picture tbody tr')].map(row => [row.firstChild.textContent"
    )
    seen = json.loads(browser.ask(page, cells + ", [...row.querySelectorAll('td')].map(one => one.textContent)]))"))
    assert len(seen) == len({one["resource_id"] for one in report["recovery_points"]})
    assert "accepted 5 d2 copies, too old" in seen["db"]
    assert sum(map(bool, (cell for row in seen.values() for cell in row))) == len(report["recovery_points"])


@pytest.mark.parametrize(
    ("field", "value", "fits"),
    [
        ("severity", "high", lambda one: one["severity"] == "high" and not one["covered"]),
        ("kind", "missing", lambda one: one["kind"] == "missing"),
        ("recipient", "third", lambda one: one["recipient_class"] == "third-party"),
        ("text", "the auditor's copy", lambda one: one["covered"]),
    ],
)
def test_findings_are_filtered(
    browser: Browser, page: str, planted: World, report: dict[str, Any], *, field: str, value: str, fits: Any
) -> None:
    """By severity, kind, recipient and text."""
    chosen = planted.to.third if value == "third" else value
    findings = report["findings"]
    expected = sum(map(fits, findings))
    assert 0 < expected < len(findings)
    both = f"[{SHOWN}, document.querySelector('output').textContent]"
    shown, said = json.loads(browser.ask(page, both, first=FILTER % (field, chosen)))
    assert shown == expected
    assert said.startswith(f"{expected} of ")


def test_a_filter_unfolds_what_is_few_and_folds_it_again(browser: Browser, page: str) -> None:
    """Thousands of unfolded rows would take long to lay out at the next letter."""
    folded = page.replace('" open>', '">')
    unfolded = "document.querySelectorAll('.group[open]').length"
    typed = FILTER % ("text", "web-")
    assert json.loads(browser.ask(folded, unfolded)) == 0
    assert json.loads(browser.ask(folded, unfolded, first=typed)) == folded.count('class="group"')
    cleared = f"{typed} setTimeout(() => {{ {FILTER % ('text', '')} }}, 75);"
    assert json.loads(browser.ask(folded, unfolded, first=cleared)) == 0


def test_a_count_leads_to_what_it_counts(browser: Browser, page: str, report: dict[str, Any]) -> None:
    """With its script it filters; without, it is a link to the first group that has such findings."""
    counts = report["summary"]
    click = "document.querySelector('.counts a[data-value=undeclared]').click();"
    assert json.loads(browser.ask(page, SHOWN, first=click)) == counts["kinds"]["undeclared"]
    targets = json.loads(
        browser.ask(page, "[...document.querySelectorAll('.counts a')].map(one => !!document.querySelector(one.hash))")
    )
    assert len(targets) == sum(map(bool, (*counts["severities"].values(), *counts["kinds"].values())))
    assert all(targets)


def test_a_command_has_a_button_that_copies_it(browser: Browser, page: str, report: dict[str, Any]) -> None:
    """One for each command."""
    commands = [one["command"] for one in report["findings"]]
    pairs = "[...document.querySelectorAll('.part button')].map(one => one.previousSibling.textContent)"
    assert sorted(json.loads(browser.ask(page, pairs))) == sorted(filter(None, commands))


def test_it_is_readable_without_its_script(browser: Browser, page: str) -> None:
    """Groups can be unfolded by the browser itself, and the filters are not shown."""
    alone = re.sub(r"<script>.*</script>", "", page, flags=re.DOTALL)
    question = f"[document.forms[0].offsetHeight, {SHOWN}, {ROWS}.length]"
    assert json.loads(browser.ask(alone, question)) == [0, page.count("<tr data-change"), page.count("<tr data-change")]


@pytest.mark.parametrize(("width", "display"), [(360, "block"), (800, "table-cell"), (1280, "table-cell")])
def test_nothing_sticks_out(browser: Browser, page: str, width: int, display: str) -> None:
    """No sideways scrolling, with a name of 200 letters; on a phone the cells of a finding are below each other.

    A window of Chromium has 500 pixels at least, so the page is in a frame of the width that is meant.
    """
    frame = f'<body><iframe srcdoc="{escape(page)}" style="width: {width}px; height: 900px; border: 0"></iframe></body>'
    question = (
        "[frames[0].document.documentElement.scrollWidth, "
        "frames[0].getComputedStyle(frames[0].document.querySelector('.part td')).display]"
    )
    wide, shown = json.loads(browser.ask(frame, question))
    assert wide <= width
    assert shown == display


def test_it_is_readable_on_paper(browser: Browser, page: str, report: dict[str, Any]) -> None:
    """Every finding is printed, folded ones, too; filters and commands are not."""
    folded = page.replace('" open>', '">')
    assert folded != page
    reader = PdfReader(browser.print(folded))
    text = " ".join(" ".join(one.extract_text().split()) for one in reader.pages)
    flat = text.replace(" ", "").replace("-", "")
    named = [one["backup_id"] for one in report["findings"] if one["backup_id"]]
    assert [one for one in named if one.replace("-", "") not in flat] == []
    assert "Show all" not in text
    assert "unshare" not in text
    assert len(reader.pages) <= 4


def test_two_servers_of_the_same_name_are_told_apart(world: World) -> None:
    """By their ids."""
    twins = [world.backup(resource_name="twin") for _ in range(2)]
    for backup in twins:
        world.share(backup, world.to.friendly)
    page = world.audit("--format", "html").stdout
    for backup in twins:
        assert f'<th scope="row">twin<span class="dim">{backup.resource_id}</span></th>' in page


def test_thousands_of_findings_are_a_small_page(browser: Browser, report: dict[str, Any]) -> None:
    """What findings have in common is said once; what is folded, or below, is not laid out before it is looked at."""
    findings = [one for one in report["findings"] for _ in range(4000 // len(report["findings"]) + 1)]
    point = report["recovery_points"][0]
    points = [{**point, "resource_id": f"server-{number}"} for number in range(200)]
    page = as_html({**report, "findings": findings, "recovery_points": points})
    assert page.count("<tr data-change") == len(findings) >= 4000
    assert len(page.encode()) < 2_000_000
    cells = (
        "['.picture tr:first-child td', '.picture tr:last-child td', '.part td'].map(one => document.querySelector(one)"
    )
    seen = f"{cells}.checkVisibility({{contentVisibilityAuto: true}}))"
    assert json.loads(browser.ask(page, seen)) == [True, False, False]


def test_what_has_changed_is_told_in_figures(browser: Browser, world: World, tmp_path: Path) -> None:
    """And each figure is a link."""
    base = tmp_path / "base.json"
    world.audit("--output", str(base))
    world.share(world.backup(), world.to.third)
    page = world.audit("--format", "html", "--baseline", str(base)).stdout
    figures = "Object.fromEntries([...document.querySelectorAll('a[data-filter=change]')].map(one => "
    seen = json.loads(browser.ask(page, figures + "[one.dataset.value, +one.querySelector('b').textContent]))"))
    assert (seen["new"], seen["changed"], seen["gone"]) == (1, 0, 0)
    assert seen["unchanged"] == len(json.loads(base.read_text())["findings"])
