"""What the program of this run declares, by backup and recipient.

Pulumi tells a provider neither the names of resources nor why one is deleted. A resource that is renamed, or that
became another kind, is made under its new name first and deleted under its old one at the end: its share must stay.
So every check declares into the ledger, and every delete asks it: whatever the program declares now stays shared.

There is one ledger for a process, whatever the connections of its resources: ids are unique over all accounts.
"""

from __future__ import annotations

import threading

from collections import defaultdict
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Iterable


class Declared:
    """What resources of one kind declare: backups, and for each the recipients' projects or vaults."""

    def __init__(self) -> None:
        self._present: defaultdict[str, set[str]] = defaultdict(set)
        self._former: defaultdict[str, set[str]] = defaultdict(set)
        self._lock = threading.Lock()

    def add(self, backup_id: str, to: str, *, instead_of: tuple[str, str] | None = None) -> None:
        """Declare a backup for a recipient; `instead_of` are those that the same resource has had until now."""
        with self._lock:
            self._present[backup_id].add(to)
            if instead_of:
                self._former[instead_of[0]].add(instead_of[1])

    def has(self, backup_id: str, to: str | None = None) -> bool:
        """Whether the backup is declared for this recipient, or for any."""
        present = self._present.get(backup_id, set())
        return bool(present) if to is None else to in present

    def leaving(self, backup_id: str) -> set[str]:
        """Whom the program replaces, so that they lose the backup as the run ends.

        A resource that has not been checked yet may still declare one of them.
        """
        with self._lock:
            return self._former.get(backup_id, set()) - self._present.get(backup_id, set())


class Ledger:
    """The shares and acceptances that a program declares; safe for many threads.

    Attributes:
        members: backups and recipients, by BackupShareMember.
        acceptances: backups and the recipient's vaults, by BackupShareAccepter.
    """

    def __init__(self) -> None:
        self.members, self.acceptances = Declared(), Declared()
        self._sets: dict[str, frozenset[str] | None] = {}
        self._lock = threading.Lock()

    def declare_member(
        self, backup_id: str, project_id: str | None, *, instead_of: tuple[str, str] | None = None
    ) -> str | None:
        """Declare one recipient of a backup; None as long as the recipient is not known.

        Returns:
            What is wrong: a BackupShare in the program owns all recipients of the backup. None if nothing is.
        """
        with self._lock:
            if backup_id in self._sets:
                return _shared_by_both("BackupShare")
            self.members.add(backup_id, project_id or "", instead_of=instead_of if project_id else None)
        return None

    def declare_set(self, backup_id: str, project_ids: Iterable[str] | None) -> str | None:
        """Declare all recipients of a backup; None as long as they are not known.

        Returns:
            What is wrong: another resource of the program declares recipients of the same backup.
        """
        wanted = None if project_ids is None else frozenset(project_ids)
        with self._lock:
            if self.members.has(backup_id):
                return _shared_by_both("BackupShareMember")
            declared = self._sets.get(backup_id)
            if wanted is not None and declared is not None and declared != wanted:
                return (
                    "is shared by another BackupShare in the same program, with other recipients, and each would "
                    "cancel the other's: declare all its recipients in one"
                )
            self._sets[backup_id] = declared if wanted is None else wanted
        return None

    def declares(self, backup_id: str, project_id: str) -> bool:
        """Whether a resource of the program owns this share: as a member, or as the set of all recipients."""
        return self.declares_set(backup_id) or self.members.has(backup_id, project_id)

    def declares_set(self, backup_id: str) -> bool:
        """Whether a BackupShare of the program owns all recipients of the backup."""
        return backup_id in self._sets


def _shared_by_both(kind: str) -> str:
    return (
        f"is shared by a {kind} in the same program, too, and one would undo the other's work: "
        "declare all its recipients by BackupShare, or each by BackupShareMember"
    )
