"""What `audit` and `adopt` compare: the options that say what, and reading it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pulumi_cbr_sharing.audit.declared import Declared
from pulumi_cbr_sharing.audit.live import Scope, look
from pulumi_cbr_sharing.audit.read_only import ReadOnlyClient
from pulumi_cbr_sharing.audit.share import Evidence
from pulumi_cbr_sharing.cli import options
from pulumi_cbr_sharing.cli.declarations import declarations_of
from pulumi_cbr_sharing.recipients_file import DEFAULT_NAME, RecipientsFile, read_recipients_file


if TYPE_CHECKING:
    from collections.abc import Sequence


FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)
evidence_options = options.combined(
    click.option("--stack", "stacks", multiple=True, metavar="NAME", help="A stack that declares shares."),
    click.option("--cwd", "folder", type=FOLDER, default=".", help="The folder of the Pulumi program."),
    click.option(
        "--state", "states", type=FILE, multiple=True, help="A stack export or checkpoint, or a Terraform state."
    ),
    click.option("--connection", "connections", multiple=True, metavar="NAME", help="A namespace or profile to audit."),
    click.option(
        "--vault",
        "vaults",
        type=options.vault_id,
        multiple=True,
        metavar="ID",
        help="Only backups in this vault.",
    ),
    click.option("--backup", "backups", type=options.backup_id, multiple=True, metavar="ID", help="Only this backup."),
    click.option("--recipients", type=FILE, help=f"Recipients and exceptions; else {DEFAULT_NAME}, if it is there."),
)


def evidence_of(
    *,
    stacks: Sequence[str],
    states: Sequence[Path],
    folder: Path,
    connections: Sequence[str],
    vaults: Sequence[str],
    backups: Sequence[str],
    recipients: Path | None,
    **reading: Any,
) -> Evidence:
    """Read the states and the recipients file, then the accounts of the named connections, or the default one.

    `reading` are the keyword arguments of `look`.
    """
    declared = Declared(declarations_of(stacks, states, folder))
    path = recipients or folder / DEFAULT_NAME
    file = read_recipients_file(path) if recipients or path.exists() else RecipientsFile(str(path))
    clients = {name: options.client_of(options.connection_of(name), ReadOnlyClient) for name in connections or ("",)}
    live = look(clients, Scope(frozenset(vaults), frozenset(backups)), **reading)
    return Evidence(live, declared, file)
