"""Makes calls at the same time, in one pool of threads for the whole process."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from pulumi_cbr_sharing.errors import CbrSharingError


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


T = TypeVar("T")
# Its threads are started when they are needed. No call submits another one, so the pool cannot wait for itself.
_POOL = ThreadPoolExecutor(10, thread_name_prefix="cbr-sharing")


def in_background(call: Callable[[], T]) -> Future[T]:
    """Make a call while the caller goes on."""
    return _POOL.submit(call)


def side_by_side(calls: Iterable[Callable[[], object]]) -> list[CbrSharingError]:
    """Make some calls at the same time, and wait for all of them.

    Returns:
        The errors of those that failed, in the order of the calls.
    """
    errors = [outcome.exception() for outcome in [in_background(call) for call in calls]]
    for error in errors:
        if error and not isinstance(error, CbrSharingError):
            raise error
    return [error for error in errors if isinstance(error, CbrSharingError)]
