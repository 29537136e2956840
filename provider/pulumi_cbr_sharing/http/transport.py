"""Sends one HTTP request, once, with time-outs. This is the only place that sends HTTP.

All clients of a process share one pool of connections. TLS certificates are verified; a CA file and the usual proxy
variables are supported, and looked up once. Redirects are not followed, because the signature would be sent along.
Cookies and .netrc files are not used.
"""

from __future__ import annotations

import json
import time

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from requests import PreparedRequest, ReadTimeout, RequestException
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3.exceptions import HTTPError

from pulumi_cbr_sharing.errors import UnexpectedAnswer
from pulumi_cbr_sharing.http.failures import Route, error_of
from pulumi_cbr_sharing.http.messages import Call, Reply
from pulumi_cbr_sharing.http.signing import canonical_query
from pulumi_cbr_sharing.settings.endpoints import is_this_machine


if TYPE_CHECKING:
    from requests import Response

    from pulumi_cbr_sharing.http.messages import Service
    from pulumi_cbr_sharing.http.signing import Signer
    from pulumi_cbr_sharing.settings.resolve import Settings


LARGEST_ANSWER = 32 * 1024 * 1024  # bytes; a list of a thousand backups has about one million
IDLE_CONNECTIONS = 16  # kept for each host


class Transport:
    """Sends requests to the endpoints in some settings; safe for many threads."""

    def __init__(self, settings: Settings) -> None:
        roots: dict[Service, str] = {"cbr": settings.cbr, "iam": (settings.iam or "").removesuffix("/v3")}
        self._routes = {service: Route(root, _proxies(root)) for service, root in roots.items()}
        self._verify = False if settings.insecure else settings.ca_file or True
        self._secrets = tuple(settings.credential.secrets())

    def send(self, call: Call, signer: Signer, project_id: str | None, settings: Settings) -> Reply:
        """Send a call once.

        Args:
            call: what to send.
            signer: adds the credential.
            project_id: sent as `X-Project-Id`, if it is known.
            settings: for the time-outs.

        Raises:
            Unreachable: no complete answer was received.
            UnexpectedAnswer: the answer is compressed, or larger than 32 MiB.
            SettingsError: the request cannot be made.
        """
        route, request = self._routes[call.service], PreparedRequest()
        try:
            request.prepare(
                method=call.method,
                url=route.root + call.path + (f"?{canonical_query(call.query)}" if call.query else ""),
                headers=_headers(call, project_id),
                data=None if call.body is None else json.dumps(call.body).encode(),
                auth=signer,
            )
            with _connections().send(
                request,
                stream=True,
                timeout=(settings.connect_timeout, settings.read_timeout),
                verify=self._verify,
                proxies=route.proxies,
            ) as response:
                body = _body(call, response, settings.read_timeout)
        except (RequestException, HTTPError, OSError, ValueError) as error:
            raise error_of(error, call.doing, route, settings) from None
        secrets = (*self._secrets, *_secrets_in(request))
        return Reply(call, response.status_code, dict(response.headers), body, secrets)


@cache
def _connections() -> HTTPAdapter:
    """The connection pool of the process; safe for many threads."""
    return HTTPAdapter(pool_maxsize=IDLE_CONNECTIONS, max_retries=0)


def _proxies(root: str) -> dict[str, str]:
    parts = urlsplit(root)
    # Plain http is allowed to this machine; a proxy elsewhere would see the credential.
    if parts.scheme == "http" and is_this_machine(parts.hostname or ""):
        return {}
    return dict(get_environ_proxies(root))


def _headers(call: Call, project_id: str | None) -> dict[str, str]:
    headers = {
        "Content-Type": "application/json",
        "X-Language": "en-us",
        "User-Agent": _agent(),
        "Accept-Encoding": "identity",  # a small compressed answer could fill the memory
    }
    if call.service == "cbr" and project_id:
        headers["X-Project-Id"] = project_id
    return headers


@cache
def _agent() -> str:
    try:
        return f"pulumi-cbr-sharing/{version('pulumi-cbr-sharing')}"
    except PackageNotFoundError:  # run from a source tree
        return "pulumi-cbr-sharing"


def _secrets_in(request: PreparedRequest) -> tuple[str, ...]:
    """The token, security token and signature in a request."""
    headers = request.headers
    signature = headers.get("Authorization", "").rpartition("Signature=")[2]
    return tuple(filter(None, (headers.get("X-Auth-Token"), headers.get("X-Security-Token"), signature)))


def _body(call: Call, response: Response, seconds: float) -> bytes:
    """The body, limited in size and in time: the read time-out alone does not stop an answer that trickles in."""
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnexpectedAnswer(f"{call.doing}: the answer is compressed, which was not asked for: check any proxy")
    parts, size, ends = [], 0, time.monotonic() + seconds
    while part := response.raw.read1(65536, decode_content=False):
        parts.append(part)
        size += len(part)
        if time.monotonic() > ends:
            raise ReadTimeout
        if size > LARGEST_ANSWER:
            raise UnexpectedAnswer(f"{call.doing}: the answer has more than {LARGEST_ANSWER} bytes: check the endpoint")
    return b"".join(parts)
