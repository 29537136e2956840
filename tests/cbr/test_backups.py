"""The service's answers about backups become values of fixed types."""

from __future__ import annotations

import math

from typing import Any

import pytest

from pulumi_cbr_sharing.cbr.records import Record
from pulumi_cbr_sharing.http.messages import Call
from pulumi_cbr_sharing.timestamps import rfc3339


@pytest.mark.parametrize(
    ("value", "number"),
    [(80, 80), (80.9, 80), (math.inf, 0), (-math.inf, 0), (math.nan, 0), ("80", 0), (None, 0), ([80], 0)],
)
def test_a_size_is_a_whole_number(value: Any, number: int) -> None:
    """JSON parsers accept infinities."""
    call = Call("GET", "/v3/p/things", doing="reading", action="x")
    assert Record(call, "thing", {"size": value}).number("size") == number


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
