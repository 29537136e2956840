"""What goes over the wire: a call, the reply to it, and how a reply is read.

Pure: nothing here sends anything. `client.py` sends; `read` turns what came back into a payload or an error.
"""

from __future__ import annotations

import json

from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote, quote_plus

from pulumi_cbr_sharing.errors import (
    ApiError,
    MalformedUrl,
    UnexpectedAnswer,
    one_line,
)
from pulumi_cbr_sharing.http.codes import meaning_of


if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_cbr_sharing.http.codes import Meaning


Service = Literal["cbr", "iam"]
LONGEST_RETRY_AFTER = 3600.0  # seconds

# Seen by the maintainers of another client of the same API: list and get of backups and members answer so
# where the backup does not exist. It may mean that the project is not the credential's, too: see cbr/second_look.py.
MALFORMED_URL = {"unauthorized": {"code": "401", "message": "Malformed request url"}}


@dataclass(frozen=True)
class Call:
    """One request to be made.

    Attributes:
        method: GET, POST, PUT or DELETE.
        path: below the service's endpoint, percent-encoded where it needs to be, `/v3/…`.
        doing: what the user would say is being done: the head of every error.
        action: the IAM action that it needs, such as `cbr:member:create`.
        query: name and value pairs, in any order.
        body: JSON to send, or None for no body at all.
        service: whose endpoint.
        repeatable: whether sending it twice is the same as sending it once.
        expects: the statuses that mean success.
        meanings: what some statuses mean of this call in particular, if its service answered, not the gateway.
    """

    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    doing: str
    action: str
    query: tuple[tuple[str, str], ...] = ()
    body: Mapping[str, Any] | None = field(default=None, repr=False)  # a token request holds a password
    service: Service = "cbr"
    repeatable: bool = True
    expects: tuple[int, ...] = (200,)
    meanings: tuple[Meaning, ...] = ()


@dataclass(frozen=True)
class Reply:
    """An answer as it came: status, headers (any case), body."""

    status: int
    headers: Mapping[str, str] = field(repr=False)  # X-Subject-Token is a secret
    body: bytes = field(repr=False)

    @cached_property
    def payload(self) -> dict[str, Any]:
        """The JSON object in the body; {} if the body is anything else."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}


def read(call: Call, reply: Reply) -> Reply:
    """The reply, if it is of the expected status and has a JSON object where one is due.

    Raises:
        ApiError: the answer says no; the subclass says what that means.
        UnexpectedAnswer: nothing can be concluded from the answer.
    """
    if reply.status in call.expects:
        return reply if reply.status == 204 else _with_payload(call, reply)  # noqa: PLR2004
    if reply.status < 400:  # noqa: PLR2004
        raise UnexpectedAnswer(_unexpected(call, reply, "where another status belongs"))
    raise refusal(call, reply)


def scrubbed(reply: Reply, secrets: list[str]) -> Reply:
    """The reply without secrets that it echoes: a refusal's words, and some headers of any answer, end in messages."""
    hidden = _Hidden(secrets)
    headers = {name: hidden.of(text) if name.lower() in _SHOWN else text for name, text in reply.headers.items()}
    if reply.status < 400:  # noqa: PLR2004
        return Reply(reply.status, headers, reply.body)
    try:
        body = json.dumps(json.loads(reply.body))  # one spelling, whatever escapes an echo came with
    except (ValueError, RecursionError):
        body = reply.body.decode("utf-8", "replace")
    return Reply(reply.status, headers, hidden.of(body).encode())


_SHOWN = ("x-request-id", "location", "content-type", "retry-after")


class _Hidden:
    """Secrets in the spellings that an echo may have: as they are, in JSON, in an address."""

    def __init__(self, secrets: list[str]) -> None:
        spellings = {spell(secret) for secret in filter(None, secrets) for spell in (str, _in_json, quote, quote_plus)}
        self._spellings = sorted(spellings, key=len, reverse=True)

    def of(self, text: str) -> str:
        """The text without them."""
        for spelling in self._spellings:
            text = text.replace(spelling, "***")
        return text


def _in_json(text: str) -> str:
    return json.dumps(text)[1:-1]


def rows(call: Call, reply: Reply, key: str) -> list[dict[str, Any]]:
    """The list of objects under `key`; UnexpectedAnswer if there is no such list."""
    value = reply.payload.get(key)
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise lacking(call, reply, f"a list `{key}`")
    return value


