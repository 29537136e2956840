"""Names in generated programs: readable, and the same at each run."""

from __future__ import annotations

import json
import re
import unicodedata

from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from pulumi_cbr_sharing.audit.share import Share
    from pulumi_cbr_sharing.cbr.backups import Backup


LONGEST = 40


def slug(text: str) -> str:
    """The letters, digits and dashes of a name; "" if there are none."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:LONGEST].strip("-")


def backup_name(backup: Backup) -> str:
    """What was backed up, and the day."""
    what = slug(backup.resource_name) or slug(backup.name) or f"backup-{backup.id[:8]}"
    return "-".join(filter(None, (what, backup.created_at[:10])))


def share_name(share: Share) -> str:
    """What was backed up, the day, and the recipient."""
    known = share.recipient_known
    return f"{backup_name(share.backup)}-{(slug(known.name) if known else '') or share.recipient[:8]}"


def member_line(share: Share) -> str:
    """The line of a program that declares a share."""
    words = json.dumps(share_name(share)), json.dumps(share.backup.id), json.dumps(share.recipient)
    return "BackupShareMember({}, backup_id={}, dest_project_id={})".format(*words)
