"""Drives the native plugin over gRPC, without an engine: in the test's own process, or in one as the engine starts it.

A `Native` is one run of the engine. What is sent and shown is exactly what the engine would see.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc

from google.protobuf import empty_pb2, json_format, struct_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import (
    engine_pb2,
    engine_pb2_grpc,
    errors_pb2,
    provider_pb2,
    provider_pb2_grpc,
    resource_pb2,
    resource_pb2_grpc,
    status_pb2,
)
from typing_extensions import Self

from pulumi_cbr_sharing.plugin.server import serving
from pulumi_cbr_sharing.plugin.servicer import Servicer


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


MEMBER, SET, ACCEPTER = (
    f"cbr-sharing:index:{name}" for name in ("BackupShareMember", "BackupShare", "BackupShareAccepter")
)
PROVIDER = "urn:pulumi:dev::shares::pulumi:providers:cbr-sharing::default"


def urn_of(kind: str, name: str = "dr") -> str:
    """The URN of a resource."""
    return f"urn:pulumi:dev::shares::{kind}::{name}"


def about(verb: str, kind: str, name: str = "dr", **words: Any) -> Any:
    """A request of the engine about a resource."""
    return getattr(provider_pb2, f"{verb}Request")(urn=urn_of(kind, name), type=kind, name=name, **words)


@dataclass(frozen=True)
class Said:
    """A line in the engine's log."""

    text: str
    urn: str
    severity: str


class Failed(AssertionError):
    """What the engine would print after `error:`.

    Attributes:
        problems: what is wrong, by property.
        made: id and outputs of a resource that was made all the same.
    """

    def __init__(self, error: Any) -> None:
        super().__init__(error.details())
        self.problems: dict[str, str] = {}
        self.made: Made | None = None
        for key, value in error.trailing_metadata() or ():
            if key == "grpc-status-details-bin":
                self._read(status_pb2.Status.FromString(value))

    def _read(self, status: Any) -> None:
        for detail in status.details:
            half, wrong = provider_pb2.ErrorResourceInitFailed(), errors_pb2.InputPropertiesError()
            if detail.Unpack(half):
                self.made, self.reasons = Made(half.id, values(half.properties)), list(half.reasons)
            elif detail.Unpack(wrong):
                self.problems = {one.property_path: one.reason for one in wrong.errors}


@dataclass
class Made:
    """A resource as the state has it."""

    id: str
    outs: dict[str, Any]
    inputs: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Diffed:
    """The answer to Diff; `detailed` has the kind of each change."""

    changes: bool
    replaces: tuple[str, ...]
    detailed: dict[str, str]


class _Engine(engine_pb2_grpc.EngineServicer):
    def __init__(self) -> None:
        self.said: list[Said] = []

    def Log(self, request: Any, _: Any) -> Any:  # noqa: N802
        """Keep a line."""
        self.said.append(Said(request.message, request.urn, engine_pb2.LogSeverity.Name(request.severity)))
        return empty_pb2.Empty()


class _Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    """Registers what a component declares, as the engine would."""

    def __init__(self) -> None:
        self.registered: list[Any] = []
        self.outputs: dict[str, dict[str, Any]] = {}
        self.refused = ""

    def RegisterResource(self, request: Any, _: Any) -> Any:  # noqa: N802
        """Give a URN; a child has the status `pending`."""
        self.registered.append(request)
        if self.refused and self.refused in request.name:
            return resource_pb2.RegisterResourceResponse(
                urn=urn_of(request.type, request.name), result=resource_pb2.FAIL
            )
        outs = struct({**values(request.object), **({"status": "pending"} if request.custom else {})})
        return resource_pb2.RegisterResourceResponse(urn=urn_of(request.type, request.name), object=outs)

    def RegisterResourceOutputs(self, request: Any, _: Any) -> Any:  # noqa: N802
        """Keep the outputs."""
        self.outputs[request.urn] = values(request.outputs)
        return empty_pb2.Empty()


