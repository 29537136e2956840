"""What `audit` and `adopt` compare: the options that say what, and reading it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pulumi_cbr_sharing.audit.comparison import Audit
from pulumi_cbr_sharing.audit.live import PARALLEL, ReadOnlyClient, Scope, look
from pulumi_cbr_sharing.audit.states import read_stack, read_state_file
from pulumi_cbr_sharing.cli import common
from pulumi_cbr_sharing.recipients_file import DEFAULT_NAME, RecipientsFile, read_recipients_file


if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulumi_cbr_sharing.audit.declarations import Source


FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)
source_options = common.combined(
    click.option("--stack", "stacks", type=common.text, multiple=True, metavar="NAME", help="A stack with shares."),
    click.option("--cwd", "folder", type=FOLDER, default=".", help="The folder of the Pulumi program."),
    click.option("--state", "states", type=FILE, multiple=True, help="A stack export, or a Terraform state."),
)
comparison_options = common.combined(
    source_options,
    click.option(
        "--connection",
        "connections",
        type=common.text,
        multiple=True,
        metavar="NAME",
        help="A namespace or profile to audit.",
    ),
    click.option(
        "--vault", "vaults", type=common.vault_id, multiple=True, metavar="ID", help="Only backups in this vault."
    ),
    click.option("--backup", "backups", type=common.backup_id, multiple=True, metavar="ID", help="Only this backup."),
    click.option(
        "--recipients",
        type=FILE,
        multiple=True,
        help=f"Who may receive backups, and exceptions; default: {DEFAULT_NAME} in the folder of the program.",
    ),
    click.option("--parallel", type=click.IntRange(1, 64), default=PARALLEL, help="Requests in flight; default: 8."),
)


def read_evidence(
    *,
    stacks: Sequence[str],
    states: Sequence[Path],
    folder: Path,
    connections: Sequence[str],
    vaults: Sequence[str],
    backups: Sequence[str],
    recipients: Sequence[Path],
    **reading: Any,
) -> Audit:
    """Read the states and the recipients file, then the accounts of the named connections, or the default one.

    `reading` are the keyword arguments of `look`.

    Raises:
        UsageError: two recipients files are given.
        SettingsError: a file that was named, or a stack, cannot be read at all.
    """
    if len(recipients) > 1:
        raise click.UsageError("--recipients is given twice: one list must be in force, so put both into one file")
    in_force = _recipients(recipients[0] if recipients else None, folder)
    sources = read_sources(stacks, states, folder)
    clients = {name: common.client_of(common.connection_of(name), ReadOnlyClient) for name in connections or ("",)}
    with common.progress("reading backups") as told:
        live = look(clients, Scope(frozenset(vaults), frozenset(backups)), progress=told, **reading)
    return Audit(live, sources, in_force)


def read_sources(stacks: Sequence[str], states: Sequence[Path], folder: Path) -> list[Source]:
    """What the named stacks and state files declare; each is read once.

    Raises:
        SettingsError: one cannot be read at all.
    """
    read = [read_stack(stack, folder) for stack in dict.fromkeys(stacks)]
    return read + [read_state_file(path, folder) for path in dict.fromkeys(states)]


def _recipients(named: Path | None, folder: Path) -> RecipientsFile:
    """The recipients file, with what is wrong with it; one that was named and is not there is an error."""
    path = named or folder / DEFAULT_NAME
    if not named and not path.exists():
        return RecipientsFile(str(path), trouble=f"there is no {path}")
    return read_recipients_file(path)
