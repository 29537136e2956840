"""One account in one region: how to call it, what is live there, what the program declares, what a preview asks.

A preview asks each thing once, with short time-outs, and nothing if plan checks are switched off. A problem is what the
service is known to refuse. If the cloud gives no answer, that is a warning: no preview fails because the network or a
permission is missing. A refused credential does fail it, because asking again might lock it.
"""

from __future__ import annotations

import threading

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from pulumi_cbr_sharing.cbr.backups import get_backup
from pulumi_cbr_sharing.errors import (
    ApiError,
    CbrSharingError,
    CredentialRefused,
    NotFound,
    ServerFault,
    SettingsError,
    Throttled,
    UnexpectedAnswer,
    Unreachable,
    WrongProject,
    one_line,
)
from pulumi_cbr_sharing.http.client import Client
from pulumi_cbr_sharing.sharing.ledger import Ledger
from pulumi_cbr_sharing.sharing.shares import REJECTED, Shares, both, since


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pulumi_cbr_sharing.cbr.members import Member
    from pulumi_cbr_sharing.settings.resolve import Settings
    from pulumi_cbr_sharing.sharing.acceptance import Acceptance
    from pulumi_cbr_sharing.sharing.member import Share
    from pulumi_cbr_sharing.sharing.recipient_set import RecipientSet


T = TypeVar("T")
# After one of these, the cloud is not asked again in this run's previews.
_OUT_OF_REACH = (Unreachable, ServerFault, Throttled, UnexpectedAnswer)
_UNCHECKED = "the preview is not checked against the cloud"


class Session:
    """One account in one region, for one run; safe for many threads.

    Args:
        settings: the account and the region.
        say: shows the user a line while the run goes on.
        ledger: what the program declares; all sessions of a run share it.
        records_half_done: whether the state can record what was made before a create failed.
        client: arguments for the client, such as a `clock`.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        say: Callable[[str], None],
        ledger: Ledger | None = None,
        records_half_done: bool = False,
        **client: Any,
    ) -> None:
        self.settings, self.say, self.ledger = settings, say, ledger or Ledger()
        self.records_half_done = records_half_done
        self.client = Client(settings, notify=say, **client)
        self.shares = Shares(self.client)
        self._told: set[str] = set()
        self._out_of_reach = False
        self._lock = threading.Lock()

    def tell(self, text: str, once_for: str | None = None) -> None:
        """Show a line, once in a run for each text, or for each `once_for`."""
        with self._lock:
            told = (once_for or text) in self._told
            self._told.add(once_for or text)
        if not told:
            self.say(text)

    def warn_if_alone(self) -> None:
        """Before something is given up: warn, once, if it is not known what other processes declare."""
        if trouble := self.ledger.trouble:
            self.tell(
                f"warning: a share that another provider of this program declares may be cancelled: there is no folder "
                f"to exchange it in ({trouble}): set TMPDIR to a folder of your own",
                once_for="alone",
            )

    def guard(
        self,
        doing: str,
        recorded: Share | RecipientSet | Acceptance,
        project_id: str | None,
        found: Callable[[], bool],
    ) -> None:
        """Make sure that the settings are of the recorded region, project and cloud; WrongProject if they are not.

        Elsewhere a live share looks gone: it would be dropped from the state, but still be there. Another endpoint may
        lead to the same cloud, which has what the state records; `found` looks for that.
        """
        for what, was, present in (
            ("region", recorded.region, self.settings.region),
            ("project", project_id, self.client.project_id),
        ):
            if was and present and was != present:
                raise WrongProject(
                    f"{doing}: the state records {what} {was}, but the settings are of {what} {present}: "
                    f"use the credentials and settings of {what} {was}; nothing was sent and the state is kept"
                )
        if recorded.endpoint not in (None, self.settings.cbr) and not found():
            raise WrongProject(
                f"{doing}: the state records the endpoint {recorded.endpoint}, but the settings have "
                f"{self.settings.cbr}, where it is not found: use the recorded endpoint, or, if that cloud no longer "
                "exists, remove the resource from the state with `pulumi state delete`; the state is kept"
            )

    def ask(
        self,
        look: Callable[..., T],
        *given: object,
        final: tuple[type[CbrSharingError], ...] = (NotFound,),
        otherwise: str = _UNCHECKED,
    ) -> T | None:
        """What `look(client, *given)` reads, for a preview; None, and a warning, if there is no answer.

        Errors in `final` are raised, and a refused credential or wrong settings: all later calls would fail, too.
        `otherwise` tells in the warning what follows from having no answer.
        """
        if self._out_of_reach or not self.settings.plan_checks:
            return None
        try:
            return self.client.brief.cached(look, *given)
        except CbrSharingError as error:
            if isinstance(error, (CredentialRefused, SettingsError, *final)):
                raise
            if isinstance(error, _OUT_OF_REACH):
                self._out_of_reach = True
                rest, reason = "; the other checks are skipped, too", "out of reach"  # said once, whatever the error
            else:
                rest, reason = "", f"{otherwise}: {error.reason if isinstance(error, ApiError) else type(error)}"
            self.tell(f"warning: {otherwise}: {error}{rest}", once_for=reason)
            return None

    def foreseen(self, backup_id: str) -> tuple[str | None, Mapping[str, Member]]:
        """Why a backup cannot be shared, as the end of a sentence, and whom it is shared with; both as far as known."""
        try:
            look = partial(self.ask, get_backup, backup_id), partial(self.ask, _members_of, backup_id)
            backup, members = both(*look)
        except NotFound:
            return f"{self.not_there}; when a backup is deleted or expires, its shares are gone, too", {}
        if backup and backup.project_id not in ("", self.client.known_project_id):
            owner = one_line(backup.project_id, 40)
            return f"is a received backup, which cannot be shared again: let its owner, project {owner}, share it", {}
        return None, members or {}

    def tell_ahead(self, backup_id: str, there: Iterable[Member]) -> None:
        """Tell what an update does with shares that are there."""
        for one in there:
            if one.status == REJECTED:
                self.tell(f"backup {backup_id} was rejected by {one.dest_project_id}: the update offers it again")
            else:
                self.tell(f"backup {backup_id} is shared with {since(one)}: the update adopts that")

    def unrecorded(self, text: str) -> str:
        """What the user has to know of what was half done; nothing where the state records that."""
        return "" if self.records_half_done else text

    @property
    def place(self) -> dict[str, Any]:
        """What every state records of the settings."""
        return {"region": self.settings.region, "endpoint": self.settings.cbr}

    @property
    def not_there(self) -> str:
        """What is wrong with an id that the account does not have, as the end of a sentence."""
        return f"does not exist in project {self.client.known_project_id}: check the id, the region and the project"


def _members_of(client: Client, backup_id: str) -> Mapping[str, Member] | None:
    return Shares(client).all_of(backup_id)
