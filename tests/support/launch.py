"""Starts `python -u ARGS` through the server of `fork_server.py`: python -IS launch.py DOOR ARGS.

It imports next to nothing, because it is run in place of each process of an engine.
"""

import marshal
import os
import sys

from _signal import SIG_DFL, SIGHUP, SIGINT, SIGTERM, signal  # type: ignore[import-not-found]
from _socket import AF_UNIX, SCM_RIGHTS, SOCK_SEQPACKET, SOL_SOCKET, socket


PASSED_ON = (SIGHUP, SIGINT, SIGTERM)


def _launch(door: str, args: list[str]) -> int:
    server = socket(AF_UNIX, SOCK_SEQPACKET)
    server.connect(door)
    streams = b"".join(number.to_bytes(4, sys.byteorder) for number in range(3))
    env = {name: text for name, text in os.environ.items() if name != "PULUMI_PYTHON_CMD"}  # it leads to a launcher
    request = marshal.dumps((args, env, os.getcwd()))  # noqa: PTH109
    server.sendmsg([request], [(SOL_SOCKET, SCM_RIGHTS, streams)])
    for number in PASSED_ON:
        signal(number, lambda number, _: server.send(bytes([number])))
    code = int(server.recv(16) or 1)
    if code < 0:  # a signal ended it
        for number in PASSED_ON:
            signal(number, SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


if __name__ == "__main__":
    os._exit(_launch(sys.argv[1], sys.argv[2:]))
