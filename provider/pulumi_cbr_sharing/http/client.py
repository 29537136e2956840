"""Calls that are answered for good: admitted, paced, signed, sent, read, and tried again where that is right.

A refused credential is not sent twice (`admission.py`), a 429 slows the whole process and a fault is tried again
(`retry.py`), an expired token is renewed once (`auth.py`), a status becomes a payload or an error (`wire.py`).
One client serves all threads of a process.
"""

from __future__ import annotations

import math
import threading

from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from pulumi_cbr_sharing.errors import (
    ApiError,
    CbrSharingError,
    CredentialRefused,
    ServerFault,
    SettingsError,
    Throttled,
    TokenExpired,
    Unreachable,
)
from pulumi_cbr_sharing.http.breaker import Admission
from pulumi_cbr_sharing.http.iam import look_up_project, strategy_for
from pulumi_cbr_sharing.http.messages import Call, Reply, read
from pulumi_cbr_sharing.http.retry import Attempts, Clock, Pacer, persist
from pulumi_cbr_sharing.http.transport import Transport
from pulumi_cbr_sharing.settings.resolve import RECORDED


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pulumi_cbr_sharing.http.auth import Signer
    from pulumi_cbr_sharing.http.breaker import Standing
    from pulumi_cbr_sharing.settings.resolve import Settings


T = TypeVar("T")
SIGN_IN = "iam:tokens:create"
BRIEF_RETRIES, BRIEF_TIMEOUT, BRIEF_DEADLINE = 2, 10.0, 15.0  # tries, seconds, seconds: what a plan may wait
GIVEN_UP_FOR = 30.0  # seconds in which a service that never answered is not tried again


