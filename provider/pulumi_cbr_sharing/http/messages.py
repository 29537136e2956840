"""A call, the reply to it, and its records. Nothing is sent here.

A reply is foreign text. An id in it must have its shape, because it may become part of an address. Any other text
becomes one line of limited length; messages show it through `Reply.quote` only.
"""

from __future__ import annotations

import json
import math
import re

from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import unquote_plus

from pulumi_cbr_sharing.errors import ApiError, MalformedUrl, UnexpectedAnswer, one_line
from pulumi_cbr_sharing.http.codes import Meaning, meaning_of
from pulumi_cbr_sharing.settings.endpoints import plain_names
from pulumi_cbr_sharing.timestamps import rfc3339


if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_cbr_sharing.ids import Shape


Service = Literal["cbr", "iam", "sts", "metadata"]
LONGEST_RETRY_AFTER = 3600.0  # seconds
# Characters of a text that are looked at, of a malformed id that are shown, of a status or type, of a name.
LONGEST_QUOTE, LONGEST_ID, LONGEST_WORD, LONGEST_NAME = 2000, 36, 64, 255

# Seen by the maintainers of another client of the same API: list and get of backups and members answer so where the
# backup does not exist. It may also mean that the project is not the credential's: see cbr/api.py.
MALFORMED_URL = {"unauthorized": {"code": "401", "message": "Malformed request url"}}
_MALFORMED_URL = Meaning(MalformedUrl, "the service rejected the URL as malformed", "check {project}")

_KNOWN_CODE = re.compile(r"(BackupService|APIGW?|IAM)\.\d{1,4}|\d{1,3}")  # too short to hide a secret
_PLAIN_ID = re.compile(r"[0-9a-fA-F-]{8,64}")


@dataclass(frozen=True)
class Call:
    """One request to be made.

    Attributes:
        path: below the service's endpoint, `/v3/…`, percent-encoded where needed.
        doing: what is being done, in the user's words; every error begins with it.
        action: the IAM action that is needed, such as `cbr:member:create`.
        body: sent as JSON; None sends no body.
        repeatable: whether sending it twice has the same effect as sending it once.
        expects: the statuses of success.
        meanings: what a status, or a status and a code, means for this call in particular, if the service itself
            answered, not the gateway.
        signs_in: whether the answer holds a secret, so that none of it may be quoted.
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
    meanings: Mapping[Any, Meaning] = field(default_factory=dict)
    signs_in: bool = False


@dataclass(frozen=True)
class Reply:
    """An answer as it came; `secrets` were sent and must not be shown, `names` are those of `Settings`."""

    call: Call
    status: int
    headers: Mapping[str, str] = field(repr=False)  # X-Subject-Token is a secret
    body: bytes = field(repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False, compare=False)
    names: Mapping[str, str] = field(default_factory=plain_names, repr=False, compare=False)

    @cached_property
    def payload(self) -> dict[str, Any]:
        """The JSON object in the body; {} if the body is anything else."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}

    def header(self, name: str) -> str:
        """The value of a header, or ""."""
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), "")

    def check(self) -> None:
        """Raise ApiError if the service refused the call, UnexpectedAnswer if nothing can be concluded from this."""
        if self.status >= 400:  # noqa: PLR2004
            raise self._refusal()
        if self.status not in self.call.expects:
            raise self.unexpected("with an unexpected status")
        if not self.payload and self.status != 204:  # noqa: PLR2004
            raise self.unexpected("without a JSON object")

    def records(self, key: str) -> list[Record]:
        """The list of objects under `key`, such as `backups`; UnexpectedAnswer if there is no such list."""
        value = self.payload.get(key)
        if not isinstance(value, list) or not all(isinstance(fields, dict) for fields in value):
            raise self.unexpected(f"without a list `{key}`")
        return [Record(self, key.removesuffix("s"), fields) for fields in value]

    def record(self, key: str) -> Record:
        """The object under `key`, such as `backup`; UnexpectedAnswer if there is none."""
        value = self.payload.get(key)
        if not isinstance(value, dict):
            raise self.unexpected(f"without an object `{key}`")
        return Record(self, key, value)

    def quote(self, text: str, limit: int, known: re.Pattern[str] | None = None) -> str:
        """A text of the answer, made fit for a message; "" if it may repeat a secret.

        Of an answer to a sign-in and of a 401, only texts of the `known` shape are quoted.
        """
        if (self.call.signs_in or self.status == 401) and not (known and known.fullmatch(text)):  # noqa: PLR2004
            return ""
        bare = _bare(unquote_plus(text[:LONGEST_QUOTE]))
        repeats = any(_bare(secret) in bare or secret in text for secret in self.secrets if secret.strip())
        return "" if repeats else one_line(text[:LONGEST_QUOTE], limit)

    def unexpected(self, trouble: str) -> UnexpectedAnswer:
        """The error for a reply from which nothing can be concluded."""
        kind = self.quote(self.header("Content-Type") or "no content type", 60)
        request_id, target = self._request_id(), self.quote(self.header("Location"), 120)
        facts = [f"HTTP {self.status}", kind, f"{len(self.body)} bytes", request_id and f"request {request_id}"]
        redirect = f", a redirect to {target}, which is not followed" if target else ""
        return UnexpectedAnswer(
            f"{self.call.doing}: an answer {trouble} ({', '.join(filter(None, facts))}){redirect}: "
            f"check {self.names[self.call.service]} and any proxy on the way; nothing is concluded from it"
        )

    def _refusal(self) -> ApiError:
        code, message, request_id = error_parts(self.payload)
        meaning, is_general = self._meaning(code)
        retry_after = _seconds(self.header("Retry-After").strip())
        said, wait = self.quote(message, 300) if is_general else "", (retry_after or 0) >= 60  # noqa: PLR2004
        reasons = (
            meaning.reason,
            said and f"it says: {said}",
            f"it asks to wait {retry_after:.0f} s" if wait else "",
            f"{self.call.action} is needed" if self.status == 403 else "",  # noqa: PLR2004
        )
        return meaning.error(
            self.call.doing,
            "; ".join(filter(None, reasons)),
            meaning.remedy.format(endpoint=self.names[self.call.service], project=self.names["project_id"]),
            status=self.status,
            code=code if _KNOWN_CODE.fullmatch(code) else self.quote(code, 60),
            request_id=self._request_id(request_id),
            retry_after=retry_after,
        )

    def _meaning(self, code: str) -> tuple[Meaning, bool]:
        """What a refusal means, and whether only its status says so: then the service's message is quoted, too."""
        if self.call.service == "cbr" and self.status == 401 and self.payload == MALFORMED_URL:  # noqa: PLR2004
            return _MALFORMED_URL, False
        by_gateway = code.startswith(("APIGW.", "APIG."))  # which does not know what was asked for
        if (self.status, code) in self.call.meanings:
            return self.call.meanings[self.status, code], False
        if self.status in self.call.meanings and not by_gateway:
            return self.call.meanings[self.status], True
        meaning = meaning_of(self.status, code)
        return meaning, meaning is meaning_of(self.status)

    def _request_id(self, from_body: str = "") -> str:
        return self.quote(self.header("X-Request-Id") or from_body, 80, _PLAIN_ID)


