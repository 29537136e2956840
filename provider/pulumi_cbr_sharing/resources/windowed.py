"""What VaultShare and ReceivedBackups have in common: they look up backups and make child resources for them."""

from __future__ import annotations

import asyncio

from typing import TYPE_CHECKING, Any

import pulumi

from pulumi import runtime

from pulumi_cbr_sharing.errors import CbrSharingError
from pulumi_cbr_sharing.resources.lookups import LookupFailed, looking_up


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pulumi_cbr_sharing.settings.connection import Connection
    from pulumi_cbr_sharing.sharing.window import Chosen, Window

    Wired = Callable[[str], pulumi.Input[str]]
    Make = Callable[[Chosen, Mapping[str, Any], Wired], dict[str, pulumi.Output[str]]]


def valid(called: str, window: Window) -> Window:
    """The rules, if nothing is wrong with them."""
    if window.trouble:
        raise pulumi.RunError(f"{called}: {window.trouble}")
    return window


def roll(
    called: str,
    window: Window,
    given: Mapping[str, Any],
    *,
    connection: Connection | None,
    look_up: Callable[..., Chosen],
    make: Make,
) -> tuple[pulumi.Output[list[str]], pulumi.Output[dict[str, str]], pulumi.Output[dict[str, str]]]:
    """Look up what is in the window, and make children for it.

    If all arguments are plain values, every plan shows the children. If one is an Output, the children are made in its
    `apply`, and a preview in which it is unknown does not show them.

    Args:
        called: what messages call the component.
        window: the rules.
        given: the arguments that may be Outputs, by name.
        connection: the account that looks.
        look_up: `to_share` or `to_accept` of `sharing/`.
        make: makes the children of what was chosen, with the known arguments, and returns their statuses by their ids.
            Its last argument gives a value the dependencies of the Outputs, so that children are destroyed first.

    Returns:
        The ids of the backups in the window, when the newest of each resource was made, the children's statuses.
    """

    def find(known: Mapping[str, Any]) -> Chosen:
        try:
            with looking_up(connection) as client:
                found = look_up(client, window, **known)
        except CbrSharingError as error:
            raise LookupFailed(f"{called}: {error}") from error
        for warning in found.warnings:
            pulumi.log.warn(f"{called}: {warning}")
        for line in found.summary if runtime.is_dry_run() else ():
            pulumi.log.info(f"{called}: {line}")
        return found

    def declare(found: Chosen, known: Mapping[str, Any], wired: Wired) -> pulumi.Output[dict[str, str]]:
        statuses = make(found, known, wired)
        _tell(called, window, found.stale)
        return pulumi.Output.all(**statuses).apply(dict)  # a dict also of nothing, of which `all` is a list

    if all(map(_is_plain, given.values())):
        now = find(given)
        statuses = declare(now, given, lambda value: value)
        return pulumi.Output.from_input(now.backup_ids), pulumi.Output.from_input(now.newest_at), statuses

    known: pulumi.Output[dict[str, Any]] = pulumi.Output.all(**given)
    found: pulumi.Output[Chosen] = known.apply(lambda values: asyncio.to_thread(find, values))

    def wired(value: str) -> pulumi.Output[str]:
        return known.apply(lambda _: value)

    return (
        found.apply(lambda found: found.backup_ids),
        found.apply(lambda found: found.newest_at),
        pulumi.Output.all(found, known).apply(lambda pair: declare(pair[0], pair[1], wired)),
    )


def _tell(called: str, window: Window, stale: list[str]) -> None:
    """Warn of backups that are too old, or fail; the children have been declared by now."""
    if stale and window.on_stale == "error":
        raise pulumi.RunError(f"{called}: " + "\n  ".join(stale))
    for sentence in stale:
        pulumi.log.warn(f"{called}: {sentence}")


def _is_plain(value: Any) -> bool:
    """Whether a value holds no Output."""
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, str)
