"""What is asked once a process."""

from __future__ import annotations

import threading

from concurrent.futures import Future
from typing import TYPE_CHECKING, Generic, TypeVar


if TYPE_CHECKING:
    from collections.abc import Callable


T = TypeVar("T")


class Once(Generic[T]):
    """Something to ask for, asked once a key; errors are remembered like answers. Safe for many threads."""

    def __init__(self, ask: Callable[[str], T]) -> None:
        self._ask, self._asked, self._lock = ask, dict[str, Future[T]](), threading.Lock()

    def __call__(self, key: str) -> T:
        """The answer for a key; who asks meanwhile waits for it."""
        with self._lock:
            mine = key not in self._asked
            future = self._asked.setdefault(key, Future())
        if mine:
            try:
                future.set_result(self._ask(key))
            except BaseException as error:  # noqa: BLE001 - those who wait must not wait for ever
                future.set_exception(error)
        return future.result()