class Native:
    """One run with the native plugin.

    Args:
        config: the provider's configuration.
        preview: whether the run is a preview.

    Attributes:
        said: the engine's log.
        address: the engine's, which all processes of a run are given.
        monitor: what components have registered.
    """

    def __init__(self, config: Mapping[str, Any] | None = None, *, preview: bool = False) -> None:
        self._config, self.preview = dict(config or {}), preview

    def __enter__(self) -> Self:
        engine = _Engine()
        self.said = engine.said
        self._engine = grpc.server(ThreadPoolExecutor(8))
        engine_pb2_grpc.add_EngineServicer_to_server(engine, self._engine)
        self.monitor = _Monitor()
        resource_pb2_grpc.add_ResourceMonitorServicer_to_server(self.monitor, self._engine)
        self.address = f"127.0.0.1:{self._engine.add_insecure_port('127.0.0.1:0')}"
        self._engine.start()
        self._plugin, port = serving(Servicer())
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self.stub = provider_pb2_grpc.ResourceProviderStub(self._channel)
        self.call("Handshake", provider_pb2.ProviderHandshakeRequest(engine_address=self.address))
        configured = provider_pb2.ConfigureRequest(args=struct(self._config), urn=PROVIDER, id="its-id")
        self.call("Configure", configured)
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()
        for server in (self._plugin, self._engine):
            server.stop(grace=None)

    def check(
        self, kind: str, news: Mapping[str, Any], olds: Mapping[str, Any] | None = None, name: str = "dr"
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """Check; returns the inputs, and what is wrong by property."""
        answer = self._ask("Check", kind, name, olds=struct(olds or {}), news=struct(news))
        return values(answer.inputs), {failure.property: failure.reason for failure in answer.failures}

    def create(self, kind: str, news: Mapping[str, Any], name: str = "dr", seconds: float = 0.0) -> Made:
        """Check, then create."""
        inputs, failures = self.check(kind, news, name=name)
        assert not failures, failures
        given = struct(inputs)
        answer = self._ask("Create", kind, name, properties=given, preview=self.preview, timeout=seconds)
        return Made(answer.id, values(answer.properties), inputs)

    def diff(self, kind: str, made: Made, news: Mapping[str, Any]) -> Diffed:
        """Compare a resource with new inputs."""
        answer = self._ask("Diff", kind, id=made.id, olds=struct(made.outs), news=struct(news))
        assert answer.hasDetailedDiff  # else a preview lists every output as changed
        some = answer.changes == provider_pb2.DiffResponse.DIFF_SOME
        names = provider_pb2.PropertyDiff.Kind.Name
        detailed = {name: names(change.kind) for name, change in answer.detailedDiff.items()}
        return Diffed(some, tuple(answer.replaces), detailed)

    def read(self, kind: str, made: Made, seconds: float = 0.0) -> Made | None:
        """Refresh a resource; None if it is gone. Without outputs, it is an import."""
        known = {"properties": struct(made.outs), "inputs": struct(made.inputs)}
        answer = self._ask("Read", kind, id=made.id, timeout=seconds, **known)
        return Made(answer.id, values(answer.properties), values(answer.inputs)) if answer.id else None

    def update(self, kind: str, made: Made, news: Mapping[str, Any], seconds: float = 0.0) -> Made:
        """Update a resource in place."""
        known = {"olds": struct(made.outs), "news": struct(news)}
        answer = self._ask("Update", kind, id=made.id, preview=self.preview, timeout=seconds, **known)
        return Made(made.id, values(answer.properties), dict(news))

    def delete(self, kind: str, made: Made, seconds: float = 0.0) -> None:
        """Delete a resource."""
        self._ask("Delete", kind, id=made.id, properties=struct(made.outs), timeout=seconds)

    def _ask(self, verb: str, kind: str, name: str = "dr", **words: Any) -> Any:
        return self.call(verb, about(verb, kind, name, **words))

    def check_config(self, news: Mapping[str, Any]) -> dict[str, str]:
        """What is wrong with a configuration, by name."""
        answer = self.call("CheckConfig", provider_pb2.CheckRequest(news=struct(news)))
        return {failure.property: failure.reason for failure in answer.failures}

    def invoke(self, function: str, **args: Any) -> dict[str, Any]:
        """Call a function."""
        answer = self._invoke(function, args)
        assert not answer.failures, answer.failures
        return values(getattr(answer, "return"))

    def refused(self, function: str, **args: Any) -> dict[str, str]:
        """What is wrong with the arguments of a function, by name."""
        return {failure.property: failure.reason for failure in self._invoke(function, args).failures}

    def _invoke(self, function: str, args: Mapping[str, Any]) -> Any:
        return self.call("Invoke", provider_pb2.InvokeRequest(tok=f"cbr-sharing:index:{function}", args=struct(args)))

    def construct(self, kind: str, given: Mapping[str, Any], name: str = "nightly", **options: Any) -> dict[str, Any]:
        """Construct a component; returns its outputs."""
        request = provider_pb2.ConstructRequest(
            monitorEndpoint=self.address, type=kind, name=name, inputs=struct(given), dryRun=self.preview, **options
        )
        answer = self.call("Construct", request)
        assert self.monitor.outputs[answer.urn] == values(answer.state)
        return values(answer.state)

    def cancel(self) -> None:
        """What the engine sends on Ctrl-C."""
        self.call("Cancel", empty_pb2.Empty())

    def call(self, verb: str, request: Any) -> Any:
        """Send any request."""
        try:
            return getattr(self.stub, verb)(request, timeout=60)
        except grpc.RpcError as error:
            raise Failed(error) from None

    def at_once(self, *works: Any) -> Sequence[Any]:
        """Do these at the same time."""
        with ThreadPoolExecutor(len(works)) as pool:
            return [work.result() for work in [pool.submit(work) for work in works]]


def struct(values: Mapping[str, Any]) -> Any:
    """Values on the wire."""
    made = struct_pb2.Struct()
    made.update({name: value for name, value in values.items() if value is not None})
    return made


def secret(value: Any) -> dict[str, Any]:
    """A secret on the wire."""
    return {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "value": value}


def values(message: Any) -> dict[str, Any]:
    """The values of a struct."""
    return dict(json_format.MessageToDict(message))
