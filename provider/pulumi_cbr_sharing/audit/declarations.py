"""The shares that a stack or a Terraform state declares, by a resource of any provider.

What counts is what the program says: a resource's inputs. Its outputs are written by its provider, which may be the
author's own, so they only tell status, owner and vault. A resource is recognised as the policies recognise it: by the
last part of its type, or by its inputs if it is a dynamic one.
"""

from __future__ import annotations

import re

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pulumi_cbr_sharing.ids import BACKUP, PROJECT


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


Role = Literal["member", "set", "accepter"]
DYNAMIC = "pulumi-python:dynamic"
# The last part of a type token of Pulumi, in lower case, and the type of a Terraform resource.
TYPES: Mapping[str, Role] = {
    "backupsharemember": "member",
    "backupshare": "set",
    "cbrbackupshare": "set",
    "backupshareaccepter": "accepter",
    "cbrbackupshareaccepter": "accepter",
    "huaweicloud_cbr_backup_share": "set",
    "huaweicloud_cbr_backup_share_accepter": "accepter",
}
# The inputs that name recipients. An accepter has none: it is in the recipient's project.
RECIPIENTS: Mapping[Role, tuple[str, ...]] = {
    "member": ("dest_project_id",),
    "set": ("dest_project_ids", "members"),
    "accepter": (),
}


class Place(NamedTuple):
    """A line of a file, such as the program's line that declares a share."""

    file: str
    line: int


class Secret(NamedTuple):
    """A value that the state marks as secret; None if it is encrypted."""

    value: Any


@dataclass(frozen=True)
class Declaration:
    """A resource that shares a backup, or accepts one.

    Attributes:
        role: whether it declares one recipient, all recipients, or the recipient's answer.
        stack: `project/stack`, or the file of a Terraform state.
        urn: the resource's URN, or its address in a Terraform state.
        backup: the id of the backup; None if it cannot be read.
        recipients: the projects of the recipients; for an accepter, the project that accepts.
        hidden: whether there are ids that cannot be read: encrypted ones, or names of accounts.
        secret: the ids that the state marks as secret.
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
    secret: frozenset[str] = frozenset()
    owner: str | None = None
    vault: str | None = None
    place: Place | None = None


@dataclass(frozen=True)
class Source:
    """A stack, or the file of a state.

    Attributes:
        kind: `stack` or `state`.
        name: the stack's name, or the file's path.
        declarations: what it declares.
        at: when it was written, if it says so: RFC 3339.
        trouble: why it could not be read; None if it was.
    """

    kind: Literal["stack", "state"]
    name: str
    declarations: tuple[Declaration, ...] = field(default=(), repr=False)
    at: str | None = None
    trouble: str | None = None


def role_of(type_: str, inputs: Mapping[str, Any]) -> Role | None:
    """What a resource declares of a backup's recipients; None if nothing.

    Args:
        type_: its type token, or its type in Terraform.
        inputs: its inputs, in snake case.
    """
    if role := TYPES.get(type_.rpartition(":")[2].lower()):
        return role
    if not type_.startswith(DYNAMIC) or "backup_id" not in inputs:
        return None
    return "set" if "dest_project_ids" in inputs else "member" if "dest_project_id" in inputs else None


def declaration(
    type_: str,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, Any],
    *,
    stack: str,
    urn: str,
    place: Place | None = None,
) -> Declaration | None:
    """The declaration in a resource of a state; None if there is none.

    Args:
        type_: its type, as in the state.
        inputs: what the program says.
        outputs: what the provider says; of a Terraform resource, the same attributes as `inputs`.
        stack: `project/stack`, or the file of a Terraform state.
        urn: its URN, or its address in a Terraform state.
        place: the line of the program that declares it.
    """
    inputs, outputs = _in_snake_case(inputs), _in_snake_case(outputs)
    role = role_of(type_, inputs)
    if role is None:
        return None
    given, listed = inputs.get("backup_id"), _recipients(role, inputs)
    accepts = [_plain(outputs.get("recipient_project_id"))] if role == "accepter" else []
    backup = _plain(given) if BACKUP.fits(_plain(given)) else None
    projects = [_plain(one) for one in listed] + accepts
    known = tuple(dict.fromkeys(one for one in projects if PROJECT.fits(one)))
    marked = (_plain(one) for one in (given, *listed) if isinstance(one, Secret))
    return Declaration(
        role,
        stack,
        urn,
        backup,
        known,
        hidden=backup is None or any(not PROJECT.fits(_plain(one)) for one in listed),
        secret=frozenset(one for one in marked if isinstance(one, str)),
        owner=_id(outputs.get("owner_project_id")),
        vault=_id(inputs.get("vault_id")) if role == "accepter" else None,
        place=place,
    )


def _recipients(role: Role, inputs: Mapping[str, Any]) -> list[Any]:
    """The recipients as in the state: texts or secrets; None if there should be some, but none is named by its id."""
    listed = next((inputs[name] for name in RECIPIENTS[role] if inputs.get(name) is not None), None)
    everything_secret, value = isinstance(listed, Secret), _plain(listed)
    several = value if isinstance(value, list) else [] if value is None else [value]
    found = [_in_snake_case(one).get("dest_project_id", one) if isinstance(one, dict) else one for one in several]
    if everything_secret:
        found = [Secret(_plain(one)) for one in found] or [Secret(None)]
    unnamed = role != "accepter" and (listed is None or bool(inputs.get("dest_account") or inputs.get("dest_accounts")))
    return found or ([None] if unnamed else [])


def _plain(value: Any) -> Any:
    """A value without its envelope; a text as the service writes ids."""
    plain = value.value if isinstance(value, Secret) else value
    return plain.strip().lower() if isinstance(plain, str) else plain


def _in_snake_case(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The bridged provider and the native plugin have the same names in camel case."""
    return {re.sub(r"[A-Z]", lambda letter: f"_{letter[0].lower()}", name): value for name, value in properties.items()}


def _id(value: Any) -> str | None:
    plain = _plain(value)
    return plain if isinstance(plain, str) and (PROJECT.fits(plain) or BACKUP.fits(plain)) else None


def by_recipient(declared: Iterable[Declaration]) -> dict[tuple[str, str], tuple[Declaration, ...]]:
    """Declarations by backup and recipient."""
    found: dict[tuple[str, str], tuple[Declaration, ...]] = {}
    for one in declared:
        for project in one.recipients:
            key = one.backup or "", project
            found[key] = (*found.get(key, ()), one)
    return found
