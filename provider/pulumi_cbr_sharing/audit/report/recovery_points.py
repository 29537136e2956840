"""Servers and recipients: who could restore what, from when."""

from __future__ import annotations

import re

from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.timestamps import moment


if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from pulumi_cbr_sharing.audit.findings import Share


def recovery_points(shares: Iterable[Share], now: datetime) -> list[dict[str, Any]]:
    """For each server or disk and recipient: the newest backup that is shared, and the newest that can be restored.

    A recipient can restore what it has accepted, if the backup is whole. A rejected share counts if there is no other.

    Args:
        shares: all that are live.
        now: the time of the audit.
    """
    by_cell: dict[tuple[str, str, str], list[Share]] = {}
    for share in shares:
        server = share.backup.resource_id or share.backup.id
        by_cell.setdefault((share.owner, server, share.recipient), []).append(share)
    cells = [_cell(sorted(copies, key=lambda one: one.backup.order), now) for copies in by_cell.values()]
    return sorted(cells, key=lambda one: (_natural(one["resource_name"]), one["resource_id"] or "", _whom(one)))


def _natural(name: str | None) -> list[tuple[int, str]]:
    """Sorts `web-9` before `web-10`."""
    return [(int(digits or 0), text) for text, digits in re.findall(r"(\D*)(\d{0,9})", name or "")]


def _whom(cell: dict[str, Any]) -> str:
    return f"{cell['recipient_name'] or ''}{cell['recipient_project_id']}"


def _cell(copies: Sequence[Share], now: datetime) -> dict[str, Any]:
    visible = [one for one in copies if one.member.status != "rejected"]
    restorable = [one for one in visible if one.member.status == "accepted" and one.backup.whole]
    newest = (visible or copies)[-1]
    known = newest.recipient_known
    return {
        "owner_project_id": newest.owner,
        "resource_id": newest.backup.resource_id or None,
        "resource_name": newest.backup.resource_name or newest.backup.name or None,
        "resource_type": newest.backup.resource_type or None,
        "recipient_project_id": newest.recipient,
        "recipient_name": known.name if known else None,
        "recipient_class": newest.recipient_class,
        "copies": len(visible),
        "undeclared": sum(not (one.declared_by or one.perhaps_declared or one.incoming) for one in visible),
        "newest": _copy(newest, now),
        "restorable": _copy(restorable[-1], now) if restorable else None,
    }


def _copy(share: Share, now: datetime) -> dict[str, Any]:
    made = moment(share.backup.created_at)
    return {
        "backup_id": share.backup.id,
        "created": share.backup.created_at or None,
        "age_hours": round((now - made).total_seconds() / 3600, 1) if made else None,
        "status": share.member.status,
    }
