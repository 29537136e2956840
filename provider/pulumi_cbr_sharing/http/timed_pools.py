"""Connections that bound the head of an answer in time: status line and headers, as a whole.

A read time-out bounds each piece only. Headers that trickle in, a byte before every time-out, would hold a worker for
as long as they like; the body is bounded where it is read, in `transport.py`.
"""

from __future__ import annotations

import socket
import threading

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection


if TYPE_CHECKING:
    from collections.abc import Iterator

    from urllib3 import HTTPResponse


@contextmanager
def _within(seconds: Any, sock: Any) -> Iterator[None]:
    """Cut a connection off if what happens on it takes too long.

    Raises:
        TimeoutError: it did, whatever the cut looked like from inside.
    """
    if not isinstance(seconds, (int, float)) or sock is None:
        yield
        return
    late = threading.Event()

    def cut() -> None:
        late.set()
        plain = getattr(sock, "socket", sock)  # TLS inside a proxy's TLS wraps it
        with suppress(OSError, TypeError):
            # Not the method of a TLS socket: that one forgets its session while another thread reads by it.
            socket.socket.shutdown(plain, socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    except Exception as error:
        if late.is_set():
            raise TimeoutError from error
        raise
    finally:
        timer.cancel()
    if late.is_set():  # headers that were cut off look as if they had ended
        raise TimeoutError


class _TimedHttp(HTTPConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]
        with _within(self.timeout, self.sock):
            return super().getresponse()


class _TimedHttps(HTTPSConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]
        with _within(self.timeout, self.sock):
            return super().getresponse()


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _TimedHttp


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _TimedHttps


POOLS: dict[str, Any] = {"http": _HttpPool, "https": _HttpsPool}
