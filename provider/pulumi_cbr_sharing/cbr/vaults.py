"""Vaults, read-only: where backups are. One function a call, the API's own line above each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.cbr.backups import whole_number
from pulumi_cbr_sharing.cbr.paging import whole_list
from pulumi_cbr_sharing.http.messages import Call, row
from pulumi_cbr_sharing.http.timestamps import rfc3339


if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_cbr_sharing.http.client import Client


@dataclass(frozen=True)
class Vault:
    """A vault.

    Attributes:
        id: its UUID.
        name: as its owner called it.
        project_id: the owner's project.
        object_type: what it holds: `server`, `disk` or `turbo`.
        status: `available`, `lock`, `frozen`, `deleting` or `error`.
        size: its capacity in GB.
        allocated: how much of it is promised to resources, in GB.
        used: how much of it is taken by backups, in MB.
        resource_ids: what is backed up into it.
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


# GET /v3/{project_id}/vaults?name=… → 200 {"vaults": [Vault, …], "count": n}
def list_vaults(client: Client, *, name: str | None = None) -> list[Vault]:
    """All vaults of the client's project, or those of this very name, by name, over all pages.

    Raises:
        UnexpectedAnswer: the list is not known to be whole.
    """
    call = Call(
        "GET",
        f"/v3/{client.project_id}/vaults",
        doing=f"listing the vaults of project {client.project_id}",
        action="cbr:vaults:list",
        query=(("name", name),) if name else (),
    )
    found = [_vault(record) for record in whole_list(client, call, "vaults")]
    # No page says that the filter means the whole name.
    return sorted((vault for vault in found if name in (None, "", vault.name)), key=lambda one: (one.name, one.id))


# GET /v3/{project_id}/vaults/{vault_id} → 200 {"vault": Vault}
def get_vault(client: Client, vault_id: str) -> Vault:
    """One vault.

    Raises:
        NotFound: there is none in the client's project.
    """
    call = Call(
        "GET",
        f"/v3/{client.project_id}/vaults/{vault_id}",
        doing=f"reading vault {vault_id}",
        action="cbr:vaults:get",
    )
    return _vault(row(call, client.fetch(call), "vault"))


def _vault(record: Mapping[str, Any]) -> Vault:
    """The one place where the API's record becomes a Vault."""
    billing = record.get("billing")
    billing = billing if isinstance(billing, dict) else {}
    listed = record.get("resources")
    resources = listed if isinstance(listed, list) else []
    return Vault(
        id=_text(record.get("id")),
        name=_text(record.get("name")),
        project_id=_text(record.get("project_id")),
        object_type=_text(billing.get("object_type")),
        status=_text(billing.get("status")),
        size=whole_number(billing.get("size")),
        allocated=whole_number(billing.get("allocated")),
        used=whole_number(billing.get("used")),
        resource_ids=tuple(_text(one.get("id")) for one in resources if isinstance(one, dict)),
        created_at=rfc3339(record.get("created_at")),
    )


def _text(value: Any) -> str:
    return "" if value is None else str(value)
