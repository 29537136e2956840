"""The records of the emulated cloud: backups, vaults and members; and how the two dialects write them as JSON.

Huawei Cloud writes explicit nulls, and timestamps without a zone. Open Telekom Cloud leaves absent keys out, and writes
milliseconds with `+00:00` (seen in the vendors' examples).
"""

from __future__ import annotations

import uuid

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, Literal


Dialect = Literal["huawei", "otc"]


def now() -> datetime:
    """The current time in UTC."""
    return datetime.now(timezone.utc)


def new_id() -> str:
    """A UUID."""
    return str(uuid.uuid4())


@dataclass
class Member:
    """One recipient of one backup."""

    backup_id: str
    dest_project_id: str
    status: str = "pending"
    id: str = field(default_factory=new_id)
    vault_id: str | None = None
    image_id: str | None = None
    created_at: datetime = field(default_factory=now)
    updated_at: datetime | None = None


@dataclass
class Vault:
    """A vault; sizes in GB.

    Attributes:
        resources: what is backed up into it: `id`, `type`, and `size` in GB (40).
        keep_days: how long backups are kept; None means for ever.
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


def make_older(record: Vault | Backup | Member, passed: timedelta) -> None:
    """Move all times of a record back."""
    for name in ("created_at", "updated_at", "expired_at"):
        if (at := getattr(record, name, None)) is not None:
            setattr(record, name, at - passed)
    for name in ("ready_at", "gone_at"):
        if (seconds := getattr(record, name, None)) is not None:
            setattr(record, name, seconds - passed.total_seconds())


def parsed(value: str | datetime) -> datetime:
    """A moment in UTC, from ISO 8601."""
    at = datetime.fromisoformat(value.replace("Z", "+00:00")) if isinstance(value, str) else value
    return at.astimezone(timezone.utc) if at.tzinfo else at.replace(tzinfo=timezone.utc)


def rendered(record: dict[str, Any], dialect: Dialect) -> dict[str, Any]:
    """A record with its timestamps as texts, and its absent values, as in the dialect."""
    texts = {key: _written(value, dialect) if hasattr(value, "isoformat") else value for key, value in record.items()}
    return texts if dialect == "huawei" else {key: value for key, value in texts.items() if value is not None}


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
    return {key: getattr(record, key) for key in keys}


def backup_body(record: Backup, vault_id: str | None = None) -> dict[str, Any]:
    """A backup with the API's keys; a recipient sees its own vault."""
    return {
        "id": record.id,
        "name": record.name,
        "status": record.status,
        "project_id": record.project_id,
        "vault_id": vault_id or record.vault_id,
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
            "status": record.status,
            "used": used * 1024,
        },
        "enterprise_project_id": record.enterprise_project_id,
        "created_at": record.created_at,
    }
