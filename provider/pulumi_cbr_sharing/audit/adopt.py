"""Generates the Pulumi program for existing shares: `pulumi up` then adopts them and changes nothing in the cloud.

Shares that it would change are left out, with the reason: a rejected share would be offered again by a
BackupShareMember, and cancelled by a BackupShare; a recipient that is not allowed is not to be declared by a machine.
Names have the beginnings of the ids, so that programs of several runs and accounts can be appended to each other.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from pulumi_cbr_sharing.errors import Refused, one_line


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pulumi_cbr_sharing.audit.findings import Share
    from pulumi_cbr_sharing.recipients_file import RecipientsFile
    from pulumi_cbr_sharing.settings.connection import Connection


Language = Literal["python", "yaml", "import"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
LONGEST = 40  # characters of a part of a name
NOTE = "Shares of backups that exist already: `pulumi up` takes them over, and changes nothing in the cloud."


@dataclass(frozen=True)
class Adopted:
    """One resource of the program.

    Attributes:
        name: the resource's name.
        shares: of one backup; several for a BackupShare.
        connection: None for the default one.
    """

    name: str
    shares: Sequence[Share]
    connection: Connection | None

    @property
    def backup_id(self) -> str:
        """The backup."""
        return self.shares[0].backup.id

    @property
    def comment(self) -> str:
        """What was backed up, and when."""
        backup = self.shares[0].backup
        made = f"made at {backup.created_at[:16]}" if backup.created_at else ""
        words = (one_line(backup.resource_name or backup.resource_id, 60), one_line(backup.name, 60), made)
        return ", ".join(filter(None, words))


@dataclass(frozen=True)
class Adoption:
    """The resources that take over shares.

    Attributes:
        resources: in the order of their names.
        left_out: a sentence about each share, or set, that is left out.
        authoritative: whether the resources are BackupShares.
    """

    resources: Sequence[Adopted]
    left_out: Sequence[str]
    authoritative: bool

    @property
    def kind(self) -> str:
        """The class of the resources."""
        return "BackupShare" if self.authoritative else "BackupShareMember"

    @property
    def digest(self) -> str:
        """The same for the same resources."""
        return hashlib.sha256("\n".join(one.name for one in self.resources).encode()).hexdigest()[:8]

    def written(self, language: Language) -> str:
        """The program, or the file for `pulumi import --file`.

        Raises:
            Refused: it is a file for `pulumi import`, and the shares are those of several accounts.
        """
        lines = {"python": _python, "yaml": _yaml, "import": _import_file}[language](self)
        return "\n".join(lines).rstrip("\n") + "\n"


def adoption(
    shares: Iterable[Share],
    connections: Mapping[str, Connection],
    file: RecipientsFile,
    *,
    authoritative: bool = False,
) -> Adoption:
    """The resources for shares.

    Args:
        shares: the shares to adopt.
        connections: by the project of their account.
        file: who may receive backups.
        authoritative: make a BackupShare for each backup, not a BackupShareMember for each share.
    """
    groups: dict[tuple[str, str], list[Share]] = defaultdict(list)
    for share in shares:
        groups[share.backup.id, "" if authoritative else share.recipient].append(share)
    found, left_out = [], []
    for group in groups.values():
        if reason := _reason_against(group, file, authoritative=authoritative):
            left_out.append(reason)
        else:
            named = connections[group[0].owner]
            is_default = not (named.namespace or named.profile)
            name = _name(group[0], authoritative=authoritative)
            found.append(Adopted(name, group, None if is_default else named))
    return Adoption(sorted(found, key=lambda one: one.name), left_out, authoritative)


def _reason_against(group: Sequence[Share], file: RecipientsFile, *, authoritative: bool) -> str | None:
    """Why shares are left out."""
    backup = f"backup {group[0].backup.id}"
    for share in group:
        what = f"{backup} with all its shares" if authoritative else f"the share of {backup} with {share.recipient}"
        if share.member.status == "rejected":
            return f"{what}: project {share.recipient} has rejected it, and `pulumi up` would change that"
        if file.recipients is not None and share.recipient not in file.recipients:
            return f"{what}: project {share.recipient} is not in {one_line(file.path)}"
    return None


def _name(share: Share, *, authoritative: bool) -> str:
    """What was backed up, the day, the recipient, and the beginnings of the ids, which make it unique."""
    backup, known = share.backup, share.recipient_known
    words = [_slug(backup.resource_name) or _slug(backup.name) or "backup", backup.created_at[:10], backup.id[:8]]
    if not authoritative:
        words += [_slug(known.name) if known else "", share.recipient[:8]]
    return "-".join(filter(None, words))


def _slug(text: str) -> str:
    """The letters, digits and dashes of a name; "" if there are none."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:LONGEST].strip("-")


