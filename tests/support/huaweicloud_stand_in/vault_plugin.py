"""A stand-in for the bridged provider, whose vaults and policies are those of an emulated cloud.

The engine starts it as `pulumi-resource-huaweicloud`. It signs in with the provider configuration that the engine
gives it, as the real one does, so a vault comes to be only if that configuration serves both providers. It sends what
the real one sends, in the same order, and refuses what that refuses, in its words.
"""

from __future__ import annotations

import json
import re
import sys
import time

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import grpc
import requests

from google.protobuf import json_format  # type: ignore[import-untyped]
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from bridged_plugin import Bridged
from emulated import SECONDS, signed


if TYPE_CHECKING:
    from collections.abc import Iterator


POLICY, VAULT = "huaweicloud:Cbr/policy:Policy", "huaweicloud:Cbr/vault:Vault"
REQUIRED = {POLICY: {"backupCycle", "type"}, VAULT: {"protectionType", "size", "type"}}
OPTIONAL = {
    POLICY: {"backupQuantity", "enabled", "name", "timePeriod"},
    VAULT: {"autoExpand", "consistentLevel", "name", "policies", "resources"},
}
# What the objects of a property have, required and not.
PARTS: dict[str, tuple[set[str], set[str]]] = {
    "backupCycle": ({"executionTimes"}, {"days", "interval"}),
    "policies": ({"id"}, {"destinationVaultId"}),
    "resources": (set(), {"excludes", "includes", "serverId"}),
}
NUMBERS = {"backupQuantity", "size", "timePeriod"}
TIME = re.compile(r"([0-1][0-9]|2[0-3]):[0-5][0-9]")
DAYS = re.compile(r"(MO|TU|WE|TH|FR|SA|SU)(,(MO|TU|WE|TH|FR|SA|SU))*")
SERVER = "server"
LIFETIME = 60  # seconds; the engine ends it, nothing lives on if it does not


class Refused(Exception):
    """What the real plugin says."""


