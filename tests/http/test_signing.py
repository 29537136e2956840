from __future__ import annotations

import hashlib

from types import SimpleNamespace
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer
from hypothesis import given
from hypothesis import strategies as st

from pulumi_cbr_sharing.http.auth import canonical_query, canonical_request, signature, string_to_sign


if TYPE_CHECKING:
    from collections.abc import Mapping


NOTHING = hashlib.sha256(b"").hexdigest()
DATE = "20260115T120000Z"
AK, SK = "AKEXAMPLE0000000", "SKexampleSecretKey000000000000000000000"
PROJECT = "0605767b5780d5762fc5c0118072a564"
MEMBERS = f"https://cbr.cn-north-4.myhuaweicloud.com/v3/{PROJECT}/backups/0b07081e-3ec7-4e77-8571-54e2947da422/members"
CBR_HEADERS = {
    "Content-Type": "application/json;charset=UTF-8",
    "Host": "cbr.cn-north-4.myhuaweicloud.com",
    "X-Project-Id": PROJECT,
    "X-Sdk-Date": DATE,
}


def sign(secret_key: str, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> str:
    """Apply the three functions."""
    return signature(secret_key, string_to_sign(headers["X-Sdk-Date"], canonical_request(method, url, headers, body)))


def signed_by_the_vendor(
    method: str, url: tuple[str, str, str], query: list[tuple[str, str]], headers: Mapping[str, str], body: bytes
) -> tuple[str, str]:
    """The signature and the URI of the vendor's own client."""
    scheme, host, path = url
    request = SdkRequest(method, scheme, host, path, None, list(query), dict(headers), body)
    signed = Signer(SimpleNamespace(ak=AK, sk=SK)).sign(request)
    return signed.header_params["Authorization"].rpartition("=")[2], signed.uri


@pytest.mark.parametrize(
    ("secret_key", "method", "url", "headers", "body", "expected"),
    [
        pytest.param(
            "MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc",
            "GET",
            "https://service.region.example.com/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs"
            "?limit=2&marker=13551d6b-755d-4757-b956-536f674975c0",
            {
                "Content-Type": "application/json",
                "Host": "service.region.example.com",
                "X-Sdk-Date": "20191115T033655Z",
            },
            b"",
            "7be6668032f70418fcc22abc52071e57aff61b84a1d2381bb430d6870f4f6ebe",
            id="the vendor's own example",
        ),
        pytest.param(
            SK,
            "POST",
            MEMBERS,
            CBR_HEADERS,
            b'{"members": ["075e6035d300d48c2fd0c00b78b71ebf"]}',
            "571d86adc11d1c456f3db09b4109d49fe24e16e00adb787e144ab015526fdca7",
            id="POST with a body",
        ),
        pytest.param(
            SK,
            "DELETE",
            f"{MEMBERS}/075e6035d300d48c2fd0c00b78b71ebf",
            CBR_HEADERS,
            b"",
            "5e5ae9aa2c6a5abbda4946e06c7cf925d74658fd7d2bf607868e319401ad31f0",
            id="DELETE without",
        ),
    ],
)
def test_known_requests_have_the_known_signatures(
    *, secret_key: str, method: str, url: str, headers: dict[str, str], body: bytes, expected: str
) -> None:
    """A wrong byte in any step would change the signature."""
    assert sign(secret_key, method, url, headers, body) == expected


_segments = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="/%"), max_size=8)
_queries = st.lists(
    st.tuples(
        st.text(st.characters(codec="utf-8"), min_size=1, max_size=6), st.text(st.characters(codec="utf-8"), max_size=6)
    ),
    max_size=5,
)
_names = st.sampled_from(["Content-Type", "X-Project-Id", "X-Language", "x-security-token", "X-ab", "X-Ab-c", "A"])
_values = st.text(alphabet="abc XYZ019;=/.+", max_size=12)


