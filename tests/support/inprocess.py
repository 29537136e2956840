"""Runs of the providers in the test's own process: hundreds in the time that a plugin takes to start.

What differs from the plugin is only how a provider comes by its Cloud: a `Run` makes a fresh one, as each process
of the plugin does, with a clock that the test chooses.
"""

from __future__ import annotations

import threading

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from typing_extensions import Self

from clouds import environment
from pulumi_cbr_sharing import Connection
from pulumi_cbr_sharing.http.client import Client
from pulumi_cbr_sharing.http.retry import Clock
from pulumi_cbr_sharing.resources.share import BackupShareProvider
from pulumi_cbr_sharing.resources.share_member import BackupShareMemberProvider
from pulumi_cbr_sharing.settings.credentials import Password, Secret
from pulumi_cbr_sharing.settings.resolve import Settings, resolve
from pulumi_cbr_sharing.sharing.live_shares import LiveShares
from pulumi_cbr_sharing.sharing.preflight import PlanChecks
from pulumi_cbr_sharing.sharing.session import Cloud


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


def fresh_cloud(settings: Settings, clock: Clock | None = None, notify: Callable[[str], None] | None = None) -> Cloud:
    """What a process of the plugin has of an account when it starts."""
    cloud = Cloud(settings)
    cloud.client = Client(settings, clock=clock, notify=notify or (lambda _: None))
    cloud.shares, cloud.plan = LiveShares(cloud.client), PlanChecks(cloud.client)
    return cloud


@dataclass
class Run:
    """One run of the engine: providers of both resources with one fresh Cloud."""

    settings: Settings
    clock: Clock | None = None
    news: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cloud = fresh_cloud(self.settings, self.clock, self.news.append)
        self.member = BackupShareMemberProvider()
        self.share = BackupShareProvider()
        self.member._cloud = self.share._cloud = self.cloud
        self.member._settings = self.share._settings = self.settings

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.cloud.client.close()

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
