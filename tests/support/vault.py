"""A stand-in for HashiCorp Vault, which keeps the key of a stack's secrets; it hides nothing.

Out of a passphrase the engine computes that key anew in each command, and that takes most of its time.
"""

from __future__ import annotations

import json

from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


PROVIDER = "hashivault://tests"


@cache
def environment() -> dict[str, str]:
    """The variables by which an engine finds it, as long as this process lives."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Transit)
    Thread(target=server.serve_forever, daemon=True).start()
    return {"VAULT_ADDR": f"http://127.0.0.1:{server.server_port}", "VAULT_TOKEN": "any"}


class _Transit(BaseHTTPRequestHandler):
    """Encrypts a text as itself."""

    def do_PUT(self) -> None:
        """Answer either call with what was sent."""
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        (text,) = sent.values()
        body = json.dumps({"data": {"plaintext": text, "ciphertext": text}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
