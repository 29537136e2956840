"""Tells when an engine has ended.

Pulumi does not end its plugins when it is killed. A wait for a backup in the making would go on for minutes, and then
share the backup although the run is dead. And what a plugin has declared would count in a later run, should that get
the same address.
"""

from __future__ import annotations

import os
import threading

from typing import TYPE_CHECKING

import grpc


if TYPE_CHECKING:
    from collections.abc import Callable


# An engine closes a connection that does not speak gRPC, and a client gives up one on which nothing is called.
OPTIONS = [("grpc.client_idle_timeout_ms", 2**31 - 1), ("grpc.enable_http_proxy", 0)]
LONGEST = 5  # seconds, to connect on this machine


def end_with(engine: str) -> None:
    """End this process at once when an engine has ended, whatever its threads do."""
    when_ended(engine, lambda: os._exit(1))


def when_ended(engine: str, act: Callable[[], None]) -> None:
    """Hold a connection to an engine, and act when it breaks: another engine may listen at that address then.

    Args:
        engine: its address, `host:port`. If nothing listens there, nothing is watched.
        act: called from another thread, once.
    """
    channel = grpc.insecure_channel(engine, options=OPTIONS)
    connected, tried = threading.Event(), threading.Event()

    def watch(state: grpc.ChannelConnectivity) -> None:
        if connected.is_set():
            channel.unsubscribe(watch)
            act()
        if state is grpc.ChannelConnectivity.READY:
            connected.set()
        if state not in (grpc.ChannelConnectivity.IDLE, grpc.ChannelConnectivity.CONNECTING):
            tried.set()

    channel.subscribe(watch, try_to_connect=True)
    tried.wait(LONGEST)
    if not connected.is_set():
        channel.close()
