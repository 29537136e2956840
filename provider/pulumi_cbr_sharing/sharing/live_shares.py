"""The members of a backup: read once, and changed so that no share is made twice or lost.

All resources of a run share one list of a backup's members: the first one that needs it fetches it, the others wait for
it. A change drops the list.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pulumi_cbr_sharing.cbr.backups import wait_until_available
from pulumi_cbr_sharing.cbr.members import add_members, get_member, list_members, remove_member
from pulumi_cbr_sharing.errors import (
    BackupNotAvailable,
    BackupNotFound,
    ImageRegistered,
    MemberNotFound,
    UnexpectedAnswer,
)


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pulumi_cbr_sharing.cbr.members import Member, MemberList
    from pulumi_cbr_sharing.http.client import Client


REJECTED = "rejected"
MOST_TRIES = 3  # to share a backup that is available, but is refused as not available


class LiveShares:
    """The members of backups in the client's project; safe for many threads."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def members(self, backup_id: str) -> MemberList:
        """The members of a backup, at most half a minute old.

        Raises:
            BackupNotFound: there is no such backup, so it is shared with nobody.
        """
        return self._client.cached(list_members, backup_id)

    def look(self, backup_id: str) -> MemberList:
        """The members of a backup as they are now."""
        self._client.forget(list_members, backup_id)
        return self.members(backup_id)

    def add(self, backup_id: str, project_ids: Sequence[str], *, wait: float) -> Mapping[str, Member]:
        """Share a backup with projects in one POST; if the backup is still being made, wait for it first.

        Args:
            backup_id: the backup.
            project_ids: projects that it is not shared with.
            wait: the longest time to wait, in seconds.

        Returns:
            The new members by project.

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
                self._client.forget(list_members, backup_id)

    def remove(self, backup_id: str, project_id: str) -> None:
        """Cancel a share; success if it is gone already.

        Raises:
            ImageRegistered: the error names the image that the recipient must delete first.
        """
        try:
            remove_member(self._client, backup_id, project_id)
        except (MemberNotFound, BackupNotFound):
            return
        except ImageRegistered as refusal:
            raise self._with_image(refusal, backup_id, project_id) from None
        except UnexpectedAnswer:
            # Not the service's 204, but the page of a proxy, say: the share may still be there.
            if self._is_there(backup_id, project_id):
                raise
        finally:
            self._client.forget(list_members, backup_id)

    def _new_members(self, backup_id: str, project_ids: Sequence[str]) -> Mapping[str, Member] | None:
        """The members, if all are there. A rejected one is an older record, which no request of this run made."""
        live = self.look(backup_id)
        found = {project: member for project in project_ids if (member := live.get(project))}
        whole = len(found) == len(project_ids) and REJECTED not in {one.status for one in found.values()}
        return found if whole else None

    def _is_there(self, backup_id: str, project_id: str) -> bool:
        try:
            return self.look(backup_id).get(project_id) is not None
        except BackupNotFound:
            return False

    def _with_image(self, refusal: ImageRegistered, backup_id: str, project_id: str) -> ImageRegistered:
        try:
            image = get_member(self._client, backup_id, project_id).image_id
        except Exception:  # noqa: BLE001 - the image is only a hint in the message
            image = None
        return refusal.again(remedy=f"the recipient must delete image {image} first") if image else refusal
