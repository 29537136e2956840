"""The routes of the emulated API, and their handlers.

A handler takes a `Request` and returns an `Answer`; `app.py` answers a `Refusal`. The table has the IAM action that
each route needs; None means that no credential is needed.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from pulumi_cbr_sharing.emulator import catalogue, iam, metadata, records
from pulumi_cbr_sharing.emulator.catalogue import Refusal
from pulumi_cbr_sharing.emulator.request import Answer, Request, page_of


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pulumi_cbr_sharing.emulator.records import Backup


_Record = TypeVar("_Record", bound="records.Backup | records.Vault")
# Exact matches; whether the service finds parts of names, too, is not known.
ALL_GRANTED = "all_granted_eps"
BACKUP_FILTERS = (
    "checkpoint_id",
    "vault_id",
    "resource_id",
    "parent_id",
    "name",
    "resource_name",
    "resource_type",
    "resource_az",
    "status",
    "image_type",
)


def add_members(request: Request, backup_id: str) -> Answer:
    """Add members: 200 and the new members, without a count."""
    recipients = request.body.get("members") if isinstance(request.body, dict) else None
    if not isinstance(recipients, list) or not all(isinstance(one, str) for one in recipients):
        raise Refusal(catalogue.MALFORMED)
    added = request.cloud.state.share(request.project, backup_id, recipients)
    return Answer(200, {"members": [_rendered(request, records.member_body(one)) for one in added]})


def list_members(request: Request, backup_id: str) -> Answer:
    """List the members of an own backup; `count` is the total of all pages."""
    rows = [records.member_body(one) for one in request.cloud.state.owned(request.project, backup_id).members.values()]
    found, count = page_of(rows, request.query, ("dest_project_id", "image_id", "status", "vault_id"))
    return Answer(200, {"members": [_rendered(request, record) for record in found], "count": count})


def show_member(request: Request, backup_id: str, member_id: str) -> Answer:
    """Show a member, by the recipient's project id."""
    member = request.cloud.state.member(request.project, backup_id, member_id)
    return Answer(200, {"member": _rendered(request, records.member_body(member))})


def answer_member(request: Request, backup_id: str, member_id: str) -> Answer:
    """Accept or reject a share, as the recipient."""
    body = request.body if isinstance(request.body, dict) else {}
    status, vault_id = str(body.get("status", "")), body.get("vault_id")
    member = request.cloud.state.answer(request.project, backup_id, member_id, status, vault_id)
    return Answer(200, {"member": _rendered(request, records.member_body(member))})


def delete_member(request: Request, backup_id: str, member_id: str) -> Answer:
    """Cancel a share: 204."""
    request.cloud.state.unshare(request.project, backup_id, member_id)
    return Answer(204)


def list_backups(request: Request) -> Answer:
    """List own backups; with `own_type`, the shared ones."""
    own_type = request.query.get("own_type", "private")
    if own_type not in ("private", "shared", "all_granted"):
        raise Refusal(catalogue.MALFORMED)
    status = None if request.cloud.ignores_member_status else request.query.get("member_status")
    found = request.cloud.state.backups_of(request.project, own_type, status)  # type: ignore[arg-type]
    rows = [_backup(request, one) for one in _seen(request, found) if _within(request, one)]
    page, count = page_of(rows, request.query, BACKUP_FILTERS)
    return Answer(200, {"backups": [_rendered(request, record) for record in page], "count": count})


def show_backup(request: Request, backup_id: str) -> Answer:
    """Show a backup, own or accepted. Whether a pending one is shown, and in which vault, is not documented."""
    how = request.cloud.offer_shown
    backup = request.cloud.state.visible(request.project, backup_id, offers=how is not None)
    record = _backup(request, backup)
    member = backup.members.get(request.project)
    if member and member.status == "pending":
        record |= {"vault_id": ""}
        record = record if how == "empty vault" else {key: value for key, value in record.items() if key != "vault_id"}
    return Answer(200, {"backup": _rendered(request, record)})


