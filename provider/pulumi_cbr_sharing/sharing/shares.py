"""The recipients of backups: read once, and changed so that no share is made twice or lost.

All resources of a run share one list of a backup's members: the first one that needs it fetches it, the others wait for
it. A change drops the list.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeVar

from pulumi_cbr_sharing.cbr.backups import wait_until_available
from pulumi_cbr_sharing.cbr.members import MOST_RECIPIENTS, add_members, get_member, list_members, remove_member
from pulumi_cbr_sharing.errors import (
    AlreadyShared,
    BackupNotAvailable,
    BackupNotFound,
    CbrSharingError,
    ImageRegistered,
    MemberNotFound,
    TooManyRecipients,
    UnexpectedAnswer,
    WrongRecipient,
)


if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence

    from pulumi_cbr_sharing.cbr.api import Listing
    from pulumi_cbr_sharing.cbr.members import Member
    from pulumi_cbr_sharing.http.client import Client


T = TypeVar("T")
U = TypeVar("U")
Change = Literal["shared", "already", "again"]
REJECTED = "rejected"
MOST_TRIES = 3  # somebody else may change the same backup between a list and a POST, but hardly three times


class Shares:
    """The shares of backups of the client's project; safe for many threads."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def find(self, backup_id: str, project_id: str) -> Member | None:
        """The member of a project, at most half a minute old; None only if there is definitely none."""
        try:
            return self._client.cache.get(*self._question(backup_id)).get(project_id)
        except BackupNotFound:
            return None

    def all_of(self, backup_id: str) -> Mapping[str, Member] | None:
        """All members of a backup, at most half a minute old; None if there is no such backup."""
        try:
            return self._client.cache.get(*self._question(backup_id)).all()
        except BackupNotFound:
            return None

    def look(self, backup_id: str) -> Listing[Member]:
        """The members of a backup as they are now; BackupNotFound if there is no such backup."""
        self._forget(backup_id)
        return self._client.cache.get(*self._question(backup_id))

    def settle(self, backup_id: str, wanted: Sequence[str], *, exactly: bool = False, wait: float) -> Settled:
        """Share a backup with these recipients, and with no others if `exactly`; returns what is done, with the errors.

        A share that is there stays as it is. A rejected one is cancelled and offered again, because the service keeps
        its record and refuses a second offer (6703). One POST adds all that are missing; if one of them is wrong
        (6704), each is offered the share by itself. New shares come before cancelled ones, except on a backup that has
        ten recipients. A recipient who registered an image from the backup cannot be removed (6710), perhaps for weeks:
        everything else is done all the same. `wait` is the longest time to wait for a backup in the making, in seconds.
        """
        done = Settled(self, backup_id, wait)
        try:
            done.settle(wanted, exactly=exactly)
        except CbrSharingError as error:
            done.errors.append(error)
        return done

    def add(self, backup_id: str, project_ids: Sequence[str], *, wait: float) -> Mapping[str, Member]:
        """Share a backup with projects in one POST; returns the new members by project.

        If the backup is still being made, `wait` is how many seconds to wait for it.

        Raises:
            AlreadyShared: it is shared with one of them already.
            WaitTimeout, BackupNotAvailable: the backup does not become available.
        """
        look = partial(self._new_members, backup_id, project_ids)
        ends, tries = self._client.clock.now() + wait, 0
        while True:
            tries += 1
            try:
                return add_members(self._client, backup_id, project_ids, look=look)
            except BackupNotAvailable as refusal:
                if tries == MOST_TRIES:
                    raise
                wait_until_available(self._client, backup_id, refusal, max(0.0, ends - self._client.clock.now()))
            finally:
                self._forget(backup_id)

    def remove(self, backup_id: str, project_id: str) -> None:
        """Cancel a share; success if it is gone already. ImageRegistered names the image to be deleted first."""
        try:
            remove_member(self._client, backup_id, project_id)
        except (MemberNotFound, BackupNotFound):
            return
        except ImageRegistered as refusal:
            raise self._with_image(refusal, backup_id, project_id) from None
        except UnexpectedAnswer:
            # Not the service's 204, but the page of a proxy, say: the share may still be there.
            self._forget(backup_id)
            if self.find(backup_id, project_id):
                raise
        finally:
            self._forget(backup_id)

    def remove_all(self, backup_id: str, project_ids: Collection[str]) -> dict[str, CbrSharingError]:
        """Cancel shares at the same time; returns the errors by project."""
        errors = {}
        with ThreadPoolExecutor(MOST_RECIPIENTS, thread_name_prefix="cbr-sharing") as pool:
            removals = {one: pool.submit(copy_context().run, self.remove, backup_id, one) for one in project_ids}
        for project, removal in removals.items():
            try:
                removal.result()
            except CbrSharingError as error:  # noqa: PERF203 - the others are waited for, too
                errors[project] = error
        return errors

    def _question(self, backup_id: str) -> tuple[Hashable, Callable[[], Listing[Member]]]:
        return ("members", backup_id), partial(list_members, self._client, backup_id)

    def _forget(self, backup_id: str) -> None:
        self._client.cache.drop(("members", backup_id))

    def _new_members(self, backup_id: str, project_ids: Sequence[str]) -> Mapping[str, Member] | None:
        """The members, if all are there. A rejected one is an older record, which no request of this run made."""
        live = self.look(backup_id)
        found = {project: member for project in project_ids if (member := live.get(project))}
        whole = len(found) == len(project_ids) and REJECTED not in {one.status for one in found.values()}
        return found if whole else None

    def _with_image(self, refusal: ImageRegistered, backup_id: str, project_id: str) -> ImageRegistered:
        try:
            image = get_member(self._client, backup_id, project_id).image_id
        except Exception:  # noqa: BLE001 - the image is only a hint in the message
            image = None
        return refusal.again(remedy=f"the recipient must delete image {image} first") if image else refusal


