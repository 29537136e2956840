"""How the emulated cloud behaves, where that can be chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal


if TYPE_CHECKING:
    from pulumi_cbr_sharing.emulator.records import Dialect


OfferShown = Literal["empty vault", "no vault"]
MetadataToken = Literal["optional", "required", "unknown"]
TOKEN_SECONDS = 24 * 3600.0
SERVER_KEY_SECONDS = 3600.0


@dataclass
class Switches:
    """How the cloud behaves; each may be changed at any time, and is an attribute of `Emulator`.

    Attributes:
        dialect: how records are written.
        latency: seconds to wait before each request is processed.
        quirk_malformed_url: answer 401 instead of 404 if a backup does not exist, as one client has seen.
        quirk_wrong_project: answer the same 401 if the project in the path is not the caller's, as Karbor does.
        offer_shown: whether and how a recipient sees a pending backup; that is not documented.
        accepts_after_reject: whether a rejected share can be accepted without a new offer; that is not documented.
        ignores_member_status: ignore the filter `member_status` of the list of backups.
        delete_seconds, checkpoint_seconds: how long it takes to delete, or to make, a backup.
        token_seconds: the lifetime of tokens issued from now on.
        temporary_key_seconds: the lifetime of an agency's keys; None means as long as was asked for.
        chains_agencies: whether v3 issues keys of an agency to keys of an agency; that is not documented.
        server_agency: the account whose agency the server of the metadata service has; None means no agency.
        server_key_seconds: the lifetime of the keys of that agency.
        metadata_token: whether the metadata service asks for a token; `unknown`: PUT is answered 404.
    """

    dialect: Dialect = "huawei"
    latency: float = 0.0
    quirk_malformed_url: bool = False
    quirk_wrong_project: bool = False
    offer_shown: OfferShown | None = None
    accepts_after_reject: bool = True
    ignores_member_status: bool = False
    delete_seconds: float = 0.0
    checkpoint_seconds: float = 0.0
    token_seconds: float = TOKEN_SECONDS
    temporary_key_seconds: float | None = None
    chains_agencies: bool = True
    server_agency: str | None = "sharer"
    server_key_seconds: float = SERVER_KEY_SECONDS
    metadata_token: MetadataToken = "optional"
