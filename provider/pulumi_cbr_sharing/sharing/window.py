"""Which backups are shared, or kept by the recipient. Both sides use the same rules, so that they agree."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from operator import attrgetter
from typing import TYPE_CHECKING, Literal, get_args

from pulumi_cbr_sharing.errors import one_line
from pulumi_cbr_sharing.freshness import Newest, newest_of, too_old


if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from pulumi_cbr_sharing.cbr.backups import Backup


OnStale = Literal["warn", "error"]


@dataclass(frozen=True)
class Window:
    """The rules that decide which backups are in the window.

    Attributes:
        keep: how many backups of each server or disk.
        name_prefix: only backups whose names start with this.
        before, after: only backups that were made before, or after, this time.
    """

    keep: int
    name_prefix: str | None = None
    before: datetime | None = None
    after: datetime | None = None

    def of(
        self,
        backups: Iterable[Backup],
        resource_ids: Sequence[str] | None = None,
        place: Callable[[Backup], Backup | None] = lambda backup: backup,
    ) -> list[Backup]:
        """The newest `keep` matching backups of each server or disk; each owner's are counted separately.

        Args:
            backups: newest first.
            resource_ids: only these servers or disks; None for all.
            place: finds the vault of a backup; one without a vault takes no place in the window.
        """
        taken, found = Counter[tuple[str, str]](), list["Backup"]()
        for backup in backups:
            free = taken[backup.resource] < self.keep
            if free and self.passes(backup, resource_ids) and (placed := place(backup)):
                taken[backup.resource] += 1
                found.append(placed)
        return found

    def passes(self, backup: Backup, resource_ids: Sequence[str] | None) -> bool:
        """Whether a backup matches."""
        return (
            backup.whole  # also during a restore: leaving it out would cancel its shares
            and (resource_ids is None or backup.resource_id in resource_ids)
            and backup.name.startswith(self.name_prefix or "")
            and (self.before is None or backup.created < self.before)
            and (self.after is None or backup.created > self.after)
        )


@dataclass(frozen=True)
class Chosen:
    """The backups in a window.

    Attributes:
        backups: newest first; for the recipient, `vault_id` is the vault that each belongs in.
        warnings: for the user.
        pending: the ids of those that the recipient still has to accept.
    """

    backups: list[Backup]
    warnings: list[str]
    pending: Collection[str] = frozenset()


@dataclass(frozen=True)
class Rolling:
    """The arguments that VaultShare and ReceivedBackups have in common.

    Attributes:
        keep, name_prefix: as in `Window`.
        older_than, newer_than: a time (UTC if it has no zone), or an age.
        max_age: how old the newest backup of a server or disk may be.
        on_stale: whether an older one is a warning or an error.
    """

    keep: int
    name_prefix: str | None = None
    older_than: datetime | timedelta | None = None
    newer_than: datetime | timedelta | None = None
    max_age: timedelta | None = None
    on_stale: OnStale = "warn"

    @property
    def trouble(self) -> str | None:
        """What is wrong with an argument."""
        keep, prefix = self.keep, self.name_prefix
        if not isinstance(keep, int) or isinstance(keep, bool) or keep < 1:
            return f"keep is {keep!r}: give a number of backups, 1 or more"
        if prefix is not None and not isinstance(prefix, str):
            return f"name_prefix is of type {type(prefix).__name__}: give a string"
        for name in ("older_than", "newer_than"):
            if not isinstance(getattr(self, name), (datetime, timedelta, type(None))):
                return f"{name} is of type {type(getattr(self, name)).__name__}: give a datetime or a timedelta"
        if not isinstance(self.max_age, (timedelta, type(None))):
            return f"max_age is of type {type(self.max_age).__name__}: give a timedelta"
        if self.on_stale not in get_args(OnStale):
            return f'on_stale is {one_line(self.on_stale, 30)!r}: give "warn" or "error"'
        return None

    def window(self, now: datetime) -> Window:
        """The window. Ages are counted from now."""
        return Window(self.keep, self.name_prefix, _moment(self.older_than, now), _moment(self.newer_than, now))

    def stale(self, backups: Iterable[Backup], now: datetime, resource_ids: Sequence[str] | None = None) -> list[str]:
        """A sentence for each server or disk whose newest backup is older than `max_age`, or missing.

        Args:
            backups: the backups in the window.
            now: the current time.
            resource_ids: servers and disks that must have a backup; None if none must.
        """
        if self.max_age is None:
            return []
        newest = newest_of_each(backups)
        missing = [one for one in resource_ids or () if one not in {resource for _, resource in newest}]
        several = len({owner for owner, _ in newest}) > 1
        found = [Newest(f"of {one}", None) for one in missing]
        found += [_newest(backup, with_owner=several) for backup in newest.values()]
        told = [too_old(one, self.max_age, now) for one in found or [Newest("at all", None)]]
        return [sentence for sentence in told if sentence]


def newest_of_each(backups: Iterable[Backup]) -> dict[tuple[str, str], Backup]:
    """The newest usable backup of each server or disk, by owner and id."""
    whole = (backup for backup in backups if backup.whole)
    return newest_of(whole, attrgetter("resource"), attrgetter("order"))


def newest_at(backups: Iterable[Backup]) -> dict[str, str]:
    """When the newest backup of each server or disk was made ("" if unknown), by `{owner_project_id}/{resource_id}`."""
    return {"/".join(key): backup.created_at for key, backup in newest_of_each(backups).items()}


def _newest(backup: Backup, *, with_owner: bool) -> Newest:
    name, resource = backup.resource_name, backup.resource_id
    which = f"of {name} ({resource})" if name else f"of {resource}"
    owner = f" of project {backup.project_id}" if with_owner else ""
    return Newest(which + owner, backup.created_at, backup.id)


def _moment(given: datetime | timedelta | None, now: datetime) -> datetime | None:
    if isinstance(given, timedelta):
        return now - given
    return given.replace(tzinfo=timezone.utc) if given and given.tzinfo is None else given