class Client:
    """Sends calls with one set of settings.

    Args:
        settings: who calls, and where to.
        standing: what is known of the access key, token or user, where other settings have the same.
        clock: time; a test passes one that does not wait.
        pacer: the pause after a 429, shared by all clients of a process.
        notify: told in one line when the user should know why it takes long.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        standing: Standing | None = None,
        clock: Clock | None = None,
        pacer: Pacer | None = None,
        notify: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.settings, self.notify = settings, notify
        self.clock = clock or Clock()
        self._pacer = pacer or Pacer(self.clock)
        self._auth = strategy_for(settings)
        self._signing_in = Admission(standing)
        # The key that an agency lends is another one than that which asks for it.
        self._admission = Admission() if settings.agency else self._signing_in
        self._transport, self._lock = Transport(settings), threading.Lock()
        self._project = {"id": settings.project_id}  # one for all views
        self._no_project: CbrSharingError | None = None
        self._answered, self._given_up = set[str](), dict[str, tuple[float, Unreachable]]()

    @property
    def project_id(self) -> str:
        """The project that the calls are made in: as set, as the token says, or looked up once by the region's name.

        Raises:
            SettingsError: the lookup gives none, or several.
        """
        with self._lock:
            if self._no_project:
                raise self._no_project
            try:
                self._project["id"] = self._project["id"] or self._project_of_credential() or self._looked_up()
            except (SettingsError, ApiError) as error:
                if not isinstance(error, (ServerFault, Throttled)):  # asking again would be answered the same
                    self._no_project = error
                raise
            return str(self._project["id"])

    @property
    def known_project_id(self) -> str | None:
        """The same, as far as it is known without asking anyone."""
        return self._project["id"]

    def send(self, call: Call, *, look: Callable[[], T | None] | None = None) -> Reply | T:
        """Send a call until it is answered for good.

        Args:
            call: what to send.
            look: see `retry.persist`.

        Raises:
            CbrSharingError: as the last try ended.
        """
        return persist(self._admitted, call, self._patience(call), look, lambda: self._sign_in(call))

    def fetch(self, call: Call) -> Reply:
        """Send a call that may be repeated."""
        return persist(self._admitted, call, self._patience(call), ready=lambda: self._sign_in(call))

    @property
    def brief(self) -> Client:
        """The same client with short time-outs, few tries and no messages."""
        view = copy(self)
        view.settings, view.notify = self._limits(), lambda _: None
        return view

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    def _project_of_credential(self) -> str | None:
        if not self._auth.signs_in:
            return None
        call = Call("POST", "/v3/auth/tokens", doing="signing in", action=SIGN_IN, service="iam")
        with self._signing_in.enter(call), self._origin_told():
            return self._auth.project_id(self._send_for_credential)

    def _looked_up(self) -> str:
        return look_up_project(self.fetch, self.settings.project_name or self.settings.region or "")

    def _patience(self, call: Call) -> Callable[[CbrSharingError], None]:
        limits = self.settings
        brief = limits.deadline <= BRIEF_DEADLINE
        attempts = Attempts(self.clock, limits.max_retries, limits.deadline, self.notify)

        def wait_or_raise(error: CbrSharingError) -> None:
            try:
                attempts.wait_or_raise(error, self._pacer, connected=call.service in self._answered)
            except Unreachable as last:
                if not brief and call.service not in self._answered:
                    self._given_up[call.service] = (self.clock.now(), last)
                raise

        return wait_or_raise

    def _limits(self) -> Settings:
        """The settings with the time-outs and tries that are this thread's at the moment."""
        settings = self.settings
        return replace(
            settings,
            max_retries=min(settings.max_retries, BRIEF_RETRIES),
            connect_timeout=min(settings.connect_timeout, BRIEF_TIMEOUT),
            read_timeout=min(settings.read_timeout, BRIEF_TIMEOUT),
            deadline=min(settings.deadline, BRIEF_DEADLINE),
        )

    def _sign_in(self, call: Call) -> None:
        """Come by what signs a call, if it has to be asked for."""
        if self._auth.signs_in:
            with self._signing_in.enter(replace(call, action=SIGN_IN)), self._origin_told():
                self._auth.signer(self._send_for_credential)

    def _admitted(self, call: Call) -> Reply:
        with self._admission.enter(call), self._origin_told():
            return self._with_signer(call)

    def _with_signer(self, call: Call) -> Reply:
        """Send once; if the token has expired, once more with a new one."""
        signer = self._auth.signer(self._send_for_credential)
        try:
            return self._once(call, signer)
        except TokenExpired:
            if not self._auth.renew(signer):
                raise
        return self._once(call, self._auth.signer(self._send_for_credential))

    @contextmanager
    def _origin_told(self) -> Iterator[None]:
        try:
            yield
        except CredentialRefused as error:
            raise error.again(remedy=f"{error.remedy}; {_origin(self.settings.credential.source)}") from None

    def _send_for_credential(self, call: Call, signer: Signer | None) -> Reply:
        """What a strategy gets its token or temporary keys with; it runs inside an admission, so it needs none."""
        return persist(lambda again: self._once(again, signer), call, self._patience(call))

    def _once(self, call: Call, signer: Signer | None) -> Reply:
        limits = self.settings
        self._raise_if_hopeless(call, self._pacer.wait(limits.deadline))
        reply = self._transport.send(call, signer, self._project["id"], limits)
        self._answered.add(call.service)
        reply = read(call, reply)
        self._pacer.went_through()
        return reply

    def _raise_if_hopeless(self, call: Call, pause_left: float) -> None:
        """End a call that others, in this process, have waited for in vain."""
        if pause_left:
            reason = f"there are too many requests, and the service asks for a pause of {pause_left:.0f} s more"
            error = Throttled(call.doing, reason, "run it again after that", status=429)
            error.retry_after = 0.0  # the pause is on already
            raise error
        since, trouble = self._given_up.get(call.service, (-math.inf, None))
        if trouble and call.service not in self._answered and self.clock.now() - since < GIVEN_UP_FOR:
            raise trouble.untried(call.doing)


def _origin(source: str) -> str:
    """Where a refused credential came from, and why a new one may not have been seen."""
    text = f"it came from {source}"
    if source.startswith("stack config"):
        text += f"; {RECORDED}"
    return text
