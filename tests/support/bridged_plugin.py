"""A stand-in for the bridged provider: a plugin that takes any input and makes nothing.

The engine starts it as `pulumi-resource-huaweicloud`; what the tests of policies need of it is that the engine tells
policy packs of its resources and of its configuration, as it does with the real one.
"""

from __future__ import annotations

import sys
import time

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

from google.protobuf import empty_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc


class Bridged(provider_pb2_grpc.ResourceProviderServicer):
    """Answers what `up` asks."""

    def GetPluginInfo(self, *_: Any) -> Any:  # noqa: N802
        """Name a version."""
        return plugin_pb2.PluginInfo(version="1.0.0")

    def CheckConfig(self, request: Any, _: Any) -> Any:  # noqa: N802
        """Take the configuration as it is."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def Configure(self, *_: Any) -> Any:  # noqa: N802
        """Keep nothing."""
        return provider_pb2.ConfigureResponse(acceptSecrets=True)

    def Check(self, request: Any, _: Any) -> Any:  # noqa: N802
        """Take the inputs as they are."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def Create(self, request: Any, _: Any) -> Any:  # noqa: N802
        """Make nothing, and say that it was made."""
        return provider_pb2.CreateResponse(id="made", properties=request.properties)

    def Cancel(self, *_: Any) -> Any:  # noqa: N802
        """Have nothing to stop."""
        return empty_pb2.Empty()


if __name__ == "__main__":
    server = grpc.server(ThreadPoolExecutor(max_workers=4))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Bridged(), server)
    sys.stdout.write(f"{server.add_insecure_port('127.0.0.1:0')}\n")
    sys.stdout.flush()
    server.start()
    time.sleep(60)  # the engine ends it; nothing lives on if it does not
