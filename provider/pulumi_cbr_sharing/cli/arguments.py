"""Arguments and options that several commands share; ids are checked before anything is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pulumi_cbr_sharing.ids import BACKUP, PROJECT, VAULT


if TYPE_CHECKING:
    from collections.abc import Callable


def combined(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """One decorator for several options; the help shows them in this order."""

    def decorated(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorated


def _id(trouble_with: Callable[[str], str | None]) -> Callable[[str], str]:
    """The type of an id; another shape is wrong usage."""

    def checked(value: str) -> str:
        if trouble := trouble_with(value):
            raise click.BadParameter(f"it {trouble}")
        return value

    return checked


backup_id = _id(BACKUP.trouble_with)
project_id = _id(PROJECT.trouble_with)
vault_id = _id(VAULT.trouble_with)

backup_argument = click.argument("backup_id", metavar="BACKUP", type=backup_id)
projects_argument = click.argument("project_ids", metavar="PROJECT...", type=project_id, nargs=-1, required=True)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask for confirmation; required without a terminal.")
