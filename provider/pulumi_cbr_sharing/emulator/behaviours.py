"""The ledger of what the emulated cloud does, each with its source; and the switches of what can be chosen.

What is inferred is a guess: the service may do something else. So each guess has a switch with the other answers, and
the provider must be right under all of them.
"""

# ruff: noqa: FBT003, RUF009 - defaults and other answers are read best as a table
from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pulumi_cbr_sharing.emulator.catalogue import DOCUMENTED, INFERRED, SEEN, rows


if TYPE_CHECKING:
    from collections.abc import Iterable

    from pulumi_cbr_sharing.emulator.catalogue import Source
    from pulumi_cbr_sharing.emulator.records import Dialect
    from pulumi_cbr_sharing.emulator.routes import Route


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


def ledger(routes: Iterable[Route]) -> list[Behaviour]:
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
