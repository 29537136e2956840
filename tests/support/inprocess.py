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
from doors import DOOR, TOKENS, NativeProvider
from pulumi_cbr_sharing import Connection
from pulumi_cbr_sharing.http.retry import Clock
from pulumi_cbr_sharing.resources.accepter import BackupShareAccepterProvider
from pulumi_cbr_sharing.resources.share import BackupShareProvider
from pulumi_cbr_sharing.resources.share_member import BackupShareMemberProvider
from pulumi_cbr_sharing.settings.credentials import Password, Secret
from pulumi_cbr_sharing.settings.resolve import Settings, resolve
from pulumi_cbr_sharing.sharing.ledger import Ledger
from pulumi_cbr_sharing.sharing.session import Session


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pulumi_cbr_sharing.emulator import Emulator


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
DYNAMIC = {"member": BackupShareMemberProvider, "share": BackupShareProvider, "accepter": BackupShareAccepterProvider}


@dataclass
class Run:
    """One run of the engine: providers of all resources, with two connections to the same account.

    A kind of resource is `member`, `share` or `accepter`, with `@dr` behind it by the second connection, `@other` by
    another process, such as that of another version, and `@native` by the native plugin, where each account is a
    process of its own.

    Attributes:
        recipient: the settings of accepters.
        door: what comes behind a kind without an @.
    """

    settings: Settings
    clock: Clock | None = None
    news: list[str] = field(default_factory=list)
    recipient: Settings | None = None
    door: str = field(default_factory=DOOR.get)

    def __post_init__(self) -> None:
        self._engine = uuid4().hex
        self._ledgers: dict[str, Ledger] = {}
        self._sessions: dict[tuple[bool, str], Session] = {}
        self._providers: dict[str, Any] = {}
        self.member, self.share = self.provider("member"), self.provider("share")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the connections open, for the runs that follow in this process."""
        for ledger in self._ledgers.values():
            ledger.close()

    def provider(self, kind: str) -> Any:
        """What serves a kind of resource."""
        if kind not in self._providers:
            what, _, at = (kind if "@" in kind else kind + self.door).partition("@")
            session = self._session(at, receiving=what == "accepter")
            self._providers[kind] = (
                NativeProvider(TOKENS[what], lambda: session)
                if at == "native"
                else DYNAMIC[what](SECOND if at == "dr" else None, open_session=lambda *_: session)
            )
        return self._providers[kind]

    def _session(self, at: str, *, receiving: bool) -> Session:
        if (receiving, at) not in self._sessions:
            settings = self.recipient or self.settings if receiving else self.settings
            ledger = self._ledger(f"native {receiving}" if at == "native" else at.replace("dr", ""))
            self._sessions[receiving, at] = Session(
                settings, say=self.news.append, clock=self.clock, ledger=ledger, records_half_done=at == "native"
            )
        return self._sessions[receiving, at]

    def _ledger(self, process: str) -> Ledger:
        if process not in self._ledgers:
            self._ledgers[process] = Ledger(self._engine)
        return self._ledgers[process]

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
