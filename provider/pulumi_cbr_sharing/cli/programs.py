"""`cbr-sharing adopt` and `move`: programs that declare existing shares, of nobody's or of another tool's.

`move` prints what declares the shares next, and the commands by which the other tool forgets them. The resources of
Terraform are huaweicloud_cbr_backup_share, which owns all members of a backup, and its accepter; both are imported by
the id of the backup (the Terraform provider's documentation). Bridged by `pulumi package add terraform-provider
huaweicloud/huaweicloud`, they are CbrBackupShare and CbrBackupShareAccepter (inferred: so that bridge names things).
"""

from __future__ import annotations

import re
import shlex
import sys

from collections import Counter, defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from pulumi_cbr_sharing.audit.adopt import LANGUAGES, adoption, python, quoted
from pulumi_cbr_sharing.audit.comparison import CLEAN, NOT_COMPLETE
from pulumi_cbr_sharing.audit.not_checked import not_checked
from pulumi_cbr_sharing.audit.report.summary import many
from pulumi_cbr_sharing.cli.common import connection_of, output_option, tell, write_output
from pulumi_cbr_sharing.cli.evidence import comparison_options, read_evidence, read_sources, source_options
from pulumi_cbr_sharing.errors import SettingsError, one_line


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from pulumi_cbr_sharing.audit.adopt import Adoption, Language
    from pulumi_cbr_sharing.audit.comparison import Audit
    from pulumi_cbr_sharing.audit.declarations import Declaration, Source
    from pulumi_cbr_sharing.audit.findings import Share
    from pulumi_cbr_sharing.audit.live import Live


OURS = ("pulumi-python:dynamic/huaweicloud/cbr:", "cbr-sharing:")
STEPS = """\
{mark} Moved by `cbr-sharing move`. In this order, with no other run of either tool in between, nobody loses a share:
{mark}
{mark} 1. Forget the resources, without destroying them:
{commands}
{mark} 2. Remove them from what declared them.
{mark} 3. Add this, and run `{run}`: it takes over the shares that are there, and changes nothing in the cloud.
"""


@click.command
@comparison_options
@click.option(
    "--authoritative",
    is_flag=True,
    help="Print a BackupShare for each backup: projects that are not in it will lose their share.",
)
@click.option(
    "--language",
    type=click.Choice([one for one in LANGUAGES if one != "import"]),
    help="Of the program; YAML needs the native plugin. Default: python.",
)
@click.option(
    "--import-file", is_flag=True, help="Print the file for `pulumi import --file`, with the native plugin's resources."
)
@output_option
def adopt_command(
    *, authoritative: bool, language: Language | None, import_file: bool, output: Path | None, **evidence: Any
) -> None:
    """Print the Pulumi program that adopts existing shares, except those that a --stack or --state declares.

    `pulumi up` then adopts the shares and changes nothing in the cloud. Left out are shares that were rejected, and
    recipients that are not in the recipients file. Ends with 3 if something could not be checked.
    """
    if import_file and language:
        raise click.UsageError("--import-file is no program: leave out --language")
    found = read_evidence(**evidence)
    for source in found.sources:
        if source.trouble:  # what it declares would be declared twice
            raise SettingsError(f"reading {source.kind} {source.name}: {source.trouble}")
    live, shares = found.live, found.live_shares
    shares = _for_sets(shares, live) if authoritative else [share for share in shares if not share.declared_by]
    connections = {project: connection_of(account.name) for project, account in live.accounts.items()}
    made = adoption(shares, connections, found.recipients, authoritative=authoritative)
    write_output([made.written("import" if import_file else language or "python")], output)
    _tell_what(made, found)
    sys.exit(_end(found))


def _for_sets(shares: Sequence[Share], live: Live) -> list[Share]:
    """Leave out backups that are declared already, and those whose shares are not all known."""
    taken = {share.backup.id for share in shares if share.declared_by}
    return [share for share in shares if share.backup.id not in taken and share.backup.id not in live.not_known]


