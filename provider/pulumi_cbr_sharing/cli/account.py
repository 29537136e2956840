"""`cbr-sharing whoami`, `backups` and `vaults`: the account of commands, and what it has and has received.

GET /v3/projects?name={region}                                (IAM) the account of the project

The fields that `--json` prints stay when the API's classes change.
"""

from __future__ import annotations

import math

from typing import TYPE_CHECKING, Any

import click

from pulumi_cbr_sharing.cbr.backups import list_backups
from pulumi_cbr_sharing.cbr.vaults import list_vaults
from pulumi_cbr_sharing.cli import common
from pulumi_cbr_sharing.cli.common import (
    json_option,
    print_json,
    print_records,
    print_table,
    progress,
    tell,
    with_client,
)
from pulumi_cbr_sharing.errors import CbrSharingError, CredentialRefused, one_line
from pulumi_cbr_sharing.http.messages import Call
from pulumi_cbr_sharing.settings.credentials import AccessKey, IdentityToken, Password, ServerAgency


if TYPE_CHECKING:
    from pulumi_cbr_sharing.cbr.backups import Backup
    from pulumi_cbr_sharing.cbr.vaults import Vault
    from pulumi_cbr_sharing.http.client import Client
    from pulumi_cbr_sharing.settings.credentials import Credential


BACKUP_COLUMNS = {
    "BACKUP": "id",
    "NAME": "name",
    "STATUS": "status",
    "OF": "resource_name",
    "GB": "size",
    "CREATED": "created_at",
    "EXPIRES": "expired_at",
    "VAULT": "vault_id",
}
VAULT_COLUMNS = {
    "VAULT": "id",
    "NAME": "name",
    "STATUS": "status",
    "FOR": "object_type",
    "GB": "size",
    "GB FREE": "free",
    "CREATED": "created_at",
}


@click.command
@click.option("--vault", "vault_id", metavar="ID", type=common.vault_id, help="Only backups in this vault.")
@click.option("--resource", "resource_id", type=common.text, metavar="ID", help="Only backups of this server or disk.")
@click.option("--name", type=common.text, help="Only those with exactly this name.")
@click.option("--status", type=common.text, help="Only backups with this status, such as available.")
@click.option(
    "--received", is_flag=True, help="Backups that were received by sharing and accepted, instead of own ones."
)
@json_option
@with_client
def backups_command(client: Client, *, received: bool, as_json: bool, **filters: Any) -> None:
    """List backups, newest first.

    With --json: id, name, status, project_id (the owner's), vault_id, resource_id, resource_name, resource_type, size
    (GB), created_at and expired_at of each.

    \b
    Examples:
      cbr-sharing backups --status available
      cbr-sharing backups --received
    """
    with progress("listing backups"):
        found = list_backups(
            client,
            **filters,
            own_type="shared" if received else "private",
            member_status="accepted" if received else None,
        )
    columns = {**BACKUP_COLUMNS, "OWNER": "project_id"} if received else BACKUP_COLUMNS
    print_records(columns, list(map(backup_record, found)), nothing="there is no such backup", as_json=as_json)


@click.command
@click.option("--name", type=common.text, help="Only those with exactly this name.")
@json_option
@with_client
def vaults_command(client: Client, *, name: str | None, as_json: bool) -> None:
    """List the vaults of the project, by name.

    With --json: id, name, status, project_id, object_type (server, disk or turbo), size and allocated (GB), used (MB),
    resource_ids and created_at of each.

    \b
    Example:
      cbr-sharing vaults --json | jq -r '.[] | select(.object_type == "server") | .id'
    """
    with progress("listing vaults"):
        found = list_vaults(client, name=name)
    if as_json:
        print_json(list(map(vault_record, found)))
    else:
        rows = [{**vault_record(vault), "free": math.floor(vault.free)} for vault in found]
        print_table(VAULT_COLUMNS, rows, nothing="there is no such vault")


