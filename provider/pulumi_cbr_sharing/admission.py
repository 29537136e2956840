"""What has been refused once is not sent again.

More than five wrong signatures in a row lock an access key for five minutes, and a program with two hundred
shares would send two hundred. So calls go one at a time until the credential, and after it each IAM action,
has been seen to work; a refusal is remembered, and answers every later call without sending it.
"""

from __future__ import annotations

import threading

from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pulumi_cbr_sharing.errors import ApiError, CredentialRefused, PermissionDenied


if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi_cbr_sharing.wire import Call


CREDENTIAL = "the credential"


class Admission:
    """Lets calls through one by one until they are known to be welcome; safe for many threads."""

    def __init__(self) -> None:
        self._refusals: dict[str, ApiError] = {}
        self._welcome: set[str] = set()
        self._gates: dict[str, threading.Lock] = defaultdict(threading.Lock)
        self._lock = threading.Lock()

    @contextmanager
    def enter(self, call: Call) -> Iterator[None]:
        """Around one sending of `call`.

        Raises:
            CredentialRefused, PermissionDenied: as remembered, before anything is sent.
        """
        with self._passing(CREDENTIAL, call), self._passing(call.action, call):
            try:
                yield
            except CredentialRefused as error:
                self._refusals[CREDENTIAL] = error
                raise
            except PermissionDenied as error:
                self._refusals[call.action] = error
                self._welcome.add(CREDENTIAL)
                raise
            except ApiError as error:
                if error.code.startswith("BackupService."):  # the gateway let it pass
                    self._welcome.update((CREDENTIAL, call.action))
                raise
            self._welcome.update((CREDENTIAL, call.action))

    @contextmanager
    def _passing(self, what: str, call: Call) -> Iterator[None]:
        self._raise_remembered(what, call)
        if what in self._welcome:
            yield
            return
        with self._gate(what):
            self._raise_remembered(what, call)
            yield

    def _gate(self, what: str) -> threading.Lock:
        with self._lock:
            return self._gates[what]

    def _raise_remembered(self, what: str, call: Call) -> None:
        if what in self._refusals:
            raise self._refusals[what].again(doing=call.doing)
