"""What `make bench` compares with: a provider that does nothing, behind each door, with the properties of a share.

python tools/bench_floor.py 127.0.0.1:PORT    the native one, as Pulumi starts it
"""

from __future__ import annotations

import signal
import sys

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import grpc

from google.protobuf import empty_pb2  # type: ignore[import-untyped]
from pulumi import dynamic
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc


class Nothing(dynamic.ResourceProvider):
    """The dynamic one; it is pickled by reference, as ours is."""

    serialize_as_secret_always = False

    def diff(self, _id: str, _olds: Any, _news: Any) -> dynamic.DiffResult:
        """Nothing ever changes."""
        return dynamic.DiffResult(changes=False)

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        """It is there."""
        return dynamic.CreateResult("id", props)


class NothingNative(provider_pb2_grpc.ResourceProviderServicer):
    """The native one."""

    def GetPluginInfo(self, *_: Any) -> Any:  # noqa: N802
        """The version of the plugin."""
        return plugin_pb2.PluginInfo(version="0.1.0")

    def Configure(self, *_: Any) -> Any:  # noqa: N802
        """There is nothing to set."""
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def CheckConfig(self, request: Any, _: Any) -> Any:  # noqa: N802
        """All is well."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def Check(self, request: Any, _: Any) -> Any:  # noqa: N802
        """All is well."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def Diff(self, *_: Any) -> Any:  # noqa: N802
        """Nothing ever changes."""
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Create(self, request: Any, _: Any) -> Any:  # noqa: N802
        """It is there."""
        return provider_pb2.CreateResponse(id="id", properties=request.properties)

    def Read(self, request: Any, _: Any) -> Any:  # noqa: N802
        """It still is."""
        return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)

    def Delete(self, *_: Any) -> Any:  # noqa: N802
        """It is gone."""
        return empty_pb2.Empty()


def main() -> None:
    """Serve the engine until it ends this process."""
    server = grpc.server(ThreadPoolExecutor(64))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(NothingNative(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    ended = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()


if __name__ == "__main__":
    main()
