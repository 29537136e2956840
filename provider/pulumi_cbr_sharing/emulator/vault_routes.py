"""The routes of vaults, of the policies that are bound to them, and of checkpoints."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.emulator import behaviours, records
from pulumi_cbr_sharing.emulator.behaviours import Refusal
from pulumi_cbr_sharing.emulator.records import Policy
from pulumi_cbr_sharing.emulator.request import Answer, page_of


if TYPE_CHECKING:
    from collections.abc import Iterable

    from pulumi_cbr_sharing.emulator.records import Vault
    from pulumi_cbr_sharing.emulator.request import Request


OBJECT_TYPES, PROTECT_TYPES, OPERATIONS = ("server", "disk"), ("backup", "replication"), ("backup", "replication")
# What a vault takes and shows, and has no effect here.
SETTINGS = (
    "auto_bind",
    "auto_expand",
    "backup_name_prefix",
    "bind_rules",
    "description",
    "locked",
    "smn_notify",
    "threshold",
)


def list_vaults(request: Request) -> Answer:
    """List the vaults of the project."""
    request.cloud.state.settle()
    own = [vault for vault in request.cloud.state.vaults.values() if vault.project_id == request.project]
    wanted = {key: request.query[key] for key in ("object_type", "protect_type", "status") if key in request.query}
    found = [vault for vault in own if all(getattr(vault, key) == text for key, text in wanted.items())]
    policy = request.query.get("policy_id")
    found = [vault for vault in found if policy is None or policy in vault.policies]
    rows = [records.vault_body(vault, request.cloud.state.used(vault)) for vault in request.in_enterprise(found)]
    page, count = page_of(request, rows, ("id", "name"))
    return Answer(200, {"vaults": [request.rendered(record) for record in page], "count": count})


def show_vault(request: Request, vault_id: str) -> Answer:
    """Show a vault."""
    return _shown(request, _vault(request, vault_id))


def create_vault(request: Request) -> Answer:
    """Create a vault: 200."""
    wanted = request.part("vault")
    billing = _object(wanted.get("billing"))
    account = request.account
    vault = request.cloud.add_vault(
        account=account.name,
        project=next(name for name, id_ in account.projects.items() if id_ == request.project),
        enterprise_project_id=str(wanted.get("enterprise_project_id", "0")),
        name=str(wanted.get("name", "vault")),
        object_type=_one_of(OBJECT_TYPES, billing.get("object_type")),
        protect_type=_one_of(PROTECT_TYPES, billing.get("protect_type", "backup")),
        size=_size(billing.get("size")),
        resources=_resources(wanted.get("resources")),
        settings=_settings(wanted),
        tags=_tags(wanted.get("tags", [])),
    )
    if policy := wanted.get("backup_policy_id"):
        vault.policies.append(_policy(request, str(policy)).id)
    return _shown(request, vault)


def update_vault(request: Request, vault_id: str) -> Answer:
    """Update the name, the size or settings of a vault: 200."""
    vault, wanted = _vault(request, vault_id), request.part("vault")
    size = _size(_object(wanted.get("billing", {})).get("size", vault.size))
    if size < request.cloud.state.used(vault):
        raise Refusal(behaviours.VAULT_TOO_SMALL)
    vault.name, vault.size = str(wanted.get("name", vault.name)), size
    vault.settings.update(_settings(wanted))
    return _shown(request, vault)


def delete_vault(request: Request, vault_id: str) -> Answer:
    """Delete a vault with all its backups: 204; it takes some time."""
    request.cloud.state.delete_vault(_vault(request, vault_id), request.cloud.delete_seconds)
    return Answer(204)


def add_resources(request: Request, vault_id: str) -> Answer:
    """Bind servers or disks to a vault: 200, with their ids."""
    vault, added = _vault(request, vault_id), _resources(_object(request.body).get("resources"))
    known = {one["id"] for one in vault.resources}
    vault.resources += [one for one in added if one["id"] not in known]
    return Answer(200, {"add_resource_ids": [one["id"] for one in added]})


def remove_resources(request: Request, vault_id: str) -> Answer:
    """Unbind servers or disks from a vault: 200, with their ids. Its backups stay."""
    vault, removed = _vault(request, vault_id), _object(request.body).get("resource_ids")
    if not isinstance(removed, list):
        raise Refusal(behaviours.MALFORMED)
    vault.resources = [one for one in vault.resources if one["id"] not in removed]
    return Answer(200, {"remove_resource_ids": removed})


def list_tags(request: Request, vault_id: str) -> Answer:
    """List the tags of a vault."""
    tags = _vault(request, vault_id).tags
    return Answer(200, {"tags": [{"key": key, "value": value} for key, value in tags.items()], "sys_tags": []})


def change_tags(request: Request, vault_id: str) -> Answer:
    """Create or delete tags of a vault: 204."""
    vault, body = _vault(request, vault_id), _object(request.body)
    action, tags = _one_of(("create", "delete"), body.get("action")), _tags(body.get("tags"))
    kept = {key: text for key, text in vault.tags.items() if key not in tags}
    vault.tags = {**kept, **(tags if action == "create" else {})}
    return Answer(204)


# -- Policies ----------------------------------------------------------------------------------------------------------


def list_policies(request: Request) -> Answer:
    """List the policies of the project, or those of a vault."""
    state = request.cloud.state
    own = [policy for policy in state.policies.values() if policy.project_id == request.project]
    kind, vault_id = request.query.get("operation_type"), request.query.get("vault_id")
    bound = state.vaults[vault_id].policies if vault_id in state.vaults else []
    found = [one for one in own if kind in (None, one.operation_type) and (vault_id is None or one.id in bound)]
    return Answer(200, {"policies": [_written(request, policy) for policy in found], "count": len(found)})


def show_policy(request: Request, policy_id: str) -> Answer:
    """Show a policy."""
    return Answer(200, {"policy": _written(request, _policy(request, policy_id))})


def create_policy(request: Request) -> Answer:
    """Create a policy: 200."""
    wanted = request.part("policy")
    policy = Policy(
        request.project,
        name=str(wanted.get("name", "policy")),
        operation_type=_one_of(OPERATIONS, wanted.get("operation_type")),
        definition=_object(wanted.get("operation_definition")),
        pattern=_pattern(wanted.get("trigger")),
        enabled=wanted.get("enabled", True) is True,
    )
    request.cloud.state.policies[policy.id] = policy
    return Answer(200, {"policy": _written(request, policy)})


def update_policy(request: Request, policy_id: str) -> Answer:
    """Update a policy: 200."""
    policy, wanted = _policy(request, policy_id), request.part("policy")
    definition = _object(wanted.get("operation_definition", policy.definition))
    pattern = _pattern(wanted["trigger"]) if "trigger" in wanted else policy.pattern
    policy.name, policy.enabled = str(wanted.get("name", policy.name)), wanted.get("enabled", policy.enabled) is True
    policy.definition, policy.pattern = definition, pattern
    return Answer(200, {"policy": _written(request, policy)})


def delete_policy(request: Request, policy_id: str) -> Answer:
    """Delete a policy, and unbind it from its vaults: 204."""
    policy = _policy(request, policy_id)
    for vault in request.cloud.state.vaults.values():
        vault.policies = [one for one in vault.policies if one != policy.id]
    del request.cloud.state.policies[policy.id]
    return Answer(204)


def bind_policy(request: Request, vault_id: str) -> Answer:
    """Bind a policy to a vault: 200. It takes the place of another of its kind."""
    vault, policy = _vault(request, vault_id), _policy(request, str(_object(request.body).get("policy_id")))
    known = request.cloud.state.policies
    others = [one for one in vault.policies if known[one].operation_type != policy.operation_type]
    vault.policies = [*others, policy.id]
    return Answer(200, {"associate_policy": {"vault_id": vault.id, "policy_id": policy.id}})


def unbind_policy(request: Request, vault_id: str) -> Answer:
    """Unbind a policy from a vault: 200."""
    vault, policy = _vault(request, vault_id), _policy(request, str(_object(request.body).get("policy_id")))
    vault.policies = [one for one in vault.policies if one != policy.id]
    return Answer(200, {"dissociate_policy": {"vault_id": vault.id, "policy_id": policy.id}})


# -- Checkpoints -------------------------------------------------------------------------------------------------------


def create_checkpoint(request: Request) -> Answer:
    """Create a checkpoint: 200; its backups are protecting, then available."""
    vault = _vault(request, str(request.part("checkpoint").get("vault_id")))
    checkpoint, _ = request.cloud.state.back_up(vault, request.cloud.checkpoint_seconds)
    body = {"id": checkpoint, "project_id": request.project, "status": "protecting", "vault": {"id": vault.id}}
    return Answer(200, {"checkpoint": request.rendered({**body, "created_at": datetime.now(timezone.utc)})})


# -- Parts of requests -------------------------------------------------------------------------------------------------


def _vault(request: Request, vault_id: str) -> Vault:
    return request.cloud.state.vault(request.project, vault_id)


def _shown(request: Request, vault: Vault) -> Answer:
    return Answer(200, {"vault": request.rendered(records.vault_body(vault, request.cloud.state.used(vault)))})


def _policy(request: Request, policy_id: str) -> Policy:
    policy = request.cloud.state.policies.get(policy_id)
    if policy is None or policy.project_id != request.project:
        raise Refusal(behaviours.POLICY_NOT_FOUND)
    return policy


def _written(request: Request, policy: Policy) -> dict[str, Any]:
    return request.rendered(records.policy_body(policy, request.cloud.state.vaults.values()))


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Refusal(behaviours.MALFORMED)
    return value


def _one_of(words: Iterable[str], text: Any) -> str:
    if not isinstance(text, str) or text not in words:
        raise Refusal(behaviours.MALFORMED)
    return text


def _size(size: Any) -> int:
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        raise Refusal(behaviours.MALFORMED)
    return size


def _settings(wanted: dict[str, Any]) -> dict[str, Any]:
    return {key: wanted[key] for key in SETTINGS if key in wanted}


def _tags(many: Any) -> dict[str, str]:
    if not isinstance(many, list) or not all(isinstance(one, dict) and isinstance(one.get("key"), str) for one in many):
        raise Refusal(behaviours.MALFORMED)
    return {one["key"]: str(one.get("value", "")) for one in many}


def _pattern(trigger: Any) -> list[str]:
    pattern = _object(_object(trigger).get("properties")).get("pattern")
    if not isinstance(pattern, list) or not pattern or not all(isinstance(one, str) for one in pattern):
        raise Refusal(behaviours.MALFORMED)
    return pattern


def _resources(many: Any) -> list[dict[str, Any]]:
    if not isinstance(many, (list, type(None))):
        raise Refusal(behaviours.MALFORMED)
    return [_resource(one) for one in many or []]


def _resource(one: Any) -> dict[str, Any]:
    if not isinstance(one, dict) or not all(isinstance(one.get(key), str) for key in ("id", "type")):
        raise Refusal(behaviours.MALFORMED)
    volumes = {"extra_info": one["extra_info"]} if isinstance(one.get("extra_info"), dict) else {}
    return {"id": one["id"], "type": one["type"], **volumes}
