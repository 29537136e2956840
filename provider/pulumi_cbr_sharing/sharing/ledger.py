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


class Ledger:
    """The shares and acceptances that a program declares; safe for many threads."""

    def __init__(self) -> None:
        self._members: defaultdict[str, set[str]] = defaultdict(set)
        self._sets: dict[str, frozenset[str] | None] = {}
        self._acceptances: set[tuple[str, str]] = set()
        self._left: set[tuple[str, str]] = set()
        self._left_vaults: dict[tuple[str, str], str] = {}
        self._lock = threading.Lock()

    def declare_member(
        self, backup_id: str, project_id: str | None, *, instead_of: tuple[str, str] | None = None
    ) -> str | None:
        """Declare one recipient of a backup.

        Args:
            backup_id: the backup.
            project_id: the recipient; None if it is not known yet.
            instead_of: backup and recipient that the same resource has had until now.

        Returns:
            What is wrong: a BackupShare in the program owns all recipients of the backup. None if nothing is.
        """
        with self._lock:
            if backup_id in self._sets:
                return _shared_by_both("BackupShare")
            self._members[backup_id] |= {project_id} if project_id else set()
            self._left |= {instead_of} if project_id and instead_of else set()
        return None

    def declare_set(self, backup_id: str, project_ids: Iterable[str] | None) -> str | None:
        """Declare all recipients of a backup; None if they are not known yet.

        Returns:
            What is wrong: another resource of the program declares recipients of the same backup.
        """
        wanted = None if project_ids is None else frozenset(project_ids)
        with self._lock:
            if backup_id in self._members:
                return _shared_by_both("BackupShareMember")
            declared = self._sets.get(backup_id)
            if wanted is not None and declared is not None and declared != wanted:
                return (
                    "is shared by another BackupShare in the same program, with other recipients, and each would "
                    "cancel the other's: declare all its recipients in one"
                )
            self._sets[backup_id] = declared if wanted is None else wanted
        return None

    def declare_acceptance(self, backup_id: str, vault_id: str, *, instead_of: str | None = None) -> None:
        """Declare that a backup is accepted into a vault.

        Args:
            backup_id: the backup.
            vault_id: the recipient's vault.
            instead_of: the vault that the same resource has named until now.
        """
        with self._lock:
            self._acceptances.add((backup_id, vault_id))
            if instead_of and instead_of != vault_id:
                self._left_vaults[backup_id, vault_id] = instead_of

    def declares(self, backup_id: str, project_id: str) -> bool:
        """Whether a resource of the program owns this share: as a member, or as the set of all recipients."""
        return backup_id in self._sets or project_id in self._members.get(backup_id, ())

    def declares_set(self, backup_id: str) -> bool:
        """Whether a BackupShare of the program owns all recipients of the backup."""
        return backup_id in self._sets

    def declares_acceptance(self, backup_id: str, vault_id: str) -> bool:
        """Whether a resource of the program accepts the backup into this vault."""
        return (backup_id, vault_id) in self._acceptances

    def left_by(self, backup_id: str, vault_id: str) -> str | None:
        """The vault that this one replaces in the program, unless another resource accepts the backup into it."""
        old = self._left_vaults.get((backup_id, vault_id))
        return None if old is None or self.declares_acceptance(backup_id, old) else old

    def leaving(self, backup_id: str) -> set[str]:
        """The recipients of a backup whom the program replaces, so that their shares are cancelled as the run ends.

        A resource that has not been checked yet may still declare one of them.
        """
        with self._lock:
            left = {project for backup, project in self._left if backup == backup_id}
        return {project for project in left if not self.declares(backup_id, project)}


def _shared_by_both(kind: str) -> str:
    return (
        f"is shared by a {kind} in the same program, too, and one would undo the other's work: "
        "declare all its recipients by BackupShare, or each by BackupShareMember"
    )
