"""The signature SDK-HMAC-SHA256, as the vendor documents it under "AK/SK signing"."""

from __future__ import annotations

import hashlib
import hmac

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote, urlsplit


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


ALGORITHM = "SDK-HMAC-SHA256"


def canonical_query(pairs: Iterable[tuple[str, str]]) -> str:
    """The query string, as it is signed and must be sent."""
    return "&".join(f"{_encode(key)}={_encode(value)}" for key, value in sorted(pairs))


def canonical_request(method: str, url: str, headers: Mapping[str, str], body: bytes) -> str:
    """Method, path, query, headers, header names and hash of the body, each on a line.

    Args:
        method: in upper case.
        url: the whole URL, as sent.
        headers: the headers to sign, in any case.
        body: as sent; empty if there is none.
    """
    parts = urlsplit(url)
    path = "/".join(_encode(unquote(segment)) for segment in parts.path.split("/"))
    lowered = sorted((name.lower(), value.strip()) for name, value in headers.items())
    return "\n".join(
        (
            method,
            path if path.endswith("/") else path + "/",  # only here, not in the URL that is sent
            canonical_query(parse_qsl(parts.query, keep_blank_values=True)),
            "".join(f"{name}:{value}\n" for name, value in lowered),
            ";".join(name for name, _ in lowered),
            hashlib.sha256(body).hexdigest(),
        )
    )


def string_to_sign(date: str, canonical: str) -> str:
    """The algorithm, `X-Sdk-Date` and the hash of the canonical request, each on a line."""
    return f"{ALGORITHM}\n{date}\n{hashlib.sha256(canonical.encode()).hexdigest()}"


def signature(secret_key: str, text: str) -> str:
    """HMAC-SHA256 of the string to sign, in hex; the secret key is used as it is, not derived."""
    return hmac.new(secret_key.encode(), text.encode(), hashlib.sha256).hexdigest()


def _encode(text: str) -> str:
    return quote(text, safe="~")
