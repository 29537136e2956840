"""Draws docs/picture.svg: who shares what with whom, and what this package does of it.

`picture.py FILE` writes the drawing; a test holds that docs/picture.svg is what it draws. Text is in the reader's own
font, colours follow the reader's light or dark screen.
"""

from __future__ import annotations

import sys

from pathlib import Path


STYLE = """
  text { font: 14px system-ui, sans-serif; fill: #1f2328 }
  .head { font-weight: 600 } .code { font: 13px ui-monospace, Menlo, Consolas, monospace; fill: #0550ae }
  .note { font-size: 12.5px; fill: #59636e } .bad { fill: #b42318 }
  .box { fill: #f6f8fa; stroke: #8c959f } .inner { fill: #fff; stroke: #8c959f } .own { fill: #ddf4ff; stroke: #0969da }
  path { fill: none; stroke: #57606a; stroke-width: 1.6; marker-end: url(#tip) }
  .wrong { stroke: #b42318; stroke-dasharray: 5 4; marker-end: url(#bad) }
  #tip path, #bad path { stroke: none; marker-end: none } #tip path { fill: #57606a } #bad path { fill: #b42318 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .code { fill: #79c0ff } .note { fill: #9198a1 } .bad { fill: #ff7b72 }
    .box { fill: #161b22; stroke: #6e7681 } .inner { fill: #0d1117; stroke: #6e7681 }
    .own { fill: #0c2d4a; stroke: #388bfd } path { stroke: #9198a1 } .wrong { stroke: #ff7b72 }
    #tip path { fill: #9198a1 } #bad path { fill: #ff7b72 }
  }
"""


def main(file: str) -> None:
    """Write the drawing."""
    Path(file).write_text(drawing())


def drawing() -> str:
    """The whole SVG."""
    parts = [
        box(20, 10, 820, 62, "own"),
        text(40, 37, "your Pulumi program", "head"),
        text(40, 58, "reviewed, versioned, run by a pipeline", "note"),
        *(text(x, 47, name, "code") for x, name in ((330, "BackupShareMember"), (560, "BackupShareAccepter"))),
        text(738, 47, "policy pack", "code"),
        *(arrow(f"M{x} 72 V{y}") for x, y in ((400, 180), (640, 108))),
        box(20, 110, 270, 190, "box"),
        text(40, 136, "the first account", "head"),
        box(40, 152, 230, 96, "inner"),
        text(56, 176, "vault"),
        text(56, 200, "a backup of each server"),
        text(56, 222, "every night, kept for some days", "note"),
        text(40, 280, "shares; remains the owner", "note"),
        arrow("M270 184 H520"),
        text(302, 156, "offer", "note"),
        box(520, 110, 320, 136, "box"),
        text(540, 136, "the second account, to recover in", "head"),
        box(540, 152, 280, 78, "inner"),
        text(556, 176, "accepts into a vault of its own"),
        text(556, 212, "restores from it on the worst day", "note"),
        arrow("M270 232 C 360 232 400 300 520 300", "wrong"),
        box(520, 270, 320, 60, "box"),
        text(540, 296, "another account", "head"),
        text(540, 317, "shared by hand, declared nowhere", "note"),
        text(300, 322, "cbr-sharing audit", "code"),
        text(300, 342, "finds it", "note bad"),
    ]
    body = "\n  ".join(parts)
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 860 356" role="img" aria-labelledby="title">
  <title id="title">A program shares a vault's backups of one account with another account, which accepts them</title>
  <style>{STYLE}  </style>
  <defs>
    {tip("tip")}
    {tip("bad")}
  </defs>
  {body}
</svg>
"""


def box(x: int, y: int, width: int, height: int, kind: str) -> str:
    """A rounded rectangle."""
    return f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="8"/>'


def text(x: int, y: int, words: str, kind: str = "") -> str:
    """A line of text that begins at a point."""
    return f'<text x="{x}" y="{y}"{named(kind)}>{words}</text>'


def arrow(way: str, kind: str = "") -> str:
    """An arrow along a way."""
    return f'<path d="{way}"{named(kind)}/>'


def named(kind: str) -> str:
    """The attribute of a kind, if there is one."""
    return f' class="{kind}"' if kind else ""


def tip(name: str) -> str:
    """The tip of arrows."""
    return (
        f'<marker id="{name}" markerWidth="9" markerHeight="8" refX="8" refY="4" orient="auto">'
        '<path d="M0 0 L9 4 L0 8 z"/></marker>'
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
