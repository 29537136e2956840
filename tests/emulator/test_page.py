"""The emulator's own page, in a real browser."""

from __future__ import annotations

import re

from html import unescape
from typing import TYPE_CHECKING

import pytest
import requests

from browser import Browser
from emulated import SECONDS, ask, members_of, project
from pulumi_cbr_sharing.emulator import Fault, serve


if TYPE_CHECKING:
    from pathlib import Path

    from pulumi_cbr_sharing.emulator import Emulator


pytestmark = pytest.mark.slow


PAGE = "/_emulator/"


@pytest.fixture(name="browser")
def _browser(tmp_path: Path) -> Browser:
    return Browser(tmp_path)


@pytest.fixture(name="busy")
def _busy(emulator: Emulator) -> Emulator:
    """A cloud with an accepted share, a request, a fault and a switch."""
    emulator.add_member(emulator.backup.id, project(emulator), "accepted")
    ask(emulator, "GET", f"{members_of(emulator)}?limit=5")
    emulator.add_fault(Fault(path="/members", status=503, times=2))
    emulator.accepts_after_reject = False
    return emulator


def text_of(dom: str) -> str:
    """What a person reads."""
    body = re.sub(r"<(script|style)\b.*?</\1>", "", dom[dom.index("<body") :], flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def test_a_person_sees_who_has_what(busy: Emulator, browser: Browser) -> None:
    """Accounts, backups with shares, the last requests, faults and switches that are set; and it looks again."""
    dom = browser.visit(busy.url + PAGE)
    text = text_of(dom)
    looks = re.search(r'data-looks="(\d+)"', dom)

    for expected in (
        "sharer",
        busy.backup.id,
        "recipient: accepted , in vault",
        "40 of 1000 GB",
        f"GET /v3/{project(busy, 'sharer')}{members_of(busy)}?limit=5",
        "any method /members 503",
        "accepts_after_reject false",
    ):
        assert expected in text
    assert looks
    assert int(looks[1]) >= 2
    assert "does not answer any more" not in visible(dom)


def visible(dom: str) -> str:
    """The text of a page without what is hidden."""
    return text_of(re.sub(r"<p[^>]*\bhidden\b[^>]*>.*?</p>", "", dom, flags=re.DOTALL))


def test_the_page_says_when_the_emulator_has_ended(tmp_path: Path) -> None:
    """What it said last stays."""
    with serve() as emulator:
        page = requests.get(emulator.url + PAGE, timeout=SECONDS).text
        backup = emulator.backup.id
    (tmp_path / "ended.html").write_text(page)
    dom = Browser(tmp_path).visit((tmp_path / "ended.html").as_uri())
    assert "does not answer any more" in visible(dom)
    assert backup in text_of(dom)


def test_the_page_needs_no_network_and_shows_no_secret(busy: Emulator) -> None:
    """Nothing in it leads elsewhere, and the browser is told to load nothing from there."""
    answer = requests.get(busy.url + PAGE, timeout=SECONDS)
    seen = answer.text + requests.get(f"{busy.url}/_emulator/watch", timeout=SECONDS).text
    sharer = busy.account("sharer")
    assert re.findall(r"https?://(?!127\.0\.0\.1)", answer.text) == []
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert [secret for secret in (sharer.secret_key, sharer.password) if secret in seen] == []


def test_no_text_of_a_user_becomes_html(emulator: Emulator, browser: Browser) -> None:
    """Whatever a backup is called."""
    name = "</script><script>document.body.dataset.hit = 1</script><img src=x onerror='document.body.dataset.hit = 2'>"
    emulator.add_backup(name=name)
    dom = browser.visit(emulator.url + PAGE)
    assert "data-hit" not in dom.partition("<main")[0]
    assert name in text_of(dom).replace(" '", "'") or name in unescape(dom)


@pytest.mark.parametrize("width", [400, 1280])
def test_the_page_fits_narrow_and_wide_windows(width: int, busy: Emulator, browser: Browser) -> None:
    """Tables scroll by themselves; the page does not."""
    page = requests.get(busy.url + PAGE, timeout=SECONDS).text
    wide = browser.ask(page, "document.documentElement.scrollWidth - document.documentElement.clientWidth", width=width)
    assert int(wide) <= 0


def test_the_page_is_light_or_dark_as_the_reader_likes(busy: Emulator, browser: Browser) -> None:
    """Two pictures with two backgrounds."""
    pictures = [browser.picture(busy.url + PAGE, dark=dark).read_bytes() for dark in (False, True)]
    assert pictures[0] != pictures[1]


def test_a_page_of_another_name_gets_no_page(emulator: Emulator) -> None:
    """As any control endpoint."""
    headers = {"Host": "rebound.example"}
    assert requests.get(emulator.url + PAGE, headers=headers, timeout=SECONDS).status_code == 403
