"""A call, the reply to it, and its records. Nothing is sent here.

A reply is foreign text: it gets into messages through `Reply.quote` only. An id in it must have its shape, because it
may become part of an address; otherwise nothing is concluded from the reply. Any other text becomes one line of limited
length, because it is shown in messages, in the state and on terminals.
"""

from __future__ import annotations

import json
import math
import re

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import unquote_plus

from pulumi_cbr_sharing.errors import ApiError, MalformedUrl, UnexpectedAnswer, one_line
from pulumi_cbr_sharing.http.codes import Meaning, meaning_of
from pulumi_cbr_sharing.http.retry import seconds_of
from pulumi_cbr_sharing.settings.endpoints import plain_names
from pulumi_cbr_sharing.timestamps import rfc3339


if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_cbr_sharing.ids import Shape


Service = Literal["cbr", "iam", "sts", "metadata"]
LONGEST_QUOTE = 2000  # characters of a text that are looked at
LONGEST_ID = 36  # characters of a malformed id that are shown; a UUID has as many
LONGEST_WORD = 64  # characters of a status or a type
LONGEST_NAME = 255
_WORD = re.compile(r"[0-9A-Za-z_-]+(?:::[0-9A-Za-z_-]+)*")  # available, OS::Nova::Server

# Seen by the maintainers of another client of the same API: list and get of backups and members answer so where the
# backup does not exist. It may also mean that the project is not the credential's: see cbr/api.py.
MALFORMED_URL = {"unauthorized": {"code": "401", "message": "Malformed request url"}}
_MALFORMED_URL = Meaning(MalformedUrl, "the service rejected the URL as malformed", "check {project}")

_KNOWN_CODE = re.compile(r"(BackupService|APIGW|APIG|IAM)\.\d{1,4}|\d{1,3}")  # too short to hide a secret
_PLAIN_ID = re.compile(r"[0-9a-fA-F-]{8,64}")


@dataclass(frozen=True)
class Call:
    """One request to be made.

    Attributes:
        method: GET, POST, PUT or DELETE.
        path: below the service's endpoint, `/v3/…`, percent-encoded where needed.
        doing: what is being done, in the user's words; every error begins with it.
        action: the IAM action that is needed, such as `cbr:member:create`.
        query: name and value pairs, in any order.
        body: sent as JSON; None sends no body.
        service: which endpoint.
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
    """An answer as it came.

    Attributes:
        call: what it answers.
        status: the HTTP status.
        headers: names in any case.
        body: the bytes.
        secrets: what was sent with the call and must not be shown.
        names: see `Settings.names`.
    """

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
        """Make sure that it is a success.

        Raises:
            ApiError: the service refused the call; the subclass says why.
            UnexpectedAnswer: nothing can be concluded from the reply.
        """
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
        facts = [f"HTTP {self.status}", kind, f"{len(self.body)} bytes", f"request {request_id}" if request_id else ""]
        redirect = f", a redirect to {target}, which is not followed" if target else ""
        return UnexpectedAnswer(
            f"{self.call.doing}: an answer {trouble} ({', '.join(filter(None, facts))}){redirect}: "
            f"check {self.names[self.call.service]} and any proxy on the way; nothing is concluded from it"
        )

    def _refusal(self) -> ApiError:
        code, message, request_id = error_parts(self.payload)
        meaning, is_general = self._meaning(code)
        retry_after = seconds_of(self.header("Retry-After"))
        reasons = [meaning.reason]
        if is_general and (said := self.quote(message, 300)):
            reasons.append(f"it says: {said}")
        if (retry_after or 0) >= 60:  # noqa: PLR2004 - shorter waits are not worth mentioning
            reasons.append(f"it asks to wait {retry_after:.0f} s")
        if self.status == 403:  # noqa: PLR2004
            reasons.append(f"{self.call.action} is needed")
        return meaning.error(
            self.call.doing,
            "; ".join(reasons),
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


def _bare(text: str) -> str:
    """The letters and digits of a text: a secret that is wrapped or punctuated is still found."""
    return "".join(filter(str.isalnum, text)).casefold()


def error_parts(payload: Mapping[str, Any]) -> tuple[str, str, str]:
    """Code, message and request id of an error body, in any of the shapes that were seen.

    `{"error_code", "error_msg", "request_id"}`, `{"errorCode", "errorMsg"}`, `{"code", "message"}`, or one of these
    under a single key such as `error`, `unauthorized` or `forbidden`.
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
    """One record of an answer.

    Attributes:
        reply: the answer.
        what: what it describes: `backup`, `member`, ….
        fields: as received.
    """

    reply: Reply
    what: str
    fields: Mapping[str, Any]

    def id(self, name: str, shape: Shape, asked: str | None = None) -> str:
        """A required id.

        Raises:
            UnexpectedAnswer: it is missing, malformed, or not the one that was asked for.
        """
        value = self.fields.get(name)
        if value in (None, ""):
            raise self.unexpected(name, "is missing")
        if not shape.fits(value):
            raise self.unexpected(name, f"is {self._shown(value)}, not a {shape.what}")
        if asked not in (None, value):
            raise self.unexpected(name, f"is {self._shown(value)}, where {asked} was asked for")
        return str(value)

    def id_or_none(self, name: str, shape: Shape, asked: str | None = None) -> str | None:
        """An optional id; None where it is null, empty or left out. Raises as `id` does."""
        return None if self.fields.get(name) in (None, "") else self.id(name, shape, asked)

    def word(self, name: str) -> str:
        """A status or a type; "" if it is missing."""
        value = _text(self.fields.get(name))
        return value if len(value) <= LONGEST_WORD and _WORD.fullmatch(value) else one_line(value, LONGEST_WORD)

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

    def unexpected(self, name: str, trouble: str) -> UnexpectedAnswer:
        """The error for a malformed record."""
        return self.reply.unexpected(f"with a {self.what} whose {name} {trouble}")

    def _shown(self, value: Any) -> str:
        if not isinstance(value, str):
            return f"of type {type(value).__name__}"
        return repr(quoted) if (quoted := self.reply.quote(value, LONGEST_ID)) else "some text"