def backup_record(backup: Backup) -> dict[str, Any]:
    """A backup, own or received; its size is in GB."""
    return {
        "id": backup.id,
        "name": backup.name,
        "status": backup.status,
        "project_id": backup.project_id,
        "vault_id": backup.vault_id or None,
        "resource_id": backup.resource_id,
        "resource_name": backup.resource_name,
        "resource_type": backup.resource_type,
        "size": backup.resource_size,
        "created_at": backup.created_at or None,
        "expired_at": backup.expired_at or None,
    }


def vault_record(vault: Vault) -> dict[str, Any]:
    """A vault; size and allocated are in GB, used is in MB, as in the API."""
    return {
        "id": vault.id,
        "name": vault.name,
        "status": vault.status,
        "project_id": vault.project_id,
        "object_type": vault.object_type,
        "size": vault.size,
        "allocated": vault.allocated,
        "used": vault.used,
        "resource_ids": list(vault.resource_ids),
        "created_at": vault.created_at or None,
    }


@click.command
@json_option
@with_client
def whoami_command(client: Client, *, as_json: bool) -> None:
    """Show the account that commands work in.

    With --json: project_id, account_id, account, region, endpoint, iam_endpoint, credential (kind, name, source),
    outranked (the sources of other credentials) and agency. IAM is asked for account_id; if it does not tell, that is
    null, and standard error says why.

    Settings are resolved as in a Pulumi program without a stack: these options, then the environment, then files.
    `--connection dr` uses DR_HW_ACCESS_KEY … if such a variable is set, else the profile dr of the vendor's command
    line.

    \b
    Example:
      cbr-sharing whoami --connection dr
    """
    about = {"project_id": client.project_id, "account_id": _account_id(client.brief), **_about(client)}
    if as_json:
        print_json(about)
        return
    for name, value in _readable(about).items():
        click.echo(f"{name.replace('_', ' '):<14}{one_line(value or '-')}")


def _account_id(client: Client) -> str | None:
    """The id of the project's account, if IAM tells; a refused credential is an error."""
    name = client.settings.project_name or client.settings.region
    if not (client.settings.iam and name):
        return None
    call = Call("GET", "/v3/projects", "looking up the account", "iam:projects:list", (("name", name),), service="iam")
    try:
        listed = client.send(call).records("projects")
    except CredentialRefused:
        raise
    except CbrSharingError as error:
        tell(f"the account id is not known: {error}")
        return None
    return next((one.name("domain_id") for one in listed if one.fields.get("id") == client.project_id), None)


def _about(client: Client) -> dict[str, Any]:
    settings, credential = client.settings, client.settings.credential
    return {
        "account": _account(client),
        "region": settings.region,
        "endpoint": settings.cbr,
        "iam_endpoint": settings.iam,
        "credential": {**_credential(credential), "source": credential.source},
        "outranked": list(settings.outranked),
        "agency": " → ".join(agency.name for agency in settings.agencies) or None,
    }


def _readable(about: dict[str, Any]) -> dict[str, Any]:
    credential = about["credential"]
    shown = f"{credential['kind']} {credential['name']}".strip()
    return {**about, "credential": f"{shown} from {credential['source']}", "outranked": ", ".join(about["outranked"])}


def _account(client: Client) -> str | None:
    """The name of the account, if the settings have it: an access key does not tell."""
    agencies, credential = client.settings.agencies, client.settings.credential
    if agencies:
        return agencies[-1].domain_name
    return credential.domain_name if isinstance(credential, Password) else None


def _credential(credential: Credential) -> dict[str, str]:
    if isinstance(credential, AccessKey):
        kind = "temporary access key" if credential.security_token else "access key"
        return {"kind": kind, "name": f"…{credential.access_key[-4:]}"}
    if isinstance(credential, Password):
        return {"kind": "user", "name": str(credential.user_name or credential.user_id)}
    if isinstance(credential, IdentityToken):
        return {"kind": "identity token", "name": credential.idp_id or credential.agency_urn or ""}
    return {"kind": "agency of the server" if isinstance(credential, ServerAgency) else "token", "name": ""}
