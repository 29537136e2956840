"""Drives the real dynamic provider plugin just above gRPC, without an engine: milliseconds instead of seconds.

A `Plugin` is one process, as one `pulumi up` starts one. What is pickled, sent and shown is exactly what the engine
would see.
"""

from __future__ import annotations

import base64
import os
import subprocess
import sys

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import dill
import grpc

from google.protobuf import json_format, struct_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc
from typing_extensions import Self

from forked import POSSIBLE, Forked
from pulumi_cbr_sharing.resources.dynamic import PLANNING, pickled


if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from pulumi.dynamic import ResourceProvider


UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"  # the wire's marker of a value that is not known yet


class PluginError(AssertionError):
    """What the engine would print after `error:`."""


@dataclass(frozen=True)
class Checked:
    """The answer to Check: normalised inputs, and failures by property."""

    inputs: dict[str, Any]
    failures: dict[str, str]


@dataclass(frozen=True)
class Diffed:
    """The answer to Diff."""

    changes: bool
    replaces: tuple[str, ...]
    delete_before_replace: bool


@dataclass(frozen=True)
class Made:
    """A resource as the state has it: id and outputs, the pickled provider among them."""

    id: str
    outs: dict[str, Any]


@dataclass
class Plugin:
    """One process of the plugin.

    Args:
        config: the stack's configuration by full key.
        env: all environment variables with meaning for the provider.
        forked: start it through the server of forks, not as the engine does.
        engine: the address of the engine, which all processes of a run are given; each is a run of its own if not.
    """

    config: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    forked: bool = POSSIBLE
    engine: str = ""

    def __enter__(self) -> Self:
        base = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        env = {**base, "HOME": "/nonexistent", "PULUMI_PROJECT": "test", **self.env}
        self._own: grpc.Server | None = None
        address = self.engine
        if not address:
            self._own, address = engine()
        self.process = Forked(env, address) if self.forked else _started(env, address)
        assert self.process.stdout
        port = int(self.process.stdout.readline())
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self._stub = provider_pb2_grpc.ResourceProviderStub(self._channel)
        self._call("Configure", provider_pb2.ConfigureRequest(args=_struct(dict(self.config))))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> str:
        """End the process; returns what it printed."""
        self._channel.close()
        self.process.kill()
        out, err = self.process.communicate()
        if self._own:
            self._own.stop(None)
        return (out + err).decode()

    def check(
        self,
        provider: ResourceProvider,
        news: Mapping[str, Any],
        olds: Mapping[str, Any] | None = None,
        *,
        preview: bool = True,
    ) -> Checked:
        """Check the inputs of a resource of this provider, as a preview does, or an update."""
        marked = {**news, PLANNING: True} if preview else news
        request = provider_pb2.CheckRequest(olds=_struct(dict(olds or {})), news=_props(provider, marked))
        answer = self._call("Check", request)
        return Checked(_dict(answer.inputs), {failure.property: failure.reason for failure in answer.failures})

    def diff(self, provider: ResourceProvider, made: Made, news: Mapping[str, Any]) -> Diffed:
        """Compare a resource with new inputs."""
        request = provider_pb2.DiffRequest(id=made.id, olds=_struct(made.outs), news=_props(provider, news))
        answer = self._call("Diff", request)
        some = answer.changes == provider_pb2.DiffResponse.DIFF_SOME
        return Diffed(some, tuple(answer.replaces), answer.deleteBeforeReplace)

    def create(self, provider: ResourceProvider, news: Mapping[str, Any]) -> Made:
        """Check, then create."""
        checked = self.check(provider, news, preview=False)
        if checked.failures:
            raise PluginError(str(checked.failures))
        answer = self._call("Create", provider_pb2.CreateRequest(properties=_struct(checked.inputs)))
        return Made(answer.id, _dict(answer.properties))

    def read(self, made: Made) -> Made | None:
        """Refresh a resource; None if it is gone."""
        request = provider_pb2.ReadRequest(id=made.id, properties=_struct(made.outs))
        answer = self._call("Read", request)
        return Made(answer.id, _dict(answer.properties)) if answer.id else None

    def update(self, provider: ResourceProvider, made: Made, news: Mapping[str, Any]) -> Made:
        """Update a resource in place."""
        request = provider_pb2.UpdateRequest(id=made.id, olds=_struct(made.outs), news=_props(provider, news))
        return Made(made.id, _dict(self._call("Update", request).properties))

    def delete(self, made: Made) -> None:
        """Delete a resource."""
        self._call("Delete", provider_pb2.DeleteRequest(id=made.id, properties=_struct(made.outs)))

    def _call(self, verb: str, request: Any) -> Any:
        try:
            return getattr(self._stub, verb)(request, timeout=60)
        except grpc.RpcError as error:
            raise PluginError(error.details()) from None


def engine(address: str = "127.0.0.1:0") -> tuple[grpc.Server, str]:
    """A server as an engine is one, and its address, as Pulumi passes it."""
    server = grpc.server(ThreadPoolExecutor(1))
    port = server.add_insecure_port(address)
    server.start()
    return server, f"127.0.0.1:{port}"


def _started(env: Mapping[str, str], engine: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-u", "-m", "pulumi.dynamic", engine]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)


def unpickled(text: str) -> Any:
    """The provider as the plugin takes it from the state."""
    return dill.loads(base64.b64decode(text))


def _props(provider: ResourceProvider, news: Mapping[str, Any]) -> struct_pb2.Struct:
    return _struct({**news, "__provider": pickled(provider)})


def _struct(values: dict[str, Any]) -> struct_pb2.Struct:
    struct = struct_pb2.Struct()
    struct.update({name: value for name, value in values.items() if value is not None})
    return struct


def _dict(struct: struct_pb2.Struct) -> dict[str, Any]:
    return dict(json_format.MessageToDict(struct))
