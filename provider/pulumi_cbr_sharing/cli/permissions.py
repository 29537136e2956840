"""Finds out which permissions work, by reads only: the service allows what it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.errors import ApiError, CredentialRefused, NotFound, PermissionDenied
from pulumi_cbr_sharing.http.messages import Call


if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi_cbr_sharing.http.client import Client


WRITES = ("cbr:member:create", "cbr:member:update", "cbr:member:delete")
NOT_TRIED = "not tried: it would change something"
NOTHING = "not tried: there is nothing to read"


def permissions(client: Client) -> Iterator[dict[str, str]]:
    """Try the IAM actions that this package needs: whether each is allowed, and why that is known or not.

    Raises:
        CbrSharingError: the credential was refused, or there was no answer.
    """
    own = f"/v3/{client.project_id}"
    row, backup_id = _list(client, "cbr:backups:list", f"{own}/backups", "backups", "id")
    yield row
    yield _one(client, "cbr:backups:get", f"{own}/backups", backup_id)
    members = f"{own}/backups/{backup_id}/members"
    row, project_id = _NOT_LISTED, ""
    if backup_id:
        row, project_id = _list(client, "cbr:member:list", members, "members", "dest_project_id")
    yield row
    yield _one(client, "cbr:member:get", members, project_id)
    row, vault_id = _list(client, "cbr:vaults:list", f"{own}/vaults", "vaults", "id")
    yield row
    yield _one(client, "cbr:vaults:get", f"{own}/vaults", vault_id)
    yield from (_row(action, "unknown", NOT_TRIED) for action in WRITES)


def _list(client: Client, action: str, path: str, key: str, field: str) -> tuple[dict[str, str], str]:
    """Try a list; also returns the id of its first item, or ""."""
    row, payload = try_action(client, Call("GET", path, f"trying {action}", action, (("limit", "1"),)))
    listed = payload.get(key)
    first = listed[0] if isinstance(listed, list) and listed else {}
    return row, str(first.get(field) or "") if isinstance(first, dict) else ""


def _one(client: Client, action: str, path: str, id_: str) -> dict[str, str]:
    if not id_:
        return _row(action, "unknown", NOTHING)
    return try_action(client, Call("GET", f"{path}/{id_}", f"trying {action}", action))[0]


def try_action(client: Client, call: Call) -> tuple[dict[str, str], dict[str, Any]]:
    """Try a call: whether it is allowed, and its reply.

    Raises:
        CbrSharingError: the credential was refused, or there was no answer.
    """
    try:
        return _row(call.action, "yes", ""), client.send(call).payload
    except PermissionDenied as error:
        return _row(call.action, "refused", error.reason), {}
    except CredentialRefused:
        raise
    except NotFound:  # deleted since it was listed; a 404 shows that reading is allowed
        return _row(call.action, "yes", ""), {}
    except ApiError as error:
        return _row(call.action, "unknown", error.reason), {}


def _row(action: str, allowed: str, why: str) -> dict[str, str]:
    return {"action": action, "allowed": allowed, "why": why}


_NOT_LISTED = _row("cbr:member:list", "unknown", NOTHING)
