"""A plain way to ask the emulated cloud, and a signer that shares nothing with the package's or the emulator's."""

from __future__ import annotations

import hashlib
import hmac

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

import requests


if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_cbr_sharing.emulator import Account, Emulator


SECONDS = 10  # that any answer may take before a test fails
ENGLISH = {"X-Language": "en-us"}


def ask(
    emulator: Emulator,
    method: str,
    path: str,
    body: Any = None,
    *,
    account: str = "sharer",
    headers: Mapping[str, str] | None = None,
) -> requests.Response:
    """Ask with a token of an account; `path` comes after its project."""
    names = {"X-Auth-Token": emulator.token(account), **ENGLISH, **(headers or {})}
    url = f"{emulator.url}/v3/{emulator.account(account).project_id}{path}"
    return requests.request(method, url, json=body, headers=names, timeout=SECONDS)


def members_of(emulator: Emulator) -> str:
    """The path of the seeded backup's members."""
    return f"/backups/{emulator.backup.id}/members"


def project(emulator: Emulator, account: str = "recipient") -> str:
    """The project id of an account."""
    return emulator.account(account).project_id


def code(response: requests.Response) -> str:
    """The error code of an answer."""
    return str(response.json()["error_code"])


def control(emulator: Emulator, method: str, name: str, /, **fields: Any) -> requests.Response:
    """Use a handle of the emulator itself."""
    return requests.request(method, f"{emulator.url}/_emulator/{name}", json=fields, timeout=SECONDS)


def now() -> str:
    """The moment as it is signed."""
    return datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")


def signed(
    method: str,
    url: str,
    account: Account,
    *,
    body: str = "",
    date: str | None = None,
    headers: Mapping[str, str] | None = None,
    leave_out: tuple[str, ...] = (),
) -> dict[str, str]:
    """The headers of a signed request; those in `leave_out` are sent without being signed."""
    parts = urlsplit(url)
    sent = {"Host": parts.netloc, "X-Sdk-Date": date or now(), **(headers or {})}
    texts = {name.lower(): text for name, text in sent.items() if name not in leave_out}
    pairs = sorted((unquote(key), unquote(value)) for key, _, value in (p.partition("=") for p in split(parts.query)))
    canonical = "\n".join(
        [
            method,
            "/".join(quote(unquote(segment), safe="~") for segment in parts.path.split("/")).rstrip("/") + "/",
            "&".join(f"{quote(key, safe='~')}={quote(value, safe='~')}" for key, value in pairs),
            *(f"{name}:{texts[name]}" for name in sorted(texts)),
            "",
            ";".join(sorted(texts)),
            hashlib.sha256(body.encode()).hexdigest(),
        ]
    )
    text = f"SDK-HMAC-SHA256\n{sent['X-Sdk-Date']}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(account.secret_key.encode(), text.encode(), hashlib.sha256).hexdigest()
    claim = f"Access={account.access_key}, SignedHeaders={';'.join(sorted(texts))}, Signature={signature}"
    return {**sent, "Authorization": f"SDK-HMAC-SHA256 {claim}"}


def split(query: str) -> list[str]:
    """The parts of a query."""
    return [part for part in query.split("&") if part]
