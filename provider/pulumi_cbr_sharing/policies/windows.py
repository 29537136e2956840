"""How old the newest backups in a VaultShare or a ReceivedBackups are.

No output of a share says when its backup was made. The two components do, in their output `newest_at`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.freshness import Newest, too_old
from pulumi_cbr_sharing.policies.rules import Finding, Unchecked
from pulumi_cbr_sharing.policies.values import Unknown, properties_of, shown


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from pulumi_policy import PolicyResource, ResourceValidationArgs

    from pulumi_cbr_sharing.policies.rules import Judge


TOKENS = frozenset({"huaweicloud:cbr:VaultShare", "huaweicloud:cbr:ReceivedBackups"})
OUTPUT = "newest_at"
WAY_OUT = "let `pulumi up` run with the present version of pulumi-cbr-sharing"


@dataclass(frozen=True)
class BackupWindow:
    """A component that shares, or accepts, the newest backups of a vault.

    Attributes:
        label: what messages call it.
        name: its name in the program.
        urn: its URN.
        newest_at: when the newest backup of each server or disk was made, as the component registered it.
    """

    label: str
    name: str
    urn: str
    newest_at: Any


def windows_of(resource: ResourceValidationArgs | PolicyResource) -> list[BackupWindow]:
    """The window, if the resource is such a component."""
    if resource.resource_type not in TOKENS:
        return []
    label = f"{resource.resource_type.rpartition(':')[2]} '{shown(resource.name)}'"
    return [BackupWindow(label, resource.name, resource.urn, properties_of(resource).get(OUTPUT))]


def recent(clock: Callable[[], datetime]) -> Judge[BackupWindow]:
    """Finds windows whose newest backup of a server or disk is too old; none without `max_age_hours`."""

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
        yield from _judged(Newest(f"in {window.label}", None), hours, now)
    else:
        for resource, made in window.newest_at.items():
            if isinstance(made, Unknown):
                yield _later(window)
            else:
                yield from _judged(Newest(f"of {shown(resource)} in {window.label}", made), hours, now)


def _judged(newest: Newest, hours: int, now: datetime) -> Iterator[Finding]:
    if told := too_old(newest, timedelta(hours=hours), now):
        secret = f"the newest backup {newest.which} is too old, and max_age is {hours} hours"
        plain = newest.made is None or type(newest.made) is str
        yield Finding(f"{told if plain else secret}: see why no newer one is made, shared or accepted")


def _later(window: BackupWindow) -> Unchecked:
    return Unchecked(
        f"cannot be checked yet: the backups in {window.label} are known only after another resource was made; the "
        "update checks it at its end"
    )
