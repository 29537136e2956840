"""What has been refused once is not sent again.

More than five wrong signatures in a row lock an access key for five minutes, and a program with two hundred
shares would send two hundred. So calls go one at a time until the credential, and after it each IAM action,
has been seen to work; a refusal is remembered, and answers every later call without sending it. An access key is
the same key for every region and project, so what is known of it is shared by all of them.
"""

from __future__ import annotations

import threading

from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pulumi_cbr_sharing.errors import ApiError, CredentialRefused, PermissionDenied


if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi_cbr_sharing.http.messages import Call


# An action that was granted for one backup may be denied for another (rights go by enterprise project, too); denied so
# often in a row, the right itself is gone.
MOST_DENIALS = 3


class Standing:
    """What is known of a credential, or of an action: nothing yet, that it is welcome, or why it is not."""

    def __init__(self) -> None:
        self.welcome = False
        self.refusal: ApiError | None = None
        self.denied = 0  # times in a row
        self._gate = threading.Lock()

    @contextmanager
    def passing(self, doing: str) -> Iterator[None]:
        """Around one sending; one by one while nothing is known.

        Raises:
            ApiError: the refusal that is known.
        """
        self._raise_known(doing)
        if self.welcome:
            yield
            return
        with self._gate:
            self._raise_known(doing)
            yield

    def _raise_known(self, doing: str) -> None:
        if self.refusal:
            raise self.refusal.again(doing=doing)


class Admission:
    """Lets calls through one by one until they are known to be welcome; safe for many threads.

    Args:
        credential: what is known of the credential, where other settings have the same.
    """

    def __init__(self, credential: Standing | None = None) -> None:
        self._credential = credential or Standing()
        self._actions: defaultdict[str, Standing] = defaultdict(Standing)
        self._lock = threading.Lock()

    @contextmanager
    def enter(self, call: Call) -> Iterator[None]:
        """Around one sending of `call`.

        Raises:
            CredentialRefused, PermissionDenied: as remembered, before anything is sent.
        """
        with self._lock:
            action = self._actions[call.action]
        with self._credential.passing(call.doing), action.passing(call.doing):
            try:
                yield
            except CredentialRefused as error:
                self._credential.refusal = error
                raise
            except PermissionDenied as error:
                self._credential.welcome = True
                action.denied += 1
                if not action.welcome or action.denied >= MOST_DENIALS:
                    action.refusal = error
                raise
            except ApiError as error:
                if error.code.startswith("BackupService."):  # the gateway let it pass
                    self._welcome(action)
                raise
            self._welcome(action)

    def _welcome(self, action: Standing) -> None:
        self._credential.welcome = action.welcome = True
        action.denied = 0
