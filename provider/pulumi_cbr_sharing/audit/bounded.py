"""Sends many requests in parallel, in limited memory."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future


S = TypeVar("S")
T = TypeVar("T")


def bounded_map(do: Callable[[S], T], items: Iterable[S], parallel: int) -> Iterator[T]:
    """The results of `do` for all items, in order; at most `parallel` run at once, twice as many are kept in memory."""
    with ThreadPoolExecutor(parallel, thread_name_prefix="audit") as pool:
        waiting: deque[Future[T]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(do, item))
                if len(waiting) >= 2 * parallel:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
