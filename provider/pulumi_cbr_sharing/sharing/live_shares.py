"""The live shares as this process knows them: read once a backup, changed so that nothing is doubled or lost.

All members of a backup come from one list, which the resources of a run share: whoever asks first fetches it, the
others wait for it, and a change made here drops it.
"""

from __future__ import annotations

import threading

from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pulumi_cbr_sharing.cbr.backups import wait_until_available
from pulumi_cbr_sharing.cbr.members import MemberList, add_members, get_member, list_members, remove_member
from pulumi_cbr_sharing.errors import (
    AlreadyShared,
    BackupNotAvailable,
    BackupNotFound,
    ImageRegistered,
    MemberNotFound,
    UnexpectedAnswer,
)


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pulumi_cbr_sharing.cbr.members import Member
    from pulumi_cbr_sharing.http.client import Client


FRESH = 30.0  # seconds that a list serves a run
REJECTED = "rejected"


@dataclass
class _Flight:
    """One fetch of a list: under way, or landed at a time."""

    result: Future[MemberList] = field(default_factory=Future)
    landed: float | None = None


class LiveShares:
    """The members of backups in the client's project; safe for many threads.

    Attributes:
        made: ids of the records that this process made.
    """

    def __init__(self, client: Client) -> None:
        self.made: set[str | None] = set()
        self._client = client
        self._flights: dict[str, _Flight] = {}
        self._lock = threading.Lock()

    def members(self, backup_id: str) -> MemberList:
        """The members of a backup, at most `FRESH` seconds old.

        Raises:
            BackupNotFound: there is no such backup, so no share of it either.
            CbrSharingError: it cannot be told; all who waited for the same answer get the same error.
        """
        flight, mine = self._flight(backup_id)
        if mine:
            self._fly(flight, backup_id)
        return flight.result.result()

    def look(self, backup_id: str) -> MemberList:
        """The members of a backup as they are now."""
        self._forget(backup_id)
        return self.members(backup_id)

    def add(self, backup_id: str, project_ids: Sequence[str], *, wait: float) -> Mapping[str, Member]:
        """Share a backup with projects by one POST, and wait for the backup first if it is still being made.

        Args:
            backup_id: the backup.
            project_ids: projects that it is not shared with yet.
            wait: seconds to wait at the most.

        Raises:
            AlreadyShared: somebody shared it with one of them before.
            WaitTimeout, BackupNotAvailable: it does not become available.
        """
        clock = self._client.clock
        ends = clock.now() + wait
        for last in (False, False, True):  # available when looked at, and refused once more: not for ever
            try:
                return self._post(backup_id, project_ids)
            except BackupNotAvailable as refusal:  # noqa: PERF203 - three tries at the most
                if last:
                    raise
                wait_until_available(self._client, backup_id, refusal, max(0.0, ends - clock.now()))
        raise AssertionError("the last try returns or raises")

    def remove(self, backup_id: str, project_id: str) -> None:
        """Cancel a share; one that is gone already is as good as cancelled.

        Raises:
            ImageRegistered: names the image that the recipient has to delete first.
        """
        try:
            remove_member(self._client, backup_id, project_id)
        except (MemberNotFound, BackupNotFound):
            return
        except ImageRegistered as refusal:
            raise self._with_image(refusal, backup_id, project_id) from None
        except UnexpectedAnswer:
            # Some success that is not the 204 of this service: a proxy's page must not hide a live share.
            if self._is_there(backup_id, project_id):
                raise
        finally:
            self._forget(backup_id)

    def _post(self, backup_id: str, project_ids: Sequence[str]) -> Mapping[str, Member]:
        look = _Look(lambda: self._found(backup_id, project_ids))
        try:
            added = add_members(self._client, backup_id, project_ids, look=look)
        except AlreadyShared:
            # The first try had its effect after all, later than we looked.
            if look.asked and (late := self._found(backup_id, project_ids)):
                return late
            raise
        finally:
            self._forget(backup_id)
        if not all(project in added for project in project_ids):
            added = self._found_or_raise(backup_id, project_ids)
        self.made.update(member.id for member in added.values() if member.id)
        return added

    def _found(self, backup_id: str, project_ids: Sequence[str]) -> Mapping[str, Member] | None:
        """The members if all are there; a rejected one is an older record, which no POST of ours made."""
        live = self.look(backup_id)
        found = {project: live.get(project) for project in project_ids}
        good = {project: member for project, member in found.items() if member and member.status != REJECTED}
        return good if len(good) == len(found) else None

    def _found_or_raise(self, backup_id: str, project_ids: Sequence[str]) -> Mapping[str, Member]:
        found = self._found(backup_id, project_ids)
        if found is None:
            raise UnexpectedAnswer(
                f"sharing backup {backup_id} with project {', '.join(project_ids)}: the service said yes, but neither "
                "its answer nor its list has the share: run it again"
            )
        return found

    def _is_there(self, backup_id: str, project_id: str) -> bool:
        try:
            return self.look(backup_id).get(project_id) is not None
        except BackupNotFound:
            return False

    def _with_image(self, refusal: ImageRegistered, backup_id: str, project_id: str) -> ImageRegistered:
        try:
            image = get_member(self._client, backup_id, project_id).image_id
        except Exception:  # noqa: BLE001 - the refusal is what matters; its image is a help
            image = None
        return refusal.again(remedy=f"the recipient must delete image {image} first") if image else refusal

    def _flight(self, backup_id: str) -> tuple[_Flight, bool]:
        with self._lock:
            flight = self._flights.get(backup_id)
            if flight and (flight.landed is None or self._client.clock.now() - flight.landed < FRESH):
                return flight, False
            flight = self._flights[backup_id] = _Flight()
            return flight, True

    def _fly(self, flight: _Flight, backup_id: str) -> None:
        try:
            flight.result.set_result(list_members(self._client, backup_id))
        except BackupNotFound as gone:  # an answer like another: good for all its members
            flight.result.set_exception(gone)
        except BaseException as error:  # noqa: BLE001 - those who wait must not wait for ever
            self._forget(backup_id, flight)
            flight.result.set_exception(error)
        flight.landed = self._client.clock.now()

    def _forget(self, backup_id: str, flight: _Flight | None = None) -> None:
        with self._lock:
            if flight is None or self._flights.get(backup_id) is flight:
                self._flights.pop(backup_id, None)


class _Look:
    """A look at the live list that remembers whether it was ever asked for."""

    def __init__(self, look: Callable[[], Mapping[str, Member] | None]) -> None:
        self._look, self.asked = look, False

    def __call__(self) -> Mapping[str, Member] | None:
        self.asked = True
        return self._look()
