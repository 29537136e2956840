"""VaultShare: the newest backups of a vault, shared with projects. Run nightly, the window rolls.

    GET /v3/{project_id}/backups?vault_id={vault_id}    one list a run; all else is done by BackupShareMember

A component: it looks up which backups are in the window and makes one BackupShareMember for each of them and each
recipient. Their names hold the backup's id and the recipient's, so at the next run what stays in the window is left
untouched, what left it is cancelled, what came is shared, and the plan shows it.

What may surprise:

* The lookup runs at preview and at up. A backup that is made in between is in the second plan only.
* A backup that is just being restored from counts: cancelling its shares for that time would take the recipients'
  accepted copies away.
* Resources that depend on a lookup are made inside an `apply` where `vault_id` and the like are Outputs.
"""

from __future__ import annotations

import asyncio

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, cast

import pulumi

from pulumi_cbr_sharing.cbr.backups import AVAILABLE
from pulumi_cbr_sharing.cbr.members import MOST_RECIPIENTS
from pulumi_cbr_sharing.ids import trouble_with_project_id, trouble_with_vault_id
from pulumi_cbr_sharing.resources.lookups import LookupFailed, get_backups
from pulumi_cbr_sharing.resources.share_member import BackupShareMember


if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Iterator, Sequence

    from pulumi_cbr_sharing.cbr.backups import Backup
    from pulumi_cbr_sharing.settings.connection import Connection


TYPE = "huaweicloud:cbr:VaultShare"  # the SDK takes the package from a token of three parts; it is in URNs: it stays
WHOLE = frozenset({AVAILABLE, "restoring", "waiting_restore"})


