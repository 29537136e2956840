"""Whether a text repeats a secret that was sent: cut, split by other characters, or escaped."""

from __future__ import annotations

import re
import unicodedata

from typing import TYPE_CHECKING
from urllib.parse import unquote_plus


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


SHARED_RUN = 8  # characters that text and secret may not have in common
SHORTEST_BARE = 4  # a secret with fewer letters and digits is looked for with its symbols


def repeats_a_secret(text: str, secrets: Iterable[str]) -> bool:
    """Whether a text has eight characters in a row in common with a secret, or the whole of a shorter one.

    Letters and digits are compared, in any case, before and after every kind of escape is undone.
    """
    spellings = list(_spellings(text))
    return any(_is_in(secret, spellings) for secret in secrets if secret.strip())


def _is_in(secret: str, spellings: list[str]) -> bool:
    normal: Callable[[str], str] = _bare if len(_bare(secret)) >= SHORTEST_BARE else _visible
    wanted = normal(secret)
    length = min(len(wanted), SHARED_RUN)
    runs = {wanted[i : i + length] for i in range(len(wanted) - length + 1)}
    return any(spelling[i : i + length] in runs for spelling in map(normal, spellings) for i in range(len(spelling)))


def _spellings(text: str) -> Iterable[str]:
    """The text, and what it becomes when HTML entities, percent signs and JSON escapes are undone, three deep."""
    from html import unescape  # noqa: PLC0415 - its table of entities is large, and seldom needed

    found = {text}
    for _ in range(3):
        found |= {undo(spelling) for spelling in found for undo in (unescape, unquote_plus, _unescaped)}
    return found


def _unescaped(text: str) -> str:
    return re.sub(r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})", lambda match: chr(int(match[1] or match[2], 16)), text)


def _bare(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text).casefold()
    return "".join(filter(str.isalnum, folded))


def _visible(text: str) -> str:
    return "".join(char for char in text if char.isprintable() and not char.isspace())
