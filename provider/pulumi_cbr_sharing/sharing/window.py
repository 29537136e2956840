"""The window: which backups are shared, or kept as the recipient. The same rules on both sides, so that they fit."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Literal, get_args

from pulumi_cbr_sharing.cbr.backups import AVAILABLE
from pulumi_cbr_sharing.errors import one_line


if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pulumi_cbr_sharing.cbr.backups import Backup


OnStale = Literal["warn", "error"]
# A backup that is just being restored from counts: to leave it out would take the recipients' copies away.
WHOLE = frozenset({AVAILABLE, "restoring", "waiting_restore"})


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
            backup.status in WHOLE
            and (resource_ids is None or backup.resource_id in resource_ids)
            and backup.name.startswith(self.name_prefix or "")
            and (self.before is None or backup.created < self.before)
            and (self.after is None or backup.created > self.after)
        )


@dataclass
class Counting:
    """A window that is filled with one backup after the other, newest first.

    The resource of a received backup is told by its owner, so each owner's resources are counted apart.
    """

    window: Window
    resource_ids: Sequence[str] | None = None
    _taken: dict[tuple[str, str], int] = field(default_factory=dict)

    def has_place_for(self, backup: Backup) -> bool:
        """Whether a backup passes, and there is a place left for its resource."""
        taken = self._taken.get((backup.project_id, backup.resource_id), 0)
        return taken < self.window.keep and self.window.passes(backup, self.resource_ids)

    def take(self, backup: Backup) -> bool:
        """Give a backup its place."""
        key = (backup.project_id, backup.resource_id)
        self._taken[key] = self._taken.get(key, 0) + 1
        return True


def window_of(
    *,
    keep: int,
    name_prefix: str | None,
    older_than: datetime | timedelta | None,
    newer_than: datetime | timedelta | None,
    now: datetime,
) -> Window:
    """The window that a program asks for; ages count from now."""
    return Window(keep, name_prefix, _moment(older_than, now), _moment(newer_than, now))


def trouble_with_window(**arguments: Any) -> str | None:
    """What is wrong with `keep`, `name_prefix`, `older_than`, `newer_than`, `max_age` or `on_stale`."""
    keep, prefix = arguments["keep"], arguments["name_prefix"]
    if not isinstance(keep, int) or isinstance(keep, bool) or keep < 1:
        return f"keep is {keep!r}: give a number of backups, 1 or more"
    if prefix is not None and not isinstance(prefix, str):
        return f"name_prefix is of type {type(prefix).__name__}: give a text"
    for name in ("older_than", "newer_than"):
        if not isinstance(arguments[name], (datetime, timedelta, type(None))):
            return f"{name} is of type {type(arguments[name]).__name__}: give a datetime or a timedelta"
    if not isinstance(arguments["max_age"], (timedelta, type(None))):
        return f"max_age is of type {type(arguments['max_age']).__name__}: give a timedelta"
    if arguments["on_stale"] not in get_args(OnStale):
        return f'on_stale is {one_line(arguments["on_stale"], 30)!r}: give "warn" or "error"'
    return None


def stale(
    backups: Sequence[Backup], max_age: timedelta, now: datetime, resource_ids: Sequence[str] | None = None
) -> list[str]:
    """A sentence for each resource whose newest backup is older than `max_age`, or that has none.

    Args:
        backups: newest first.
        max_age: how old the newest may be.
        now: the present moment in UTC.
        resource_ids: what has to have one; None for whatever has.
    """
    newest = _newest(backups)
    missing = [one for one in resource_ids or () if one not in {resource for _, resource in newest}]
    nothing = ["there is no backup at all"] if not backups and not missing else []
    old = [backup for backup in newest.values() if now - backup.created > max_age]
    sentences = [*nothing, *(f"there is no backup of {one}" for one in missing), *(_too_old(one, now) for one in old)]
    return [f"{sentence}, and max_age is {age_in_words(max_age)}" for sentence in sentences]


def newest_at(backups: Iterable[Backup]) -> dict[str, str]:
    """When the newest backup of each resource was made, by `{owner's project}/{resource}`; "" where nobody says.

    Args:
        backups: newest first.
    """
    return {"/".join(key): backup.created_at for key, backup in _newest(backups).items()}


def _newest(backups: Iterable[Backup]) -> dict[tuple[str, str], Backup]:
    newest: dict[tuple[str, str], Backup] = {}
    for backup in backups:
        newest.setdefault((backup.project_id, backup.resource_id), backup)
    return newest


def _too_old(backup: Backup, now: datetime) -> str:
    made = backup.created_at or "at an unknown time"
    age = age_in_words(now - backup.created)
    return f"the newest backup of {_named(backup)} is {age} old ({backup.id}, made {made})"


def age_in_words(age: timedelta) -> str:
    """`3.5 days`, or `7.0 hours` where it is less than two days."""
    hours = age.total_seconds() / 3600
    return f"{hours / 24:.1f} days" if hours >= 48 else f"{hours:.1f} hours"  # noqa: PLR2004


def _named(backup: Backup) -> str:
    return f"{backup.resource_name} ({backup.resource_id})" if backup.resource_name else backup.resource_id


def _moment(given: datetime | timedelta | None, now: datetime) -> datetime | None:
    if isinstance(given, timedelta):
        return now - given
    return given.replace(tzinfo=timezone.utc) if given and given.tzinfo is None else given
