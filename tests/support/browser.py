"""A real browser, without a window: what a page looks like to it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

from html import unescape
from typing import TYPE_CHECKING

import pytest


if TYPE_CHECKING:
    from pathlib import Path


NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "chrome-headless-shell",
    "chromium-headless-shell",
)
SECONDS = 120
# What a page says of itself after its own scripts have run; `%s` does something before that, as a person would.
ASK = """
<script>
window.addEventListener("load", () => {
  const of = id => document.getElementById(id);
  %s
  setTimeout(() => {
    const seen = document.createElement("pre");
    seen.id = "seen";
    seen.textContent = JSON.stringify(%s);
    document.body.append(seen);
  }, 150);  // a page may wait for a pause in the typing
});
</script>
"""


class Browser:
    """Chromium, or a browser made of it.

    Attributes:
        program: where it is.
        folder: for its profile and what it makes.
    """

    def __init__(self, folder: Path) -> None:
        self.program = _found()
        self.folder = folder

    def ask(self, page: str, question: str, *, first: str = "", width: int = 1280) -> str:
        """What an expression in JavaScript gives in the page, as JSON."""
        file = self.folder / "page.html"
        file.write_text(page.replace("</body>", ASK % (first, question) + "</body>"))
        dom = self._run(f"--window-size={width},900", "--virtual-time-budget=2000", "--dump-dom", file.as_uri())
        match = re.search(r'<pre id="seen">(.*?)</pre>', dom, re.DOTALL)
        assert match, f"the page ran no script:\n{dom[-2000:]}"
        return unescape(match[1])

    def visit(self, url: str, *, seconds: int = 5) -> str:
        """The page at an address, some seconds of the browser's own time after it was loaded."""
        return self._run(f"--virtual-time-budget={seconds * 1000}", "--dump-dom", url)

    def picture(self, url: str, *, width: int = 1280, dark: bool = False) -> Path:
        """What the page at an address looks like."""
        made = self.folder / f"{width}-{'dark' if dark else 'light'}.png"
        scheme = f"--blink-settings=preferredColorScheme={0 if dark else 1}"
        self._run(f"--window-size={width},1200", scheme, f"--screenshot={made}", "--virtual-time-budget=2500", url)
        return made

    def print(self, page: str) -> Path:
        """The page on paper."""
        file, made = self.folder / "printed.html", self.folder / "printed.pdf"
        file.write_text(page)
        self._run(f"--print-to-pdf={made}", file.as_uri())
        return made

    def _run(self, *words: str) -> str:
        options = ("--headless", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={self.folder / 'profile'}")
        alone = ("--no-sandbox",) if os.geteuid() == 0 else ()  # root cannot have one
        command = [self.program, *options, *alone, *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=True)
        return done.stdout


def _found() -> str:
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program:
        return program
    missing = "no Chromium or Chrome on PATH: a page was not looked at in a browser"
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(f"{missing}; install one, such as Debian's package `chromium`")
