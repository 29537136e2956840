"""The shares that a stack or a Terraform state declares, by a resource of any provider.

A resource is recognised by the last part of its type: dynamic resources of this package, those of a native plugin and
those of the bridged provider. A dynamic resource with another name is recognised by its properties.
"""

from __future__ import annotations

import re

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pulumi_cbr_sharing.ids import BACKUP, PROJECT


if TYPE_CHECKING:
    from collections.abc import Mapping


Role = Literal["member", "set", "accepter"]
DYNAMIC = "pulumi-python:dynamic"
ROLES: Mapping[str, Role] = {"": "set", "member": "member", "accepter": "accepter"}
# BackupShare, CbrBackupShare, huaweicloud_cbr_backup_share; the same with Member or Accepter.
TYPE = re.compile(r"(?:[a-z]+_cbr_|cbr)?backup_?share(?:_?(member|accepter))?", re.IGNORECASE)


class Place(NamedTuple):
    """A line of a file, such as the program's line that declares a share."""

    file: str
    line: int


@dataclass(frozen=True)
class Declaration:
    """A resource that shares a backup, or accepts one.

    Attributes:
        role: whether it declares one recipient, all recipients, or the recipient's answer.
        stack: `project/stack`, or the file of a Terraform state.
        urn: the resource's URN, or its address in a Terraform state.
        backup: the id of the backup; None if it is encrypted in the state.
        recipients: the projects of the recipients; for an accepter, the project that accepts.
        hidden: whether there are recipients that cannot be read.
        owner: the project that shares, if the state says it.
        vault: the vault that an accepter uses.
        place: the line of the program that declares it, if the state says it.
    """

    role: Role
    stack: str
    urn: str
    backup: str | None
    recipients: tuple[str, ...] = ()
    hidden: bool = False
    owner: str | None = None
    vault: str | None = None
    place: Place | None = None


@dataclass
class Declared:
    """Everything that is declared, by backup and recipient.

    Attributes:
        all: the declarations, in the order in which they were read.
        shares: those that share a backup with a project.
        acceptances: those by which a project accepts a backup.
        hidden: the backups with declared recipients that cannot be read.
    """

    all: list[Declaration]
    shares: dict[tuple[str, str], list[Declaration]] = field(default_factory=lambda: defaultdict(list))
    acceptances: dict[tuple[str, str], list[Declaration]] = field(default_factory=lambda: defaultdict(list))
    hidden: set[str | None] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Group the declarations."""
        for one in self.all:
            wanted = self.acceptances if one.role == "accepter" else self.shares
            for project in one.recipients:
                wanted[one.backup or "", project].append(one)
            if one.hidden and one.role != "accepter":
                self.hidden.add(one.backup)


def role_of(type_: str, properties: Mapping[str, Any]) -> Role | None:
    """What a resource declares of a backup's recipients; None if nothing."""
    if match := TYPE.fullmatch(re.split(r"[:.]", type_)[-1]):
        return ROLES[(match[1] or "").lower()]
    if not type_.startswith(DYNAMIC) or "backup_id" not in properties:
        return None
    return "member" if "dest_project_id" in properties else "set" if "dest_project_ids" in properties else None


def declaration(
    type_: str, id_: str, properties: Mapping[str, Any], *, stack: str, urn: str, place: Place | None = None
) -> Declaration | None:
    """The declaration in a resource of a state; None if there is none.

    Args:
        type_: its type, as in the state.
        id_: its id, which begins with the id of the backup.
        properties: its inputs, overridden by its outputs.
        stack: `project/stack`, or the file of a Terraform state.
        urn: its URN, or its address in a Terraform state.
        place: the line of the program that declares it.
    """
    properties = _in_snake_case(properties)
    role = role_of(type_, properties)
    if role is None:
        return None
    parts = id_.split("/")
    backup = _id(properties.get("backup_id")) or (parts[0] if BACKUP.fits(parts[0]) else None)
    listed = _recipients(role, properties)
    if role == "member" and not _id(listed[0]) and len(parts) > 1 and PROJECT.fits(parts[1]):
        listed = [parts[1]]
    known = tuple(dict.fromkeys(one.strip().lower() for one in listed if _id(one)))
    return Declaration(
        role,
        stack,
        urn,
        backup.strip().lower() if backup else None,
        known,
        hidden=backup is None or any(not _id(one) for one in listed),
        owner=_id(properties.get("owner_project_id")),
        vault=_id(properties.get("vault_id")) if role == "accepter" else None,
        place=place,
    )


# A refresh writes all live recipients to dest_project_ids; `declared` keeps those of the program.
_RECIPIENTS: Mapping[Role, tuple[str, ...]] = {
    "member": ("dest_project_id",),
    "set": ("declared", "dest_project_ids", "members"),
    "accepter": ("recipient_project_id",),
}


def _recipients(role: Role, properties: Mapping[str, Any]) -> list[Any]:
    """The recipients as in the state: texts, or encrypted values; None if there should be some, but are not."""
    listed = next((found for name in _RECIPIENTS[role] if (found := properties.get(name)) is not None), None)
    if listed is None:
        return [] if role == "accepter" else [None]
    several = listed if isinstance(listed, list) else [listed]
    return [_in_snake_case(one).get("dest_project_id", one) if isinstance(one, dict) else one for one in several]


def _in_snake_case(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The bridged provider has the same names in camel case."""
    return {re.sub(r"[A-Z]", lambda letter: f"_{letter[0].lower()}", name): value for name, value in properties.items()}


def _id(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
