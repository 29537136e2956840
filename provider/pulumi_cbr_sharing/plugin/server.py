"""The process of the plugin, as the engine starts it: a server that ends with the engine."""

from __future__ import annotations

import os
import signal
import sys

from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

import grpc

from pulumi.runtime.proto import provider_pb2_grpc

from pulumi_cbr_sharing.plugin.servicer import Servicer


MESSAGE_LIMIT = 400 * 1024 * 1024  # bytes, as the engine has it
# A component holds a thread while its children need others, and nothing limits how many components come at once: with
# 64 threads, 70 components wait for ever. A thread is only started when it is needed.
THREADS = 10_000


def serving(servicer: Servicer) -> tuple[Any, int]:
    """A server for the engine, and its port on this machine."""
    limits = [("grpc.max_receive_message_length", MESSAGE_LIMIT), ("grpc.max_send_message_length", MESSAGE_LIMIT)]
    server = grpc.server(ThreadPoolExecutor(THREADS), options=limits)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


def serve(engine: str) -> None:
    """Serve until the engine says so, or is gone."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    server, port = serving(Servicer(engine))
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    server.wait_for_termination()


def _leave(*_: object) -> NoReturn:
    os._exit(0)  # threads may still wait for the cloud
