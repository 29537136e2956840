"""A single-flight cache: what several threads want to know is asked once, and the answer serves all for a while."""

from __future__ import annotations

import math
import threading

from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from pulumi_cbr_sharing.errors import ApiError, CredentialRefused, ServerFault, SettingsError, Throttled


if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from pulumi_cbr_sharing.http.retry import Clock


T = TypeVar("T")
TIME_TO_LIVE = 30.0  # seconds


class _Flight(Future[Any]):
    """An answer that is asked for, or was. Attribute `landed`: when it came."""

    landed = math.inf


class SingleFlightCache:
    """Answers by key; safe for many threads.

    A refusal by the service is an answer, too, and so is a mistake in the settings. Any other error goes to those who
    wait for it, and is then forgotten.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._flights: dict[Hashable, _Flight] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, ask: Callable[[], T], seconds: float = TIME_TO_LIVE) -> T:
        """The answer for a key; calls `ask` if there is none that is younger than this.

        Raises:
            CbrSharingError: what `ask` raises.
        """
        with self._lock:
            flight, mine = self._flights.get(key), None
            if flight is None or self._clock.now() >= flight.landed + seconds:
                flight = mine = self._flights[key] = _Flight()
        if mine:
            self._fly(key, mine, ask)
        answer: T = flight.result()
        return answer

    def drop(self, key: Hashable) -> None:
        """Forget an answer."""
        with self._lock:
            self._flights.pop(key, None)

    def _fly(self, key: Hashable, flight: _Flight, ask: Callable[[], T]) -> None:
        try:
            flight.set_result(ask())
        except BaseException as error:  # noqa: BLE001 - or those who wait would wait forever
            with self._lock:
                if not _is_answer(error) and self._flights.get(key) is flight:
                    del self._flights[key]
            flight.set_exception(error)
        flight.landed = self._clock.now()


def _is_answer(error: BaseException) -> bool:
    if isinstance(error, (CredentialRefused, ServerFault, Throttled)):
        return False  # the circuit breaker remembers a refused credential
    return isinstance(error, (ApiError, SettingsError))
