"""All routes of the emulated API, and the handlers of backups and members; those of vaults and IAM are beside it.

A handler takes a `Request` and returns an `Answer`; `app.py` answers a `Refusal`. The table has the IAM action that
each route needs; None means that no credential is needed.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

from pulumi_cbr_sharing.emulator import behaviours, iam_routes, records, vault_routes
from pulumi_cbr_sharing.emulator.accounts import made_up_uuid
from pulumi_cbr_sharing.emulator.behaviours import Refusal
from pulumi_cbr_sharing.emulator.request import Answer, Request, page_of


if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_cbr_sharing.emulator.behaviours import Source
    from pulumi_cbr_sharing.emulator.records import Backup


# Exact matches; whether the service finds parts of names, too, is not known.
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
LIFETIMES = range(1, 21601)  # of a token, in seconds (inferred)


def add_members(request: Request, backup_id: str) -> Answer:
    """Add members: 200 and the new members, without a count."""
    recipients = request.body.get("members") if isinstance(request.body, dict) else None
    if not isinstance(recipients, list) or not all(isinstance(one, str) for one in recipients):
        raise Refusal(behaviours.MALFORMED)
    added = request.cloud.state.share(request.project, backup_id, recipients)
    return Answer(200, {"members": [request.rendered(records.member_body(one)) for one in added]})


def list_members(request: Request, backup_id: str) -> Answer:
    """List the members of an own backup; `count` is the total of all pages."""
    rows = [records.member_body(one) for one in request.cloud.state.members(request.project, backup_id)]
    found, count = page_of(request, rows, ("dest_project_id", "image_id", "status", "vault_id"))
    return Answer(200, {"members": [request.rendered(record) for record in found], "count": count})


def show_member(request: Request, backup_id: str, member_id: str) -> Answer:
    """Show a member, by the recipient's project id."""
    member = request.cloud.state.shown_member(request.project, backup_id, member_id)
    return Answer(200, {"member": request.rendered(records.member_body(member))})


def answer_member(request: Request, backup_id: str, member_id: str) -> Answer:
    """Accept or reject a share, as the recipient."""
    body = request.body if isinstance(request.body, dict) else {}
    status, vault_id = str(body.get("status", "")), body.get("vault_id")
    member = request.cloud.state.answer(request.project, backup_id, member_id, status, vault_id)
    return Answer(200, {"member": request.rendered(records.member_body(member))})


def delete_member(request: Request, backup_id: str, member_id: str) -> Answer:
    """Cancel a share: 204."""
    request.cloud.state.unshare(request.project, backup_id, member_id)
    return Answer(204)


def list_backups(request: Request) -> Answer:
    """List own backups; with `own_type`, the shared ones."""
    own_type = request.query.get("own_type", "private")
    if own_type not in ("private", "shared", "all_granted"):
        raise Refusal(behaviours.MALFORMED)
    status = None if request.cloud.ignores_member_status else request.query.get("member_status")
    found = request.cloud.state.backups_of(request.project, own_type, status)  # type: ignore[arg-type]
    shown = _backup if request.cloud.listed_vault == "recipient's" else _own_backup
    rows = [shown(request, one) for one in request.in_enterprise(found) if _within(request, one)]
    page, count = page_of(request, rows, BACKUP_FILTERS)
    return Answer(200, {"backups": [request.rendered(record) for record in page], "count": count})


def show_backup(request: Request, backup_id: str) -> Answer:
    """Show a backup, own or accepted. Whether a pending one is shown, and in which vault, is not documented."""
    how = request.cloud.offer_shown
    backup = request.cloud.state.visible(request.project, backup_id, offers=how is not None)
    record = _backup(request, backup)
    member = backup.members.get(request.project)
    if member and member.status == "pending":
        record |= {"vault_id": ""}
        record = record if how == "empty vault" else {key: value for key, value in record.items() if key != "vault_id"}
    return Answer(200, {"backup": request.rendered(record)})


def delete_backup(request: Request, backup_id: str) -> Answer:
    """Delete a backup: 204; it takes some time."""
    request.cloud.state.delete_backup(request.project, backup_id, request.cloud.delete_seconds)
    return Answer(204)


