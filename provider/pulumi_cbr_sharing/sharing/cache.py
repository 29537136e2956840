"""A single-flight cache: what many threads want to know is asked once, and the answer serves all for a while."""

from __future__ import annotations

import threading

from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from pulumi_cbr_sharing.errors import ApiError, CredentialRefused, ServerFault, Throttled


if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from pulumi_cbr_sharing.http.retry import Clock


T = TypeVar("T")
TIME_TO_LIVE = 30.0  # seconds that an answer serves a run


class SingleFlightCache:
    """Answers by key, each at most `TIME_TO_LIVE` seconds old; safe for many threads.

    A refusal by the service is an answer like any other. After any other error, those who waited get it, and the
    next one asks again.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._flights: dict[Hashable, tuple[Future[Any], list[float]]] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, ask: Callable[[], T]) -> T:
        """The answer for a key; asked for if there is none that is fresh.

        Raises:
            CbrSharingError: whatever `ask` raises.
        """
        with self._lock:
            answer, landed = self._flights.get(key, (None, []))
            mine = answer is None or (bool(landed) and self._clock.now() - landed[0] >= TIME_TO_LIVE)
            if mine or answer is None:
                answer, landed = self._flights[key] = (Future[T](), [])
        if mine:
            self._fly(key, ask, answer, landed)
        return answer.result()

    def drop(self, key: Hashable) -> None:
        """Forget an answer, because it has just been changed."""
        with self._lock:
            self._flights.pop(key, None)

    def _fly(self, key: Hashable, ask: Callable[[], T], answer: Future[T], landed: list[float]) -> None:
        try:
            answer.set_result(ask())
        except BaseException as error:  # noqa: BLE001 - those who wait must not wait for ever
            with self._lock:
                if not _is_answer(error) and self._flights.get(key, (None,))[0] is answer:
                    del self._flights[key]
            answer.set_exception(error)
        landed.append(self._clock.now())


def _is_answer(error: BaseException) -> bool:
    return isinstance(error, ApiError) and not isinstance(error, (CredentialRefused, ServerFault, Throttled))
