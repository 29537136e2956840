"""Runs rules as a policy pack that is stricter than the SDK's: `run_pack` instead of `PolicyPack`.

* An error in the configuration ends the run before the program starts; the SDK would ignore unknown rules.
* Rules see which values are secret; the SDK removes the marks. The SDK is not patched for that, so other rules in the
  same process are not affected.
* It refuses to run in an interpreter that loads code from `PYTHONPATH` and the like.
"""

from __future__ import annotations

import sys

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import grpc

from google.protobuf import json_format  # type: ignore[import-untyped]
from pulumi.runtime.proto import analyzer_pb2 as proto
from pulumi.runtime.proto import analyzer_pb2_grpc
from pulumi_policy import EnforcementLevel, Policy
from pulumi_policy.policy import _PolicyAnalyzerServicer

from pulumi_cbr_sharing.policies.command_line import file_given_to_engine
from pulumi_cbr_sharing.policies.recipients import with_recipients
from pulumi_cbr_sharing.policies.values import as_sent
from pulumi_cbr_sharing.policies.whole import ConfigError, faults, in_force, levels_alone, read, unknown_rules


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
    server = grpc.server(
        ThreadPoolExecutor(max_workers=4), options=[("grpc.max_receive_message_length", MESSAGE_LIMIT)]
    )
    analyzer_pb2_grpc.add_AnalyzerServicer_to_server(Analyzer(name, list(policies)), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)  # noqa: T201 - the engine reads it
    server.wait_for_termination()


class Analyzer(_PolicyAnalyzerServicer):
    """Answers the engine's calls with the SDK, but checks the configuration and keeps the marks of secrets."""

    def __init__(self, name: str, policies: list[Policy]) -> None:
        super().__init__(name, VERSION, policies, EnforcementLevel.ADVISORY)
        self._name, self._policies = name, policies

    def GetAnalyzerInfo(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Check the names in the configuration file first: the engine's own error does not show them."""
        try:
            file = _file()
            content = read(file) if file else {}
            wrong = [*unknown_rules(content, self._policies), *levels_alone(content)]
        except (ConfigError, OSError) as error:
            wrong = [str(error)]
        self._refuse(wrong, context)
        return cast("Any", super()).GetAnalyzerInfo(request, context)

    def Configure(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Check the configuration, which may also come from Pulumi Cloud."""
        given = {name: json_format.MessageToDict(config.properties) for name, config in request.policyConfig.items()}
        self._refuse(faults(given, self._policies), context)
        given = self._with_recipients(given, context)
        for policy in self._policies:
            config = request.policyConfig[policy.name]
            level = proto.EnforcementLevel.Name(config.enforcementLevel).lower()
            config.enforcementLevel = proto.EnforcementLevel.Value(in_force(policy, level, given[policy.name]).upper())
            json_format.ParseDict(given[policy.name], config.properties)
        return cast("Any", super()).Configure(request, context)

    def _with_recipients(self, given: dict[str, Any], context: Any) -> dict[str, Any]:
        file = _file()
        try:
            return with_recipients(given, file.parent if file else None)
        except ConfigError as error:
            self._refuse([str(error)], context)
            raise

    def Analyze(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Run the resource rules on a resource."""
        with as_sent(_properties([request])):
            return cast("Any", super()).Analyze(request, context)

    def AnalyzeStack(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Run the stack rules on all resources."""
        with as_sent(_properties(request.resources)):
            return cast("Any", super()).AnalyzeStack(request, context)

    def _refuse(self, wrong: list[str], context: Any) -> None:
        if wrong:
            sentence = f"the configuration of the policy pack {self._name} must be corrected: {'; '.join(wrong)}"
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, sentence)


def _file() -> Path | None:
    return file_given_to_engine(Path(sys.argv[-1]).resolve())


def _properties(resources: Iterable[Any]) -> dict[str, Any]:
    return {resource.urn: json_format.MessageToDict(resource.properties) for resource in resources}