def _backup(request: Request, backup: Backup) -> dict[str, Any]:
    """A backup as the caller sees it; a recipient sees its own vault, once it has accepted."""
    member = backup.members.get(request.project)
    accepted = member and member.status == "accepted"
    return records.backup_body(backup, (member.shown_vault or "") if member and accepted else None)


def _own_backup(_: Request, backup: Backup) -> dict[str, Any]:
    """A backup as its owner sees it."""
    return records.backup_body(backup)


def _within(request: Request, backup: Backup) -> bool:
    """Whether a backup was created between `start_time` and `end_time`, both included."""
    start, end = (_moment(request.query.get(name)) for name in ("start_time", "end_time"))
    return (start is None or start <= backup.created_at) and (end is None or backup.created_at <= end)


def _moment(text: str | None) -> datetime | None:
    """Parse `2020-02-05T10:38:34Z`, the only form in the API reference."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc) if text else None
    except ValueError:
        raise Refusal(behaviours.MALFORMED) from None


# -- The metadata service of a server ----------------------------------------------------------------------------------
# On a real server it is http://169.254.169.254; here it has the same port as the rest.


def create_metadata_token(request: Request) -> Answer:
    """Issue a token of the metadata service: 200, as text; 404 if the server's kind does not know it."""
    lifetime = request.headers.get("x-metadata-token-ttl-seconds", "")
    if request.cloud.metadata_token == "unknown":
        raise Refusal(behaviours.METADATA_UNKNOWN)
    if not lifetime.isdecimal() or len(lifetime) > len("21600") or int(lifetime) not in LIFETIMES:
        raise Refusal(behaviours.METADATA_MALFORMED)
    return Answer(200, request.cloud.keys.issue_metadata_token(int(lifetime)))


def show_security_key(request: Request) -> Answer:
    """Show the temporary key of the server's agency. The next pair comes ten minutes before the end of the last."""
    _check_token(request)
    name, seconds = request.cloud.server_agency, request.cloud.server_key_seconds
    if name is None:
        raise Refusal(behaviours.NO_AGENCY)
    return Answer(200, {"credential": iam_routes.credential_body(request.cloud.keys.server_key(name, seconds))})


def show_server(request: Request) -> Answer:
    """Show the server's project and zone, and on Huawei Cloud its region."""
    _check_token(request)
    cloud = request.cloud
    account = cloud.account(cloud.server_agency or cloud.accounts.all()[0].name)
    region = {"region_id": account.region} if cloud.dialect == "huawei" else {}
    body = {"uuid": made_up_uuid(account.name, "server"), "name": "server", "hostname": "server"}
    zone = f"{account.region}a" if region else f"{account.region}-01"
    return Answer(200, {**body, "project_id": account.project_id, "availability_zone": zone, **region})


def _check_token(request: Request) -> None:
    token = request.headers.get("x-metadata-token")
    missing = token is None and request.cloud.metadata_token == "required"
    if missing or (token is not None and not request.cloud.keys.is_metadata_token(token)):
        raise Refusal(behaviours.METADATA_DENIED)


class ApiRoute(NamedTuple):
    """A method and a path, the handler, the IAM action that it needs, and where it is known from."""

    method: str
    path: str
    handler: Callable[..., Answer]
    action: str | None
    source: Source = "documented"


_FEDERATION = "/v3/OS-FEDERATION/identity_providers/<provider>/protocols/oidc/auth"
_BACKUP = "/v3/<project_id>/backups/<backup_id>"
_VAULT = "/v3/<project_id>/vaults/<vault_id>"
_TAGS = "/v3/<project_id>/vault/<vault_id>/tags"
_POLICY = "/v3/<project_id>/policies/<policy_id>"
_MEMBER = f"{_BACKUP}/members/<member_id>"