def _tell_what(made: Adoption, found: Audit) -> None:
    shares = sum(len(one.shares) for one in made.resources)
    tell(f"wrote {len(made.resources)} {made.kind} for {many(shares, 'share')}; left out {len(made.left_out)}")
    for reason in made.left_out:
        tell(f"left out: {reason}")
    if found.recipients.not_in_force:
        tell(f"whether the recipients may receive backups was not checked: {found.recipients.not_in_force}")


def _end(found: Audit) -> int:
    """Tell what could not be read. That no program is compared is how a first program begins."""
    unseen = [one.message for one in not_checked(found.sources, None, found.live) if one.subject != "programs"]
    for message in unseen:
        tell(f"not checked: {message}")
    return NOT_COMPLETE if unseen else CLEAN


@click.command
@source_options
@click.option(
    "--to",
    type=click.Choice(["pulumi", "terraform", "bridged"]),
    default="pulumi",
    show_default=True,
    help="What declares the shares next: this package, Terraform, or its provider bridged into Pulumi.",
)
@output_option
def move_command(*, states: Sequence[Path], stacks: Sequence[str], folder: Path, to: str, output: Path | None) -> None:
    """Print what declares the shares of another tool, and how that tool forgets them.

    It reads the states alone, and asks no cloud. Ends with 3 if something in them could not be moved.

    \b
    Examples:
      terraform state pull > terraform.tfstate && cbr-sharing move --state terraform.tfstate >> __main__.py
      cbr-sharing move --stack dev --to terraform > shares.tf
    """
    if not (states or stacks):
        raise click.UsageError("there is nothing to move: give --state or --stack")
    foreign = [
        one for source in read_sources(stacks, states, folder) for one in _declared_in(source) if not _is_of(one, to)
    ]
    moved = [one for one in foreign if _trouble_with(one) is None]
    if not foreign:
        tell(f"nothing to move: no other tool than {to} declares a share there")
    if moved:
        write_output([WRITERS[to](moved)], output)
    for one in foreign:
        if trouble := _trouble_with(one):
            tell(f"not moved: {one_line(one.urn)} {trouble}")
    sys.exit(NOT_COMPLETE if len(moved) < len(foreign) else 0)


def _declared_in(source: Source) -> Sequence[Declaration]:
    if source.trouble:
        raise SettingsError(f"reading {source.name}: {source.trouble}")
    return source.declarations


def _is_of(one: Declaration, tool: str) -> bool:
    if not one.urn.startswith("urn:"):
        return tool == "terraform"
    return tool == ("pulumi" if one.urn.split("::")[2].rpartition("$")[2].startswith(OURS) else "bridged")


def _trouble_with(one: Declaration) -> str | None:
    if one.hidden or not one.backup:
        return "has an id that cannot be read: it is encrypted, or an account is given by name: declare it by hand"
    if one.secret:
        return "has an id that is secret, and would be plain text here: declare it by hand"
    return "names no vault" if one.role == "accepter" and not one.vault else None


def as_program(moved: Sequence[Declaration]) -> str:
    """The Pulumi program with the resources of this package."""
    classes = {"set": "BackupShare", "member": "BackupShareMember", "accepter": "BackupShareAccepter"}
    used = sorted({classes[one.role] for one in moved})
    lines = [f"from pulumi_cbr_sharing import {', '.join(used)}", ""]
    for name, one in _named(moved, _dashed):
        projects = [quoted(project) for project in one.recipients]
        if one.role == "accepter":
            to: Mapping[str, Any] = {"vault_id": quoted(one.vault)}
        else:
            to = {"dest_project_ids": projects} if one.role == "set" else {"dest_project_id": projects[0]}
        lines += python(classes[one.role], name, {"backup_id": quoted(one.backup), **to}, {})
    return _steps("#", moved, "pulumi up") + "\n" + "\n".join(lines) + "\n"