def _python(made: Adoption) -> Iterator[str]:
    yield f'"""{NOTE}"""'
    yield ""
    if made.left_out:
        yield from (f"# Left out: {reason}." for reason in made.left_out)
        yield ""
    if not made.resources:
        return
    variables = _variables(made, "_")
    mark = f"adopted_{made.digest}"
    yield from ("import pulumi", "")
    yield f"from pulumi_cbr_sharing import {made.kind}{', Connection' if variables else ''}"
    yield from ("", f'if "{mark}" in globals():')
    yield f'    raise pulumi.RunError("{mark} is in this program twice: remove one")'
    yield from (f"{mark} = True", "")
    if variables:
        for connection, variable in variables.items():
            field, value = _named(connection)
            yield f"{variable} = Connection({field}={quoted(value)})"
        yield ""
    for one in made.resources:
        yield f"# {one.comment}"
        remarks = {quoted(share.recipient): _remark(share) for share in one.shares}
        given: dict[str, Any] = {"backup_id": quoted(one.backup_id)}
        given |= {"dest_project_ids": [*remarks]} if made.authoritative else {"dest_project_id": next(iter(remarks))}
        if one.connection:
            given["connection"] = variables[one.connection]
        yield from python(made.kind, one.name, given, remarks)


def python(kind: str, name: str, given: Mapping[str, Any], remarks: Mapping[str, str]) -> Iterator[str]:
    """A resource in a Python program; its arguments are code, or lists of code, which may have remarks."""
    yield from (f"{kind}(", f"    {quoted(name)},")
    for argument, code in given.items():
        if isinstance(code, list):
            yield from (f"    {argument}=[", *(f"        {one},{remarks.get(one, '')}" for one in code), "    ],")
        else:
            yield f"    {argument}={code},{remarks.get(code, '')}"
    yield ")"


def _yaml(made: Adoption) -> Iterator[str]:
    yield f"# {NOTE}"
    yield from (f"# Left out: {reason}." for reason in made.left_out)
    if not made.resources:
        return
    variables = _variables(made, "-")
    yield "# In a program that has `resources:` already, this goes below that line, without the next one."
    yield "resources:"
    owners = {one.connection: one.shares[0].owner for one in made.resources}
    for connection, variable in variables.items():
        yield from (f"  {variable}:", "    type: pulumi:providers:cbr-sharing", "    properties:")
        yield f"      projectId: {quoted(owners[connection])}"
        if connection.profile:
            yield f"      profile: {quoted(connection.profile)}"
        else:  # the plugin has no namespaces
            yield f"      # with the region, accessKey and secretKey of {one_line(connection.namespace)}"
    for one in made.resources:
        yield from (f"  # {one.comment}", f"  {one.name}:", f"    type: cbr-sharing:{made.kind}", "    properties:")
        yield f"      backupId: {quoted(one.backup_id)}"
        if made.authoritative:
            yield "      destProjectIds:"
            yield from (f"        - {quoted(share.recipient)}{_remark(share)}" for share in one.shares)
        else:
            yield f"      destProjectId: {quoted(one.shares[0].recipient)}{_remark(one.shares[0])}"
        if one.connection:
            yield from ("    options:", f"      provider: ${{{variables[one.connection]}}}")


def _import_file(made: Adoption) -> Iterator[str]:
    """For `pulumi import --file`: the shares of one account, by the native plugin."""
    if len({one.connection for one in made.resources}) > 1:
        raise Refused("a file for `pulumi import` has the shares of one account: give one --connection")
    resources = [
        {
            "type": f"cbr-sharing:index:{made.kind}",
            "name": one.name,
            "id": one.backup_id if made.authoritative else f"{one.backup_id}/{one.shares[0].recipient}",
        }
        for one in made.resources
    ]
    yield json.dumps({"resources": resources}, indent=2)


def _variables(made: Adoption, dash: str) -> dict[Connection, str]:
    """A name for each connection; different connections have different ones, whatever else the program has."""
    found: dict[Connection, str] = {}
    for connection in filter(None, (one.connection for one in made.resources)):
        _, value = _named(connection)
        slug = re.sub(r"[^a-z0-9]", dash, value.lower())
        is_same = slug == value and not connection.profile
        digest = hashlib.sha256(f"{_named(connection)}".encode()).hexdigest()[:6]
        found[connection] = f"connection{dash}{slug}" if is_same else f"connection{dash}{slug}{dash}{digest}"
    return dict(sorted(found.items(), key=lambda item: item[1]))


def _named(connection: Connection) -> tuple[str, str]:
    """What names a connection: its field, and the value."""
    if connection.namespace:
        return "namespace", connection.namespace
    return "profile", connection.profile or ""


def _remark(share: Share) -> str:
    return f"  # {one_line(share.recipient_known.name, 60)}" if share.recipient_known else ""


def quoted(text: Any) -> str:
    """A text as a literal of Python, YAML and JSON."""
    return json.dumps(text, ensure_ascii=False)
