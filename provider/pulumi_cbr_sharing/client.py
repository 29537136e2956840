"""Calls that are answered for good: admitted, paced, signed, sent, read, and tried again where that is right.

A refused credential is not sent twice (`admission.py`), a 429 slows the whole process and a fault is tried again
(`retry.py`), an expired token is renewed once (`auth.py`), a status becomes a payload or an error (`wire.py`).
One client serves all threads of a process.
"""

from __future__ import annotations

import threading

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from pulumi_cbr_sharing.admission import Admission
from pulumi_cbr_sharing.errors import CbrSharingError, CredentialRefused, TokenExpired
from pulumi_cbr_sharing.iam import look_up_project, strategy_for
from pulumi_cbr_sharing.retry import Attempts, Clock, Pacer, persist
from pulumi_cbr_sharing.transport import Transport
from pulumi_cbr_sharing.wire import Call, Reply, read, rows


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pulumi_cbr_sharing.auth import Signer
    from pulumi_cbr_sharing.settings import Settings


T = TypeVar("T")
SIGN_IN = "iam:tokens:create"
BRIEF_RETRIES, BRIEF_TIMEOUT, BRIEF_DEADLINE = 2, 10.0, 15.0  # tries, seconds, seconds: what a plan may wait
MOST_PAGES = 1000  # a service that never says how many there are must not hold a worker for ever


class Client:
    """Sends calls with one set of settings.

    Args:
        settings: who calls, and where to.
        clock: time; a test passes one that does not wait.
        pacer: the pause after a 429, shared by all clients of a process.
        notify: told in one line when the user should know why it takes long.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock | None = None,
        pacer: Pacer | None = None,
        notify: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.settings, self.notify = settings, notify
        self.clock = clock or Clock()
        self._pacer = pacer or Pacer(self.clock)
        self._auth, self._admission = strategy_for(settings), Admission()
        self._transport, self._lock = Transport(settings), threading.Lock()
        self._brief = threading.local()
        self._project_id, self._answered = settings.project_id, set[str]()

    @property
    def project_id(self) -> str:
        """The project that the calls are made in: as set, as the token says, or looked up once by the region's name.

        Raises:
            SettingsError: the lookup gives none, or several.
        """
        with self._lock:
            if self._project_id is None:
                self._project_id = self._project_of_credential() or self._looked_up()
            return self._project_id

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

    def pages(self, call: Call, key: str) -> tuple[list[dict[str, Any]], bool]:
        """All rows of a list, page by page.

        Args:
            call: the list without `offset`.
            key: what the rows stand under.

        Returns:
            The rows, and whether they are known to be all: exactly as many as `count` says on every page, for
            where it changes, rows have moved between pages. A list without `count` is complete when an empty page
            ends it.
        """
        found: list[dict[str, Any]] = []
        counts: list[Any] = []
        while len(counts) < MOST_PAGES:
            reply = self.fetch(_from_offset(call, len(found)))
            page = rows(call, reply, key)
            new = [row for row in page if row not in found]
            found += new
            counts.append(count := reply.payload.get("count"))
            if count is None and not page:
                return found, all(one is None for one in counts)
            if not new or (type(count) is int and len(found) >= count):
                return found, all(type(one) is int and one == len(found) for one in counts)
        return found, False

    @contextmanager
    def briefly(self) -> Iterator[None]:
        """Within it, this thread's calls give up early and silently: for what is good to know, not worth a wait."""
        self._brief.on = True
        try:
            yield
        finally:
            self._brief.on = False

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    def _project_of_credential(self) -> str | None:
        if not self._auth.signs_in:
            return None
        call = Call("POST", "/v3/auth/tokens", doing="signing in", action=SIGN_IN, service="iam")
        with self._admission.enter(call), self._origin_told():
            return self._auth.project_id(self._send_for_credential)

    def _looked_up(self) -> str:
        return look_up_project(self, self.settings.project_name or self.settings.region or "")

    def _patience(self, call: Call) -> Callable[[CbrSharingError], None]:
        limits = self._limits()
        notify = self.notify if limits is self.settings else (lambda _: None)
        attempts = Attempts(self.clock, limits.max_retries, limits.deadline, notify)
        return lambda error: attempts.wait_or_raise(error, self._pacer, connected=call.service in self._answered)

    def _limits(self) -> Settings:
        """The settings with the time-outs and tries that are this thread's at the moment."""
        settings = self.settings
        if not getattr(self._brief, "on", False):
            return settings
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
            with self._admission.enter(replace(call, action=SIGN_IN)), self._origin_told():
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
        self._pacer.wait()
        reply = self._transport.send(call, signer, self._project_id, self._limits())
        self._answered.add(call.service)
        reply = read(call, reply)
        self._pacer.went_through()
        return reply


def _from_offset(call: Call, offset: int) -> Call:
    return call if not offset else replace(call, query=(*call.query, ("offset", str(offset))))


def _origin(source: str) -> str:
    """Where a refused credential came from, and why a new one may not have been seen."""
    text = f"it came from {source}"
    if source.startswith("stack config"):
        # The engine configures providers for a plain refresh or destroy from the state, not from the stack.
        text += (
            "; a plain `pulumi refresh` or `pulumi destroy` uses the configuration that the last `pulumi up` "
            "recorded: add --run-program, or give the credential in the environment"
        )
    return text
