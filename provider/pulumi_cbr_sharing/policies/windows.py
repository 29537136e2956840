"""What a policy sees of a window of backups: how old the newest backup of each server or disk in it is.

The moment at which a backup was made is in the outputs of no share. The components that look backups up register it,
as `newest_at`: `{owner's project}/{resource}` to a moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.policies.rules import Finding, Unchecked
from pulumi_cbr_sharing.policies.values import Unknown, properties_of, shown


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pulumi_policy import PolicyResource, ResourceValidationArgs

    from pulumi_cbr_sharing.policies.rules import Judge


TOKENS = frozenset({"huaweicloud:cbr:VaultShare", "huaweicloud:cbr:ReceivedBackups"})
OUTPUT = "newest_at"
WAY_OUT = "let `pulumi up` run with the present version of pulumi-cbr-sharing"


@dataclass(frozen=True)
class BackupWindow:
    """A component that shares, or accepts, the newest backups of a vault.

    Attributes:
        label: how messages call it.
        name: what the program calls it.
        urn: what the engine calls it.
        newest_at: when the newest backup of each resource was made, as the component registered it.
    """

    label: str
    name: str
    urn: str
    newest_at: Any


def windows_of(resource: ResourceValidationArgs | PolicyResource) -> list[BackupWindow]:
    """The window that a resource is; empty if it is something else."""
    if resource.resource_type not in TOKENS:
        return []
    label = f"{resource.resource_type.rpartition(':')[2]} '{shown(resource.name)}'"
    return [BackupWindow(label, resource.name, resource.urn, properties_of(resource).get(OUTPUT))]


def recent(clock: Callable[[], datetime]) -> Judge[BackupWindow]:
    """Windows whose newest backup of a resource is too old; without `max_age_hours` nothing is."""

    def judge(window: BackupWindow, config: Mapping[str, Any]) -> Iterator[Finding | Unchecked]:
        if "max_age_hours" in config:
            yield from _too_old(window, int(config["max_age_hours"]), clock())

    return judge


def _too_old(window: BackupWindow, hours: int, now: datetime) -> Iterator[Finding | Unchecked]:
    if isinstance(window.newest_at, Unknown):
        yield _later(window)
    elif not isinstance(window.newest_at, dict):
        yield Finding(f"{window.label} has no output {OUTPUT} that tells how old its backups are: {WAY_OUT}")
    elif not window.newest_at:
        yield Finding(
            f"{window.label} holds no backup at all (allowed: {hours} hours): see why none is made, or shared"
        )
    else:
        for resource, made in window.newest_at.items():
            yield from _judged(window, resource, made, timedelta(hours=hours), now)


def _judged(
    window: BackupWindow, resource: str, made: Any, age: timedelta, now: datetime
) -> Iterator[Finding | Unchecked]:
    moment = _moment(made)
    if isinstance(made, Unknown):
        yield _later(window)
    elif moment is None:
        yield Finding(
            f"{window.label} says {shown(made)!r} for when the newest backup of {shown(resource)} was made, which "
            f"is no moment: {WAY_OUT}"
        )
    elif now - moment > age:
        yield Finding(
            f"the newest backup of {shown(resource)} in {window.label} was made at {shown(made)} (allowed: "
            f"{age // timedelta(hours=1)} hours): see why no newer one is made, shared or accepted"
        )


def _later(window: BackupWindow) -> Unchecked:
    return Unchecked(
        f"cannot be checked yet: the backups in {window.label} are known only after another resource was made; the "
        "update checks it at its end"
    )


def _moment(text: Any) -> datetime | None:
    """A moment with its zone, or None for anything else."""
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))  # `Z` is what Python 3.10 does not read
    except (AttributeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
