"""Components: the plugin declares resources below one of its own, as a program would, by asking the engine directly.

The children belong to the provider that constructs the component. If its reference were left out, the engine would
start another process for them, by the version that a child names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import grpc

from pulumi.runtime.proto import alias_pb2, provider_pb2, resource_pb2, resource_pb2_grpc

from pulumi_cbr_sharing.errors import CbrSharingError
from pulumi_cbr_sharing.lifeline import LOCAL
from pulumi_cbr_sharing.plugin.wire import plain, secrets_in, struct_of
from pulumi_cbr_sharing.settings.connection import NATIVE_NAMESPACE
from pulumi_cbr_sharing.sharing.inputs import NOT_KNOWN
from pulumi_cbr_sharing.sharing.kinds import DYNAMIC, NATIVE


if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self


_LARGE = [*LOCAL, ("grpc.max_receive_message_length", 400 * 1024 * 1024)]
# Options that a component hands on to its own registration as they came; its children inherit them.
_OPTIONS = (
    "protect",
    "retainOnDelete",
    "deletedWith",
    "ignoreChanges",
    "replaceOnChanges",
    "additionalSecretOutputs",
    "replace_with",
)


class Child(NamedTuple):
    """A resource to declare: its kind, its name, its inputs."""

    kind: str
    name: str
    inputs: Mapping[str, Any]


class Component:
    """A component while it is constructed; registered at once, so that messages have a place.

    Args:
        request: the engine's.
        provider: the reference of the provider that constructs it.

    Attributes:
        urn: its URN.
        inputs: what the program gives, without the marks of secrets.
    """

    def __init__(self, request: Any, provider: str) -> None:
        self._request, self._provider = request, provider
        self._channel = grpc.insecure_channel(request.monitorEndpoint, options=_LARGE)
        self._monitor = resource_pb2_grpc.ResourceMonitorStub(self._channel)
        self.inputs, self._secrets = plain(request.inputs), secrets_in(request.inputs)
        self._made: list[str] = []
        self.urn: str = self._register().urn

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()

    def declare(self, children: Mapping[str, Child], output: str) -> dict[str, str]:
        """Declare children, all at the same time; returns an output of each by its key.

        A child that failed is left out, where the run goes on all the same.

        Raises:
            CbrSharingError: the engine ends the run.
        """
        asked = {key: self._child(child) for key, child in children.items()}
        found: dict[str, str] = {}
        for key, answer in asked.items():
            try:
                made = answer.result()
            except grpc.RpcError as error:
                raise CbrSharingError(f"declaring {children[key].name}: {error.details()}") from None
            if made.result == resource_pb2.SUCCESS:
                self._made.append(made.urn)
                found[key] = plain(made.object).get(output, NOT_KNOWN)
        return found

    def finished(self, outputs: Mapping[str, Any]) -> Any:
        """Register the outputs, and answer the engine."""
        state = struct_of(outputs, self._secrets)
        self._monitor.RegisterResourceOutputs(resource_pb2.RegisterResourceOutputsRequest(urn=self.urn, outputs=state))
        children = provider_pb2.ConstructResponse.PropertyDependencies(urns=self._made)
        return provider_pb2.ConstructResponse(
            urn=self.urn, state=state, stateDependencies=dict.fromkeys(outputs, children)
        )

    def _register(self) -> Any:
        asked = self._request
        given = {name: getattr(asked, name) for name in _OPTIONS if _is_set(asked, name)}
        return self._monitor.RegisterResource(
            resource_pb2.RegisterResourceRequest(
                type=asked.type,
                name=asked.name,
                parent=asked.parent,
                object=asked.inputs,
                dependencies=asked.dependencies,
                providers={NATIVE_NAMESPACE: self._provider},
                aliases=asked.aliases,
                aliasSpecs=True,
                acceptSecrets=True,
                supportsPartialValues=True,
                **given,
            )
        )

    def _child(self, child: Child) -> Any:
        asked, kind = self._request, resource_pb2.RegisterResourceRequest
        needed = sorted({urn for one in asked.inputDependencies.values() for urn in one.urns} | {*asked.dependencies})
        times = asked.customTimeouts
        return self._monitor.RegisterResource.future(
            kind(
                type=f"{NATIVE}{child.kind}",
                name=child.name,
                parent=self.urn,
                custom=True,
                object=struct_of(child.inputs, self._secrets),
                provider=self._provider,
                dependencies=needed,
                propertyDependencies={name: kind.PropertyDependencies(urns=needed) for name in child.inputs},
                customTimeouts=kind.CustomTimeouts(create=times.create, update=times.update, delete=times.delete),
                aliases=[alias_pb2.Alias(spec=alias_pb2.Alias.Spec(type=f"{DYNAMIC}{child.kind}"))],
                aliasSpecs=True,
                acceptSecrets=True,
                supportsPartialValues=True,
                supportsResultReporting=True,
            )
        )


def _is_set(message: Any, name: str) -> bool:
    """Whether the engine gave an option; one that is not given leaves it to the parent."""
    return any(one.name == name for one, _ in message.ListFields())
