"""What VaultShare and ReceivedBackups have in common: they look up backups and make child resources for them.

If all arguments are plain values, every plan shows the children. If one is an Output, the children are made in its
`apply`, and a preview in which it is unknown does not show them.
"""

from __future__ import annotations

import asyncio

from abc import abstractmethod
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, cast

import pulumi

from pulumi_cbr_sharing.sharing.window import newest_at


if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping, Sequence

    from pulumi_cbr_sharing.sharing.window import Chosen, Rolling


Origin = pulumi.Output[Any]


class Windowed(pulumi.ComponentResource):
    """Base of the components.

    Args:
        token: the type.
        resource_name: the name of the component in the program. The children's names start with it.
        given: the arguments that may be Outputs, by name.
        rolling: the other arguments.
        opts: Pulumi's options.
    """

    backup_ids: pulumi.Output[list[str]]
    newest_at: pulumi.Output[dict[str, str]]

    def __init__(
        self,
        token: str,
        resource_name: str,
        *,
        given: Mapping[str, Any],
        rolling: Rolling,
        opts: pulumi.ResourceOptions | None,
    ) -> None:
        self._called, self._prefix = f"{token.rpartition(':')[2]} {resource_name}", resource_name
        if rolling.trouble:
            raise pulumi.RunError(f"{self._called}: {rolling.trouble}")
        self._rolling, self._now = rolling, datetime.now(timezone.utc)
        self._window = rolling.window(self._now)
        super().__init__(token, resource_name, {}, opts)
        statuses = self._make_now(given) if all(map(_is_plain, given.values())) else self._make_when_known(given)
        outputs = {"backup_ids": self.backup_ids, "newest_at": self.newest_at, self.statuses_name: statuses}
        self.register_outputs(outputs)
        setattr(self, self.statuses_name, statuses)

    statuses_name: str

    @abstractmethod
    def _troubles(self, known: Mapping[str, Any]) -> dict[str, str | None]:
        """What is wrong with the arguments, by name."""

    @abstractmethod
    def _look_up(self, known: Mapping[str, Any]) -> Chosen:
        """Look up what is there, with known and valid arguments."""

    @abstractmethod
    def _children(
        self, found: Chosen, known: Mapping[str, Any], origin: Origin | None
    ) -> dict[str, pulumi.Output[str]]:
        """Make the children. Returns their statuses by their ids."""

    def _find(self, known: Mapping[str, Any]) -> Chosen:
        """Look up what is there, unless an argument is wrong, and show the warnings."""
        troubles = {**self._troubles(known), "resource_ids": _trouble_with_resources(known["resource_ids"])}
        for name, trouble in troubles.items():
            if trouble:
                raise pulumi.RunError(f"{self._called}: {name} {trouble}")
        found = self._look_up(known)
        for warning in found.warnings:
            self._warn(warning)
        return found

    def _make_now(self, given: Mapping[str, Any]) -> pulumi.Output[dict[str, str]]:
        found = self._find(given)
        self.backup_ids = pulumi.Output.from_input([backup.id for backup in found.backups])
        self.newest_at = pulumi.Output.from_input(newest_at(found.backups))
        return self._made(found, given, None)

    def _make_when_known(self, given: Mapping[str, Any]) -> pulumi.Output[dict[str, str]]:
        known: pulumi.Output[dict[str, Any]] = pulumi.Output.all(**given)

        def look_up(values: dict[str, Any]) -> Awaitable[Chosen]:
            return asyncio.to_thread(self._find, values)

        found: pulumi.Output[Chosen] = known.apply(look_up)
        self.backup_ids = found.apply(lambda found: [backup.id for backup in found.backups])
        self.newest_at = found.apply(lambda found: newest_at(found.backups))
        return pulumi.Output.all(found, known).apply(lambda pair: self._made(pair[0], pair[1], known))

    def _made(self, found: Chosen, known: Mapping[str, Any], origin: Origin | None) -> pulumi.Output[dict[str, str]]:
        statuses = self._children(found, known, origin)
        self._tell_stale(found, known["resource_ids"])
        if not statuses:  # `all` of nothing is a list
            return pulumi.Output.from_input({})
        return cast("pulumi.Output[dict[str, str]]", pulumi.Output.all(**statuses))

    def _tell_stale(self, found: Chosen, resource_ids: Sequence[str] | None) -> None:
        """Warn of backups that are too old, or fail. The children have been declared by then."""
        told = self._rolling.stale(found.backups, self._now, resource_ids)
        if told and self._rolling.on_stale == "error":
            raise pulumi.RunError(f"{self._called}: {'; '.join(told)}")
        for one in told:
            self._warn(one)

    def _warn(self, what: str) -> None:
        pulumi.log.warn(f"{self._called}: {what}")


def wired(value: str, origin: Origin | None) -> pulumi.Input[str]:
    """A value with the dependencies of its Output, so that destroy removes the child before the vault, say."""
    return value if origin is None else origin.apply(lambda _: value)


def _trouble_with_resources(resources: Any) -> str | None:
    if isinstance(resources, (list, tuple, type(None))) and all(isinstance(one, str) for one in resources or ()):
        return None
    return "is not a list of ids: give one, or None for all"


def _is_plain(value: Any) -> bool:
    """Whether a value holds no Output."""
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, str)
