"""The fields that `--json` prints of members, backups and vaults; they stay when the API's classes change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from pulumi_cbr_sharing.cbr.backups import Backup
    from pulumi_cbr_sharing.cbr.members import Member
    from pulumi_cbr_sharing.cbr.vaults import Vault


def member_record(backup_id: str, member: Member) -> dict[str, Any]:
    """A share; the names are those of BackupShareMember's outputs."""
    return {
        "backup_id": backup_id,
        "dest_project_id": member.dest_project_id,
        "status": member.status,
        "share_id": member.id,
        "vault_id": member.vault_id,
        "image_id": member.image_id,
        "created_at": member.created_at,
        "updated_at": member.updated_at,
    }


def backup_record(backup: Backup) -> dict[str, Any]:
    """A backup, own or received; its size is in GB."""
    return {
        "id": backup.id,
        "name": backup.name,
        "status": backup.status,
        "project_id": backup.project_id,
        "vault_id": backup.vault_id or None,
        "resource_id": backup.resource_id,
        "resource_name": backup.resource_name,
        "resource_type": backup.resource_type,
        "size": backup.resource_size,
        "created_at": backup.created_at or None,
        "expired_at": backup.expired_at or None,
    }


def vault_record(vault: Vault) -> dict[str, Any]:
    """A vault; size and allocated are in GB, used is in MB, as in the API."""
    return {
        "id": vault.id,
        "name": vault.name,
        "status": vault.status,
        "project_id": vault.project_id,
        "object_type": vault.object_type,
        "size": vault.size,
        "allocated": vault.allocated,
        "used": vault.used,
        "resource_ids": list(vault.resource_ids),
        "created_at": vault.created_at or None,
    }
