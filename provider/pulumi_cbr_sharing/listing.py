"""Lists that are known to be whole, or an error: half a list would look as if the rest were gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.errors import UnexpectedAnswer


if TYPE_CHECKING:
    from pulumi_cbr_sharing.client import Client
    from pulumi_cbr_sharing.wire import Call


TRIES = 3  # a backup that is made or expires between two pages spoils a list, but hardly three in a row


def whole_list(client: Client, call: Call, key: str) -> list[dict[str, Any]]:
    """All rows of a list, over all pages.

    Args:
        client: who asks.
        call: the list without `offset`.
        key: what the rows stand under.

    Raises:
        UnexpectedAnswer: every try gave another number of rows than the service counts.
    """
    for _ in range(TRIES):
        found, complete = client.pages(call, key)
        if complete:
            return found
    raise UnexpectedAnswer(f"{call.doing}: the list does not fit its own count, so nothing is concluded: run it again")
