"""`cbr-sharing whoami`: the account, region and credential of commands.

GET /v3/projects?name={region}                                (IAM) the account of the project
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pulumi_cbr_sharing.cli.options import json_option, with_client
from pulumi_cbr_sharing.cli.output import print_json, tell
from pulumi_cbr_sharing.errors import CbrSharingError, CredentialRefused
from pulumi_cbr_sharing.http.messages import Call
from pulumi_cbr_sharing.settings.credentials import AccessKey, IdentityToken, Password, ServerAgency


if TYPE_CHECKING:
    from pulumi_cbr_sharing.http.client import Client
    from pulumi_cbr_sharing.settings.credentials import Credential


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
        click.echo(f"{name.replace('_', ' '):<14}{value or '-'}")


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