ROUTES = (
    ApiRoute("GET", "/v3", iam_routes.show_version, None, "seen"),
    ApiRoute("POST", "/v3/auth/tokens", iam_routes.create_token, None),
    ApiRoute("GET", "/v3/auth/tokens", iam_routes.show_token, "iam:tokens:validate"),
    ApiRoute("GET", "/v3/auth/domains", iam_routes.list_domains, "iam:domains:list"),
    ApiRoute("GET", "/v3/projects", iam_routes.list_projects, "iam:projects:list"),
    ApiRoute("POST", "/v3.0/OS-CREDENTIAL/securitytokens", iam_routes.create_temporary_key, None),
    ApiRoute("POST", "/v3.0/OS-AUTH/id-token/tokens", iam_routes.create_token_by_id_token, None),
    ApiRoute("POST", _FEDERATION, iam_routes.create_token_by_federation, None),
    ApiRoute("POST", "/v5/agencies/assume", iam_routes.assume, iam_routes.ASSUME),
    ApiRoute("POST", "/v5/agencies/assume-with-oidc", iam_routes.assume_with_oidc, None),
    ApiRoute("PUT", "/meta-data/latest/api/token", create_metadata_token, None, "seen"),
    ApiRoute("GET", "/openstack/latest/securitykey", show_security_key, None),
    ApiRoute("GET", "/openstack/latest/meta_data.json", show_server, None),
    ApiRoute("GET", "/v3/domain/<domain_name>/projects", iam_routes.projects_of_account, "cbr:member:list"),
    ApiRoute("POST", f"{_BACKUP}/members", add_members, "cbr:member:create"),
    ApiRoute("GET", f"{_BACKUP}/members", list_members, "cbr:member:list"),
    ApiRoute("GET", _MEMBER, show_member, "cbr:member:get"),
    ApiRoute("PUT", _MEMBER, answer_member, "cbr:member:update"),
    ApiRoute("DELETE", _MEMBER, delete_member, "cbr:member:delete"),
    ApiRoute("GET", "/v3/<project_id>/backups", list_backups, "cbr:backups:list"),
    ApiRoute("GET", _BACKUP, show_backup, "cbr:backups:get"),
    ApiRoute("DELETE", _BACKUP, delete_backup, "cbr:backups:delete"),
    ApiRoute("POST", "/v3/<project_id>/vaults", vault_routes.create_vault, "cbr:vaults:create"),
    ApiRoute("GET", "/v3/<project_id>/vaults", vault_routes.list_vaults, "cbr:vaults:list"),
    ApiRoute("GET", _VAULT, vault_routes.show_vault, "cbr:vaults:get"),
    ApiRoute("PUT", _VAULT, vault_routes.update_vault, "cbr:vaults:update"),
    ApiRoute("DELETE", _VAULT, vault_routes.delete_vault, "cbr:vaults:delete"),
    ApiRoute("POST", f"{_VAULT}/addresources", vault_routes.add_resources, "cbr:vaults:addResources"),
    ApiRoute("POST", f"{_VAULT}/removeresources", vault_routes.remove_resources, "cbr:vaults:removeResources"),
    ApiRoute("POST", f"{_VAULT}/associatepolicy", vault_routes.bind_policy, "cbr:vaults:associatePolicy"),
    ApiRoute("POST", f"{_VAULT}/dissociatepolicy", vault_routes.unbind_policy, "cbr:vaults:dissociatePolicy"),
    ApiRoute("GET", f"{_TAGS}", vault_routes.list_tags, "cbr:vaults:get"),
    ApiRoute("POST", f"{_TAGS}/action", vault_routes.change_tags, "cbr:vaults:bulkCreateOrDeleteTags"),
    ApiRoute("POST", "/v3/<project_id>/policies", vault_routes.create_policy, "cbr:policies:create"),
    ApiRoute("GET", "/v3/<project_id>/policies", vault_routes.list_policies, "cbr:policies:list"),
    ApiRoute("GET", _POLICY, vault_routes.show_policy, "cbr:policies:get"),
    ApiRoute("PUT", _POLICY, vault_routes.update_policy, "cbr:policies:update"),
    ApiRoute("DELETE", _POLICY, vault_routes.delete_policy, "cbr:policies:delete"),
    ApiRoute("POST", "/v3/<project_id>/checkpoints", vault_routes.create_checkpoint, "cbr:vaults:backup"),
)
