"""The native plugin: the same resources for programs in every language, served to the engine over gRPC.

The engine starts it as `pulumi-resource-cbr-sharing ADDRESS`, reads a port from its standard output, and calls that.
What it prints otherwise reaches nobody: messages go through the engine's log.
"""

from __future__ import annotations

import sys

from importlib.metadata import version
from importlib.util import find_spec, module_from_spec


OLDEST_SDK = (3, 230)  # before, aliases were plain strings, and the engine's would be lost without a word


def main() -> None:
    """Serve the engine until it ends."""
    found = version("pulumi")
    if tuple(map(int, found.split(".")[:2])) < OLDEST_SDK:
        oldest = ".".join(map(str, OLDEST_SDK))
        sys.exit(
            f"pulumi-resource-cbr-sharing needs the Python package pulumi {oldest} or newer, not {found}: upgrade it"
        )
    _without_the_rest_of_the_sdk()
    from pulumi_cbr_sharing.plugin.server import serve  # noqa: PLC0415 - the imports of its imports depend on this

    serve(sys.argv[1] if len(sys.argv) > 1 else "")


def _without_the_rest_of_the_sdk() -> None:
    """Make the protocol's messages importable without all of Pulumi's SDK, which takes half a second to import."""
    for name in ("pulumi", "pulumi.runtime"):
        if spec := find_spec(name):
            sys.modules.setdefault(name, module_from_spec(spec))  # it is never run