@dataclass
class Settled:
    """What has become of the recipients of a backup.

    Attributes:
        shares, backup_id, wait: see `Shares.settle`.
        members: those who have the share now, by project.
        changes: for each of them, whether it is new, was there already, or was rejected and is offered again.
        cancelled: projects whose shares are cancelled.
        errors: what could not be done; the first is the reason for the others.
    """

    shares: Shares
    backup_id: str
    wait: float
    members: dict[str, Member] = field(default_factory=dict)
    changes: dict[str, Change] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)
    errors: list[CbrSharingError] = field(default_factory=list)

    def offered(self) -> list[str]:
        """The projects that the backup was offered to."""
        return [project for project, change in self.changes.items() if change != "already"]

    def news(self, *, recorded: Collection[str]) -> Iterator[str]:
        """What to tell the user, once; `recorded` are recipients of the same resource in an earlier run."""
        found = [project for project, change in self.changes.items() if change == "already" and project not in recorded]
        if found and not self.errors:
            shared = ", ".join(since(self.members[project]) for project in found)
            yield f"adopted: backup {self.backup_id} is shared with {shared}; destroying this resource cancels that"
        if again := [project for project, change in self.changes.items() if change == "again"]:
            yield f"backup {self.backup_id} is offered again to {', '.join(again)}, because it was rejected"
        if self.cancelled:
            noun = "share" if len(self.cancelled) == 1 else "shares"
            names = ", ".join(sorted(self.cancelled))
            yield f"cancelled {len(self.cancelled)} undeclared {noun} of backup {self.backup_id}: {names}"

    def settle(self, wanted: Sequence[str], *, exactly: bool) -> None:
        """Do it; try again if somebody else changes the backup at the same time."""
        live = self.shares.look(self.backup_id).all()
        for tries_left in reversed(range(MOST_TRIES)):
            self.errors.clear()
            try:
                self._once(wanted, live, exactly=exactly)
                break
            except (AlreadyShared, TooManyRecipients) as refusal:
                live = self.shares.look(self.backup_id).all()
                found = live.keys() & (set(wanted) - self.members.keys())
                others = exactly and live.keys() - set(wanted)
                if not tries_left or not (isinstance(refusal, AlreadyShared) or found or others):
                    raise

    def _once(self, wanted: Sequence[str], live: Mapping[str, Member], *, exactly: bool) -> None:
        left = [project for project in wanted if project not in self.members]
        missing = [project for project in left if project not in live]
        rejected = [project for project in left if project in live and live[project].status == REJECTED]
        there = {project: live[project] for project in left if project in live and project not in rejected}
        self._has(there, "already")
        undeclared = [project for project in live if exactly and project not in wanted]
        is_full = len(live) + len(missing) > MOST_RECIPIENTS
        if is_full:
            self._cancel(undeclared)
        self._offer(missing, "shared")
        failed = self.shares.remove_all(self.backup_id, rejected)
        self.errors += failed.values()
        self._offer([one for one in rejected if one not in failed], "again")
        if not is_full:
            self._cancel(undeclared)

    def _offer(self, project_ids: Sequence[str], change: Change) -> None:
        if not project_ids:
            return
        try:
            self._has(self.shares.add(self.backup_id, project_ids, wait=self.wait), change)
        except WrongRecipient as refusal:
            if len(project_ids) == 1:
                self.errors.append(refusal)
                return
            live = self.shares.look(self.backup_id).all()  # whether the others were added is not documented
            there = {one: live[one] for one in project_ids if one in live and live[one].status != REJECTED}
            self._has(there, change)
            for project in [one for one in project_ids if one not in there]:  # only this tells which one is wrong
                self._offer([project], change)

    def _has(self, members: Mapping[str, Member], change: Change) -> None:
        self.members |= members
        self.changes |= dict.fromkeys(members, change)

    def _cancel(self, project_ids: Collection[str]) -> None:
        failed = self.shares.remove_all(self.backup_id, project_ids)
        self.errors += failed.values()
        self.cancelled |= set(project_ids) - failed.keys()


def since(member: Member) -> str:
    """Who has a share, since when, and the answer to it."""
    return f"{member.dest_project_id} since {member.created_at or 'an unknown time'} ({member.status})"


def both(call: Callable[[], T], other: Callable[[], U]) -> tuple[T, U]:
    """Make two calls at the same time."""
    with ThreadPoolExecutor(1, thread_name_prefix="cbr-sharing") as pool:
        others = pool.submit(copy_context().run, other)
        return call(), others.result()