class WithVaults(Bridged):
    """Makes vaults and policies in the emulator."""

    def Configure(self, request: Any, _: Any) -> Any:  # noqa: N802
        """Keep the configuration that signs in."""
        self._config = {key.rpartition(":")[2]: text for key, text in request.variables.items()}
        return provider_pb2.ConfigureResponse(acceptSecrets=False)

    def Check(self, request: Any, _: Any) -> Any:  # noqa: N802
        """Refuse properties that the bridged provider does not have, or misses, or cannot use."""
        kind, given = request.type, set(request.news)
        wrong = _wrong(given, REQUIRED[kind], OPTIONAL[kind])
        news = json_format.MessageToDict(request.news)
        reasons = dict.fromkeys(wrong, "missing or unknown") or dict(_odd_parts(news))
        if kind == POLICY and not reasons:
            reasons = _policy_failures(news)
        failures = [provider_pb2.CheckFailure(property=name, reason=reasons[name]) for name in sorted(reasons)]
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    def Diff(self, request: Any, _: Any) -> Any:  # noqa: N802
        """Compare the inputs."""
        some, none = provider_pb2.DiffResponse.DIFF_SOME, provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(changes=none if request.old_inputs == request.news else some)

    def Create(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Make a vault or a policy, then read it, as the real one does."""
        given = json_format.MessageToDict(request.properties)
        try:
            id_ = self._create_vault(given) if request.type == VAULT else self._create_policy(given)
        except Refused as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
        return provider_pb2.CreateResponse(id=id_, properties=request.properties)

    def Delete(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Delete it; of a vault, wait until it is gone."""
        what = "vaults" if request.type == VAULT else "policies"
        try:
            self._ask("DELETE", f"/{what}/{request.id}")
            while what == "vaults" and self._is_there(f"/vaults/{request.id}"):
                time.sleep(0.1)
        except Refused as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
        return self.Cancel()

    def _create_policy(self, given: dict[str, Any]) -> str:
        cycle, kept = given["backupCycle"], given.get("backupQuantity")
        often = f"WEEKLY;BYDAY={cycle['days']}" if cycle.get("days") else f"DAILY;INTERVAL={int(cycle['interval'])}"
        times = [text.split(":") for text in cycle["executionTimes"]]
        limits = {"max_backups": int(kept)} if kept else {"max_backups": -1, "retention_duration_days": -1}
        body = {
            "name": given.get("name", "daily-1a2b3c4"),
            "operation_type": given["type"],
            "enabled": True,
            "operation_definition": limits,
            "trigger": {"properties": {"pattern": [f"FREQ={often};BYHOUR={h};BYMINUTE={m}" for h, m in times]}},
        }
        made = str(self._ask("POST", "/policies", {"policy": body})["policy"]["id"])
        pattern = self._ask("GET", f"/policies/{made}")["policy"]["trigger"]["properties"]["pattern"]
        if not re.search(r"INTERVAL=(\d+);|BYDAY=([\w,]+);", pattern[0]):
            raise Refused("invalid format of backup interval in API response")
        return made

    def _create_vault(self, given: dict[str, Any]) -> str:
        kind = {"object_type": given["type"], "protect_type": given["protectionType"], "size": int(given["size"])}
        billing = {**kind, "consistent_level": "crash_consistent", "is_multi_az": False}
        body = {
            "name": given.get("name", "servers-1a2b3c4"),
            "billing": billing,
            "resources": _servers(given),
            "auto_expand": False,
            "auto_bind": False,
        }
        made = str(self._ask("POST", "/vaults", {"vault": body})["vault"]["id"])
        for policy in given.get("policies", []):
            self._ask("POST", f"/vaults/{made}/associatepolicy", {"policy_id": policy["id"]})
        self._ask("GET", f"/vaults/{made}")
        bound = [one["id"] for one in self._ask("GET", f"/policies?vault_id={made}")["policies"]]
        if bound != [policy["id"] for policy in given.get("policies", [])]:
            raise Refused(f"the policies of vault {made} are {bound}")
        return made

    def _is_there(self, path: str) -> bool:
        try:
            self._ask("GET", path)
        except Refused as error:
            if "BackupService.6105" in str(error):
                return False
            raise
        return True

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        url = f"{json.loads(self._config['endpoints'])['cbr']}/v3/{self._config['projectId']}{path}"
        account: Any = SimpleNamespace(access_key=self._config["accessKey"], secret_key=self._config["secretKey"])
        text = json.dumps(body) if body else ""
        headers = signed(method, url, account, body=text, headers={"Content-Type": "application/json"})
        answer = requests.request(method, url, data=text, headers=headers, timeout=SECONDS)
        if not answer.ok:
            raise Refused(f"{method} {path}: {answer.status_code} {answer.text}")
        return dict(answer.json()) if answer.content else {}


def _wrong(given: set[str], required: set[str], optional: set[str]) -> set[str]:
    return given - required - optional | required - given


def _odd_parts(given: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name in NUMBERS & given.keys():
        if not re.fullmatch(r"\d+(\.0)?", str(given[name])):
            yield name, "cannot parse as int"
    for name, (required, optional) in PARTS.items():
        value = given.get(name, [])
        for one in value if isinstance(value, list) else [value]:
            if _wrong({*one}, required, optional):
                yield name, "missing or unknown"


def _policy_failures(given: dict[str, Any]) -> dict[str, str]:
    cycle, failures = given["backupCycle"], {}
    if not all(TIME.fullmatch(text) for text in cycle["executionTimes"]):
        failures["backupCycle.executionTimes"] = "the time format should be HH:MM"
    if cycle.get("days") and not DAYS.fullmatch(cycle["days"]):
        failures["backupCycle.days"] = "the valid string of weekly date are: MO, TU, WE, TH, FR, SA, SU"
    if ("interval" in cycle) == ("days" in cycle):
        failures["backupCycle"] = "only one of `backup_cycle.0.days,backup_cycle.0.interval` can be specified"
    if "backupQuantity" in given and "timePeriod" in given:
        failures["timePeriod"] = "conflicts with backup_quantity"
    return failures


def _servers(given: dict[str, Any]) -> list[dict[str, str]]:
    if given["type"] != SERVER:
        raise Refused(f"the stand-in makes vaults for servers, not {given['type']}")
    if any(one.get("includes") for one in given.get("resources", [])):
        raise Refused("server type vaults does not support 'includes'")
    return [
        {"id": one["serverId"], "type": "OS::Nova::Server"} for one in given.get("resources", []) if "serverId" in one
    ]


if __name__ == "__main__":
    server = grpc.server(ThreadPoolExecutor(max_workers=4))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(WithVaults(), server)
    sys.stdout.write(f"{server.add_insecure_port('127.0.0.1:0')}\n")
    sys.stdout.flush()
    server.start()
    server.wait_for_termination(LIFETIME)