@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    segments=st.lists(_segments, max_size=5),
    query=_queries,
    headers=st.dictionaries(_names.filter(lambda name: name != "Content-Type"), _values, max_size=4),
    json=st.booleans(),
    body=st.binary(max_size=40),
)
def test_the_signature_is_the_vendors(
    *, method: str, segments: list[str], query: list[tuple[str, str]], headers: dict[str, str], json: bool, body: bytes
) -> None:
    """The vendor's own client makes the same signature for any path, query, headers and body."""
    headers |= {"Host": "cbr.example.com", "X-Sdk-Date": DATE} | ({"Content-Type": "application/json"} if json else {})
    path = "/" + "/".join(segments)
    theirs, uri = signed_by_the_vendor(method, ("https", "cbr.example.com", path), query, headers, body)
    sent = "https://cbr.example.com" + quote(path, safe="~/") + (f"?{canonical_query(query)}" if query else "")
    assert sign(SK, method, sent, headers, body) == theirs
    assert uri.removeprefix(path).removeprefix("?") == canonical_query(query)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://h", "/"),
        ("https://h/", "/"),
        ("https://h/v3/p", "/v3/p/"),
        ("https://h/v3/p/", "/v3/p/"),
        ("https://h/a~b/c-d_e.f", "/a~b/c-d_e.f/"),
        ("https://h/a%20b/%C3%A9", "/a%20b/%C3%A9/"),
        ("https://h/a%2fb", "/a%2Fb/"),
        ("https://h/a:b@c,d+e", "/a%3Ab%40c%2Cd%2Be/"),
        ("https://h/a//b", "/a//b/"),
    ],
)
def test_the_path_is_encoded_segment_by_segment_and_ends_in_a_slash(url: str, path: str) -> None:
    """The slash at the end is only in the canonical path; the URL is sent without it."""
    assert canonical_request("GET", url, {}, b"").split("\n")[1] == path


@pytest.mark.parametrize(
    ("pairs", "query"),
    [
        pytest.param([], "", id="none"),
        pytest.param([("limit", "2"), ("a", "1")], "a=1&limit=2", id="by key"),
        pytest.param([("a", "2"), ("a", "10"), ("a", "1")], "a=1&a=10&a=2", id="then by value"),
        pytest.param([("b", ""), ("B", "")], "B=&b=", id="capitals first, empty values kept"),
        pytest.param([("k", "a b+c/d~e&f=g")], "k=a%20b%2Bc%2Fd~e%26f%3Dg", id="encoded"),
        pytest.param([("é", "ü")], "%C3%A9=%C3%BC", id="UTF-8"),
    ],
)
def test_the_query_is_sorted_and_encoded(pairs: list[tuple[str, str]], query: str) -> None:
    """The query is signed and sent in the same order, whatever the order of the caller."""
    assert canonical_query(pairs) == query
    assert canonical_query(reversed(pairs)) == query


@given(pairs=_queries)
def test_the_query_that_is_sent_is_the_query_that_is_signed(pairs: list[tuple[str, str]]) -> None:
    """They are the same."""
    query = canonical_query(pairs)
    assert canonical_request("GET", f"https://h/?{query}", {}, b"").split("\n")[2] == query


def test_headers_are_lowered_sorted_and_trimmed() -> None:
    """Each is on its own line, and all names are on one line."""
    headers = {"X-Sdk-Date": " now ", "host": "h", "Content-Type": "json"}
    assert canonical_request("PUT", "https://h", headers, b"body").split("\n") == [
        *("PUT", "/", ""),
        *("content-type:json", "host:h", "x-sdk-date:now", ""),
        "content-type;host;x-sdk-date",
        hashlib.sha256(b"body").hexdigest(),
    ]


def test_a_request_without_body_has_the_hash_of_nothing() -> None:
    """The hash is that of an empty body."""
    assert canonical_request("GET", "https://h", {}, b"").endswith(f"\n{NOTHING}")


def test_the_string_to_sign_has_three_lines() -> None:
    """Algorithm, date, and the hash of the canonical request."""
    assert string_to_sign(DATE, "") == f"SDK-HMAC-SHA256\n{DATE}\n{NOTHING}"
