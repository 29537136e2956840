"""The ledger of what the emulated cloud does, each with its source: its errors, and switches of what can be chosen.

Documented are the error code tables of the CBR API reference and of the gateway; seen is what is in the code or in
reports of other clients. Nothing was compared with a live account.

What is inferred is a guess: the service may do something else. So each guess has a switch with the other answers, and
the provider must be right under all of them.
"""

# ruff: noqa: FBT003, RUF009 - defaults and other answers are read best as a table
from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple


if TYPE_CHECKING:
    from collections.abc import Iterable

    from pulumi_cbr_sharing.emulator.records import Dialect
    from pulumi_cbr_sharing.emulator.routes import ApiRoute


MINUTE = 60
CHINESE = "请求失败"  # of every error of the service, unless English is asked for

Source = Literal["documented", "seen", "inferred"]
DOCUMENTED: Source = "documented"
SEEN: Source = "seen"
INFERRED: Source = "inferred"


@dataclass(frozen=True)
class Row:
    """One error.

    Attributes:
        code: `BackupService.NNNN` of the service, `APIGW.NNNN` of the gateway; "" if the answer has none, but status
            and message under the key `wrapped`, or the message as plain text.
        source: where it is known from.
        other: what may be answered instead, if it is inferred.
    """

    status: int
    code: str
    english: str
    source: Source = DOCUMENTED
    other: Row | None = None
    wrapped: str = ""
    plain: bool = False

    @property
    def is_of_gateway(self) -> bool:
        """Whether it is the gateway's or STS's, which answer in English only, with the request id in the body."""
        return self.code.startswith(("APIGW.", "STS5."))


class Refusal(Exception):
    """An error to answer; `app.py` catches it."""

    def __init__(self, row: Row) -> None:
        super().__init__(row.code)
        self.row = row


def _cbr(status: int, number: str, english: str, other: Row | None = None) -> Row:
    return Row(status, f"BackupService.{number}", english, INFERRED if other else DOCUMENTED, other)


def _iam(status: int, english: str, other: Row) -> Row:
    """An error of IAM, in its own shape; that it is this one is inferred."""
    return Row(status, "", english, wrapped="error", source=INFERRED, other=other)


def _metadata(status: int, english: str) -> Row:
    """An answer of the metadata service, as the vendor's SDK expects it."""
    return Row(status, "", english, source=SEEN, plain=True)


NO_SUCH_API = Row(404, "APIGW.0101", "The API does not exist or has not been published in the environment.")
BAD_SIGNATURE = Row(401, "APIGW.0301", "Incorrect IAM authentication information: verify aksk signature fail")
KEY_LOCKED = Row(401, "APIGW.0301", "Incorrect IAM authentication information: AK access failed to reach the limit")
WRONG_PROJECT = Row(403, "APIGW.0302", "The IAM user is not authorized for this project.")
TOKEN_EXPIRED = Row(401, "APIGW.0307", "The token must be updated.")
THROTTLED = Row(429, "APIGW.0308", "The throttling threshold has been reached")

MALFORMED = _cbr(400, "9900", "The request parameters are invalid.")
BACKUP_NOT_FOUND = _cbr(404, "6200", "The backup does not exist.")
BACKUP_HAS_IMAGE = _cbr(400, "6204", "An image was registered from the backup.")
KIND_NOT_SHAREABLE = _cbr(400, "6700", "Backups of this type cannot be shared.")
TOO_MANY_MEMBERS = _cbr(400, "6701", "The number of members exceeds the limit.")
NOT_AVAILABLE = _cbr(400, "6702", "The backup status does not allow sharing.")
ALREADY_SHARED = _cbr(400, "6703", "The backup has been shared with the project.")
BAD_RECIPIENT = _cbr(400, "6704", "The project cannot be a member.", MALFORMED)
MEMBER_NOT_FOUND = _cbr(404, "6705", "The backup member does not exist.")
BAD_ANSWER = _cbr(400, "6706", "The member cannot be updated this way.")
SHARING_FORBIDDEN = _cbr(400, "6707", "Sharing is not allowed.")
ANSWER_FAILED = _cbr(400, "6708", "Failed to update the backup member.")
ENCRYPTED = _cbr(400, "6709", "Backups of encrypted disks cannot be shared.")
IMAGE_REGISTERED = _cbr(400, "6710", "Failed to cancel backup sharing: an image exists.")
CANCEL_FAILED = _cbr(400, "6711", "Failed to delete the backup member.")  # by a Fault only
RECEIVED_BACKUP = _cbr(400, "6714", "A shared backup cannot be shared again.")
VAULT_NOT_FOUND = _cbr(404, "6105", "The vault does not exist.")
VAULT_TOO_SMALL = _cbr(400, "6114", "The vault capacity is insufficient.", ANSWER_FAILED)
VAULT_STATUS = _cbr(400, "6712", "The vault status does not allow it.", ANSWER_FAILED)
VAULT_KIND = _cbr(400, "6713", "The vault type does not match the backup.", ANSWER_FAILED)
POLICY_NOT_FOUND = _cbr(404, "6001", "The policy does not exist.", MALFORMED)

