from __future__ import annotations

import html
import json

from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest

from hypothesis import given
from hypothesis import strategies as st

from pulumi_cbr_sharing.http.echoes import SHARED_RUN, repeats_a_secret


if TYPE_CHECKING:
    from collections.abc import Callable


SECRET = st.text(st.characters(min_codepoint=33, max_codepoint=0x24F, categories=["L", "N", "P", "S"]), min_size=1)
KEY = st.text("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789abcdefghijkmnopqrstuvwxyz", min_size=20, max_size=60)
WORDS = st.text("xyz .,:", max_size=30)


def in_json(text: str) -> str:
    """The text in JSON."""
    return json.dumps(text)[1:-1]


def all_escaped(text: str) -> str:
    """Every character as a JSON escape."""
    return "".join(f"\\u{ord(char):04x}" for char in text)


def all_percent(text: str) -> str:
    """Every byte percent-encoded."""
    return "".join(f"%{byte:02X}" for byte in text.encode())


def entities(text: str) -> str:
    """Every character as an HTML entity."""
    return "".join(f"&#{ord(char)};" for char in text)


def hex_entities(text: str) -> str:
    """Every character as a hexadecimal HTML entity."""
    return "".join(f"&#x{ord(char):x};" for char in text)


SPELLINGS: list[Callable[[str], str]] = [
    str,
    in_json,
    all_escaped,
    quote,
    quote_plus,
    all_percent,
    html.escape,
    entities,
    hex_entities,
]


@pytest.mark.parametrize("spell", SPELLINGS)
@given(secret=SECRET, before=WORDS, after=WORDS)
def test_a_whole_secret_is_found_in_every_spelling(
    spell: Callable[[str], str], secret: str, before: str, after: str
) -> None:
    """As it is, in JSON, in a URL, in HTML."""
    assert repeats_a_secret(before + spell(secret) + after, [secret])


@pytest.mark.parametrize("spell", [*SPELLINGS, str.upper])
@given(data=st.data(), secret=KEY)
def test_a_part_of_a_key_is_found(spell: Callable[[str], str], data: st.DataObject, secret: str) -> None:
    """Cut at either end, in every spelling."""
    start = data.draw(st.integers(0, len(secret) - SHARED_RUN))
    end = data.draw(st.integers(start + SHARED_RUN, len(secret)))
    assert repeats_a_secret(f"... {spell(secret[start:end])}...", [secret])


@given(secret=KEY, marks=st.lists(st.sampled_from([" ", "\n", "-", "\u200b", ".", "\x1b[1m"[:1], ""]), min_size=1))
def test_a_split_key_is_found(secret: str, marks: list[str]) -> None:
    """Blanks, line breaks, zero-width characters and punctuation between its letters do not hide it."""
    split = "".join(char + marks[i % len(marks)] for i, char in enumerate(secret))
    assert repeats_a_secret(split, [secret])


@given(secret=KEY)
def test_two_escapes_around_each_other_are_undone(secret: str) -> None:
    """A URL in HTML in JSON."""
    assert repeats_a_secret(all_escaped(entities(all_percent(secret))), [secret])


@given(secret=KEY, text=st.text("!?., äöü中文系统繁忙", max_size=200))
def test_other_words_are_told(secret: str, text: str) -> None:
    """A text that has nothing in common with the secret is quoted."""
    assert not repeats_a_secret(f"Policy doesn't allow: {text}", [secret])


@pytest.mark.parametrize("secret", ["", " ", "\t"])
def test_no_secret_hides_nothing(secret: str) -> None:
    """An empty secret is ignored."""
    assert not repeats_a_secret("any words", [secret])


def test_signs_alone_are_a_secret_too() -> None:
    """A password that consists of symbols is compared as it is."""
    assert repeats_a_secret("bad password !?$%&/()", ["!?$%&/()"])
    assert not repeats_a_secret("bad password", ["!?$%&/()"])
