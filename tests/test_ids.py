from __future__ import annotations

import re

from typing import TYPE_CHECKING, Any

import pytest

from hypothesis import given
from hypothesis import strategies as st

from pulumi_cbr_sharing.ids import BACKUP, FOREIGN, PROJECT, VAULT, trouble_with_text


if TYPE_CHECKING:
    from collections.abc import Callable

    Check = Callable[[Any], str | None]


UUID = "0b07081e-3ec7-4e77-8571-54e2947da422"
HEX = "0605767b5780d5762fc5c0118072a564"
CHECKS = [BACKUP.trouble_with, VAULT.trouble_with, PROJECT.trouble_with]

every_check = pytest.mark.parametrize("check", CHECKS, ids=["backup", "vault", "project"])

_near = st.text(alphabet="0123456789abcdefABCDEF-\n ０é", max_size=40)
_anything = st.one_of(
    st.text(),
    _near,
    st.from_regex(r"[0-9a-f]{31,33}\n?"),
    st.from_regex(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{11,13}\n?"),
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.binary(),
    st.lists(st.text()),
    st.text(alphabet=st.characters(categories=["Cs", "Cc", "Cf"]), max_size=80),
)


@pytest.mark.parametrize(
    ("check", "value"),
    [
        pytest.param(BACKUP.trouble_with, UUID, id="backup"),
        pytest.param(VAULT.trouble_with, UUID, id="vault"),
        pytest.param(PROJECT.trouble_with, HEX, id="project"),
    ],
)
def test_an_id_of_the_right_shape_is_no_trouble(check: Check, value: str) -> None:
    """The ids in the vendor's examples are accepted."""
    assert check(value) is None


@pytest.mark.parametrize("check", [BACKUP.trouble_with, VAULT.trouble_with], ids=["backup", "vault"])
@given(value=_anything)
def test_nothing_but_a_lower_case_uuid_is_a_backup_or_vault(check: Check, value: Any) -> None:
    """Nothing else becomes part of a path."""
    fits = isinstance(value, str) and re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", value)
    assert (check(value) is None) == bool(fits)


@given(value=_anything)
def test_nothing_but_32_hexadecimal_digits_is_a_project(value: Any) -> None:
    """Nothing else becomes part of a path."""
    fits = isinstance(value, str) and re.fullmatch(r"[0-9a-f]{32}", value)
    assert (PROJECT.trouble_with(value) is None) == bool(fits)


@every_check
@given(value=_anything)
def test_every_trouble_is_one_short_printable_line(check: Check, value: Any) -> None:
    """A wrong id cannot spoil a message."""
    text = check(value) or "fine"
    assert text.isprintable()
    assert len(text) <= 500


@pytest.mark.parametrize(
    ("value", "start"),
    [
        pytest.param(None, "is empty: give ", id="none"),
        pytest.param("", "is empty: give ", id="empty"),
        pytest.param(" \t", "is empty: give ", id="blanks"),
        pytest.param(True, "is not a string but of type bool: give ", id="bool"),
        pytest.param(12.0, "is not a string but of type float: give ", id="float"),
        pytest.param([HEX], "is not a string but of type list: give ", id="list"),
        pytest.param(f" {HEX}", "has white space around it: give ", id="blank before"),
        pytest.param(f"{HEX}\n", "has white space around it: give ", id="newline after"),
        pytest.param(HEX.upper(), "has upper-case letters, which the service does not accept: give ", id="upper case"),
        pytest.param("a" * 65, "has 65 characters: give ", id="long"),
        pytest.param("a\x00b", "has characters that cannot be printed: give ", id="control characters"),
        pytest.param("eu-de", "has another shape ('eu-de'): give ", id="a region"),
        pytest.param(UUID, f"has another shape ('{UUID}'): give ", id="a backup id"),
        pytest.param("../" + HEX[:20], f"has another shape ('../{HEX[:20]}'): give ", id="a path"),
    ],
)
def test_the_trouble_says_what_is_different(value: Any, start: str) -> None:
    """The message says in what the value differs, and what a right one looks like."""
    example = "a project id of 32 hexadecimal digits such as 0605767b5780d5762fc5c0118072a564"
    assert PROJECT.trouble_with(value) == start + example


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        pytest.param(BACKUP.trouble_with, "a backup id such as ", id="backup"),
        pytest.param(VAULT.trouble_with, "a vault id such as ", id="vault"),
        pytest.param(PROJECT.trouble_with, "a project id of 32 hexadecimal digits such as ", id="project"),
    ],
)
def test_the_example_in_a_trouble_is_itself_right(check: Check, expected: str) -> None:
    """The example has the right shape."""
    _, found, example = (check("x") or "").partition(expected)
    assert found
    assert check(example) is None


@given(value=_anything)
def test_an_id_of_another_service_leads_nowhere_else(value: Any) -> None:
    """The ids of images and servers have no documented shape: most are accepted, but no path and no second line."""
    if FOREIGN.fits(value):
        assert not set(value) & set("/\\?#%& \n")
        assert value.strip(".")
        assert value.isascii()
        assert value.isprintable()


@pytest.mark.parametrize("value", [UUID, HEX, "server-1", "ims_1.2:3"])
def test_ids_of_other_services_may_look_as_they_like(value: str) -> None:
    """UUIDs, digits, names."""
    assert FOREIGN.fits(value)


@given(value=_anything)
def test_a_text_to_look_for_can_be_sent(value: Any) -> None:
    """It is valid UTF-8, one line, and not empty."""
    if trouble_with_text(value) is None:
        assert value.encode()
        assert value.strip()
        assert value.isprintable()


@pytest.mark.parametrize(
    ("value", "trouble"),
    [
        ("nightly", None),
        ("\u7814\u53d1 x", None),
        ("\ud800", "has characters that cannot be printed"),
        ("", "is empty"),
        (" ", "is empty"),
        (5, "is not a string but of type int"),
        ("x" * 256, "has 256 characters, more than 255"),
    ],
)
def test_the_trouble_with_a_text(value: Any, trouble: str | None) -> None:
    """The message does not repeat the text."""
    assert trouble_with_text(value) == trouble
