"""Calls that are made at the same time, by the one pool of threads of the process."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from pulumi_cbr_sharing.errors import CbrSharingError


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


# Its threads start when they are needed. What runs in it calls the API and nothing else, so it cannot wait for itself.
_POOL = ThreadPoolExecutor(10, thread_name_prefix="cbr-sharing")


def side_by_side(calls: Iterable[Callable[[], object]]) -> list[CbrSharingError]:
    """Make some calls at the same time, each to its end.

    Returns:
        The errors of those that failed, in the order of the calls.
    """
    errors = [outcome.exception() for outcome in [_POOL.submit(call) for call in calls]]
    for error in errors:
        if error and not isinstance(error, CbrSharingError):
            raise error
    return [error for error in errors if isinstance(error, CbrSharingError)]