def _seconds(text: str) -> float | None:
    """`Retry-After`: a number of seconds, or a date (RFC 9110), as seconds from now; None for anything else."""
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST_RETRY_AFTER)
    try:
        at = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    left = (at.replace(tzinfo=at.tzinfo or timezone.utc) - datetime.now(timezone.utc)).total_seconds()
    return min(left, LONGEST_RETRY_AFTER) if left > 0 else None


def _bare(text: str) -> str:
    """The letters and digits of a text: a secret that is wrapped or punctuated is still found."""
    return "".join(filter(str.isalnum, text)).casefold()


def error_parts(payload: Mapping[str, Any]) -> tuple[str, str, str]:
    """Code, message and request id of an error body, in any of the shapes that were seen.

    They are at the top, or under a key such as `error`, `unauthorized` or `forbidden`.
    """
    for level in (payload, *(value for value in payload.values() if isinstance(value, dict))):
        for code, message in (("error_code", "error_msg"), ("errorCode", "errorMsg"), ("code", "message")):
            if code in level or message in level:
                return _text(level.get(code)), _text(level.get(message)), _text(level.get("request_id"))
    return "", "", ""


def _text(value: Any) -> str:
    """A text or number as text, anything else as ""."""
    return str(value) if isinstance(value, (str, int, float)) else ""


@dataclass(frozen=True)
class Record:
    """One record of an answer, with its fields as received; `what` it describes is `backup`, `member`, …."""

    reply: Reply
    what: str
    fields: Mapping[str, Any]

    def id(self, name: str, shape: Shape, asked: str | None = None) -> str:
        """A required id; UnexpectedAnswer if it is missing, malformed, or not the one that was asked for."""
        value = self.fields.get(name)
        if shape.fits(value) and asked in (None, value):
            return str(value)
        wanted = f", where {asked} was asked for" if shape.fits(value) else f", not a {shape.what}"
        text = self.reply.quote(value, LONGEST_ID) if isinstance(value, str) else None
        shown = f"of type {type(value).__name__}" if text is None else repr(text) if text else "some text"
        trouble = "missing" if value in (None, "") else shown + wanted
        raise self.reply.unexpected(f"with a {self.what} whose {name} is {trouble}")

    def id_or_none(self, name: str, shape: Shape, asked: str | None = None) -> str | None:
        """An optional id; None where it is null, empty or left out. Raises as `id` does."""
        return None if self.fields.get(name) in (None, "") else self.id(name, shape, asked)

    def word(self, name: str) -> str:
        """A status or a type; "" if it is missing."""
        return one_line(_text(self.fields.get(name)), LONGEST_WORD)

    def name(self, name: str) -> str:
        """A name; "" if it is missing."""
        return one_line(_text(self.fields.get(name)), LONGEST_NAME)

    def number(self, name: str) -> int:
        """A whole number; 0 for anything else, such as the infinities that JSON parsers accept."""
        value = self.fields.get(name)
        return int(value) if isinstance(value, (int, float)) and math.isfinite(value) else 0

    def timestamp(self, name: str) -> str:
        """RFC 3339 in UTC; "" for anything else."""
        return rfc3339(self.fields.get(name))

    def part(self, name: str) -> Record:
        """The record within this one; an empty one if there is none."""
        value = self.fields.get(name)
        return Record(self.reply, f"{self.what}'s {name}", value if isinstance(value, dict) else {})

    def parts(self, name: str) -> list[Record]:
        """The list of records within this one; what is no record in it is left out."""
        value, what = self.fields.get(name), f"{self.what}'s {name.removesuffix('s')}"
        listed = value if isinstance(value, list) else []
        return [Record(self.reply, what, fields) for fields in listed if isinstance(fields, dict)]
