"""Runs rules as a policy pack that is stricter than the SDK's: `run_pack` instead of `PolicyPack`.

* An error in the configuration ends the run before the program starts; the SDK would ignore unknown rules.
* Rules see which values are secret, and stack rules see inputs, too; the SDK removes the marks. The SDK is not patched
  for that, so other rules in the same process are not affected.
* It refuses to run in an interpreter that loads code from `PYTHONPATH` and the like.
"""

from __future__ import annotations

import sys

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import grpc

from google.protobuf import json_format  # type: ignore[import-untyped]
from pulumi.runtime.proto import analyzer_pb2_grpc
from pulumi_policy import EnforcementLevel, Policy
from pulumi_policy.policy import _PolicyAnalyzerServicer

from pulumi_cbr_sharing.policies.configuration import ConfigError, faults, with_recipients
from pulumi_cbr_sharing.policies.properties import as_sent, from_wire


if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


VERSION = "0.0.1"  # the version in PulumiPolicy.yaml counts
MESSAGE_LIMIT = 400 * 1024 * 1024  # bytes, as in the SDK
NOT_ISOLATED = (
    "this policy pack runs in an interpreter that others can load code into, by PYTHONPATH for one: let `install.py` "
    "of the pack make its environment, and name it in PulumiPolicy.yaml as `virtualenv`"
)


def run_pack(name: str, policies: Sequence[Policy], *, isolated: bool = True) -> None:
    """Serve rules to the engine until it ends this process.

    Args:
        name: the name of the pack.
        policies: rules of this package, and others.
        isolated: refuse an interpreter that was not started with `-I`.
    """
    if isolated and not sys.flags.isolated:
        sys.exit(f"{name}: {NOT_ISOLATED}")
    folder = Path(sys.argv[-1]).resolve()  # the engine's last argument is the folder of the pack
    server = grpc.server(
        ThreadPoolExecutor(max_workers=4), options=[("grpc.max_receive_message_length", MESSAGE_LIMIT)]
    )
    analyzer_pb2_grpc.add_AnalyzerServicer_to_server(Analyzer(name, list(policies), folder), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)  # noqa: T201 - the engine reads it
    server.wait_for_termination()


class Analyzer(_PolicyAnalyzerServicer):
    """Answers the engine's calls with the SDK, but checks the configuration and keeps the marks of secrets."""

    def __init__(self, name: str, policies: list[Policy], folder: Path) -> None:
        super().__init__(name, VERSION, policies, EnforcementLevel.ADVISORY)
        self._name, self._policies, self._folder = name, policies, folder
        self._inputs: dict[str, dict[str, Any]] = {}

    def Configure(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Check the configuration, and read the recipients file."""
        given = {name: json_format.MessageToDict(config.properties) for name, config in request.policyConfig.items()}
        self._refuse(faults(given, self._policies), context)
        try:
            given = with_recipients(given, self._folder)
        except ConfigError as error:
            self._refuse([str(error)], context)
        for name, properties in given.items():
            request.policyConfig[name].properties.Clear()
            json_format.ParseDict(properties, request.policyConfig[name].properties)
        return cast("Any", super()).Configure(request, context)

    def Analyze(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Run the resource rules on a resource."""
        sent = _properties([request])
        self._inputs |= from_wire(sent)
        with as_sent(sent):
            return cast("Any", super()).Analyze(request, context)

    def AnalyzeStack(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Run the stack rules on all resources, with their outputs."""
        with as_sent(_properties(request.resources), self._inputs):
            return cast("Any", super()).AnalyzeStack(request, context)

    def _refuse(self, wrong: list[str], context: Any) -> None:
        if wrong:
            sentence = f"the configuration of the policy pack {self._name} must be corrected: {'; '.join(wrong)}"
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, sentence)


def _properties(resources: Iterable[Any]) -> dict[str, Any]:
    return {resource.urn: json_format.MessageToDict(resource.properties) for resource in resources}
