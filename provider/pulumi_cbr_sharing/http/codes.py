"""What the codes of the service and of its gateway mean: one table of classes, sentences and ways out.

Decisions are made on status and code, never on texts: those come in Chinese too. Source of the codes: the vendors'
error code pages, and what other clients of the same API have met.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pulumi_cbr_sharing.errors import (
    AlreadyShared,
    ApiError,
    BackupNotAvailable,
    BackupNotFound,
    CredentialRefused,
    ImageRegistered,
    MemberNotFound,
    NotFound,
    PermissionDenied,
    ServerFault,
    Throttled,
    TokenExpired,
    TooManyRecipients,
)


if TYPE_CHECKING:
    from collections.abc import Mapping


class Meaning(NamedTuple):
    """What a code means: its class, the status it must come with (0: any), the sentence, the way out."""

    error: type[ApiError]
    status: int
    reason: str
    remedy: str = ""


_OWNER = "check the id, and that the credentials, region and project are those of the backup's owner"
_KEY = "check the credential and this machine's clock; it is not tried again, because wrong signatures lock a key"
_ROLE = "let an administrator grant the action to this user or agency"
_ENDPOINT = "check the region, huaweicloud:endpoints and HW_CBR_ENDPOINT / HW_IAM_ENDPOINT (cbr without /v3, iam with)"

# The vendors' error code tables; the numbers stand behind `BackupService.`.
CBR_CODES: Mapping[str, Meaning] = {
    "6105": Meaning(NotFound, 404, "the vault does not exist in this project", "check vault_id"),
    "6114": Meaning(ApiError, 0, "the vault has not enough room for the backup", "enlarge the vault"),
    "6200": Meaning(BackupNotFound, 404, "the backup does not exist in this project", _OWNER),
    "6700": Meaning(
        ApiError,
        0,
        "a backup of this kind cannot be shared",
        "share one of a cloud server, or of a disk where allowed",
    ),
    "6701": Meaning(
        TooManyRecipients,
        0,
        "a backup can be shared with at most 10 projects",
        "remove a recipient first",
    ),
    "6702": Meaning(BackupNotAvailable, 0, "the backup is not in the status available", "share it when it is"),
    "6703": Meaning(AlreadyShared, 0, "the backup is shared with that project already"),
    "6704": Meaning(
        ApiError,
        0,
        "the recipient project does not exist in this region, or owns the backup",
        "give the project id of another account in the same region",
    ),
    "6705": Meaning(MemberNotFound, 404, "the backup is not shared with that project"),
    "6706": Meaning(ApiError, 0, "the answer to the share lacks a vault or has no such status", "give vault_id"),
    "6707": Meaning(ApiError, 0, "sharing is not allowed for this backup or account", "ask the vendor's support"),
    "6708": Meaning(ApiError, 0, "the answer to the share was not taken", "look at the backup and the vault"),
    "6709": Meaning(
        ApiError,
        0,
        "the backup holds encrypted disks, which may not be shared here",
        "share an unencrypted one",
    ),
    "6710": Meaning(
        ImageRegistered,
        0,
        "the share cannot be cancelled, because the recipient registered an image from the backup",
        "the recipient must delete that image first",
    ),
    "6711": Meaning(ApiError, 0, "the share could not be cancelled", "try again, then ask the vendor's support"),
    "6712": Meaning(ApiError, 0, "the status of the vault forbids it", "unlock the vault, or choose another"),
    "6713": Meaning(ApiError, 0, "a vault of this type cannot hold the backup", "choose a vault of the backup's type"),
    "6714": Meaning(ApiError, 0, "a backup that was received by sharing cannot be shared on", "let its owner share it"),
    "9900": Meaning(ApiError, 0, "the service calls an id or a parameter malformed", "check the ids"),
}

# The gateway's own codes; the numbers stand behind `APIGW.` or `APIG.`.
GATEWAY_CODES: Mapping[str, Meaning] = {
    "0101": Meaning(ApiError, 0, "there is no such API at this endpoint", _ENDPOINT),
    "0301": Meaning(CredentialRefused, 401, "the signature or token is wrong", _KEY),
    "0303": Meaning(CredentialRefused, 401, "the credential is not accepted", _KEY),
    "0307": Meaning(TokenExpired, 401, "the token has expired", "get a new token"),
    "0308": Meaning(Throttled, 429, "there are too many requests", "run it again later"),
    "0302": Meaning(PermissionDenied, 403, "the account may not call this API", _ROLE),
    "0306": Meaning(PermissionDenied, 403, "the API may not be called this way", _ROLE),
    "0310": Meaning(PermissionDenied, 403, "the project may not call this API", _ROLE),
    "0802": Meaning(PermissionDenied, 403, "the user may not work in this region", _ROLE),
}

_STATUSES: Mapping[int, Meaning] = {
    401: Meaning(CredentialRefused, 401, "the credential was refused", _KEY),
    403: Meaning(PermissionDenied, 403, "permission was refused", _ROLE),
    404: Meaning(ApiError, 404, "the service knows nothing at this address", _ENDPOINT),
    407: Meaning(ApiError, 407, "the proxy on the way wants a password", "check HTTPS_PROXY, HTTP_PROXY and NO_PROXY"),
    408: Meaning(ServerFault, 408, "the service gave up waiting", "run it again"),
    429: Meaning(Throttled, 429, "there are too many requests", "run it again later"),
}
_FAULT = Meaning(ServerFault, 0, "the service failed", "run it again; what was done is looked up first")
_OTHER = Meaning(ApiError, 0, "the service said no", "if it stays, ask the vendor's support")


def meaning_of(status: int, code: str) -> Meaning:
    """What a refusal means.

    Args:
        status: the HTTP status of the answer.
        code: its error code with prefix, or "".

    Returns:
        The meaning of the code if it came with the status that it belongs to, else that of the status:
        a 6705 with status 400 is not a share that is gone.
    """
    if status >= 500:  # noqa: PLR2004 - a server's own trouble outweighs whatever code a gateway put on it
        return _FAULT
    known = _known(code)
    if known and known.status in (0, status):
        return known
    return _STATUSES.get(status, _OTHER)


def _known(code: str) -> Meaning | None:
    family, _, number = code.partition(".")
    table = {"BackupService": CBR_CODES, "APIGW": GATEWAY_CODES, "APIG": GATEWAY_CODES}.get(family, {})
    return table.get(number)
