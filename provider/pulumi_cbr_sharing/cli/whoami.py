"""`cbr-sharing whoami`: the account, region, credential and permissions of commands.

GET /v3/projects?name={region}                                (IAM) the account of the project
GET /v3/{project_id}/backups?limit=1                          and one of them, its members, and one of these
GET /v3/{project_id}/vaults?limit=1                           and one of them
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pulumi_cbr_sharing.cli.account import with_client
from pulumi_cbr_sharing.cli.arguments import json_option
from pulumi_cbr_sharing.cli.output import print_json, print_table
from pulumi_cbr_sharing.cli.permissions import Row, permissions, row, try_action
from pulumi_cbr_sharing.errors import Unreachable
from pulumi_cbr_sharing.http.messages import Call
from pulumi_cbr_sharing.settings.credentials import AccessKey, Password


if TYPE_CHECKING:
    from pulumi_cbr_sharing.http.client import Client
    from pulumi_cbr_sharing.settings.credentials import Credential


LOOK_UP = "iam:projects:list"


@click.command
@json_option
@with_client
def command(client: Client, *, as_json: bool) -> None:
    """Show the account that commands work in, and its permissions.

    Permissions are tried with reads only; nothing is changed. With --json: project_id, account_id, account, region,
    endpoint, iam_endpoint, credential (kind, name, source), agency, and permissions (action, allowed: yes, refused or
    unknown, and why).

    Settings are resolved as in a Pulumi program without a stack: these options, then the environment, then files.
    `--connection dr` uses DR_HW_ACCESS_KEY … if such a variable is set, else the profile dr of the vendor's command
    line.

    \b
    Example:
      cbr-sharing whoami --connection dr
    """
    project_id = client.project_id  # before anything else is tried, with time and retries
    tried = list(permissions(client.brief))
    looked_up, account_id = _looked_up(client.brief)
    tried.append(looked_up)
    about = {"project_id": project_id, "account_id": account_id, **_about(client)}
    if as_json:
        print_json({**about, "permissions": tried})
        return
    for name, value in _readable(about).items():
        click.echo(f"{name.replace('_', ' '):<14}{value or '-'}")
    click.echo()
    print_table({"PERMISSION": "action", "ALLOWED": "allowed", "": "why"}, tried, nothing="")


def _looked_up(client: Client) -> tuple[Row, str | None]:
    """The permission to look up projects, and the account of the project; an unreachable IAM is no failure."""
    settings = client.settings
    name = settings.project_name or settings.region
    if not (settings.iam and name):
        return row(LOOK_UP, "unknown", "not tried: the region, or the iam endpoint, is not set"), None
    call = Call("GET", "/v3/projects", f"trying {LOOK_UP}", LOOK_UP, (("name", name),), service="iam")
    try:
        tried, listed = try_action(client, call, "projects")
    except Unreachable as error:
        return row(LOOK_UP, "unknown", error.trouble), None
    return tried, next(
        (one.fields.get("domain_id") for one in listed if one.fields.get("id") == client.project_id), None
    )


def _about(client: Client) -> dict[str, Any]:
    settings, credential = client.settings, client.settings.credential
    return {
        "account": _account(client),
        "region": settings.region,
        "endpoint": settings.cbr,
        "iam_endpoint": settings.iam,
        "credential": {**_credential(credential), "source": credential.source},
        "agency": settings.agency.name if settings.agency else None,
    }


def _readable(about: dict[str, Any]) -> dict[str, Any]:
    credential = about["credential"]
    return {**about, "credential": f"{credential['kind']} {credential['name']} from {credential['source']}"}


def _account(client: Client) -> str | None:
    """The name of the account, if the settings have it: an access key does not tell."""
    agency, credential = client.settings.agency, client.settings.credential
    if agency:
        return agency.domain_name
    return credential.domain_name if isinstance(credential, Password) else None


def _credential(credential: Credential) -> dict[str, str]:
    if isinstance(credential, AccessKey):
        kind = "temporary access key" if credential.security_token else "access key"
        return {"kind": kind, "name": f"…{credential.access_key[-4:]}"}
    if isinstance(credential, Password):
        return {"kind": "user", "name": str(credential.user_name or credential.user_id)}
    return {"kind": "token", "name": ""}
