from __future__ import annotations

import inspect
import re

from dataclasses import replace
from typing import Any

import pytest

from hypothesis import assume, given
from hypothesis import strategies as st

from pulumi_cbr_sharing import errors
from pulumi_cbr_sharing.errors import (
    AlreadyShared,
    ApiError,
    CbrSharingError,
    CredentialRefused,
    MemberNotFound,
    Throttled,
    Unreachable,
    one_line,
)


COMMAND = re.compile(r"(?<![A-Za-z0-9])::|##")
CLASSES = [item for _, item in inspect.getmembers(errors, inspect.isclass) if issubclass(item, CbrSharingError)]


@given(text=st.text(alphabet=st.characters() | st.sampled_from(":# "), max_size=600), limit=st.integers(1, 400))
def test_foreign_text_becomes_one_bounded_printable_line(text: str, limit: int) -> None:
    """Foreign text cannot break, colour, reverse or flood a message, and is valid UTF-8."""
    line = one_line(text, limit)
    assert line.isprintable()
    assert not COMMAND.search(line)
    assert len(line) <= limit
    assert line == line.strip()
    line.encode()


@given(text=st.text(alphabet=st.characters(categories=["L", "N", "P", "S"]), max_size=100))
def test_a_short_printable_text_stays_as_it_is(text: str) -> None:
    """Chinese, umlauts and emoji are not changed."""
    assume(not COMMAND.search(text))
    assert one_line(text) == text


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("a\r\n\tb", "a b", id="blanks"),
        pytest.param("  a  ", "a", id="around"),
        pytest.param("\x1b[31mred\x1b[0m", "[31mred [0m", id="terminal colours"),
        pytest.param("a\u202eb\u200bc", "a b c", id="turned around, or of no width"),
        pytest.param("a\ud800b", "a b", id="half a character"),
        pytest.param("a\u2028b\u2029c\x85d", "a b c d", id="other ends of lines"),
        pytest.param("x" * 10_000, "x" * 299 + "…", id="long"),
        pytest.param("x" * 300, "x" * 300, id="just short enough"),
        pytest.param("::error::gone\n::set-env name=PATH::x", ": :error::gone : :set-env name=PATH::x", id="GitHub"),
        pytest.param("##[error]gone ##vso[task.complete]", "# #[error]gone # #vso[task.complete]", id="Azure"),
        pytest.param(":\u200b:error:\u200b:", ": :error: :", id="hidden command"),
        pytest.param("OS::Nova::Server", "OS::Nova::Server", id="a kind of resource"),
        pytest.param(None, "None", id="no text at all"),
        pytest.param({"a": 1}, "{'a': 1}", id="an object"),
    ],
)
def test_one_line_by_example(text: Any, line: str) -> None:
    """The result is what a reader would call one line."""
    assert one_line(text) == line


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        pytest.param({}, "sharing: no", id="nothing known"),
        pytest.param({"status": 400}, "sharing: no (HTTP 400)", id="status"),
        pytest.param({"request_id": "r1"}, "sharing: no (request r1)", id="request"),
        pytest.param(
            {"code": "BackupService.6703", "status": 400, "request_id": "r1", "remedy": "go on"},
            "sharing: no (BackupService.6703, HTTP 400, request r1): go on",
            id="all",
        ),
    ],
)
def test_the_line_of_a_refusal_holds_what_is_known(facts: dict[str, Any], line: str) -> None:
    """What was being done, why it failed, code, status and request id, and what to do, in this order."""
    assert str(ApiError("sharing", "no", **facts)) == line


def test_a_refusal_can_be_raised_again_for_another_call() -> None:
    """A remembered refusal keeps its class and attributes, and names the present call."""
    first = CredentialRefused("a", "no", "try", status=401, code="APIGW.0301", request_id="r1")
    again = replace(first, doing="b")
    assert type(again) is CredentialRefused
    assert str(again) == "b: no (APIGW.0301, HTTP 401, request r1): try"
    assert (again.status, again.code, again.request_id) == (401, "APIGW.0301", "r1")


def test_a_refusal_can_be_raised_again_with_another_reason_and_remedy() -> None:
    """When it is known better why; class, code and request stay, and so does the first."""
    first = AlreadyShared("a", "no", "try", status=400, request_id="r1")
    again = replace(first, reason="it is", remedy="stop")
    assert (type(again), str(again)) == (AlreadyShared, "a: it is (HTTP 400, request r1): stop")
    assert str(replace(first, remedy="")) == "a: no (HTTP 400, request r1)"
    assert str(first) == "a: no (HTTP 400, request r1): try"


def test_a_429_that_is_raised_again_keeps_its_pause() -> None:
    """`retry_after` is one of its attributes."""
    first = Throttled("a", "no", status=429, retry_after=7.0)
    assert replace(first, doing="b").retry_after == 7.0


def test_unreachable_tells_whether_anything_was_sent() -> None:
    """Callers decide by whether the request may have had an effect."""
    error = Unreachable("sharing", "no answer", sent=True)
    assert (str(error), error.sent, error.lasting) == ("sharing: no answer", True, False)
    skipped = replace(error, doing="listing", sent=False, lasting=True)
    assert (str(skipped), skipped.sent, skipped.lasting) == ("listing: no answer", False, True)


def test_not_found_is_never_a_mere_refusal() -> None:
    """`except NotFound` does not catch a refused credential, nor the other way round."""
    assert not issubclass(MemberNotFound, CredentialRefused)
    assert not issubclass(CredentialRefused, errors.NotFound)