def delete_backup(request: Request, backup_id: str) -> Answer:
    """Delete a backup: 204; it takes some time."""
    request.cloud.state.delete_backup(request.project, backup_id, request.cloud.delete_seconds)
    return Answer(204)


def list_vaults(request: Request) -> Answer:
    """List the vaults of the project."""
    own = [vault for vault in request.cloud.state.vaults.values() if vault.project_id == request.project]
    own = _seen(request, own)
    rows = [records.vault_body(vault, request.cloud.state.used(vault)) for vault in own]
    found, count = page_of(rows, request.query, ("id", "name"))
    return Answer(200, {"vaults": [_rendered(request, record) for record in found], "count": count})


def show_vault(request: Request, vault_id: str) -> Answer:
    """Show a vault."""
    vault = request.cloud.state.vault(request.project, vault_id)
    return Answer(200, {"vault": _rendered(request, records.vault_body(vault, request.cloud.state.used(vault)))})


def create_vault(request: Request) -> Answer:
    """Create a vault: 200."""
    wanted = request.body.get("vault") if isinstance(request.body, dict) else None
    if not isinstance(wanted, dict) or not isinstance(wanted.get("billing"), dict):
        raise Refusal(catalogue.MALFORMED)
    account = request.account
    vault = request.cloud.add_vault(
        account=account.name,
        project=next(name for name, id_ in account.projects.items() if id_ == request.project),
        enterprise_project_id=str(wanted.get("enterprise_project_id", "0")),
        protect_type=_one_of(("backup", "replication"), wanted["billing"].get("protect_type", "backup")),
        name=str(wanted.get("name", "vault")),
        object_type=_one_of(("server", "disk"), wanted["billing"].get("object_type")),
        size=_size(wanted["billing"].get("size")),
        resources=_resources(wanted.get("resources")),
    )
    return Answer(200, {"vault": _rendered(request, records.vault_body(vault, 0))})


def _one_of(words: tuple[str, ...], text: Any) -> str:
    if text not in words:
        raise Refusal(catalogue.MALFORMED)
    return str(text)


def _size(size: Any) -> int:
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        raise Refusal(catalogue.MALFORMED)
    return size


def _resources(many: Any) -> list[dict[str, Any]]:
    if not isinstance(many, (list, type(None))):
        raise Refusal(catalogue.MALFORMED)
    return [_resource(one) for one in many or []]


def _resource(one: Any) -> dict[str, Any]:
    if not isinstance(one, dict) or not all(isinstance(one.get(key), str) for key in ("id", "type")):
        raise Refusal(catalogue.MALFORMED)
    return {"id": one["id"], "type": one["type"]}


def create_checkpoint(request: Request) -> Answer:
    """Create a checkpoint: 200; its backups are protecting, then available."""
    wanted = request.body.get("checkpoint") if isinstance(request.body, dict) else None
    if not isinstance(wanted, dict):
        raise Refusal(catalogue.MALFORMED)
    vault = request.cloud.state.vault(request.project, str(wanted.get("vault_id")))
    checkpoint, _ = request.cloud.state.back_up(vault, request.cloud.checkpoint_seconds)
    created = _rendered(request, {"created_at": datetime.now(timezone.utc)})
    body = {
        "id": checkpoint,
        "project_id": request.project,
        "status": "protecting",
        "vault": {"id": vault.id},
        **created,
    }
    return Answer(200, {"checkpoint": body})


def _seen(request: Request, records: Iterable[_Record]) -> list[_Record]:
    """The records of the enterprise project that is asked for. A confined user sees its own, if it asks for it.

    What a confined user sees that asks for none is inferred.
    """
    wanted = request.query.get("enterprise_project_id")
    only = request.cloud.permissions.confined.get(request.account.name)
    if only is not None and wanted == ALL_GRANTED:
        wanted = only
    if only not in (None, wanted):
        return []
    return [one for one in records if wanted in (None, ALL_GRANTED, one.enterprise_project_id)]


