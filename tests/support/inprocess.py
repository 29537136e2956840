"""Runs of the providers in the test's own process: hundreds in the time that a plugin takes to start.

What differs from the plugin is only how a provider comes by its session: a `Run` makes a fresh one, as each process
of the plugin does, with a clock that the test chooses.
"""

from __future__ import annotations

import threading

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from typing_extensions import Self

from clouds import environment
from pulumi_cbr_sharing import Connection
from pulumi_cbr_sharing.http.retry import Clock
from pulumi_cbr_sharing.resources.accepter import BackupShareAccepterProvider
from pulumi_cbr_sharing.resources.share import BackupShareProvider
from pulumi_cbr_sharing.resources.share_member import BackupShareMemberProvider
from pulumi_cbr_sharing.settings.credentials import Password, Secret
from pulumi_cbr_sharing.settings.resolve import Settings, resolve
from pulumi_cbr_sharing.sharing.journal import Journal
from pulumi_cbr_sharing.sharing.ledger import Ledger
from pulumi_cbr_sharing.sharing.session import Session


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pulumi_cbr_sharing.emulator import Emulator
    from pulumi_cbr_sharing.resources.dynamic import CbrProvider


@dataclass
class FakeTime:
    """Time that passes only when somebody sleeps; good for many threads."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def sleep(self, seconds: float) -> None:
        """Pass."""
        with self._lock:
            self.slept.append(seconds)
            self.now += seconds

    @property
    def clock(self) -> Clock:
        """As the client sees it."""
        return Clock(lambda: self.now, self.sleep)


def settings_of(emulator: Emulator, account: str = "sharer", **changes: Any) -> Settings:
    """Settings that lead to an account of the emulated cloud, with some fields changed."""
    return replace(resolve(Connection(), config={}, environ=environment(emulator, account)), **changes)


def password_of(emulator: Emulator, account: str = "sharer") -> Password:
    """The credential of the account's user."""
    owner = emulator.account(account)
    return Password(owner.user_name, None, owner.name, None, Secret(owner.password), "the test")


def session_of(
    settings: Settings,
    clock: Clock | None = None,
    say: Callable[[str], None] | None = None,
    ledger: Ledger | None = None,
) -> Session:
    """What a process of the plugin has of an account when it starts."""
    return Session(settings, say=say or (lambda _: None), clock=clock, ledger=ledger)


SECOND = Connection(namespace="dr")


@dataclass
class Run:
    """One run of the engine: providers of all resources, with two connections to the same account.

    A kind of resource is `member`, `share` or `accepter`, with `@dr` behind it by the second connection, and `@other`
    by another process, such as that of a second provider instance. Attribute `recipient`: the settings of accepters.
    """

    settings: Settings
    clock: Clock | None = None
    news: list[str] = field(default_factory=list)
    recipient: Settings | None = None

    def __post_init__(self) -> None:
        engine = uuid4().hex
        self._journals = [Journal(engine), Journal(engine)]
        ledger, others = map(Ledger, self._journals)
        self.session, second, other = (
            session_of(self.settings, self.clock, self.news.append, ledger=one) for one in (ledger, ledger, others)
        )
        receiving = session_of(self.recipient or self.settings, self.clock, self.news.append, ledger=ledger)
        self.member = BackupShareMemberProvider(open_session=lambda *_: self.session)
        self.share = BackupShareProvider(open_session=lambda *_: self.session)
        self.providers: dict[str, CbrProvider] = {
            "member": self.member,
            "share": self.share,
            "member@dr": BackupShareMemberProvider(SECOND, open_session=lambda *_: second),
            "share@dr": BackupShareProvider(SECOND, open_session=lambda *_: second),
            "member@other": BackupShareMemberProvider(open_session=lambda *_: other),
            "share@other": BackupShareProvider(open_session=lambda *_: other),
            "accepter": BackupShareAccepterProvider(open_session=lambda *_: receiving),
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the connections open, for the runs that follow in this process."""
        for journal in self._journals:
            journal.close()

    def create(self, backup_id: str, project_id: str, **inputs: Any) -> dict[str, Any]:
        """Share a backup with a project; returns the state of the resource."""
        props = {"backup_id": backup_id, "dest_project_id": project_id, **inputs}
        return dict(self.member.create(props).outs or {})

    def read(self, state: Mapping[str, Any]) -> dict[str, Any] | None:
        """Refresh a share; None if it is gone."""
        live = self.member.read(id_of(state), dict(state))
        return dict(live.outs or {}) if live.id else None

    def delete(self, state: Mapping[str, Any]) -> None:
        """Cancel a share."""
        self.member.delete(id_of(state), dict(state))


def id_of(state: Mapping[str, Any]) -> str:
    """The id of a BackupShareMember."""
    return f"{state['backup_id']}/{state['dest_project_id']}"
