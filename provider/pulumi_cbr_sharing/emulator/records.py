"""The records of the emulated cloud: backups, vaults and members."""

from __future__ import annotations

import uuid

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any


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
    size: int = 1000
    status: str = "available"  # or lock, frozen, deleting, error
    resources: list[dict[str, Any]] = field(default_factory=list)
    keep_days: float | None = None
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


def moment(name: str, value: Any) -> Any:
    """Parse a time from a control request, in UTC."""
    if name not in ("created_at", "expired_at") or not isinstance(value, str):
        return value
    parsed = datetime.fromisoformat(value.replace("Z", "+00:00"))
    return parsed.astimezone(timezone.utc) if parsed.tzinfo else parsed.replace(tzinfo=timezone.utc)
