"""The connection of a plugin to its engine, which tells when the engine has ended.

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


# An engine closes a connection that does not speak gRPC, and a client gives up one on which nothing is called, or asks
# the proxy of the environment even for this machine.
LOCAL = [("grpc.client_idle_timeout_ms", 2**31 - 1), ("grpc.enable_http_proxy", 0)]
LONGEST = 5  # seconds, to connect on this machine


def end_with(engine: str) -> grpc.Channel | None:
    """End this process at once when an engine has ended, whatever its threads do; returns the connection, if any."""
    return connect(engine, lambda: os._exit(1))


def connect(engine: str, act: Callable[[], None]) -> grpc.Channel | None:
    """Hold a connection to an engine, and act when it breaks: another engine may listen at that address then.

    Args:
        engine: its address, `host:port`.
        act: called from another thread, once.

    Returns:
        The connection; None if nothing listens there, and nothing is watched.
    """
    channel = grpc.insecure_channel(engine, options=LOCAL)
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
    if connected.is_set():
        return channel
    channel.close()
    return None
