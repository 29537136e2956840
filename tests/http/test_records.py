"""The records of an answer become values of fixed types; `tests/cbr/test_hostile_answers.py` asks each call."""

from __future__ import annotations

import json
import math

from typing import TYPE_CHECKING, Any

import pytest

from pulumi_cbr_sharing import ids
from pulumi_cbr_sharing.errors import UnexpectedAnswer
from pulumi_cbr_sharing.http.messages import Call, Reply
from pulumi_cbr_sharing.timestamps import rfc3339


if TYPE_CHECKING:
    from pulumi_cbr_sharing.http.messages import Record


CALL = Call("GET", "/v3/p/things", doing="reading", action="x")


def thing(**fields: Any) -> Record:
    """A record with these fields, in an answer to a call with a secret."""
    body = json.dumps({"thing": fields}).encode()
    return Reply(CALL, 200, {"X-Request-Id": "0b07081e"}, body, ("planted-secret",)).record("thing")


@pytest.mark.parametrize(
    ("value", "number"),
    [(80, 80), (80.9, 80), (math.inf, 0), (-math.inf, 0), (math.nan, 0), ("80", 0), (None, 0), ([80], 0)],
)
def test_a_size_is_a_whole_number(value: Any, number: int) -> None:
    """JSON parsers accept infinities."""
    assert thing(size=value).number("size") == number


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2020-02-05T10:38:34.209782", "2020-02-05T10:38:34.209782Z"),
        ("2020-02-05T10:38:34.210+00:00", "2020-02-05T10:38:34.210000Z"),
        ("2020-02-05T12:38:34+02:00", "2020-02-05T10:38:34Z"),
        ("9999-12-31T23:59:59-14:00", ""),
        ("0001-01-01T00:00:00+14:00", ""),
        ("soon", ""),
        (None, ""),
    ],
)
def test_both_clouds_moments_have_one_form(text: Any, moment: str) -> None:
    """Huawei Cloud sends no zone, Open Telekom Cloud does; anything else is left out."""
    assert rfc3339(text) == moment


OTHER = "11111111-2222-4333-8444-555555555555"
IDS = {
    "missing": ("", "is missing"),
    "another shape": ("..", "is '..', not a backup id"),
    "another type": (["x"], "is of type list, not a backup id"),
    "another one": (OTHER, f"is '{OTHER}', where {ids.BACKUP.example} was asked for"),
    "a secret": ("the planted-secret", "is some text, not a backup id"),
}


@pytest.mark.parametrize(("value", "trouble"), IDS.values(), ids=IDS.keys())
def test_an_id_is_the_one_that_was_asked_for(value: Any, trouble: str) -> None:
    """The error shows it, unless it repeats a secret, and names the request for the vendor's support."""
    record, size = thing(id=value), len(json.dumps({"thing": {"id": value}}))
    with pytest.raises(UnexpectedAnswer) as told:
        record.id("id", ids.BACKUP, ids.BACKUP.example)
    assert str(told.value) == (
        f"reading: an answer with a thing whose id {trouble} (HTTP 200, no content type, {size} bytes, "
        "request 0b07081e): check the endpoint and any proxy on the way; nothing is concluded from it"
    )


@pytest.mark.parametrize("parts", [None, "x", 5, [None, "x"], {}], ids=repr)
def test_a_part_that_is_none_is_empty(parts: Any) -> None:
    """A part is optional, whatever stands in its place."""
    record = thing(part=parts, parts=parts)
    assert (record.part("part").fields, record.parts("parts")) == ({}, [])


def test_a_part_is_named_after_the_whole() -> None:
    """An error says where in the answer it was."""
    record = thing(billing={"id": 1}, disks=[{"id": 2}])
    assert [one.what for one in (record.part("billing"), *record.parts("disks"))] == ["thing's billing", "thing's disk"]
