"""What the program of this run declares, by backup and recipient.

Pulumi tells a provider neither the names of resources nor why one is deleted. A resource that is renamed, or that
became another kind, is made under its new name first and deleted under its old one at the end: its share must stay.
So every check declares into the ledger, and every delete asks it: whatever the program declares now stays shared.

There is one ledger a run, whatever the connections of its resources: ids are unique over all accounts. The processes
of a run share it by their `Journal`.
"""

from __future__ import annotations

import threading

from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Iterable

    from pulumi_cbr_sharing.sharing.journal import Journal


_UNKNOWN = "?"


class Ledger:
    """The shares and acceptances that a program declares; safe for many threads.

    Args:
        shared: what all processes of the run declare; None if there is only this one.
    """

    def __init__(self, shared: Journal | None = None) -> None:
        self._declared: dict[tuple[str, str], set[str]] = {}  # by kind and backup
        self._journal = shared
        self._lock = threading.RLock()

    def close(self) -> None:
        """The run has ended: what was declared counts no more for other processes."""
        with self._lock:
            if self._journal:
                self._journal.close()
            self._journal = None

    @property
    def trouble(self) -> str | None:
        """Why it is not known what other processes of the run declare; None if it is known."""
        return self._journal.trouble if self._journal else None

    def declare_member(
        self, backup_id: str, project_id: str | None, *, recorded: tuple[str, str] | None = None
    ) -> str | None:
        """Declare one recipient of a backup, None as long as it is not known; returns what is wrong.

        `recorded` is the backup and the recipient that the resource had in the last run, if it was there.
        """
        with self._lock:
            if recorded:
                self._note("owned", *recorded)
            if self.declares_set(backup_id):
                return _shared_by_both("BackupShare")
            self._enter("member", backup_id, *([project_id] if project_id else []))
        return None

    def declare_set(self, backup_id: str, project_ids: Iterable[str] | None) -> str | None:
        """Declare all recipients of a backup, None as long as they are not known; returns what is wrong."""
        wanted = {_UNKNOWN} if project_ids is None else set(project_ids)
        with self._lock:
            if self._of("member", backup_id) is not None:
                return _shared_by_both("BackupShareMember")
            declared = self._of("set", backup_id)
            if declared not in (None, wanted, {_UNKNOWN}) and wanted != {_UNKNOWN}:
                return (
                    "is shared by another BackupShare in the same program, with other recipients, and each would "
                    "cancel the other's: declare all its recipients in one"
                )
            self._enter("set", backup_id, *sorted(wanted))
        return None

    def declare_acceptance(self, backup_id: str, vault_id: str) -> None:
        """Declare a received backup into a vault."""
        with self._lock:
            self._enter("acceptance", backup_id, vault_id)

    def declares(self, backup_id: str, project_id: str) -> bool:
        """Whether a resource of the program owns this share: as a member, or as the set of all recipients."""
        return self.declares_set(backup_id) or project_id in self.recipients(backup_id)

    def declares_set(self, backup_id: str) -> bool:
        """Whether a BackupShare of the program owns all recipients of the backup."""
        return self._of("set", backup_id) is not None

    def declares_acceptance(self, backup_id: str, vault_id: str) -> bool:
        """Whether the program accepts the backup into this vault."""
        return vault_id in (self._of("acceptance", backup_id) or ())

    def recipients(self, backup_id: str) -> frozenset[str]:
        """The recipients that the program declares one by one."""
        return frozenset(self._of("member", backup_id) or ())

    def owned(self, backup_id: str) -> frozenset[str]:
        """The recipients that resources of this process have recorded: they are no strangers, and may leave."""
        return frozenset(self._of("owned", backup_id) or ())

    def _of(self, kind: str, backup_id: str) -> set[str] | None:
        """What is declared of a backup; None if nothing is."""
        with self._lock:
            for words in self._journal.news() if self._journal else ():
                self._note(*words)
            return self._declared.get((kind, backup_id))

    def _enter(self, *words: str) -> None:
        self._note(*words)
        if self._journal:
            self._journal.append(words)

    def _note(self, kind: str, backup_id: str, *to: str) -> None:
        key = kind, backup_id
        if kind != "set":
            self._declared.setdefault(key, set()).update(to)
        elif _UNKNOWN not in to or key not in self._declared:
            self._declared[key] = set(to)


def _shared_by_both(kind: str) -> str:
    return (
        f"is shared by a {kind} in the same program, too, and one would undo the other's work: "
        "declare all its recipients by BackupShare, or each by BackupShareMember"
    )