def row(call: Call, reply: Reply, key: str) -> dict[str, Any]:
    """The object under `key`; UnexpectedAnswer if there is none."""
    value = reply.payload.get(key)
    if not isinstance(value, dict):
        raise lacking(call, reply, f"an object `{key}`")
    return value


def lacking(call: Call, reply: Reply, what: str) -> UnexpectedAnswer:
    """The error for an answer without something that belongs there."""
    return UnexpectedAnswer(_unexpected(call, reply, f"without {what}"))


def refusal(call: Call, reply: Reply) -> ApiError:
    """The error that a reply with a status of 400 or more stands for."""
    if _is_malformed_url(call, reply):
        return _refusal(call, reply, MalformedUrl, "the service calls the address malformed", "check the project id")
    code, message, _ = error_parts(reply.payload)
    own = next((meaning for meaning in call.meanings if meaning.status == reply.status), None)
    own = None if code.startswith(("APIGW.", "APIG.")) else own  # the gateway's word is not about what was asked
    meaning = own or meaning_of(reply.status, code)
    general = own or not code or meaning.reason == meaning_of(reply.status, "").reason
    # Where the meaning comes from the status alone, the service's own words add something.
    said = f", it says: {one_line(message)}" if message and general else ""
    reason = meaning.reason + said
    wanted = _seconds(_header(reply, "Retry-After")) or 0
    if wanted >= 60:  # noqa: PLR2004 - less than that is nothing to wonder about
        reason += f", it asks to wait {wanted:.0f} s"
    if reply.status == 403:  # noqa: PLR2004
        reason = f"{reason}, {call.action} is needed"
    return _refusal(call, reply, meaning.error, reason, meaning.remedy)


def _refusal(call: Call, reply: Reply, error: type[ApiError], reason: str, remedy: str) -> ApiError:
    code, _, request_id = error_parts(reply.payload)
    made = error(
        call.doing,
        reason,
        remedy,
        status=reply.status,
        code=one_line(code, 60),
        request_id=one_line(_header(reply, "X-Request-Id") or request_id, 80),
    )
    made.retry_after = _seconds(_header(reply, "Retry-After"))
    return made


def error_parts(payload: Mapping[str, Any]) -> tuple[str, str, str]:
    """Code, message and request id of an error body, in any of the shapes that were seen.

    `{"error_code", "error_msg", "request_id"}`, `{"errorCode", "errorMsg"}`, `{"code", "message"}`,
    or one of these under a single key such as `error`, `unauthorized` or `forbidden`.
    """
    for level in (payload, *(value for value in payload.values() if isinstance(value, dict))):
        for code, message in (("error_code", "error_msg"), ("errorCode", "errorMsg"), ("code", "message")):
            if code in level or message in level:
                return _text(level.get(code)), _text(level.get(message)), _text(level.get("request_id"))
    return "", "", ""


def _text(value: Any) -> str:
    """A text or number as text; anything else, however deep, as nothing."""
    return str(value) if isinstance(value, (str, int, float)) else ""


def _with_payload(call: Call, reply: Reply) -> Reply:
    if not reply.payload:
        raise lacking(call, reply, "the JSON that belongs there")
    return reply


def _unexpected(call: Call, reply: Reply, trouble: str) -> str:
    kind = _header(reply, "Content-Type") or "no content type"
    what = f"an answer {trouble} (HTTP {reply.status}, {one_line(kind, 60)}, {len(reply.body)} bytes"
    request = one_line(_header(reply, "X-Request-Id"), 80)
    what += f", request {request})" if request else ")"
    target = one_line(_header(reply, "Location"), 120)
    what += f", a redirect to {target}, which is not followed" if target else ""
    return f"{call.doing}: {what}: check the endpoint and any proxy on the way; nothing is concluded from it"


def _is_malformed_url(call: Call, reply: Reply) -> bool:
    return call.service == "cbr" and reply.status == 401 and reply.payload == MALFORMED_URL  # noqa: PLR2004


def _header(reply: Reply, name: str) -> str:
    return next((value for key, value in reply.headers.items() if key.lower() == name.lower()), "")


def _seconds(text: str) -> float | None:
    """`Retry-After`, a number of seconds or a date, as seconds from now; None for anything else."""
    if text.isascii() and text.strip().isdigit():
        return min(float(text), LONGEST_RETRY_AFTER)
    try:
        at = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    left = (at.replace(tzinfo=at.tzinfo or timezone.utc) - datetime.now(timezone.utc)).total_seconds()
    return min(left, LONGEST_RETRY_AFTER) if left > 0 else None
