"""What the error codes of CBR and of its API gateway mean, and what to do about each.

Decisions use status and code, never the message, which may be in Chinese. Source: the vendors' error code pages, and
what other clients of the same API have met.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pulumi_cbr_sharing import errors
from pulumi_cbr_sharing.errors import ApiError, CredentialRefused, NotFound, PermissionDenied, ServerFault, Throttled


if TYPE_CHECKING:
    from collections.abc import Mapping


class Meaning(NamedTuple):
    """What a code or a status means: the error to raise, why the call failed, and what to do.

    In the remedy, `{endpoint}` and `{project}` stand for the endpoint and the project id, with where each is set.
    """

    error: type[ApiError]
    reason: str
    remedy: str = ""


_OWNER = "check the id, and that the credentials, region and project are those of the backup's owner"
_KEY = "check the credential and this machine's clock; it is not sent again, because wrong signatures lock a key"
_ROLE = "ask an administrator to grant this action to the user or agency"
_ENDPOINT = "check {endpoint}"
PROXY = "check HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY"
_SUPPORT = "contact the vendor's support"
_KIND = "share a backup of a server, or of a disk where the region allows that"
_WHOM = "give the project id of another account in the same region"
_TOO_MANY = Meaning(Throttled, "too many requests", "run it again later")

_CBR = {
    "6105": (NotFound, "the vault does not exist in this project", "check vault_id"),
    "6114": (ApiError, "the vault does not have enough free capacity for the backup", "expand the vault"),
    "6200": (errors.BackupNotFound, "the backup does not exist in this project", _OWNER),
    "6700": (ApiError, "a backup of this kind cannot be shared", _KIND),
    "6701": (errors.TooManyRecipients, "a backup can be shared with at most 10 projects", "remove a recipient first"),
    "6702": (errors.BackupNotAvailable, "the backup is not available", "wait until its status is available"),
    "6703": (errors.AlreadyShared, "the backup is already shared with that project", ""),
    "6704": (errors.WrongRecipient, "the recipient project does not exist in this region, or owns the backup", _WHOM),
    "6705": (errors.MemberNotFound, "the backup is not shared with that project", ""),
    "6706": (ApiError, "the vault is missing, or the new status of the share is not valid", "give vault_id"),
    "6707": (ApiError, "this backup or account may not use sharing", _SUPPORT),
    "6708": (ApiError, "the share could not be accepted or rejected", "check the backup and the vault"),
    "6709": (ApiError, "backups of encrypted disks cannot be shared here", "share an unencrypted backup"),
    "6710": (
        errors.ImageRegistered,
        "the share cannot be cancelled, because the recipient registered an image from the backup",
        "the recipient must delete that image first",
    ),
    "6711": (ApiError, "the share could not be cancelled", f"try again, then {_SUPPORT}"),
    "6712": (ApiError, "the status of the vault does not allow it", "unlock the vault, or choose another"),
    "6713": (ApiError, "the vault is of another type than the backup", "choose a vault of the backup's type"),
    "6714": (ApiError, "a backup that was received by sharing cannot be shared again", "its owner can share it"),
    "9900": (ApiError, "an id or another parameter is not valid", "check the ids"),
}
_GATEWAY = {
    "0101": (ApiError, "there is no such API at this endpoint", _ENDPOINT),
    "0301": (CredentialRefused, "the signature or token is wrong", _KEY),
    "0302": (PermissionDenied, "the account may not call this API", _ROLE),
    "0303": (CredentialRefused, "the credential is not accepted", _KEY),
    "0306": (PermissionDenied, "the API may not be called this way", _ROLE),
    "0307": (CredentialRefused, "the token has expired", "get a new token"),
    "0308": _TOO_MANY,
    "0310": (PermissionDenied, "the project may not call this API", _ROLE),
    "0802": (PermissionDenied, "the user may not work in this region", _ROLE),
}
CODES: Mapping[str, Meaning] = {
    f"{prefix}.{number}": Meaning(*meaning)
    for prefix, table in (("BackupService", _CBR), ("APIGW", _GATEWAY), ("APIG", _GATEWAY))
    for number, meaning in table.items()
}
# Errors that the program acts upon. A code means one of them only if it comes with its status: a 6705 with status 400
# is not a share that is gone.
_STATUS_OF = {NotFound: 404, CredentialRefused: 401, PermissionDenied: 403, Throttled: 429}

_STATUSES: Mapping[int, Meaning] = {
    401: Meaning(CredentialRefused, "the credential was refused", _KEY),
    403: Meaning(PermissionDenied, "permission denied", _ROLE),
    404: Meaning(ApiError, "the endpoint does not know this address", _ENDPOINT),
    407: Meaning(ApiError, "the proxy requires a user and password", PROXY),
    408: Meaning(ServerFault, "the request timed out at the service", "run it again"),
    429: _TOO_MANY,
}
_FAULT = Meaning(ServerFault, "the service failed", "run it again; what was already done is looked up first")
_OTHER = Meaning(ApiError, "the service refused the request", f"if this happens again, {_SUPPORT}")


def meaning_of(status: int, code: str = "") -> Meaning:
    """What a refusal means: what its code says if that comes with the right status, else what its HTTP status says."""
    if status >= 500:  # noqa: PLR2004 - a fault of the server outweighs whatever code a gateway put on it
        return _FAULT
    meaning = CODES.get(code)
    if meaning and all(status == own for kind, own in _STATUS_OF.items() if issubclass(meaning.error, kind)):
        return meaning
    return _STATUSES.get(status, _OTHER)