class VaultShare(pulumi.ComponentResource):
    """The newest backups of each resource in a vault, shared with projects.

    With plain values the shares are made directly, and every plan shows them. Where `vault_id`, `dest_project_ids` or
    `resource_ids` is an Output, they are made inside its `apply`: a preview in which it is unknown (the vault is made
    by the same run) shows none of them. Prefer plain values where you have them.

    Args:
        resource_name: the name of the component in the program; the shares' names begin with it.
        vault_id: a vault of the project of the credentials. Backups that were received by sharing are left out.
        dest_project_ids: the recipients, ten at the most.
        keep: how many backups of each resource are shared, the newest ones that pass all filters; 1 or more.
        resource_ids: only backups of these servers or disks; None for all in the vault.
        name_prefix: only backups whose names begin so.
        older_than: only backups made before: a moment (without zone it is UTC), or how long ago.
        newer_than: only backups made after: likewise.
        allow_empty: let there be nothing to share, which cancels all shares of earlier runs; else that is an error.
        connection: another account than that of `huaweicloud:*` and `HW_*`.
        opts: Pulumi's options. With `protect`, which the shares inherit, none can leave the window.

    Attributes:
        backup_ids: the backups in the window, newest first.
        shares: `{backup_id}/{dest_project_id}` to the share's status.

    Raises:
        LookupFailed: nothing to share, the cloud did not answer, or said no. No share is touched then.
        pulumi.RunError: an argument is wrong.
    """

    backup_ids: pulumi.Output[list[str]]
    shares: pulumi.Output[dict[str, str]]

    def __init__(
        self,
        resource_name: str,
        *,
        vault_id: pulumi.Input[str],
        dest_project_ids: pulumi.Input[Sequence[pulumi.Input[str]]],
        keep: int = 3,
        resource_ids: pulumi.Input[Sequence[pulumi.Input[str]]] | None = None,
        name_prefix: str | None = None,
        older_than: datetime | timedelta | None = None,
        newer_than: datetime | timedelta | None = None,
        allow_empty: bool = False,
        connection: Connection | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        now = datetime.now(timezone.utc)
        self._called, self._prefix = f"VaultShare {resource_name}", resource_name
        if trouble := _trouble_with_arguments(keep, name_prefix, older_than, newer_than):
            raise pulumi.RunError(f"{self._called}: {trouble}")
        self._window = Window(keep, name_prefix, _moment(older_than, now), _moment(newer_than, now))
        self._allow_empty, self._connection = allow_empty, connection
        super().__init__(TYPE, resource_name, {}, opts)
        given = {"vault_id": vault_id, "dest_project_ids": dest_project_ids, "resource_ids": resource_ids}
        if all(map(_is_plain, given.values())):
            found = self._look_up(given)
            self.backup_ids = pulumi.Output.from_input([backup.id for backup in found])
            self.shares = self._share(found, given, None)
        else:
            self._share_when_known(pulumi.Output.all(**given))
        self.register_outputs({"backup_ids": self.backup_ids, "shares": self.shares})

    def _share_when_known(self, given: pulumi.Output[dict[str, Any]]) -> None:
        def look_up(known: dict[str, Any]) -> Awaitable[list[Backup]]:
            return asyncio.to_thread(self._look_up, known)

        found: pulumi.Output[list[Backup]] = given.apply(look_up)
        self.backup_ids = found.apply(lambda backups: [backup.id for backup in backups])
        self.shares = pulumi.Output.all(found, given).apply(lambda pair: self._share(pair[0], pair[1], given))

    def _look_up(self, known: dict[str, Any]) -> list[Backup]:
        """The backups in the window.

        Raises:
            LookupFailed: there are none.
        """
        if trouble := _trouble_with_ids(known, allow_empty=self._allow_empty):
            raise pulumi.RunError(f"{self._called}: {trouble}")
        backups = get_backups(vault_id=known["vault_id"], connection=self._connection)
        found = self._window.of(backups, known["resource_ids"])
        if not found and not self._allow_empty:
            raise LookupFailed(
                f"{self._called}: of the {len(backups)} backups in vault {known['vault_id']}, none is available and "
                "passes the filters; sharing none would cancel the shares of earlier runs: check vault_id, project and "
                "filters, or give allow_empty=True"
            )
        self._tell_missing({backup.resource_id for backup in found}, known["resource_ids"])
        return found

    def _tell_missing(self, found: set[str], wanted: Sequence[str] | None) -> None:
        if missing := [one for one in wanted or () if one not in found]:
            pulumi.log.warn(f"{self._called}: no backup to share of {', '.join(missing)}")

    def _share(
        self, backups: Iterable[Backup], known: dict[str, Any], origin: pulumi.Output[Any] | None
    ) -> pulumi.Output[dict[str, str]]:
        """One child for each backup and recipient; returns their statuses by their ids."""
        pairs = [(backup.id, project) for backup in backups for project in known["dest_project_ids"]]
        made = {f"{backup_id}/{project}": self._child(backup_id, project, origin) for backup_id, project in pairs}
        if not made:  # of nothing, `all` makes a list
            return pulumi.Output.from_input({})
        return cast("pulumi.Output[dict[str, str]]", pulumi.Output.all(**{id_: made[id_].status for id_ in made}))

    def _child(self, backup_id: str, project_id: str, origin: pulumi.Output[Any] | None) -> BackupShareMember:
        # By way of its origin the id depends on the vault's resource: destroyed in order, the share goes first.
        wired = backup_id if origin is None else origin.apply(lambda _: backup_id)
        return BackupShareMember(
            f"{self._prefix}-{backup_id}-{project_id}",
            backup_id=wired,
            dest_project_id=project_id,
            connection=self._connection,
            opts=pulumi.ResourceOptions(parent=self),
        )


@dataclass(frozen=True)
class Window:
    """Which backups of a vault are shared.

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
        """The newest `keep` of each resource among those that pass, in the order given: newest first."""
        taken: dict[str, int] = {}
        found = []
        for backup in backups:
            count = taken.get(backup.resource_id, 0)
            if count < self.keep and self._passes(backup, resource_ids):
                taken[backup.resource_id] = count + 1
                found.append(backup)
        return found

    def _passes(self, backup: Backup, resource_ids: Sequence[str] | None) -> bool:
        return (
            backup.status in WHOLE
            and (resource_ids is None or backup.resource_id in resource_ids)
            and backup.name.startswith(self.name_prefix or "")
            and (self.before is None or backup.created < self.before)
            and (self.after is None or backup.created > self.after)
        )


def _moment(given: datetime | timedelta | None, now: datetime) -> datetime | None:
    if isinstance(given, timedelta):
        return now - given
    return given.replace(tzinfo=timezone.utc) if given and given.tzinfo is None else given


def _is_plain(value: Any) -> bool:
    """Whether a value is known now, with all that is in it."""
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, str)


def _trouble_with_arguments(keep: Any, prefix: Any, older_than: Any, newer_than: Any) -> str | None:
    if not isinstance(keep, int) or isinstance(keep, bool) or keep < 1:
        return f"keep is {keep!r}: give a number of backups, 1 or more"
    if prefix is not None and not isinstance(prefix, str):
        return f"name_prefix is of type {type(prefix).__name__}: give a text"
    for name, value in (("older_than", older_than), ("newer_than", newer_than)):
        if not isinstance(value, (datetime, timedelta, type(None))):
            return f"{name} is of type {type(value).__name__}: give a datetime or a timedelta"
    return None


def _trouble_with_ids(known: dict[str, Any], *, allow_empty: bool) -> str | None:
    vault_id, projects, resources = (known[name] for name in ("vault_id", "dest_project_ids", "resource_ids"))
    if trouble := trouble_with_vault_id(vault_id):
        return f"vault_id {trouble}"
    if not isinstance(resources, (list, tuple, type(None))) or not all(isinstance(one, str) for one in resources or ()):
        return "resource_ids is no list of ids: give one, or None for all in the vault"
    return next((f"dest_project_ids {trouble}" for trouble in _troubles_with_recipients(projects, allow_empty)), None)


def _troubles_with_recipients(projects: Any, allow_empty: bool) -> Iterator[str]:  # noqa: FBT001
    if not isinstance(projects, (list, tuple)):
        yield f"is no list but of type {type(projects).__name__}: give a list of project ids"
        return
    yield from (f"has an entry that {trouble}" for trouble in map(trouble_with_project_id, projects) if trouble)
    if len(set(projects)) < len(projects):
        yield "has a project twice: name each recipient once"
    if len(projects) > MOST_RECIPIENTS:
        yield f"has {len(projects)} projects; a backup can be shared with at most {MOST_RECIPIENTS}"
    if not projects and not allow_empty:
        yield "is empty, which would cancel the shares of earlier runs: give recipients, or allow_empty=True"
