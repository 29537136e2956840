"""Whether an answer repeats a secret that was sent: in part, split by other characters, or escaped."""

from __future__ import annotations

import re
import unicodedata

from typing import TYPE_CHECKING
from urllib.parse import unquote_plus


if TYPE_CHECKING:
    from collections.abc import Iterable


SHARED_RUN = 8  # letters and digits in a row that a text and a secret may not have in common
SHORTEST_BARE = 4  # a secret with fewer letters and digits is looked for as it is


def repeats_a_secret(text: str, secrets: Iterable[str]) -> bool:
    """Whether a text has eight letters or digits in a row in common with a secret, or all of those of a shorter one.

    Case does not count, nor what stands between them, nor escapes of HTML, URLs and JSON, up to three deep.
    """
    from html import unescape  # noqa: PLC0415 - its table of entities is large, and seldom needed

    spellings = {text}
    for _ in range(3):
        spellings |= {undo(spelling) for spelling in spellings for undo in (unescape, unquote_plus, _unescape_json)}
    return any(_is_in(secret, spellings) for secret in secrets if secret.strip())


def _is_in(secret: str, spellings: Iterable[str]) -> bool:
    wanted = _bare(secret)
    if len(wanted) < SHORTEST_BARE:
        return any(secret in spelling for spelling in spellings)
    length = min(len(wanted), SHARED_RUN)
    runs = {wanted[i : i + length] for i in range(len(wanted) - length + 1)}
    return any(bare[i : i + length] in runs for bare in map(_bare, spellings) for i in range(len(bare)))


def _bare(text: str) -> str:
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKD", text).casefold()))


def _unescape_json(text: str) -> str:
    escapes = r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})|\\(.)"
    return re.sub(escapes, lambda match: match[3] or chr(int(match[1] or match[2], 16)), text)