def as_bridged_program(moved: Sequence[Declaration]) -> str:
    """The Pulumi program with the resources of the bridged provider, which import what is there."""
    lines = ["import pulumi", "import pulumi_huaweicloud as huaweicloud", ""]
    for name, one in _named(_sets(moved), _dashed):
        is_accepter = one.role == "accepter"
        members = [f'{{"dest_project_id": {quoted(project)}}}' for project in one.recipients]
        to: Mapping[str, Any] = {"vault_id": quoted(one.vault)} if is_accepter else {"members": members}
        kind = f"huaweicloud.CbrBackupShare{'Accepter' if is_accepter else ''}"
        imported = {"opts": f"pulumi.ResourceOptions(import_={quoted(one.backup)})"}
        lines += python(kind, name, {"backup_id": quoted(one.backup), **to, **imported}, {})
    return _steps("#", moved, "pulumi up") + "\n" + "\n".join(lines) + "\n"


def as_terraform(moved: Sequence[Declaration]) -> str:
    """The configuration of Terraform, which imports what is there (Terraform 1.5 or newer)."""
    lines = []
    for name, one in _named(_sets(moved), _underscored):
        kind = "huaweicloud_cbr_backup_share" + ("_accepter" if one.role == "accepter" else "")
        lines += ["", "import {", f"  to = {kind}.{name}", f"  id = {quoted(one.backup)}", "}", ""]
        lines += [f'resource "{kind}" "{name}" {{', f"  backup_id = {quoted(one.backup)}"]
        if one.role == "accepter":
            lines += [f"  vault_id  = {quoted(one.vault)}"]
        for project in one.recipients if one.role == "set" else ():
            lines += ["", "  members {", f"    dest_project_id = {quoted(project)}", "  }"]
        lines += ["}"]
    return _steps("#", moved, "terraform apply") + "\n".join(lines) + "\n"


WRITERS: Mapping[str, Callable[[Sequence[Declaration]], str]] = {
    "pulumi": as_program,
    "terraform": as_terraform,
    "bridged": as_bridged_program,
}


def _steps(mark: str, moved: Iterable[Declaration], run: str) -> str:
    commands = "\n".join(f"{mark}      {_forget(one)}" for one in moved)
    return STEPS.format(mark=mark, commands=commands, run=run)


def _forget(one: Declaration) -> str:
    if not one.urn.startswith("urn:"):
        return shlex.join(["terraform", "state", "rm", one.urn])
    return shlex.join(["pulumi", "state", "delete", one.urn, "--yes", "--stack", one.stack.rpartition("/")[2]])


def _sets(moved: Iterable[Declaration]) -> Iterator[Declaration]:
    """The same with one set for a backup, as the other tools have it."""
    shared: dict[str | None, list[Declaration]] = defaultdict(list)
    for one in moved:
        if one.role == "accepter":
            yield one
        else:
            shared[one.backup].append(one)
    for several in shared.values():
        recipients = dict.fromkeys(project for one in several for project in one.recipients)
        yield replace(several[0], role="set", recipients=tuple(recipients))


def _named(moved: Iterable[Declaration], spelled: Callable[[Declaration], str]) -> Iterator[tuple[str, Declaration]]:
    """Each with a name that no other of its role has."""
    seen = Counter[tuple[str, str]]()
    for one in moved:
        name = spelled(one)
        seen[one.role, name] += 1
        number = seen[one.role, name]
        yield (name if number == 1 else f"{name}{'_' if spelled is _underscored else '-'}{number}"), one


def _dashed(one: Declaration) -> str:
    """The name of a resource, from its URN or its address: `huaweicloud_cbr_backup_share.web[0]` is web-0."""
    by_type = re.split(r"_share(?:_accepter)?\.", one.urn)
    name = one.urn.split("::", 3)[-1] if one.urn.startswith("urn:") else by_type[-1]
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-") or f"backup-{str(one.backup)[:8]}"


def _underscored(one: Declaration) -> str:
    name = _dashed(one).replace("-", "_")
    return name if name[0].isalpha() else f"share_{name}"
