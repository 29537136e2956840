"""Reads vaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing import ids
from pulumi_cbr_sharing.cbr import paths
from pulumi_cbr_sharing.cbr.paging import whole_list
from pulumi_cbr_sharing.cbr.records import Record
from pulumi_cbr_sharing.cbr.second_look import told_apart
from pulumi_cbr_sharing.errors import Refused
from pulumi_cbr_sharing.http.messages import Call, row


if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_cbr_sharing.http.client import Client


@dataclass(frozen=True)
class Vault:
    """A vault.

    Attributes:
        id: its UUID.
        name: one line of at most 255 characters.
        project_id: the owner's project, 32 hexadecimal digits.
        object_type: what it holds: `server`, `disk` or `turbo`.
        status: `available`, `lock`, `frozen`, `deleting` or `error`.
        size: its capacity in GB.
        allocated: the part of it that is allocated to resources, in GB.
        used: the part of it that backups take, in MB.
        resource_ids: the servers or disks that are backed up to it.
        created_at: RFC 3339 in UTC.
    """

    id: str
    name: str = ""
    project_id: str = ""
    object_type: str = ""
    status: str = ""
    size: int = 0
    allocated: int = 0
    used: int = 0
    resource_ids: tuple[str, ...] = ()
    created_at: str = ""

    @property
    def free(self) -> float:
        """The part of the size that no backup takes, in GB."""
        return self.size - self.used / 1024


# GET /v3/{project_id}/vaults?name=… → 200 {"vaults": [Vault, …], "count": n}
def list_vaults(client: Client, *, name: str | None = None) -> list[Vault]:
    """All vaults of the client's project, or those with this name, sorted by name, over all pages.

    Raises:
        Refused: the name cannot be sent.
        UnexpectedAnswer: the list may be incomplete.
    """
    if name is not None and (trouble := ids.trouble_with_text(name)):
        raise Refused(f"listing vaults: name {trouble}")
    call = Call(
        "GET",
        paths.vaults(client.project_id),
        doing=f"listing the vaults of project {client.project_id}",
        action="cbr:vaults:list",
        query=() if name is None else (("name", name),),
    )
    found = [(record.get("name"), _vault(call, record)) for record in whole_list(client, call, "vaults")]
    # No document says that the filter means the whole name.
    fitting = [vault for told, vault in found if name in (None, told)]
    return sorted(fitting, key=lambda one: (one.name, one.id))


# GET /v3/{project_id}/vaults/{vault_id} → 200 {"vault": Vault}
def get_vault(client: Client, vault_id: str) -> Vault:
    """One vault.

    Raises:
        NotFound: there is no such vault in the client's project.
    """
    call = Call(
        "GET",
        paths.vault(client.project_id, vault_id),
        doing=f"reading vault {vault_id}",
        action="cbr:vaults:get",
    )
    with told_apart(client, call):
        record = row(call, client.fetch(call), "vault")
    Record(call, "vault", record).require_id("id", ids.VAULT, vault_id)
    return _vault(call, record)


def _vault(call: Call, fields: Mapping[str, Any]) -> Vault:
    record = Record(call, "vault", fields)
    billing = fields.get("billing")
    billed = Record(call, "vault", billing if isinstance(billing, dict) else {})
    listed = fields.get("resources")
    resources = [one for one in (listed if isinstance(listed, list) else []) if isinstance(one, dict)]
    return Vault(
        id=record.id("id", ids.VAULT),
        name=record.name("name"),
        project_id=record.id_or_none("project_id", ids.PROJECT) or "",
        object_type=billed.word("object_type"),
        status=billed.word("status"),
        size=billed.number("size"),
        allocated=billed.number("allocated"),
        used=billed.number("used"),
        resource_ids=tuple(Record(call, "vault's resource", one).id("id", ids.FOREIGN) for one in resources),
        created_at=record.timestamp("created_at"),
    )
