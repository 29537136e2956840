"""BackupShare: exactly these recipients of one backup.

Authoritative, and opt-in: whoever else the backup is shared with shows as drift, and goes on the next `up`. Use
`BackupShareMember` where several programs or people share the same backup.

    GET    /v3/{project_id}/backups/{backup_id}/members
    POST   /v3/{project_id}/backups/{backup_id}/members                {"members": ["<project id>", …]}
    DELETE /v3/{project_id}/backups/{backup_id}/members/{dest_project_id}

Oddities of the API that show here:

* One POST adds several, and adds none if one of them is refused (inferred).
* There can be ten recipients; at the limit a removal has to come before an offer.
* A rejected offer still stands, so it goes before it is made again.
* A recipient with an image registered from the backup cannot be removed, so that is tried before anything is added.

What fails leaves no share that the state does not know: offers of the same call are taken back.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pulumi  # noqa: TC002 - the SDK resolves the annotations of a Resource at run time

from pulumi.dynamic import CheckFailure, CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult

from pulumi_cbr_sharing.cloud import say
from pulumi_cbr_sharing.errors import AlreadyShared, BackupNotFound, CbrSharingError
from pulumi_cbr_sharing.ids import trouble_with_project_id
from pulumi_cbr_sharing.lifecycle import (
    DEFAULT_WAIT,
    CbrProvider,
    CbrResource,
    is_unknown,
    trouble_with_wait,
    warn_of_plain_secrets,
)
from pulumi_cbr_sharing.live import REJECTED
from pulumi_cbr_sharing.members import MOST_RECIPIENTS


if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from pulumi_cbr_sharing.members import Member
    from pulumi_cbr_sharing.settings import Connection


OUTPUTS = ("statuses", "declared", "owner_project_id", "region")


class BackupShare(CbrResource, module="huaweicloud/cbr", name="BackupShare"):
    """One backup shared with exactly these projects.

    Args:
        resource_name: the name of the resource in the program.
        backup_id: the UUID of a backup in the project of the credentials. Another one replaces the share.
        dest_project_ids: 0 to 10 recipients, in any order; an empty list removes everybody.
        wait_for_backup: seconds that create waits for a backup that is still being made.
        connection: another account than that of `huaweicloud:*` and `HW_*`.
        opts: Pulumi's options.

    Attributes:
        dest_project_ids: whom the backup is shared with; after a refresh, the undeclared ones too.
        statuses: project id to `pending`, `accepted` or `rejected`.
        declared: whom the program named last; destroy cancels these and no other.
        owner_project_id: the project that shares.
        region: the region, as set.
    """

    backup_id: pulumi.Output[str]
    dest_project_ids: pulumi.Output[list[str]]
    statuses: pulumi.Output[dict[str, str]]
    declared: pulumi.Output[list[str]]
    owner_project_id: pulumi.Output[str]
    region: pulumi.Output[str | None]

    def __init__(
        self,
        resource_name: str,
        *,
        backup_id: pulumi.Input[str],
        dest_project_ids: pulumi.Input[Sequence[pulumi.Input[str]]],
        wait_for_backup: pulumi.Input[float] = DEFAULT_WAIT,
        connection: Connection | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        warn_of_plain_secrets(connection)
        inputs = {
            "backup_id": backup_id,
            "dest_project_ids": dest_project_ids,
            "wait_for_backup": wait_for_backup,
        }
        super().__init__(BackupShareProvider(connection), resource_name, {**dict.fromkeys(OUTPUTS), **inputs}, opts)


class BackupShareProvider(CbrProvider):
    """The lifecycle of a BackupShare. Its name and module are in the state of every stack: they stay."""

    def troubles(self, news: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Wrong shapes, twins, too many, and a share with oneself."""
        backup_id, project_ids = news.get("backup_id"), news.get("dest_project_ids")
        if trouble := self.trouble_with_shared(backup_id, "BackupShare"):
            yield "backup_id", trouble
        if not is_unknown(project_ids):
            yield from (("dest_project_ids", trouble) for trouble in self._troubles_with_projects(project_ids))
        if trouble := trouble_with_wait(news.get("wait_for_backup")):
            yield "wait_for_backup", trouble

    def _troubles_with_projects(self, project_ids: Any) -> Iterator[str]:
        if not isinstance(project_ids, list):
            yield "is no list: give a list of project ids, an empty one to share with nobody"
            return
        known = [project for project in project_ids if not is_unknown(project)]
        for project in known:
            if trouble := trouble_with_project_id(project):
                yield f"has an entry that {trouble}"
            elif project == self.own_project():
                yield _own(project)
        texts = [project for project in known if isinstance(project, str)]
        for project in sorted({text for text in texts if texts.count(text) > 1}):
            yield f"has {project} twice: name each recipient once"
        if len(project_ids) > MOST_RECIPIENTS:
            yield f"has {len(project_ids)} projects; a backup can be shared with at most {MOST_RECIPIENTS}"

    def refusals(self, news: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """A backup that cannot be shared; a warning of whoever is about to lose it."""
        plan, backup_id, project_ids = self.cloud.plan, news["backup_id"], news["dest_project_ids"]
        if is_unknown(backup_id):
            return
        if trouble := plan.trouble_with_backup(backup_id):
            yield "backup_id", trouble
        elif not is_unknown(project_ids):
            if self.own_project() in project_ids:  # which may be known only since the look at the backup
                yield "dest_project_ids", _own(self.own_project())
            if not any(map(is_unknown, project_ids)):
                plan.warn_of_undeclared(backup_id, project_ids)

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """As everywhere; and note what the program declares, which no older resource takes along when it goes."""
        checked = super().check(olds, news)
        if not checked.failures and (trouble := self._second_set(olds, news)):
            checked.failures.append(CheckFailure("backup_id", trouble))
        if not checked.failures:
            self.cloud.adopted.add(str(news["backup_id"]))
        return checked

    def _second_set(self, olds: Mapping[str, Any], news: Mapping[str, Any]) -> str | None:
        """What is wrong with two sets of one backup in one program: each would cancel the other's shares."""
        backup_id, project_ids = news["backup_id"], news["dest_project_ids"]
        if is_unknown(backup_id) or is_unknown(project_ids) or any(map(is_unknown, project_ids)):
            return None
        # The engine may check one resource more than once; then the recipients are those it came with, or had.
        there = _as_set(self.cloud.sets.get(backup_id, project_ids))
        if there not in (_as_set(project_ids), _as_set(olds.get("dest_project_ids"))):
            return (
                "is shared by another BackupShare in the same program, with other recipients, and each would cancel "
                "the other's: declare all its recipients in one"
            )
        self.cloud.sets[backup_id] = project_ids
        return None

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Another backup replaces. Other recipients than the live ones, or a rejected offer, are an update."""
        replaces = ["backup_id"] if olds.get("backup_id") != news.get("backup_id") else []
        rejected = REJECTED in (olds.get("statuses") or {}).values()
        moved = _as_set(olds.get("dest_project_ids")) != _as_set(news.get("dest_project_ids"))
        moved = moved or _as_set(olds.get("declared")) != _as_set(news.get("dest_project_ids"))
        return DiffResult(
            changes=bool(replaces) or rejected or moved or self.reconnected(olds, news),
            replaces=replaces,
            stables=["owner_project_id", "region"],
            delete_before_replace=False,
        )

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Make the live list the declared one."""
        return CreateResult(props["backup_id"], self._settle(props))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Whom the backup is shared with now, undeclared recipients among them; gone only with the backup."""
        self.guard(f"reading the shares of backup {id_}", props)
        try:
            live = self.cloud.shares.members(id_).all()
        except BackupNotFound:
            return ReadResult("", {})
        declared = props.get("declared") or []
        # The engine names the changed property, and its values only with --diff: a pipeline's log should have the ids.
        if undeclared := sorted(set(live) - set(declared)):
            say(f"warning: backup {id_} is shared with {', '.join(undeclared)}, too, which is not declared")
        if lost := sorted(set(declared) - set(live)):
            say(f"warning: backup {id_} is not shared any more with {', '.join(lost)}, which is declared")
        return ReadResult(id_, self._state(id_, live, declared))

    def update(self, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Make the live list the declared one, whatever the state remembers."""
        self.guard(f"changing the shares of backup {id_}", olds)
        return UpdateResult(self._settle(news))

    def delete(self, id_: str, props: dict[str, Any]) -> None:
        """Cancel the declared shares; what others made stays theirs."""
        self.guard(f"cancelling the shares of backup {id_}", props)
        # A renamed resource, or one that became BackupShareMembers: the new ones have the shares by now.
        if id_ in self.cloud.adopted:
            say(f"the shares of backup {id_} stay: another resource owns them now")
            return
        declared = props.get("declared") or []
        self._remove(id_, [project for project in declared if f"{id_}/{project}" not in self.cloud.adopted])

    def _settle(self, props: Mapping[str, Any]) -> dict[str, Any]:
        backup_id, declared = props["backup_id"], sorted(props.get("dest_project_ids") or [])
        live = self.cloud.shares.look(backup_id).all()
        wrong = [project for project, member in live.items() if project not in declared or member.status == REJECTED]
        missing = [project for project in declared if project not in live or live[project].status == REJECTED]
        # At the limit an offer needs the room that a removal makes; else nothing goes before the new one stands.
        if undeclared := sorted(set(live) - set(declared)):
            noun = "share" if len(undeclared) == 1 else "shares"
            say(f"cancelling {len(undeclared)} undeclared {noun} of backup {backup_id}: {', '.join(undeclared)}")
        crowded = len(live) + len(missing) > MOST_RECIPIENTS or any(project in wrong for project in missing)
        first = [project for project in wrong if crowded or live[project].image_id]
        last = [project for project in wrong if project not in first]
        try:
            self._remove(backup_id, first)
        except CbrSharingError:
            with suppress(CbrSharingError):  # the first error is told, and nobody undeclared stays for its sake
                self._remove(backup_id, last)
            raise
        added = self._add(backup_id, missing, float(props.get("wait_for_backup", DEFAULT_WAIT)))
        try:
            self._remove(backup_id, last)
        except CbrSharingError:
            self._take_back(backup_id, added)
            raise
        kept = {project: member for project, member in live.items() if project not in wrong}
        return self._state(backup_id, {**kept, **added}, declared)

    def _add(self, backup_id: str, project_ids: Sequence[str], wait: float) -> Mapping[str, Member]:
        """One POST for all that is missing; somebody who shared one of them meanwhile makes it two."""
        if not project_ids:
            return {}
        try:
            return self.cloud.shares.add(backup_id, project_ids, wait=wait)
        except AlreadyShared:
            live = self.cloud.shares.look(backup_id).all()
            there = {project: live[project] for project in project_ids if project in live}
            missing = [project for project in project_ids if project not in there]
            if not there:
                raise
            return {**there, **self._add(backup_id, missing, wait)}

    def _take_back(self, backup_id: str, added: Mapping[str, Member]) -> None:
        """Cancel what this call has made, because an error keeps it from being recorded."""
        mine = [project for project, member in added.items() if member.id in self.cloud.shares.made]
        try:
            self._remove(backup_id, mine)
        except CbrSharingError:
            say(f"warning: backup {backup_id} stays shared with {', '.join(mine)}, which is not recorded: run it again")

    def _remove(self, backup_id: str, project_ids: Collection[str]) -> None:
        if not project_ids:
            return
        with ThreadPoolExecutor(len(project_ids)) as pool:
            outcomes = [pool.submit(self.cloud.shares.remove, backup_id, project) for project in project_ids]
        for outcome in outcomes:  # all were tried before the first that failed is told
            outcome.result()

    def _state(self, backup_id: str, live: Mapping[str, Member], declared: Collection[str]) -> dict[str, Any]:
        """The one place where live shares become the resource's properties."""
        return {
            "backup_id": backup_id,
            "dest_project_ids": sorted(live),
            "statuses": {project: live[project].status for project in sorted(live)},
            "declared": sorted(declared),
            "owner_project_id": self.cloud.client.project_id,
            "region": self.cloud.client.settings.region,
        }


def _own(project: str | None) -> str:
    return f"has {project}, the project that owns the backup: give recipients only"


def _as_set(project_ids: Any) -> frozenset[str] | str:
    """Recipients for comparison: order means nothing, and an unknown list differs from every known one."""
    return frozenset(project_ids or ()) if isinstance(project_ids, list) or project_ids is None else str(project_ids)
