"""The one place that sends HTTP: one call, once, with time-outs. A reply comes back, or `Unreachable`.

TLS is verified, a CA file and the usual proxy variables are honoured, redirects are not followed (the signature
would go with them). Tries, pace and meanings are `client.py`'s.
"""

from __future__ import annotations

import json
import ssl
import threading
import time

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from requests.adapters import HTTPAdapter
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    MaxRetryError,
    NewConnectionError,
    ReadTimeoutError,
)

from pulumi_cbr_sharing.errors import CbrSharingError, SettingsError, UnexpectedAnswer, Unreachable, one_line
from pulumi_cbr_sharing.http.auth import Unsigned
from pulumi_cbr_sharing.http.messages import Call, Reply, scrubbed
from pulumi_cbr_sharing.http.signing import canonical_query
from pulumi_cbr_sharing.http.timed_pools import POOLS


if TYPE_CHECKING:
    from requests.auth import AuthBase
    from urllib3 import ProxyManager

    from pulumi_cbr_sharing.settings.resolve import Settings


LARGEST_ANSWER = 32 * 1024 * 1024  # bytes; a thousand backups are about one million
_SECRET_HEADERS = ("Authorization", "X-Auth-Token", "X-Security-Token")


class Transport:
    """Sends to the endpoints of some settings; safe for many threads, each of which has its own session."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._local = threading.local()
        self._sessions: list[requests.Session] = []

    def send(
        self, call: Call, signer: AuthBase | None, project_id: str | None, limits: Settings | None = None
    ) -> Reply:
        """Send a call once.

        Args:
            call: what to send.
            signer: signs it; None for a call that needs no credential.
            project_id: for `X-Project-Id`, where the call is made in a project.
            limits: other time-outs than those of the settings.

        Raises:
            Unreachable: no whole answer came.
            UnexpectedAnswer: it is larger than any of this service.
            SettingsError: the request cannot even be made.
        """
        settings, url = limits or self._settings, self._url(call)
        try:
            with self._session().request(
                call.method,
                url,
                data=None if call.body is None else json.dumps(call.body).encode(),
                headers=_headers(call, project_id),
                # None would let requests look for a password in a .netrc file.
                auth=signer or Unsigned(),
                timeout=(settings.connect_timeout, settings.read_timeout),
                allow_redirects=False,
                stream=True,
                verify=False if settings.insecure else settings.ca_file or True,
            ) as response:
                body = _body(call, response, settings.read_timeout)
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            raise _no_answer(call, url, error, settings) from None
        return scrubbed(Reply(response.status_code, dict(response.headers), body), self._secrets(response.request))

    def close(self) -> None:
        """Close the connections of all threads."""
        for session in self._sessions:
            session.close()

    def _url(self, call: Call) -> str:
        root = (self._settings.iam or "").removesuffix("/v3") if call.service == "iam" else self._settings.cbr
        return f"{root}{call.path}" + (f"?{canonical_query(call.query)}" if call.query else "")

    def _session(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
            for scheme in ("https://", "http://"):
                self._local.session.mount(scheme, _Adapter(max_retries=0))
            self._sessions.append(self._local.session)
        session: requests.Session = self._local.session
        return session

    def _secrets(self, request: requests.PreparedRequest) -> list[str]:
        """What a service could echo, and no message may show."""
        sent = [request.headers.get(name, "") for name in _SECRET_HEADERS]
        sent.append(sent[0].rpartition("=")[2])  # the signature alone
        return [text for text in (*sent, *self._settings.credential.secrets()) if len(text) > 3]  # noqa: PLR2004


class _Adapter(HTTPAdapter):
    """Sends by connections that wait for the head of an answer no longer than the read time-out, trickling or not."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> ProxyManager:
        manager: ProxyManager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = POOLS
        return manager


def _headers(call: Call, project_id: str | None) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "X-Language": "en-us", "User-Agent": _agent()}
    if call.service == "cbr" and project_id:
        headers["X-Project-Id"] = project_id
    return headers


def _agent() -> str:
    try:
        return f"pulumi-cbr-sharing/{version('pulumi-cbr-sharing')}"
    except PackageNotFoundError:  # run from a source tree
        return "pulumi-cbr-sharing"


def _body(call: Call, response: requests.Response, seconds: float) -> bytes:
    """The body, bounded in size and in time: a trickle keeps every single read within its time-out."""
    parts, size, ends = [], 0, time.monotonic() + seconds
    while part := response.raw.read1(65536, decode_content=True):
        parts.append(part)
        size += len(part)
        if time.monotonic() > ends:
            raise requests.ReadTimeout
        if size > LARGEST_ANSWER:
            raise UnexpectedAnswer(f"{call.doing}: more than {LARGEST_ANSWER} bytes came: check the endpoint")
    return b"".join(parts)


def _no_answer(call: Call, url: str, error: Exception, settings: Settings) -> CbrSharingError:
    """What an exception of the transport means. Its own text is left out: it may show a proxy's password."""
    ca_file = one_line(settings.ca_file or "")
    if ca_file and url.startswith("https:") and not settings.insecure and not _can_be_loaded(ca_file):
        trouble = f"the CA file {ca_file} is missing or holds no certificate: check cacertFile or HW_CACERT"
        return SettingsError(f"{call.doing}: {trouble}")
    host = url.split("/", 3)[2].rpartition("@")[2]
    cause = error.args[0] if error.args else None
    reasons = (error, cause.reason if isinstance(cause, MaxRetryError) else cause)
    for kinds, sent, trouble in _TROUBLES:
        if any(isinstance(reason, kinds) for reason in reasons):
            trusted = f" by {ca_file}" if ca_file else ""
            text = trouble.format(connect=settings.connect_timeout, read=settings.read_timeout, trusted=trusted)
            lasting = kinds is requests.exceptions.SSLError
            return Unreachable(call.doing, f"no answer from {host}: {text}", sent=sent, lasting=lasting)
    trouble = f"the request cannot be made ({type(error).__name__}): check credential, endpoints, CA file and proxy"
    return SettingsError(f"{call.doing}: {trouble}")


def _can_be_loaded(ca_file: str) -> bool:
    """Whether a file of CAs has any; of a folder nobody can tell before a certificate is looked for."""
    try:
        if not Path(ca_file).is_dir():
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(ca_file)
    except OSError:  # ssl.SSLError is one
        return False
    return True


_Kinds = type[Exception] | tuple[type[Exception], ...]

# In order: what the transport raised, whether the request may have arrived, and what to tell the user.
_TROUBLES: tuple[tuple[_Kinds, bool, str], ...] = (
    (
        requests.exceptions.SSLError,
        False,
        "its TLS certificate is not trusted{trusted}: set cacertFile or HW_CACERT to the file of its CA",
    ),
    (
        requests.exceptions.ProxyError,
        False,
        "the proxy does not let it through: check HTTPS_PROXY, HTTP_PROXY and NO_PROXY",
    ),
    # Refused, or a name that cannot be resolved; for the transport that is a kind of time-out, so it comes first.
    (NewConnectionError, False, "no connection: check the endpoint, the region and the network"),
    (
        (requests.ConnectTimeout, ConnectTimeoutError),
        False,
        "no connection within {connect:g} s: check the endpoint and the network",
    ),
    ((requests.ReadTimeout, ReadTimeoutError), True, "it took longer than {read:g} s"),
    (
        (requests.ConnectionError, requests.exceptions.ChunkedEncodingError, HTTPError),
        True,
        "the connection was cut",
    ),
)
