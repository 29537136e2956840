"""A call, the reply to it, and what a reply means. Nothing here sends anything.

What a service says is foreign text: `Reply.quote` is the only way of it into a message.
"""

from __future__ import annotations

import json
import re

from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from pulumi_cbr_sharing.errors import (
    ApiError,
    MalformedUrl,
    UnexpectedAnswer,
    one_line,
)
from pulumi_cbr_sharing.http.codes import meaning_of
from pulumi_cbr_sharing.http.echoes import repeats_a_secret


if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_cbr_sharing.http.codes import Meaning


Service = Literal["cbr", "iam"]
LONGEST_RETRY_AFTER = 3600.0  # seconds
LONGEST_QUOTE = 2000  # characters of a text that are looked at

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
        signs_in: whether it is answered with a secret; then nothing of the answer is quoted.
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
    signs_in: bool = False


@dataclass(frozen=True)
class Reply:
    """An answer as it came: status, headers (any case), body.

    Attributes:
        secrets: what was sent with the call and may not be shown.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)  # X-Subject-Token is a secret
    body: bytes = field(repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False, compare=False)

    @cached_property
    def payload(self) -> dict[str, Any]:
        """The JSON object in the body; {} if the body is anything else."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}

    def header(self, name: str) -> str:
        """The value of a header; "" if there is none."""
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), "")

    def quote(self, text: str, limit: int) -> str:
        """A text of the answer, made fit for a message; "" if the answer repeats a secret."""
        return "" if self._repeats_a_secret else one_line(text[:LONGEST_QUOTE], limit)

    @cached_property
    def _repeats_a_secret(self) -> bool:
        texts = (*error_parts(self.payload), *map(self.header, _QUOTED_HEADERS))
        return repeats_a_secret(" ".join(text[:LONGEST_QUOTE] for text in texts), self.secrets)


_QUOTED_HEADERS = ("X-Request-Id", "Location", "Content-Type")


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
    said = "" if call.signs_in or not general else reply.quote(message, 300)
    reason = meaning.reason + (f", it says: {said}" if said else "")
    wanted = _seconds(reply.header("Retry-After")) or 0
    if wanted >= 60:  # noqa: PLR2004 - less than that is nothing to wonder about
        reason += f", it asks to wait {wanted:.0f} s"
    if reply.status == 403:  # noqa: PLR2004
        reason = f"{reason}, {call.action} is needed"
    return _refusal(call, reply, meaning.error, reason, meaning.remedy)


def _refusal(call: Call, reply: Reply, error: type[ApiError], reason: str, remedy: str) -> ApiError:
    code, _, request = error_parts(reply.payload)
    made = error(
        call.doing,
        reason,
        remedy,
        status=reply.status,
        code=code if _KNOWN_CODE.fullmatch(code) else "" if call.signs_in else reply.quote(code, 60),
        request_id=_request_id(call, reply, request),
    )
    made.retry_after = _seconds(reply.header("Retry-After"))
    return made


_KNOWN_CODE = re.compile(r"(BackupService|APIGW|APIG|IAM)\.\d{1,4}|\d{1,3}")  # too short to hide a secret
_PLAIN_ID = re.compile(r"[0-9a-fA-F-]{8,64}")


def _request_id(call: Call, reply: Reply, from_body: str = "") -> str:
    text = reply.header("X-Request-Id") or from_body
    return "" if call.signs_in and not _PLAIN_ID.fullmatch(text) else reply.quote(text, 80)


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
    kind = "" if call.signs_in else reply.quote(reply.header("Content-Type") or "no content type", 60)
    facts = [f"HTTP {reply.status}", kind, f"{len(reply.body)} bytes"]
    request = _request_id(call, reply)
    facts += [f"request {request}"] if request else []
    target = "" if call.signs_in else reply.quote(reply.header("Location"), 120)
    redirect = f", a redirect to {target}, which is not followed" if target else ""
    what = f"an answer {trouble} ({', '.join(filter(None, facts))}){redirect}"
    return f"{call.doing}: {what}: check the endpoint and any proxy on the way; nothing is concluded from it"


def _is_malformed_url(call: Call, reply: Reply) -> bool:
    return call.service == "cbr" and reply.status == 401 and reply.payload == MALFORMED_URL  # noqa: PLR2004


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
