"""Reads vaults."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING

from pulumi_cbr_sharing import ids
from pulumi_cbr_sharing.cbr.api import ask, path_to, whole_list
from pulumi_cbr_sharing.cbr.backups import AVAILABLE
from pulumi_cbr_sharing.errors import Refused
from pulumi_cbr_sharing.http.messages import Call


if TYPE_CHECKING:
    from pulumi_cbr_sharing.cbr.backups import Backup
    from pulumi_cbr_sharing.http.client import Client
    from pulumi_cbr_sharing.http.messages import Record


# The `object_type` of the vaults for a kind of backup. Servers can be shared, disks only in some regions.
KINDS = {"OS::Nova::Server": "server", "OS::Cinder::Volume": "disk", "OS::Sfs::Turbo": "turbo"}
REPLICATION = "replication"


@dataclass(frozen=True)
class Vault:
    """A vault.

    Attributes:
        id: its UUID.
        name: one line of at most 255 characters.
        project_id: the owner's project, 32 hexadecimal digits.
        object_type: what it holds: `server`, `disk` or `turbo`.
        protect_type: `backup`, or `replication` for a vault of copies from another region.
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
    protect_type: str = ""
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

    def against(self, backup: Backup | None, size: int = 0) -> str | None:
        """Why the service takes no such backup, as the end of a sentence; None if nothing is known against it.

        The codes are 6712, 6713 and 6114; that these are their conditions is inferred.

        Args:
            backup: None for any.
            size: the room that it needs, in GB.
        """
        if self.protect_type == REPLICATION:
            return "is for replicas"
        kind = backup and KINDS.get(backup.resource_type, backup.resource_type)
        if kind and self.object_type not in ("", kind):
            return f"is for {self.object_type} backups, and the backup is of a {kind}"
        if backup and self.status not in ("", AVAILABLE):
            return f"is in status {self.status}"
        if self.size and size > self.free:
            return f"has {self.free:.0f} GB of {self.size} GB left, and the backup needs {size} GB"
        return None


# GET /v3/{project_id}/vaults?name=… → 200 {"vaults": [Vault, …], "count": n}
def list_vaults(client: Client, *, name: str | None = None) -> list[Vault]:
    """All vaults of the client's project, or those with this name, sorted by name, over all pages.

    Raises:
        Refused: the name cannot be sent.
    """
    if name is not None and (trouble := ids.trouble_with_text(name)):
        raise Refused(f"listing vaults: name {trouble}")
    doing, query = f"listing the vaults of project {client.project_id}", () if name is None else (("name", name),)
    call = Call("GET", path_to(client, "vaults"), doing, "cbr:vaults:list", query=query)
    # No document says that the filter means the whole name.
    found = whole_list(client, call, "vaults", _vault, lambda record: name in (None, record.get("name")))
    return sorted(found, key=attrgetter("name", "id"))


# GET /v3/{project_id}/vaults/{vault_id} → 200 {"vault": Vault}
def get_vault(client: Client, vault_id: str) -> Vault:
    """One vault; NotFound if it is not in the client's project."""
    call = Call("GET", path_to(client, "vaults", vault_id), f"reading vault {vault_id}", "cbr:vaults:get")
    return _vault(ask(client, call).record("vault"), vault_id)


def _vault(record: Record, asked: str | None = None) -> Vault:
    billing = record.part("billing")
    return Vault(
        id=record.id("id", ids.VAULT, asked),
        name=record.name("name"),
        project_id=record.id_or_none("project_id", ids.PROJECT) or "",
        object_type=billing.word("object_type"),
        protect_type=billing.word("protect_type"),
        status=billing.word("status"),
        size=billing.number("size"),
        allocated=billing.number("allocated"),
        used=billing.number("used"),
        resource_ids=tuple(resource.id("id", ids.FOREIGN) for resource in record.parts("resources")),
        created_at=record.timestamp("created_at"),
    )
