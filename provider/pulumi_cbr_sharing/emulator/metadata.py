"""The metadata service of a server, under the same port: the keys of its agency, and what server it is.

On a real server it is `http://169.254.169.254`. Switches of the cloud say whose agency the server has, whether a token
is needed, and how long keys live; a `Fault` with a delay is an answer that does not come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_cbr_sharing.emulator import catalogue
from pulumi_cbr_sharing.emulator.accounts import made_up_uuid
from pulumi_cbr_sharing.emulator.catalogue import Refusal
from pulumi_cbr_sharing.emulator.iam import credential_body
from pulumi_cbr_sharing.emulator.request import Answer


if TYPE_CHECKING:
    from pulumi_cbr_sharing.emulator.request import Request


LIFETIMES = range(1, 21601)  # of a token, in seconds (inferred)


def create_metadata_token(request: Request) -> Answer:
    """Issue a token of the metadata service: 200, as text; 404 if the server's kind does not know it."""
    lifetime = request.headers.get("x-metadata-token-ttl-seconds", "")
    if request.cloud.metadata_token == "unknown":
        raise Refusal(catalogue.METADATA_UNKNOWN)
    if not lifetime.isdecimal() or len(lifetime) > len("21600") or int(lifetime) not in LIFETIMES:
        raise Refusal(catalogue.METADATA_MALFORMED)
    return Answer(200, request.cloud.keys.issue_metadata_token(int(lifetime)))


def show_security_key(request: Request) -> Answer:
    """Show the temporary key of the server's agency. The next pair comes ten minutes before the end of the last."""
    _check_token(request)
    name, seconds = request.cloud.server_agency, request.cloud.server_key_seconds
    if name is None:
        raise Refusal(catalogue.NO_AGENCY)
    return Answer(200, {"credential": credential_body(request.cloud.keys.server_key(name, seconds))})


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
        raise Refusal(catalogue.METADATA_DENIED)
