"""Finds out which permissions work, by reads only: the service allows what it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_cbr_sharing.cbr import paths
from pulumi_cbr_sharing.errors import ApiError, CredentialRefused, NotFound, PermissionDenied
from pulumi_cbr_sharing.http.messages import Call


if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from pulumi_cbr_sharing.http.client import Client
    from pulumi_cbr_sharing.http.records import Record


WRITES = ("cbr:member:create", "cbr:member:update", "cbr:member:delete")
NOT_TRIED = "not tried: it would change something"
NOTHING = "not tried: there is nothing to read"
Row = dict[str, str]


def permissions(client: Client) -> Iterator[Row]:
    """Try the IAM actions that this package needs: whether each is allowed, and why that is known or not.

    Raises:
        CbrSharingError: the credential was refused, or there was no answer.
    """
    own = client.project_id
    backup = yield from _read(client, "cbr:backups:list", paths.backups(own), "backups", "id")
    yield from _read(client, "cbr:backups:get", backup and paths.backup(own, backup))
    members = backup and paths.members(own, backup)
    recipient = yield from _read(client, "cbr:member:list", members, "members", "dest_project_id")
    yield from _read(client, "cbr:member:get", recipient and paths.member(own, backup, recipient))
    vault = yield from _read(client, "cbr:vaults:list", paths.vaults(own), "vaults", "id")
    yield from _read(client, "cbr:vaults:get", vault and paths.vault(own, vault))
    yield from (row(action, "unknown", NOT_TRIED) for action in WRITES)


def _read(client: Client, action: str, path: str, key: str = "", field: str = "") -> Generator[Row, None, str]:
    """Try a read, if there is something to read; returns this field of the first item in a list, or ""."""
    if not path:
        yield row(action, "unknown", NOTHING)
        return ""
    query = (("limit", "1"),) if key else ()
    tried, listed = try_action(client, Call("GET", path, f"trying {action}", action, query), key)
    yield tried
    return str(listed[0].fields.get(field) or "") if listed else ""


def try_action(client: Client, call: Call, key: str) -> tuple[Row, list[Record]]:
    """Try a call: whether it is allowed, and what its reply lists under `key`, if that is not "".

    Raises:
        CbrSharingError: the credential was refused, or there was no answer.
    """
    try:
        reply = client.send(call)
    except PermissionDenied as error:
        return row(call.action, "refused", error.reason), []
    except CredentialRefused:
        raise
    except NotFound:  # deleted since it was listed; a 404 shows that reading is allowed
        return row(call.action, "yes", ""), []
    except ApiError as error:
        return row(call.action, "unknown", error.reason), []
    return row(call.action, "yes", ""), reply.records(key) if key else []


def row(action: str, allowed: str, why: str) -> Row:
    """The answer about one action."""
    return {"action": action, "allowed": allowed, "why": why}
