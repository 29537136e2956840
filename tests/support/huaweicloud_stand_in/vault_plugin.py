"""A stand-in for the bridged provider, whose vaults are those of an emulated cloud.

The engine starts it as `pulumi-resource-huaweicloud`. It signs in with the provider configuration that the engine
gives it, as the real one does, so a vault comes to be only if that configuration serves both providers. Policies are
made of nothing: the emulator has none.
"""

from __future__ import annotations

import json
import sys

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import grpc
import requests

from google.protobuf import json_format  # type: ignore[import-untyped]
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from bridged_plugin import Bridged
from emulated import SECONDS, signed


POLICY, VAULT = "huaweicloud:Cbr/policy:Policy", "huaweicloud:Cbr/vault:Vault"
REQUIRED = {POLICY: {"backupCycle", "type"}, VAULT: {"protectionType", "size", "type"}}
OPTIONAL = {POLICY: {"backupQuantity"}, VAULT: {"policies", "resources"}}
LIFETIME = 60  # seconds; the engine ends it, nothing lives on if it does not


class WithVaults(Bridged):
    """Makes vaults in the emulator, and policies of nothing."""

    def Configure(self, request: Any, _: Any) -> Any:  # noqa: N802
        """Keep the configuration that signs in."""
        self._config = {key.rpartition(":")[2]: text for key, text in request.variables.items()}
        return provider_pb2.ConfigureResponse(acceptSecrets=False)

    def Check(self, request: Any, _: Any) -> Any:  # noqa: N802
        """Refuse properties that the bridged provider does not have, or misses."""
        kind, given = request.type, set(request.news)
        wrong = given - REQUIRED[kind] - OPTIONAL[kind] | REQUIRED[kind] - given
        failures = [provider_pb2.CheckFailure(property=name, reason="missing or unknown") for name in sorted(wrong)]
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    def Diff(self, request: Any, _: Any) -> Any:  # noqa: N802
        """Compare the inputs."""
        some, none = provider_pb2.DiffResponse.DIFF_SOME, provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(changes=none if request.old_inputs == request.news else some)

    def Create(self, request: Any, _: Any) -> Any:  # noqa: N802
        """Make a vault in the emulator; of a policy, an id."""
        given = json_format.MessageToDict(request.properties)
        id_ = self._create_vault(given) if request.type == VAULT else str(uuid4())
        return provider_pb2.CreateResponse(id=id_, properties=request.properties)

    def Delete(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Ask the emulator to delete a vault; it may know no way to, and answers as if there were none."""
        if request.type == VAULT:
            answer = self._ask("DELETE", f"/vaults/{request.id}")
            if answer.status_code not in (204, 404):
                context.abort(grpc.StatusCode.UNKNOWN, answer.text)
        return self.Cancel()

    def _create_vault(self, given: dict[str, Any]) -> str:
        kind = {"object_type": given["type"], "protect_type": given["protectionType"], "size": int(given["size"])}
        servers = [{"id": one["serverId"], "type": "OS::Nova::Server"} for one in given["resources"]]
        answer = self._ask("POST", "/vaults", {"vault": {"name": "servers", "billing": kind, "resources": servers}})
        answer.raise_for_status()
        return str(answer.json()["vault"]["id"])

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> requests.Response:
        url = f"{json.loads(self._config['endpoints'])['cbr']}/v3/{self._config['projectId']}{path}"
        account: Any = SimpleNamespace(access_key=self._config["accessKey"], secret_key=self._config["secretKey"])
        text = json.dumps(body) if body else ""
        headers = signed(method, url, account, body=text, headers={"Content-Type": "application/json"})
        return requests.request(method, url, data=text, headers=headers, timeout=SECONDS)


if __name__ == "__main__":
    server = grpc.server(ThreadPoolExecutor(max_workers=4))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(WithVaults(), server)
    sys.stdout.write(f"{server.add_insecure_port('127.0.0.1:0')}\n")
    sys.stdout.flush()
    server.start()
    server.wait_for_termination(LIFETIME)
