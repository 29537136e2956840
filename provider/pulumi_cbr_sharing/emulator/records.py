"""The records of the emulated cloud: backups, vaults and members; and how the two dialects write them as JSON.

Huawei Cloud writes explicit nulls, and timestamps without a zone. Open Telekom Cloud leaves absent keys out, and writes
milliseconds with `+00:00` (seen in the vendors' examples).
"""

from __future__ import annotations

import time
import uuid

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Literal


if TYPE_CHECKING:
    from collections.abc import Iterable


Dialect = Literal["huawei", "otc"]


def now() -> datetime:
    """The current time in UTC."""
    return datetime.now(timezone.utc)


def new_id() -> str:
    """A UUID."""
    return str(uuid.uuid4())


@dataclass
class Member:
    """One recipient of one backup; its vault is shown from `shown_at` on, in seconds since the epoch."""

    backup_id: str
    dest_project_id: str
    status: str = "pending"
    id: str = field(default_factory=new_id)
    vault_id: str | None = None
    image_id: str | None = None
    created_at: datetime = field(default_factory=now)
    updated_at: datetime | None = None
    shown_at: float = 0.0

    @property
    def shown_vault(self) -> str | None:
        """The vault, as soon as it is shown."""
        return self.vault_id if self.shown_at <= time.time() else None


@dataclass
class Vault:
    """A vault; sizes in GB.

    Attributes:
        resources: what is backed up into it: `id`, `type`, and `size` in GB (40).
        keep_days: how long backups are kept; None means for ever.
        settings: what else was given to create or update it, such as `auto_expand`.
        policies: the ids of its policies.
        gone_at: when it is deleted, in seconds since the epoch.
    """

    project_id: str
    id: str = field(default_factory=new_id)
    name: str = "vault"
    object_type: str = "server"
    protect_type: str = "backup"  # or replication
    size: int = 1000
    status: str = "available"  # or lock, frozen, deleting, error
    resources: list[dict[str, Any]] = field(default_factory=list)
    keep_days: float | None = None
    enterprise_project_id: str = "0"
    created_at: datetime = field(default_factory=now)
    settings: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    policies: list[str] = field(default_factory=list)
    gone_at: float | None = None


@dataclass
class Policy:
    """A policy of vaults.

    Attributes:
        definition: `max_backups`, `retention_duration_days` and others; -1 means without end.
        pattern: when it runs, such as `FREQ=DAILY;INTERVAL=1;BYHOUR=02;BYMINUTE=00`.
    """

    project_id: str
    name: str
    operation_type: str
    definition: dict[str, Any]
    pattern: list[str]
    enabled: bool = True
    id: str = field(default_factory=new_id)
    created_at: datetime = field(default_factory=now)


@dataclass
class Backup:
    """A backup; its size in GB.

    Attributes:
        shareable: whether its owner may share it at all.
        expired_at: when it expires, with its shares and the recipients' copies; None means never.
        ready_at, gone_at: when it becomes available, and when it is deleted, in seconds since the epoch.
    """

    project_id: str
    vault_id: str
    id: str = field(default_factory=new_id)
    name: str = "backup"
    status: str = "available"
    resource_type: str = "OS::Nova::Server"
    resource_id: str = field(default_factory=new_id)
    resource_name: str = "server"
    size: int = 40
    encrypted: bool = False
    shareable: bool = True
    enterprise_project_id: str = "0"
    checkpoint_id: str = field(default_factory=new_id)
    created_at: datetime = field(default_factory=now)
    expired_at: datetime | None = None
    ready_at: float | None = None
    gone_at: float | None = None
    members: dict[str, Member] = field(default_factory=dict)


def backup_of(vault: Vault, resource: dict[str, Any], checkpoint: str, ready_at: float) -> Backup:
    """A new backup of a resource of a vault; `ready_at` is in seconds since the epoch."""
    made = now()
    return Backup(
        vault.project_id,
        vault.id,
        name=f"checkpoint-{checkpoint[:8]}",
        status="protecting",
        resource_type=resource.get("type", "OS::Nova::Server"),
        resource_id=resource["id"],
        resource_name=resource.get("name", "server"),
        size=resource.get("size", 40),
        enterprise_project_id=vault.enterprise_project_id,
        checkpoint_id=checkpoint,
        created_at=made,
        expired_at=None if vault.keep_days is None else made + timedelta(days=vault.keep_days),
        ready_at=ready_at,
    )


