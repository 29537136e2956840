"""Arguments and options that several commands share; ids are checked before anything is sent."""

from __future__ import annotations

import click

from pulumi_cbr_sharing.ids import BACKUP, PROJECT, VAULT


def backup_id(value: str) -> str:
    """Check a backup id; another shape is wrong usage."""
    return _fitting(value, BACKUP.trouble_with(value))


def project_id(value: str) -> str:
    """Check a project id; another shape is wrong usage."""
    return _fitting(value, PROJECT.trouble_with(value))


def vault_id(value: str) -> str:
    """Check a vault id; another shape is wrong usage."""
    return _fitting(value, VAULT.trouble_with(value))


def _fitting(value: str, trouble: str | None) -> str:
    if trouble:
        raise click.BadParameter(f"it {trouble}")
    return value


backup_argument = click.argument("backup_id", metavar="BACKUP", type=backup_id)
projects_argument = click.argument("project_ids", metavar="PROJECT...", type=project_id, nargs=-1, required=True)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask for confirmation; required without a terminal.")
