"""Records as JSON, in the dialects of Huawei Cloud and Open Telekom Cloud.

Huawei Cloud writes explicit nulls, and timestamps without a zone. Open Telekom Cloud leaves absent keys out, and writes
milliseconds with `+00:00` (seen in the vendors' examples).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal


if TYPE_CHECKING:
    from datetime import datetime

    from pulumi_cbr_sharing.emulator.records import Backup, Member, Vault


Dialect = Literal["huawei", "otc"]


def rendered(record: dict[str, Any], dialect: Dialect) -> dict[str, Any]:
    """A record with its timestamps as texts, and its absent values, as in the dialect."""
    texts = {key: _moment(value, dialect) if hasattr(value, "isoformat") else value for key, value in record.items()}
    return texts if dialect == "huawei" else {key: value for key, value in texts.items() if value is not None}


def _moment(moment: datetime, dialect: Dialect) -> str:
    bare = moment.replace(tzinfo=None)
    return (
        bare.isoformat(timespec="microseconds")
        if dialect == "huawei"
        else f"{bare.isoformat(timespec='milliseconds')}+00:00"
    )


def member(record: Member) -> dict[str, Any]:
    """A member with the API's keys."""
    keys = ("id", "status", "backup_id", "dest_project_id", "vault_id", "image_id", "created_at", "updated_at")
    return {key: getattr(record, key) for key in keys}


def backup(record: Backup, vault_id: str | None = None) -> dict[str, Any]:
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


def vault(record: Vault, used: int) -> dict[str, Any]:
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
            "protect_type": "backup",
            "size": record.size,
            "spec_code": f"vault.backup.{record.object_type}.normal",
            "status": record.status,
            "used": used * 1024,
        },
        "created_at": record.created_at,
    }