def make_older(record: Vault | Backup | Member | Policy, passed: timedelta) -> None:
    """Move all times of a record back."""
    for name in ("created_at", "updated_at", "expired_at"):
        if (at := getattr(record, name, None)) is not None:
            setattr(record, name, at - passed)
    for name in ("ready_at", "gone_at", "shown_at"):
        if (seconds := getattr(record, name, None)) is not None:
            setattr(record, name, seconds - passed.total_seconds())


def parsed(value: str | datetime) -> datetime:
    """A moment in UTC, from ISO 8601."""
    at = datetime.fromisoformat(value.replace("Z", "+00:00")) if isinstance(value, str) else value
    return at.astimezone(timezone.utc) if at.tzinfo else at.replace(tzinfo=timezone.utc)


def rendered(value: Any, dialect: Dialect) -> Any:
    """A record with its timestamps as texts, and its absent values, as in the dialect."""
    if isinstance(value, dict):
        kept = {key: one for key, one in value.items() if one is not None or dialect == "huawei"}
        return {key: rendered(one, dialect) for key, one in kept.items()}
    if isinstance(value, list):
        return [rendered(one, dialect) for one in value]
    return _written(value, dialect) if isinstance(value, datetime) else value


def _written(at: datetime, dialect: Dialect) -> str:
    bare = at.replace(tzinfo=None)
    return (
        bare.isoformat(timespec="microseconds")
        if dialect == "huawei"
        else f"{bare.isoformat(timespec='milliseconds')}+00:00"
    )


def member_body(record: Member) -> dict[str, Any]:
    """A member with the API's keys."""
    keys = ("id", "status", "backup_id", "dest_project_id", "vault_id", "image_id", "created_at", "updated_at")
    return {key: record.shown_vault if key == "vault_id" else getattr(record, key) for key in keys}


def backup_body(record: Backup, vault_id: str | None = None) -> dict[str, Any]:
    """A backup with the API's keys; a recipient sees its own vault, and "" before that is shown."""
    return {
        "id": record.id,
        "name": record.name,
        "status": record.status,
        "project_id": record.project_id,
        "vault_id": record.vault_id if vault_id is None else vault_id,
        "checkpoint_id": record.checkpoint_id,
        "provider_id": "0daac4c5-6707-4851-97ba-169e36266b66",
        "resource_id": record.resource_id,
        "resource_name": record.resource_name,
        "resource_type": record.resource_type,
        "resource_size": record.size,
        "resource_az": "az1",
        "image_type": "backup",
        "parent_id": None,
        "enterprise_project_id": record.enterprise_project_id,
        "description": "",
        "extend_info": {"bootable": True, "encrypted": record.encrypted, "auto_trigger": False},
        "children": [],
        "incremental": False,
        "version": 0,
        "created_at": record.created_at,
        "updated_at": record.created_at,
        "protected_at": record.created_at,
        "expired_at": record.expired_at,
    }


def vault_body(record: Vault, used: int) -> dict[str, Any]:
    """A vault with the API's keys: sizes in GB, used space in MB."""
    return {
        "id": record.id,
        "name": record.name,
        "project_id": record.project_id,
        "description": "",
        "provider_id": "0daac4c5-6707-4851-97ba-169e36266b66",
        "resources": [{**resource, "protect_status": "available"} for resource in record.resources],
        "billing": {
            "allocated": used,
            "charging_mode": "post_paid",
            "cloud_type": "public",
            "consistent_level": "crash_consistent",
            "object_type": record.object_type,
            "protect_type": record.protect_type,
            "size": record.size,
            "spec_code": f"vault.{record.protect_type}.{record.object_type}.normal",
            "status": "deleting" if record.gone_at is not None else record.status,
            "used": used * 1024,
        },
        "enterprise_project_id": record.enterprise_project_id,
        "created_at": record.created_at,
        "tags": [{"key": key, "value": value} for key, value in record.tags.items()],
        **record.settings,
    }


def policy_body(record: Policy, vaults: Iterable[Vault]) -> dict[str, Any]:
    """A policy with the API's keys, and the vaults that have it."""
    properties = {"pattern": record.pattern, "start_time": record.created_at}
    bound = [{"vault_id": vault.id, "destination_vault_id": None} for vault in vaults if record.id in vault.policies]
    return {
        "id": record.id,
        "name": record.name,
        "enabled": record.enabled,
        "operation_type": record.operation_type,
        "operation_definition": record.definition,
        "trigger": {"id": record.id, "name": "default", "type": "time", "properties": properties},
        "associated_vaults": bound,
    }
