"""The page of an audit in a real browser: on a desktop, on a phone, on paper."""

from __future__ import annotations

import json

from html import escape
from typing import TYPE_CHECKING, Any

import pytest

from pypdf import PdfReader

from audited import World
from browser import Browser


if TYPE_CHECKING:
    from pathlib import Path

    from pulumi_cbr_sharing.emulator import Emulator


FILTER = "of(%r).value = %r; document.forms[0].dispatchEvent(new Event('input'));"
SHOWN = "[...document.querySelectorAll('#shares tbody')].filter(one => one.offsetHeight > 0).length"


@pytest.fixture(name="browser")
def _browser(tmp_path: Path) -> Browser:
    return Browser(tmp_path)


@pytest.fixture(name="world")
def _world(emulator: Emulator, tmp_path: Path) -> World:
    world = World(emulator, tmp_path)
    world.plant_clean(5)
    world.plant_everything(1)
    evil = world.backup(resource_name="<img src=x onerror=\"document.title='harm'\">" + "w" * 200)
    world.share(evil, world.to.unknown)
    return world


@pytest.fixture(name="page")
def _page(world: World) -> str:
    return world.audit("--format", "html").stdout


def shares_of(world: World) -> int:
    """The number of shares."""
    return sum(len(world.cloud.members(backup)) for backup in world.cloud.state.backups)


def test_everything_is_there_and_findings_are_on_top(browser: Browser, page: str, world: World) -> None:
    """Each finding and each share has a row; names are escaped; nothing was loaded or blocked."""
    seen: dict[str, Any] = json.loads(
        browser.ask(
            page,
            "{title: document.title, findings: document.querySelectorAll('#findings tbody').length, "
            f"shares: {SHOWN}, text: of('shown').textContent, "
            "order: ['shares', 'findings', 'projects'].sort((a, b) => of(a).offsetTop - of(b).offsetTop), "
            "loaded: performance.getEntriesByType('resource').length, form: document.forms[0].offsetHeight > 0}",
        )
    )
    report = json.loads(world.audit("--format", "json").stdout)
    assert seen == {
        "title": f"Shared backups: {len(report['findings'])} findings",
        "findings": len(report["findings"]),
        "shares": shares_of(world),
        "text": f"{shares_of(world)} of {shares_of(world)} shares",
        "order": ["findings", "projects", "shares"],
        "loaded": 0,
        "form": True,
    }


@pytest.mark.parametrize(
    ("field", "value", "fits"),
    [
        ("project", "third", lambda share: share["recipient_class"] == "third-party"),
        ("status", "accepted", lambda share: share["status"] == "accepted"),
        ("declared", "no", lambda share: not share["declared_by"]),
        ("text", "dr, zür", lambda share: share["recipient_name"] == "DR, Zürich"),
    ],
)
def test_shares_are_filtered(browser: Browser, world: World, field: str, value: str, fits: Any) -> None:
    """By project, status, declaration and text."""
    chosen = world.to.third if value == "third" else value
    shares = json.loads(world.audit("--format", "json").stdout)["shares"]
    expected = sum(map(fits, shares))
    page = world.audit("--format", "html").stdout
    assert 0 < expected < len(shares)
    assert json.loads(browser.ask(page, SHOWN, first=FILTER % (field, chosen))) == expected


@pytest.mark.parametrize(("width", "display"), [(360, "grid"), (800, "grid"), (1280, "table-cell")])
def test_nothing_sticks_out(browser: Browser, page: str, width: int, display: str) -> None:
    """No sideways scrolling, with a name of 200 letters; on a phone each row is a card with its labels.

    A window of Chromium has 500 pixels at least, so the page is in a frame of the width that is meant.
    """
    frame = f'<body><iframe srcdoc="{escape(page)}" style="width: {width}px; height: 900px; border: 0"></iframe></body>'
    question = (
        "[frames[0].document.documentElement.scrollWidth, "
        "frames[0].getComputedStyle(frames[0].document.querySelector('td')).display]"
    )
    wide, shown = json.loads(browser.ask(frame, question))
    assert wide <= width
    assert shown == display


def test_it_is_readable_on_paper(browser: Browser, page: str, world: World) -> None:
    """Every finding and every share is printed, the filters are not."""
    reader = PdfReader(browser.print(page))
    text = " ".join(" ".join(one.extract_text().split()) for one in reader.pages)
    flat = text.replace(" ", "").replace("-", "")
    report = json.loads(world.audit("--format", "json").stdout)
    assert [one["backup_id"] for one in report["shares"] if one["backup_id"].replace("-", "") not in flat] == []
    assert text.count("A share that nobody declared") == report["summary"]["undeclared"]
    assert "by a program" not in text
    assert len(reader.pages) > 1
