"""Which backups are shared, or kept by the recipient. Both sides use the same rules, so that they agree.

`to_share` is what VaultShare asks; `received.to_accept` is what ReceivedBackups asks.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal, get_args

from pulumi_cbr_sharing.cbr.backups import list_backups
from pulumi_cbr_sharing.cbr.vaults import get_vault
from pulumi_cbr_sharing.errors import NotFound, PermissionDenied, Refused, one_line
from pulumi_cbr_sharing.ids import VAULT
from pulumi_cbr_sharing.sharing.inputs import trouble_with_recipients
from pulumi_cbr_sharing.sharing.shares import both
from pulumi_cbr_sharing.timestamps import Newest, newest_of, too_old


if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from pulumi_cbr_sharing.cbr.backups import Backup
    from pulumi_cbr_sharing.http.client import Client


OnStale = Literal["warn", "error"]
_TIME = (datetime, timedelta), "a datetime or a timedelta"
_KINDS: Mapping[str, tuple[Any, str]] = {
    "name_prefix": (str, "a string"),
    "older_than": _TIME,
    "newer_than": _TIME,
    "max_age": (timedelta, "a timedelta"),
    "allow_empty": (bool, "True or False"),
}
OFFER_WAIT = 10.0  # seconds for an offer that a lookup has just seen


@dataclass(frozen=True)
class Window:
    """The rules that decide which backups are in the window, as the components describe them; ages count from `now`."""

    keep: int = 3
    name_prefix: str | None = None
    older_than: datetime | timedelta | None = None
    newer_than: datetime | timedelta | None = None
    max_age: timedelta | None = None
    on_stale: OnStale = "warn"
    allow_empty: bool = False
    now: datetime = field(default_factory=lambda: datetime.now(timezone.utc))

    @property
    def trouble(self) -> str | None:
        """What is wrong with an argument."""
        if not isinstance(self.keep, int) or isinstance(self.keep, bool) or self.keep < 1:
            return f"keep is {self.keep!r}: give a number of backups, 1 or more"
        if self.on_stale not in get_args(OnStale):
            return f'on_stale is {one_line(self.on_stale, 30)!r}: give "warn" or "error"'
        longest = self.now - datetime(1, 1, 2, tzinfo=timezone.utc)
        for name, (kinds, wanted) in _KINDS.items():
            given = getattr(self, name)
            if given is not None and not isinstance(given, kinds):
                return f"{name} is of type {type(given).__name__}: give {wanted}"
            if isinstance(given, timedelta) and not timedelta(0) <= given <= longest:
                return f"{name} is {one_line(given)}: give an age from 0 to {longest.days} days"
        return None

    def choose(
        self,
        backups: Iterable[Backup],
        resource_ids: Sequence[str] | None = None,
        place: Callable[[Backup], Backup | None] = lambda backup: backup,
    ) -> Chosen:
        """The newest `keep` matching backups of each server or disk; each owner's are counted separately.

        `backups` are newest first; one that does not tell its server or disk is counted alone. If there are
        `resource_ids`, only these count, and each must have one. `place` finds the vault of a backup; one without a
        vault takes no place in the window.
        """
        taken, found = Counter[tuple[str, str]](), list["Backup"]()
        for backup in backups:
            of = (backup.project_id, backup.resource_id or backup.id)
            if taken[of] < self.keep and not self.against(backup, resource_ids) and (placed := place(backup)):
                taken[of] += 1
                found.append(placed)
        missing = sorted(set(resource_ids or ()) - {backup.resource_id for backup in found})
        warnings = [f"no backup of {', '.join(missing)} is in the window"] if missing else []
        return Chosen(found, warnings, self.stale(found, resource_ids))

    def against(self, backup: Backup, resource_ids: Collection[str] | None) -> str | None:
        """Which filter a backup does not pass, as the end of a sentence; None if it passes all."""
        before, after = self._moment(self.older_than), self._moment(self.newer_than)
        if not backup.whole:  # whole also during a restore: leaving it out would cancel its shares
            return f"in status {backup.status or 'unknown'}"
        if resource_ids is not None and backup.resource_id not in resource_ids:
            return "of a server or disk that is not in resource_ids"
        if not (backup.raw_name or backup.name).startswith(self.name_prefix or ""):
            return f"named otherwise than {one_line(self.name_prefix, 60)!r}…"
        if before and backup.created >= before:
            return f"not older than {before:%Y-%m-%dT%H:%M}"
        if after and backup.created <= after:
            return f"not newer than {after:%Y-%m-%dT%H:%M}"
        return None

    def left_out(self, backups: Iterable[Backup], resource_ids: Collection[str] | None) -> str:
        """How many backups were left out for which reason: `, 3 in status error`."""
        reasons = Counter(filter(None, (self.against(backup, resource_ids) for backup in backups)))
        return "".join(f", {number} {reason}" for reason, number in reasons.most_common())

    def stale(self, backups: Iterable[Backup], resource_ids: Sequence[str] | None = None) -> list[str]:
        """A sentence for each server or disk whose newest backup in the window is older than `max_age`, or missing."""
        if self.max_age is None:
            return []
        newest = newest_of_each(backups)
        missing = [one for one in resource_ids or () if one not in {resource for _, resource in newest}]
        found = [Newest(f"of {one}", None) for one in missing]
        found += [Newest(f"of {name}", newest[of].created_at, newest[of].id) for of, name in _names(newest).items()]
        told = [too_old(one, self.max_age, self.now) for one in found or [Newest("at all", None)]]
        return [sentence for sentence in told if sentence]

    def _moment(self, given: datetime | timedelta | None) -> datetime | None:
        if isinstance(given, timedelta):
            return self.now - given
        return given.replace(tzinfo=timezone.utc) if given and given.tzinfo is None else given


@dataclass(frozen=True)
class Chosen:
    """The backups in a window.

    Attributes:
        backups: newest first; for the recipient, `vault_id` is the vault that each belongs in.
        warnings: for the user.
        stale: a sentence for each server or disk whose newest backup is too old; an error if `on_stale` says so, but
            only when the backups have been declared.
        pending: the ids of those that the recipient still has to accept.
    """

    backups: list[Backup]
    warnings: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    pending: Collection[str] = frozenset()

    @property
    def backup_ids(self) -> list[str]:
        """Their ids, newest first."""
        return [backup.id for backup in self.backups]

    @property
    def newest_at(self) -> dict[str, str]:
        """When the newest backup of each server or disk was made, by `{owner_project_id}/{resource_id}`."""
        return {"/".join(key): backup.created_at for key, backup in newest_of_each(self.backups).items()}

    @property
    def summary(self) -> list[str]:
        """A line for each server or disk, for a preview: the names of the shares say nothing to a reader."""
        many = defaultdict[tuple[str, str], list["Backup"]](list)
        for backup in self.backups:
            many[backup.resource].append(backup)
        names = _names({of: backups[0] for of, backups in many.items()})
        return [
            f"{names[of]}: " + ", ".join(f"{one.id} of {one.created_at or 'an unknown time'}" for one in backups)
            for of, backups in many.items()
        ]


# The names of children. They are in URNs, so they must not change: only ids stay the same over all runs.
def share_name(component: str, backup: Backup, project_id: str) -> str:
    """What a VaultShare calls the share of a backup."""
    return f"{component}-{backup.id}-{project_id}"


def accepter_name(component: str, backup: Backup) -> str:
    """What a ReceivedBackups calls the accepter of a backup."""
    return f"{component}-{backup.id}"


# GET /v3/{project_id}/backups?vault_id=…, and at the same time GET /v3/{project_id}/vaults/{vault_id}
def to_share(
    client: Client, window: Window, *, vault_id: Any, dest_project_ids: Any, resource_ids: Any = None
) -> Chosen:
    """The backups of a vault that a VaultShare shares; `dest_project_ids` are only checked.

    Raises:
        Refused: an argument is wrong, or there is nothing to share, although the window may not be empty.
        CbrSharingError: a lookup failed.
    """
    projects = list(dest_project_ids) if isinstance(dest_project_ids, tuple) else dest_project_ids
    trouble = trouble_with_recipients(projects)
    if not projects and not trouble and not window.allow_empty:
        trouble = "is empty, which would cancel the shares of earlier runs: give recipients, or allow_empty=True"
    check(window, resource_ids, {"vault_id": VAULT.trouble_with(vault_id), "dest_project_ids": trouble})
    backups, exists = both(partial(list_backups, client, vault_id=vault_id), partial(_known_of_vault, client, vault_id))
    chosen = window.choose(backups, resource_ids)
    if chosen.backups or window.allow_empty:
        return chosen
    raise Refused(
        f"there is nothing to share: vault {vault_id} {exists}, and {len(backups)} backups of project "
        f"{client.project_id} are in it{window.left_out(backups, resource_ids)}. Sharing nothing would cancel the "
        "shares of earlier runs: check vault_id, project and filters, or give allow_empty=True"
    )


def check(window: Window, resource_ids: Any, troubles: Mapping[str, str | None]) -> None:
    """Refuse the first argument that there is trouble with; nothing has been sent yet."""
    if trouble := window.trouble:
        raise Refused(trouble)
    for name, trouble in {**troubles, "resource_ids": _trouble_with_resources(resource_ids)}.items():
        if trouble:
            raise Refused(f"{name} {trouble}")


def _trouble_with_resources(resources: Any) -> str | None:
    if isinstance(resources, (list, tuple, type(None))) and all(isinstance(one, str) for one in resources or ()):
        return None
    return "is not a list of ids: give one, or None for all"


def _known_of_vault(client: Client, vault_id: str) -> str:
    """Whether the vault exists.

    Raises:
        Refused: it holds replicas.
    """
    try:
        trouble = get_vault(client, vault_id).against(None)
    except NotFound:
        return f"does not exist in project {client.project_id}"
    except PermissionDenied:  # sharing needs no permission to read vaults
        return "may exist or not (reading it is not permitted)"
    if trouble:
        raise Refused(f"vault_id {vault_id} {trouble}, which are copies from another region: give the originals' vault")
    return "exists"


def newest_of_each(backups: Iterable[Backup]) -> dict[tuple[str, str], Backup]:
    """The newest usable backup of each server or disk, by owner and id."""
    whole = (backup for backup in backups if backup.whole)
    return newest_of(whole, attrgetter("resource"), attrgetter("order"))


def _names(backups: Mapping[tuple[str, str], Backup]) -> dict[tuple[str, str], str]:
    """What messages call the servers and disks of backups: `web (11111111-…)`, with the owner if there are several."""
    several = len({owner for owner, _ in backups}) > 1
    names = {}
    for (owner, resource), backup in backups.items():
        name = backup.resource_name
        which = f"{name} ({resource})" if name and resource else resource or name or "an unknown server or disk"
        names[owner, resource] = f"{which} of project {owner}" if several else which
    return names