def _backup(request: Request, backup: Backup) -> dict[str, Any]:
    """A backup as the caller sees it; a recipient sees its own vault."""
    member = backup.members.get(request.project)
    return records.backup_body(backup, member.vault_id if member else None)


def _within(request: Request, backup: Backup) -> bool:
    """Whether a backup was created between `start_time` and `end_time`, both included."""
    start, end = (_moment(request.query.get(name)) for name in ("start_time", "end_time"))
    return (start is None or start <= backup.created_at) and (end is None or backup.created_at <= end)


def _moment(text: str | None) -> datetime | None:
    """Parse `2020-02-05T10:38:34Z`, the only form in the API reference."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc) if text else None
    except ValueError:
        raise Refusal(catalogue.MALFORMED) from None


def _rendered(request: Request, record: dict[str, Any]) -> dict[str, Any]:
    return records.rendered(record, request.cloud.dialect)


class Route(NamedTuple):
    """A method and a path, the handler, and the IAM action that it needs."""

    method: str
    path: str
    handler: Callable[..., Answer]
    action: str | None


_FEDERATION = "/v3/OS-FEDERATION/identity_providers/<provider>/protocols/oidc/auth"
_BACKUP = "/v3/<project_id>/backups/<backup_id>"
_MEMBER = f"{_BACKUP}/members/<member_id>"

ROUTES = (
    Route("GET", "/v3", iam.show_version, None),
    Route("POST", "/v3/auth/tokens", iam.create_token, None),
    Route("GET", "/v3/auth/tokens", iam.show_token, "iam:tokens:validate"),
    Route("GET", "/v3/auth/domains", iam.list_domains, "iam:domains:list"),
    Route("GET", "/v3/projects", iam.list_projects, "iam:projects:list"),
    Route("POST", "/v3.0/OS-CREDENTIAL/securitytokens", iam.create_temporary_key, None),
    Route("POST", "/v3.0/OS-AUTH/id-token/tokens", iam.create_token_by_id_token, None),
    Route("POST", _FEDERATION, iam.create_token_by_federation, None),
    Route("POST", "/v5/agencies/assume", iam.assume, iam.ASSUME),
    Route("POST", "/v5/agencies/assume-with-oidc", iam.assume_with_oidc, None),
    Route("PUT", "/meta-data/latest/api/token", metadata.create_metadata_token, None),
    Route("GET", "/openstack/latest/securitykey", metadata.show_security_key, None),
    Route("GET", "/openstack/latest/meta_data.json", metadata.show_server, None),
    Route("GET", "/v3/domain/<domain_name>/projects", iam.projects_of_account, "cbr:member:list"),
    Route("POST", f"{_BACKUP}/members", add_members, "cbr:member:create"),
    Route("GET", f"{_BACKUP}/members", list_members, "cbr:member:list"),
    Route("GET", _MEMBER, show_member, "cbr:member:get"),
    Route("PUT", _MEMBER, answer_member, "cbr:member:update"),
    Route("DELETE", _MEMBER, delete_member, "cbr:member:delete"),
    Route("GET", "/v3/<project_id>/backups", list_backups, "cbr:backups:list"),
    Route("GET", _BACKUP, show_backup, "cbr:backups:get"),
    Route("DELETE", _BACKUP, delete_backup, "cbr:backups:delete"),
    Route("POST", "/v3/<project_id>/vaults", create_vault, "cbr:vaults:create"),
    Route("GET", "/v3/<project_id>/vaults", list_vaults, "cbr:vaults:list"),
    Route("GET", "/v3/<project_id>/vaults/<vault_id>", show_vault, "cbr:vaults:get"),
    Route("POST", "/v3/<project_id>/checkpoints", create_checkpoint, "cbr:vaults:backup"),
)
