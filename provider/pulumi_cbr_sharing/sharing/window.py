"""The window: which backups are shared, or kept as the recipient. The same rules on both sides, so that they fit."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from operator import attrgetter
from typing import TYPE_CHECKING, Literal, get_args

from pulumi_cbr_sharing.errors import one_line
from pulumi_cbr_sharing.freshness import Newest, newest_of, too_old


if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pulumi_cbr_sharing.cbr.backups import Backup


OnStale = Literal["warn", "error"]


@dataclass(frozen=True)
class Window:
    """Which backups are in the window.

    Attributes:
        keep: how many of each resource.
        name_prefix: what their names begin with.
        before, after: moments in UTC that they were made before and after.
    """

    keep: int
    name_prefix: str | None = None
    before: datetime | None = None
    after: datetime | None = None

    def of(self, backups: Iterable[Backup], resource_ids: Sequence[str] | None = None) -> list[Backup]:
        """The newest `keep` of each resource among those that pass.

        Args:
            backups: newest first.
            resource_ids: servers or disks; None for all.
        """
        counting = Counting(self, resource_ids)
        return [backup for backup in backups if counting.has_place_for(backup) and counting.take(backup)]

    def passes(self, backup: Backup, resource_ids: Sequence[str] | None) -> bool:
        """Whether a backup is one of those that are counted."""
        return (
            backup.whole  # also while it is restored from: to leave it out would take the recipients' copies away
            and (resource_ids is None or backup.resource_id in resource_ids)
            and backup.name.startswith(self.name_prefix or "")
            and (self.before is None or backup.created < self.before)
            and (self.after is None or backup.created > self.after)
        )


@dataclass
class Counting:
    """A window that is filled with one backup after the other, newest first; each owner's resources apart."""

    window: Window
    resource_ids: Sequence[str] | None = None
    _taken: dict[tuple[str, str], int] = field(default_factory=dict)

    def has_place_for(self, backup: Backup) -> bool:
        """Whether a backup passes, and there is a place left for its resource."""
        taken = self._taken.get(backup.resource, 0)
        return taken < self.window.keep and self.window.passes(backup, self.resource_ids)

    def take(self, backup: Backup) -> bool:
        """Give a backup its place."""
        self._taken[backup.resource] = self._taken.get(backup.resource, 0) + 1
        return True


@dataclass(frozen=True)
class Rolling:
    """What a program says of a window that rolls.

    Attributes:
        keep, name_prefix: as in the window.
        older_than, newer_than: a moment (without zone it is UTC), or how long ago.
        max_age: how old the newest backup of a resource may be.
        on_stale: what follows if it is older.
    """

    keep: int
    name_prefix: str | None = None
    older_than: datetime | timedelta | None = None
    newer_than: datetime | timedelta | None = None
    max_age: timedelta | None = None
    on_stale: OnStale = "warn"

    @property
    def trouble(self) -> str | None:
        """What is wrong with it."""
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
        """The window; ages count from now."""
        return Window(self.keep, self.name_prefix, _moment(self.older_than, now), _moment(self.newer_than, now))

    def stale(self, backups: Iterable[Backup], now: datetime, resource_ids: Sequence[str] | None = None) -> list[str]:
        """A sentence for each resource whose newest backup is older than `max_age`, or that has none.

        Args:
            backups: those in the window.
            now: the present moment in UTC.
            resource_ids: what has to have one; None for whatever has.
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
    """The newest backup of each resource that one could recover from."""
    whole = (backup for backup in backups if backup.whole)
    return newest_of(whole, attrgetter("resource"), attrgetter("order"))


def newest_at(backups: Iterable[Backup]) -> dict[str, str]:
    """When the newest backup of each resource was made, by `{owner's project}/{resource}`; "" where nobody says."""
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
