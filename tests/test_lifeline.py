from __future__ import annotations

import subprocess
import sys

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from plugin import engine


if TYPE_CHECKING:
    from collections.abc import Iterator


PROGRAM = """
import sys, time
from pulumi_cbr_sharing.lifeline import end_with
end_with(sys.argv[1])
print("watching", flush=True)
time.sleep(float(sys.argv[2]))
"""


@contextmanager
def watching(address: str, seconds: float) -> Iterator[subprocess.Popen[str]]:
    """A process that would live for some seconds, and watches an engine."""
    command = [sys.executable, "-c", PROGRAM, address, str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "watching\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_process_ends_with_its_engine() -> None:
    """Long before what it does would end."""
    server, address = engine()
    with watching(address, 60) as process:
        server.stop(None).wait()
        assert process.wait(timeout=20) == 1


def test_another_engine_at_the_same_address_is_not_its_engine() -> None:
    """A process of an ended run would count as one of the next run otherwise, and what it declared would be kept."""
    server, address = engine()
    with watching(address, 60) as process:
        another, same = engine(address)  # before the first has ended, so that no time passes in between
        assert same == address
        server.stop(None).wait()
        assert process.wait(timeout=20) == 1
    another.stop(None)


def test_a_process_lives_as_long_as_its_engine() -> None:
    """A silent connection does not break."""
    server, address = engine()
    with watching(address, 2) as process:
        assert process.wait(timeout=20) == 0
    server.stop(None)


@pytest.mark.parametrize("address", ["127.0.0.1:1", "", "not an address", "127.0.0.1:"])
def test_where_no_engine_listens_nothing_is_watched(address: str) -> None:
    """For example, if the plugin was started by hand."""
    with watching(address, 0.5) as process:
        assert process.wait(timeout=20) == 0