# Seen by another client: list and get of a backup that does not exist.
MALFORMED_URL = Row(401, "", "Malformed request url", wrapped="unauthorized", source=SEEN)
WRONG_PASSWORD = _iam(401, "The username or password is wrong.", BAD_SIGNATURE)
UNKNOWN_PROJECT = _iam(401, "The project cannot be found.", NO_SUCH_API)
WRONG_TOKEN = _iam(401, "The token is wrong or has expired.", NO_SUCH_API)
TOKEN_NOT_FOUND = _iam(404, "Could not find token.", WRONG_TOKEN)
NO_SUCH_IDP = _iam(404, "Could not find the identity provider.", WRONG_TOKEN)
WRONG_ID_TOKEN = _iam(401, "The ID token is wrong or has expired.", WRONG_PROJECT)
BAD_DURATION = _iam(400, "The duration of a temporary key is 900 to 86400 seconds.", WRONG_PROJECT)
ACCOUNT_NOT_FOUND = _iam(404, "Could not find the account.", NO_SUCH_API)
AGENCY_REFUSED = Row(403, "APIGW.0302", WRONG_PROJECT.english, source=INFERRED, other=ACCOUNT_NOT_FOUND)
STS_DISTRUST = Row(403, "STS5.1001", "The agency's trust policy allows no sts:agencies:assumeWithOIDC.", source=SEEN)
STS_AUDIENCE = Row(403, "STS5.2001", "The audience of the ID token is no client ID of its provider.", source=SEEN)
STS_MALFORMED = Row(400, "STS5.0001", "The request parameters are invalid.", source=INFERRED, other=STS_DISTRUST)
NO_AGENCY = _metadata(401, "Please configure Cloud Service Agency first")
METADATA_DENIED = _metadata(401, "Unauthorized")
METADATA_UNKNOWN = _metadata(404, "Not Found")
METADATA_MALFORMED = _metadata(400, "Bad Request")


def denied(action: str) -> Row:
    """The answer to a missing permission."""
    return Row(403, "", f"Policy doesn't allow {action} to be performed.", wrapped="forbidden")


def throttled(limit: int, seconds: float) -> Row:
    """The answer to a request above the limit; for a limit per minute, in the words that were seen."""
    time = "1 minute" if seconds == MINUTE else f"{seconds:g} seconds"
    return replace(THROTTLED, english=f"{THROTTLED.english}: policy user over ratelimit,limit:{limit},time:{time}")


def rows() -> list[Row]:
    """All rows."""
    return [row for row in globals().values() if isinstance(row, Row)]


def row_of(code: str) -> Row:
    """The row of a code; KeyError if there is none."""
    found = next((row for row in rows() if row.code == code), None)
    if found is None or not code:
        raise KeyError(code)
    return found


# -- What can be chosen ------------------------------------------------------------------------------------------------


OfferShown = Literal["empty vault", "no vault"]
TOKEN_SECONDS = 24 * 3600.0
SERVER_KEY_SECONDS = 3600.0


class Behaviour(NamedTuple):
    """Something that the emulated cloud does.

    Attributes:
        what: a route, an error code, or a switch.
        source: documented; seen in a client's code, tests or reports; or inferred.
        others: what the service may do instead; values of the switch, or another error.
    """

    what: str
    does: str
    source: Source
    others: tuple[Any, ...] = ()


def _switch(default: Any, source: Source, does: str, *others: Any) -> Any:
    return field(default=default, metadata={"source": source, "does": does, "others": others})


