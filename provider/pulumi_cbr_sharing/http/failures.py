"""What an exception of the HTTP libraries means: whether the request may have had an effect, and what to do.

A broken connection counts as sent unless it is certain that nothing was. The text of the exception is left out, because
it may contain the password of a proxy.
"""

from __future__ import annotations

import ssl

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from requests import ConnectionError as CutConnection
from requests import ReadTimeout
from requests.exceptions import ChunkedEncodingError, InvalidSchema
from requests.utils import select_proxy
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationValueError,
    NewConnectionError,
    ReadTimeoutError,
)

from pulumi_cbr_sharing.errors import CbrSharingError, SettingsError, Unreachable, one_line


if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi_cbr_sharing.settings.resolve import Settings


_PROXY = "check HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY"


@dataclass(frozen=True)
class Route:
    """How a service is reached.

    Attributes:
        root: the endpoint, without version.
        proxies: by scheme, as `requests` takes them.
    """

    root: str
    proxies: dict[str, str]


def error_of(error: Exception, doing: str, route: Route, settings: Settings) -> CbrSharingError:
    """The error to raise for an exception."""
    causes, proxy = list(_causes(error)), select_proxy(route.root, route.proxies) or ""
    if trouble := _trouble_with_settings(causes, proxy, route.root, settings):
        return SettingsError(f"{doing}: {trouble}")
    host = route.root.split("/", 3)[2].rpartition("@")[2]
    sent, lasting, trouble = _trouble_on_the_way(causes, proxy, settings)
    return Unreachable(doing, f"no answer from {host}: {trouble}", sent=sent, lasting=lasting)


def _causes(error: BaseException, depth: int = 8) -> Iterator[BaseException]:
    """An exception and those it wraps: `requests` and `urllib3` keep them in different places."""
    yield error
    nested = (getattr(error, "reason", None), getattr(error, "original_error", None), *error.args)
    for cause in nested if depth else ():
        if isinstance(cause, BaseException):
            yield from _causes(cause, depth - 1)


def _any(causes: list[BaseException], *kinds: type[BaseException]) -> bool:
    return any(isinstance(cause, kinds) for cause in causes)


def _trouble_with_settings(causes: list[BaseException], proxy: str, root: str, settings: Settings) -> str | None:
    ca_file = one_line(settings.ca_file or "")
    if ca_file and root.startswith("https:") and not settings.insecure and not _can_be_loaded(ca_file):
        return f"the CA file {ca_file} is missing or has no certificate: check cacertFile or HW_CACERT"
    if proxy.startswith("socks") and _any(causes, InvalidSchema):
        return "a SOCKS proxy needs the package PySocks: pip install 'pulumi-cbr-sharing[socks]', or unset ALL_PROXY"
    if _any(causes, LocationValueError) or not _any(
        causes, CutConnection, ChunkedEncodingError, HTTPError, ReadTimeout
    ):
        kind = type(causes[0]).__name__
        return f"the request cannot be made ({kind}): check credential, endpoints, CA file and proxy"
    return None


def _trouble_on_the_way(causes: list[BaseException], proxy: str, settings: Settings) -> tuple[bool, bool, str]:
    """Whether the request may have arrived, whether a retry cannot help, and what to tell the user."""
    if _any(causes, ssl.SSLCertVerificationError):
        trusted = f" by {one_line(settings.ca_file)}" if settings.ca_file else ""
        return False, True, f"its TLS certificate is not trusted{trusted}: set cacertFile or HW_CACERT to its CA file"
    not_sent = _any(causes, NewConnectionError, ConnectTimeoutError) or any(map(_is_failed_tunnel, causes))
    if not_sent and proxy:
        return False, False, f"the proxy does not let the request through: {_PROXY}"
    if _any(causes, NewConnectionError):  # refused, or the name was not resolved; urllib3 makes it a kind of time-out
        return False, False, "no connection: check the endpoint, the region and the network"
    if not_sent:
        return False, False, f"no connection within {settings.connect_timeout:g} s: check the endpoint and the network"
    if _any(causes, ReadTimeout, ReadTimeoutError):
        return True, False, f"it took longer than {settings.read_timeout:g} s"
    return True, False, "the connection was broken" + (f"; it goes through a proxy: {_PROXY}" if proxy else "")


def _is_failed_tunnel(error: BaseException) -> bool:
    """Whether a proxy refused CONNECT, for which `http.client` has no exception of its own."""
    return type(error) is OSError and str(error).startswith("Tunnel connection failed")


def _can_be_loaded(ca_file: str) -> bool:
    """Whether a CA file has certificates; a folder is only searched when one is needed."""
    try:
        if not Path(ca_file).is_dir():
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(ca_file)
    except OSError:  # ssl.SSLError is one
        return False
    return True
