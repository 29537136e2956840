"""The request and the answer of a handler."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple


if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_cbr_sharing.emulator.accounts import Account
    from pulumi_cbr_sharing.emulator.cloud import Emulator


@dataclass(frozen=True)
class Question:
    """A request that has passed the gateway.

    Attributes:
        caller: the account; None if no credential is needed.
        query: the first value of each parameter.
        body: the JSON body, or None.
    """

    cloud: Emulator
    caller: Account | None
    query: Mapping[str, str]
    body: Any

    @property
    def project(self) -> str:
        """The caller's project."""
        return self.caller.project_id if self.caller else ""


class Answer(NamedTuple):
    """Status, JSON body (or None) and further headers."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = {}