@dataclass
class Switches:
    """How the cloud behaves; each may be changed at any time, and is an attribute of `Emulator`."""

    # What tests choose.
    dialect: Dialect = _switch("huawei", DOCUMENTED, "how records are written", "otc")
    latency: float = _switch(0.0, DOCUMENTED, "seconds before each request is processed")
    delete_seconds: float = _switch(0.0, DOCUMENTED, "seconds that it takes to delete a backup or a vault")
    checkpoint_seconds: float = _switch(0.0, DOCUMENTED, "seconds that it takes to make a backup")
    token_seconds: float = _switch(TOKEN_SECONDS, DOCUMENTED, "the lifetime of tokens issued from now on")
    temporary_key_seconds: float | None = _switch(
        None, DOCUMENTED, "the lifetime of an agency's keys; null: as long as was asked for"
    )
    server_agency: str | None = _switch(
        "sharer", DOCUMENTED, "the account whose agency the server of the metadata service has; null: no agency"
    )
    server_key_seconds: float = _switch(SERVER_KEY_SECONDS, DOCUMENTED, "the lifetime of the keys of that agency")

    # What was seen, but is not so everywhere.
    metadata_token: Literal["optional", "required", "unknown"] = _switch(
        "optional", SEEN, "whether the metadata service asks for a token; unknown: PUT is answered 404"
    )
    quirk_malformed_url: bool = _switch(False, SEEN, "answer 401 instead of 404 if a backup does not exist", True)
    quirk_wrong_project: bool = _switch(
        False, SEEN, "answer the same 401 if the project in the path is not the caller's, as Karbor does", True
    )

    # What is inferred.
    inferred_codes: Literal["first", "second"] = _switch(
        "first", INFERRED, "which of two codes answers what has no documented code", "second"
    )
    offer_shown: OfferShown | None = _switch(
        None, INFERRED, "whether and how a recipient sees a pending backup", "empty vault", "no vault"
    )
    accepts_after_reject: bool = _switch(
        True, INFERRED, "whether a rejected share can be accepted without a new offer", False
    )
    share_again: Literal["refused", "offered"] = _switch(
        "refused", INFERRED, "what POST of a rejected recipient does: 6703, or it is pending again", "offered"
    )
    one_wrong: Literal["refuses all", "adds the others"] = _switch(
        "refuses all", INFERRED, "what one wrong recipient among several does, apart from the error", "adds the others"
    )
    answers_pending: bool = _switch(True, INFERRED, "whether a recipient may answer `pending`", False)
    accept_seconds: float = _switch(0.0, INFERRED, "seconds until an accepted share shows its vault", 0.2)
    recipient_reads: bool = _switch(True, INFERRED, "whether a recipient may read its own member", False)
    recipient_lists: bool = _switch(False, INFERRED, "whether a recipient may list members: its own alone", True)
    recipient_leaves: bool = _switch(False, INFERRED, "whether a recipient may delete its own member", True)
    listed_vault: Literal["recipient's", "owner's"] = _switch(
        "recipient's", INFERRED, "whose vault the recipient's list of backups has for an accepted one", "owner's"
    )
    ignores_member_status: bool = _switch(
        False, INFERRED, "whether the list of backups ignores the filter `member_status`", True
    )
    page_size: int = _switch(1000, INFERRED, "the length of a page if no limit is given", 1)
    offset_past_end: Literal["empty", "refused"] = _switch(
        "empty", INFERRED, "how an offset past the end is answered", "refused"
    )
    odd_parameters: Literal["refused", "ignored"] = _switch(
        "refused", INFERRED, "what unknown sort keys and markers, and limits out of range do", "ignored"
    )
    names_match: Literal["whole", "part"] = _switch(
        "whole", INFERRED, "whether a filter by name finds parts of names, too", "part"
    )
    confined_list: Literal["empty", "denied"] = _switch(
        "empty", INFERRED, "what a user of one enterprise project gets who lists without naming it", "denied"
    )
    unknown_account: Literal["empty", "not found"] = _switch(
        "empty", INFERRED, "how the projects of an account that does not exist are answered", "not found"
    )
    chains_agencies: bool = _switch(
        True, INFERRED, "whether IAM v3 issues keys of an agency to keys of an agency", False
    )
    deleted_vault: Literal["gives back", "cancels"] = _switch(
        "gives back", INFERRED, "what becomes of the shares that were accepted into a vault that is deleted", "cancels"
    )


def switch_rows() -> list[Behaviour]:
    """The switches as rows of the ledger."""
    return [Behaviour(one.name, **one.metadata) for one in fields(Switches)]


def guesses() -> list[tuple[str, Any]]:
    """Each other answer that the service may give: the switch and its value."""
    return [(row.what, other) for row in switch_rows() if row.source == INFERRED for other in row.others]


def ledger(routes: Iterable[ApiRoute]) -> list[Behaviour]:
    """Everything that the cloud does: routes, errors, and what can be chosen."""
    of_routes = [Behaviour(f"{one.method} {one.path}", str(one.handler.__doc__), one.source) for one in routes]
    of_errors = [
        Behaviour(
            f"{row.status} {row.code}".strip(),
            row.english,
            row.source,
            (f"{row.other.status} {row.other.code}".strip(),) if row.other else (),
        )
        for row in rows()
    ]
    return [*of_routes, *of_errors, *switch_rows()]
