"""Sends one HTTP request, once, with time-outs. This is the only place that sends HTTP.

All clients of a process that trust the same certificates share one pool of connections. TLS certificates are verified;
the usual proxy variables are supported, and looked up once. Redirects are not followed, because the signature would be
sent along. Cookies and .netrc files are not used.

A broken connection counts as sent unless it is certain that nothing was. The text of an exception of the HTTP libraries
is left out of messages, because it may contain the password of a proxy.
"""

from __future__ import annotations

import json
import ssl
import time

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from requests import ConnectionError as CutConnection
from requests import PreparedRequest, ReadTimeout, RequestException
from requests.adapters import HTTPAdapter
from requests.exceptions import ChunkedEncodingError, InvalidSchema
from requests.utils import DEFAULT_CA_BUNDLE_PATH, get_environ_proxies, select_proxy
from urllib3 import exceptions as urllib3
from urllib3.util.ssl_ import create_urllib3_context

from pulumi_cbr_sharing.errors import CbrSharingError, SettingsError, UnexpectedAnswer, Unreachable
from pulumi_cbr_sharing.http.auth import canonical_query
from pulumi_cbr_sharing.http.codes import PROXY
from pulumi_cbr_sharing.http.messages import Call, Reply
from pulumi_cbr_sharing.settings.credentials import secrets_of
from pulumi_cbr_sharing.settings.endpoints import is_this_machine


if TYPE_CHECKING:
    from collections.abc import Iterator

    from requests import Response

    from pulumi_cbr_sharing.http.auth import Signer
    from pulumi_cbr_sharing.http.messages import Service
    from pulumi_cbr_sharing.settings.credentials import Certificate
    from pulumi_cbr_sharing.settings.resolve import Settings


LARGEST_ANSWER = 32 * 1024 * 1024  # bytes; a list of a thousand backups has about one million
IDLE_CONNECTIONS = 64  # kept for each host; as many calls as `--parallel 64` makes at once


class Transport:
    """Sends requests to the endpoints in some settings; safe for many threads."""

    def __init__(self, settings: Settings) -> None:
        iam, sts = (settings.iam or "").removesuffix("/v3"), settings.sts or ""
        self._roots: dict[Service, str] = {"cbr": settings.cbr, "iam": iam, "sts": sts, "metadata": settings.metadata}
        self._proxies = {service: _proxies(root) for service, root in self._roots.items()}
        self._proxies["metadata"] = {}  # no proxy can reach it
        self._secrets = tuple(secrets_of(settings.credential))

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
        root, proxies, request = self._roots[call.service], self._proxies[call.service], PreparedRequest()
        try:
            request.prepare(
                method=call.method,
                url=root + call.path + (f"?{canonical_query(call.query)}" if call.query else ""),
                headers=_headers(call, project_id),
                data=None if call.body is None else json.dumps(call.body).encode(),
                auth=signer,
            )
            tls = root.startswith("https:")
            certificates = (settings.ca, settings.cert, settings.key) if tls else (None, None, None)
            with _connections(*certificates, insecure=settings.insecure or not tls).send(
                request,
                stream=True,
                timeout=(settings.connect_timeout, settings.read_timeout),
                verify=not settings.insecure,
                proxies=proxies,
            ) as response:
                body = _body(call, response, settings)
        except (RequestException, urllib3.HTTPError, OSError, ValueError) as error:
            raise _error_of(error, call, root, select_proxy(root, proxies) or "", settings) from None
        sent = request.headers
        signature = sent.get("Authorization", "").rpartition("Signature=")[2]
        secrets = filter(None, (*self._secrets, sent.get("X-Auth-Token"), sent.get("X-Security-Token"), signature))
        return Reply(call, response.status_code, dict(response.headers), body, tuple(secrets), settings.names)


