from __future__ import annotations

import socket
import subprocess
import sys

import pytest


PROGRAM = """
import sys, time
from pulumi_cbr_sharing.lifeline import end_with
end_with(sys.argv[1])
print("watching", flush=True)
time.sleep(float(sys.argv[2]))
"""


def watching(address: str, seconds: float) -> subprocess.Popen[str]:
    """A process that would live for some seconds, and watches an engine."""
    command = [sys.executable, "-c", PROGRAM, address, str(seconds)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "watching\n"
    return process


@pytest.fixture(name="engine")
def _engine() -> socket.socket:
    """Something that listens, as an engine does."""
    return socket.create_server(("127.0.0.1", 0))


def address_of(engine: socket.socket) -> str:
    """Its address, as Pulumi passes it."""
    return f"127.0.0.1:{engine.getsockname()[1]}"


def test_a_process_ends_with_its_engine(engine: socket.socket) -> None:
    """Long before what it does would end."""
    with engine, watching(address_of(engine), 60) as process:
        connection, _ = engine.accept()
        engine.close()
        connection.close()
        assert process.wait(timeout=20) == 1


def test_an_engine_that_closes_the_connection_is_not_dead(engine: socket.socket) -> None:
    """A gRPC server closes connections on which nothing is sent."""
    with engine, watching(address_of(engine), 1) as process:
        for _ in range(3):
            engine.accept()[0].close()
        with engine.accept()[0]:
            assert process.wait(timeout=20) == 0


@pytest.mark.parametrize("address", ["127.0.0.1:1", "", "not an address", "127.0.0.1:"])
def test_where_no_engine_listens_nothing_is_watched(address: str) -> None:
    """For example, if the plugin was started by hand."""
    with watching(address, 0.5) as process:
        assert process.wait(timeout=20) == 0
