"""The client of the audit, which can only read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.errors import Refused
from pulumi_cbr_sharing.http.client import Client


if TYPE_CHECKING:
    from pulumi_cbr_sharing.http.messages import Call
    from pulumi_cbr_sharing.settings.resolve import Settings


MOST_RETRIES = 4  # an audit of thousands of backups reports what it could not read, rather than wait
SIGN_IN = ("/v3/auth/tokens", "/v3.0/OS-CREDENTIAL/securitytokens")


class ReadOnlyClient(Client):
    """A client that sends reads only. The only POSTs are those to sign in."""

    def __init__(self, settings: Settings, **options: Any) -> None:
        super().__init__(replace(settings, max_retries=min(settings.max_retries, MOST_RETRIES)), **options)

    def send(self, call: Call, **options: Any) -> Any:
        """Send a read.

        Raises:
            Refused: the call is not a read.
        """
        signs_in = call.service == "iam" and call.path.startswith(SIGN_IN)
        if call.method != "GET" and not signs_in:
            raise Refused(f"{call.doing}: an audit only reads")
        return super().send(call, **options)