class _Pool(HTTPAdapter):
    """A pool of connections whose TLS context has all certificates."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__(pool_maxsize=IDLE_CONNECTIONS, max_retries=0)

    def init_poolmanager(self, *args: Any, **words: Any) -> None:
        super().init_poolmanager(*args, **words, ssl_context=self._context)

    def proxy_manager_for(self, *args: Any, **words: Any) -> Any:
        return super().proxy_manager_for(*args, **words, ssl_context=self._context)

    def cert_verify(self, conn: Any, _url: Any, verify: Any, _cert: Any) -> None:
        conn.cert_reqs = "CERT_REQUIRED" if verify else "CERT_NONE"


@cache
def _connections(
    ca: Certificate | None, cert: Certificate | None, key: Certificate | None, *, insecure: bool
) -> HTTPAdapter:
    """The connection pool for these certificates; safe for many threads."""
    context = create_urllib3_context()
    try:
        if insecure:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        elif ca and ca.is_text:
            context.load_verify_locations(cadata=ca.text.reveal())
        elif ca and Path(ca.path).is_dir():
            context.load_verify_locations(capath=ca.path)
        else:
            context.load_verify_locations(ca.path if ca else DEFAULT_CA_BUNDLE_PATH)
    except (OSError, ValueError):  # ssl.SSLError is an OSError
        raise SettingsError(f"{ca} is missing or has no certificate in PEM form: correct it") from None
    if cert and key:
        _identify(context, cert, key)
    return _Pool(context)


def _identify(context: ssl.SSLContext, cert: Certificate, key: Certificate) -> None:
    with TemporaryDirectory() as folder:  # only files can be loaded; the folder is private
        try:
            paths = [each.path for each in (cert, key)]
            for number, each in enumerate((cert, key)):
                if each.is_text:
                    paths[number] = f"{folder}/{number}"
                    Path(paths[number]).write_text(each.text.reveal(), encoding="ascii")
            context.load_cert_chain(*paths)
        except (OSError, ValueError):
            trouble = f"{cert} and {key} are no certificate with its private key in PEM form, without a passphrase"
            raise SettingsError(f"{trouble}: correct them") from None


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


def _body(call: Call, response: Response, settings: Settings) -> bytes:
    """The body, limited in size and in time: the read time-out alone does not stop an answer that trickles in."""
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnexpectedAnswer(f"{call.doing}: the answer is compressed, which was not asked for: check any proxy")
    parts, size, ends = [], 0, time.monotonic() + settings.read_timeout
    while part := response.raw.read1(65536, decode_content=False):
        parts.append(part)
        size += len(part)
        if time.monotonic() > ends:
            raise ReadTimeout
        if size > LARGEST_ANSWER:
            trouble = f"the answer has more than {LARGEST_ANSWER} bytes: check {settings.names[call.service]}"
            raise UnexpectedAnswer(f"{call.doing}: {trouble}")
    return b"".join(parts)


def _error_of(error: Exception, call: Call, root: str, proxy: str, settings: Settings) -> CbrSharingError:
    """The error to raise for an exception of the HTTP libraries."""
    causes, endpoint, kind = list(_causes(error)), settings.names[call.service], type(error).__name__

    def is_any(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    if proxy.startswith("socks") and is_any(InvalidSchema):
        way = "pip install 'pulumi-cbr-sharing[socks]', or unset ALL_PROXY"
        return SettingsError(f"{call.doing}: a SOCKS proxy needs the package PySocks: {way}")
    sending = is_any(CutConnection, ChunkedEncodingError, urllib3.HTTPError, ReadTimeout)
    if is_any(urllib3.LocationValueError) or not sending:
        way = "check credential, endpoints, CA file and proxy"
        return SettingsError(f"{call.doing}: the request cannot be made ({kind}): {way}")
    untrusted = "its TLS certificate is not trusted: set HW_CACERT to its CA file"
    if settings.ca:
        untrusted = f"its TLS certificate is not trusted by {settings.ca}: correct {settings.ca.setting}"
    refused = is_any(urllib3.NewConnectionError)  # or the name was not resolved; urllib3 makes it a kind of time-out
    # A proxy refused CONNECT: `http.client` has no exception of its own for that.
    no_tunnel = any(type(each) is OSError and str(each).startswith("Tunnel connection failed") for each in causes)
    not_sent = refused or no_tunnel or is_any(urllib3.ConnectTimeoutError)
    late, within = is_any(ReadTimeout, urllib3.ReadTimeoutError), f" within {settings.connect_timeout:g} s"
    cases = (  # whether it is this, whether the request may have arrived, whether a retry cannot help, what to tell
        (is_any(ssl.SSLCertVerificationError), False, True, untrusted),
        (not_sent and proxy, False, False, f"the proxy does not let the request through: {PROXY}"),
        (not_sent, False, False, f"no connection{'' if refused else within}: check {endpoint} and the network"),
        (late, True, False, f"it took longer than {settings.read_timeout:g} s"),
        (proxy, True, False, f"the connection was broken; it goes through a proxy: {PROXY}"),
        (True, True, False, "the connection was broken"),
    )
    _, sent, lasting, trouble = next(case for case in cases if case[0])
    host = urlsplit(root).netloc.rpartition("@")[2]
    return Unreachable(call.doing, f"no answer from {host}: {trouble}", sent=sent, lasting=lasting)


def _causes(error: BaseException, depth: int = 8) -> Iterator[BaseException]:
    """An exception and those it wraps: `requests` and `urllib3` keep them in different places."""
    yield error
    nested = (getattr(error, "reason", None), getattr(error, "original_error", None), *error.args)
    for cause in nested if depth else ():
        if isinstance(cause, BaseException):
            yield from _causes(cause, depth - 1)
