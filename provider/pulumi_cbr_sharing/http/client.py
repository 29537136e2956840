"""Sends API calls: circuit breakers, rate limit, signing, retries, cached answers. One client serves all threads."""

from __future__ import annotations

import math
import threading

from copy import copy
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeVar

from pulumi_cbr_sharing import errors
from pulumi_cbr_sharing.errors import CbrSharingError, CredentialRefused, Throttled, Unreachable
from pulumi_cbr_sharing.http import retry
from pulumi_cbr_sharing.http.auth import Accounts
from pulumi_cbr_sharing.http.iam import auth_for, find_project
from pulumi_cbr_sharing.settings.connection import RECORDED
from pulumi_cbr_sharing.settings.credentials import AccessKey, Password, Token
from pulumi_cbr_sharing.settings.endpoints import host_of


if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from pulumi_cbr_sharing.http.auth import Auth
    from pulumi_cbr_sharing.http.messages import Call, Reply, Service
    from pulumi_cbr_sharing.http.retry import Clock
    from pulumi_cbr_sharing.http.transport import Transport
    from pulumi_cbr_sharing.settings.resolve import Settings


T = TypeVar("T")
TIME_TO_LIVE = 30.0  # seconds
# Seconds that a request gets even if no time is left: what has begun, such as a move to another vault, goes on as long
# as the service answers.
LEAST_TIMEOUT = 1.0
BRIEF_RETRIES, BRIEF_TIMEOUT, BRIEF_DEADLINE = 2, 10.0, 15.0  # tries, seconds, seconds


class Client:
    """Sends calls with one set of settings.

    Args:
        settings: the credential, endpoints and time-outs.
        accounts: what is known of credentials; clients share it.
        clock: a test passes one that does not wait.
        notify: shows the user a line, for example why it takes long.
    """

    is_brief = False

    def __init__(
        self,
        settings: Settings,
        *,
        accounts: Accounts | None = None,
        clock: Clock | None = None,
        notify: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.settings, self.notify, self.clock = settings, notify, clock or retry.Clock()
        self.cache = SingleFlightCache(self.clock)
        self._answered, self._out_of_reach = set[str](), dict[str, tuple[float, Unreachable]]()
        self._auth = auth_for(settings, accounts or Accounts(self.clock))
        for note in settings.notes:
            notify(note)
        if settings.insecure:
            notify("warning: insecure is set, so TLS certificates are not verified: others may read along")

    @property
    def project_id(self) -> str:
        """The id of the project: from the settings, else from the token, else looked up once by name."""
        if (known := self.known_project_id) is None:
            find = partial(find_project, self, self._auth)
            known = self._auth.project_id = self.cache.get("project", find, retry.REFUSED_FOR)
        return known

    @property
    def known_project_id(self) -> str | None:
        """The id of the project; None if it has not been looked up yet."""
        return self.settings.project_id or self._auth.project_id

    @cached_property
    def brief(self) -> Client:
        """The same client with short time-outs, few tries and no retry messages, for optional look-ups."""
        client, settings = copy(self), self.settings
        client.is_brief, client.notify = True, lambda _: None
        client.settings = replace(
            settings.within(BRIEF_TIMEOUT),
            max_retries=min(settings.max_retries, BRIEF_RETRIES),
            deadline=min(settings.deadline, BRIEF_DEADLINE),
        )
        return client

    def cached(self, ask: Callable[..., T], *given: object) -> T:
        """What `ask(client, *given)` returns; for half a minute it is not asked again."""
        return self.cache.get((ask, given), partial(ask, self, *given))

    def send(self, call: Call, *, look: Callable[[], T | None] | None = None, auth: Auth | None = None) -> Reply | T:
        """Send a call, and retry where that is safe and may help.

        Args:
            call: what to send.
            look: for a call that may not be repeated: called when the effect of a request is unknown, and then also
                when a later one is refused. It returns the result, or None if there was no effect and the call may be
                sent again.
            auth: signs the call; None means this client's credential.

        Raises:
            CbrSharingError: the error of the last try.
        """
        auth, settings, renewed, unsure = auth or self._auth, self.settings, False, False
        breaker, rate_limit = auth.account
        retries = retry.Retries(rate_limit, settings.max_retries, settings.deadline, self.notify)
        failure: CbrSharingError
        while True:
            breaker.raise_if_open(call.doing)
            signer = auth.current(self)  # signing in has its own retries, so its errors are final
            with breaker.turn(call.doing):
                rate_limit.wait(call.doing, settings.deadline)
                self._raise_if_out_of_reach(call)
                in_time = settings.within(max(LEAST_TIMEOUT, round(self.clock.left(), 1)))
                try:
                    reply = self.transport.send(call, signer, self.known_project_id, in_time)
                    self._answered.add(call.service)
                    reply.check()
                except CredentialRefused as error:
                    if not renewed and auth.renew(signer):
                        renewed = True
                        continue
                    failure = _with_origin(error, call.service, settings)
                except CbrSharingError as error:
                    failure = error
                else:
                    breaker.record(None)
                    return reply
                breaker.record(failure)
            ambiguous = retry.is_ambiguous(failure)
            unsure = unsure or ambiguous
            if look and unsure and not isinstance(failure, Throttled) and (found := look()) is not None:
                return found
            if not (look and ambiguous) and not retry.should_retry(failure, repeatable=call.repeatable):
                raise failure
            self._wait_or_raise(call, retries, failure)

    @cached_property
    def transport(self) -> Transport:
        """Sends one request; the rules for retries do not apply to it."""
        # The HTTP libraries are slow to import: a program that sends nothing does without them.
        from pulumi_cbr_sharing.http.transport import Transport  # noqa: PLC0415

        return Transport(self.settings)

    def _raise_if_out_of_reach(self, call: Call) -> None:
        """Raise the failure of another call to a service that has never answered, for half a minute."""
        until, error = self._out_of_reach.get(call.service, (0.0, None))
        if error and call.service not in self._answered and self.clock.now() < until:
            raise error.again(doing=call.doing, sent=False, lasting=True)

    def _wait_or_raise(self, call: Call, retries: retry.Retries, failure: CbrSharingError) -> None:
        if self.clock.left() <= 0:
            self.clock.sleep(0.0)  # says why it ends
        try:
            retries.wait_or_raise(failure, connected=call.service in self._answered)
        except Unreachable as error:
            if not self.is_brief:
                self._out_of_reach[call.service] = self.clock.now() + retry.UNREACHABLE_FOR, error
            raise


def _with_origin(error: CredentialRefused, service: Service, settings: Settings) -> CredentialRefused:
    """Add where a refused credential came from and went to, and why a new one may not have been used."""
    credential = settings.credential
    told = [error.remedy, f"it came from {credential.source}"]
    if isinstance(credential, (Password, Token)):
        told[1] += f" and was sent to {host_of(settings.iam if service == 'iam' else settings.cbr)}"
    told += [credential.remedy] if isinstance(credential, AccessKey) and credential.remedy else []
    told += [RECORDED] if credential.source.startswith("stack config") else []
    return error.again(remedy="; ".join(told))


@dataclass
class _Answer:
    """The last outcome; whoever holds the lock asks for another."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    asked: int = 0
    good_from: float = -math.inf
    value: Any = None
    error: BaseException | None = None


class SingleFlightCache:
    """Single-flight cache with a time to live; safe for many threads.

    A refusal by the service is an answer, too, and so is a mistake in the settings. Any other error goes to those who
    wait for it, and is then forgotten; but where the one who asks had to stop, one of those who wait asks.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._answers: dict[Hashable, _Answer] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, ask: Callable[[], T], seconds: float = TIME_TO_LIVE) -> T:
        """The answer for a key, or its error; calls `ask` if there is none that is younger than this."""
        with self._lock:
            kept = self._answers.setdefault(key, _Answer())
            asked = kept.asked
        with retry.held(kept.lock, self._clock):
            waited_for = kept.asked > asked and not isinstance(kept.error, errors.Stopped)
            if not waited_for and self._clock.now() >= kept.good_from + seconds:
                kept.value = kept.error = None
                try:
                    kept.value = ask()
                except BaseException as error:  # noqa: BLE001 - or those who wait would ask in turn
                    kept.error = error
                kept.asked += 1
                kept.good_from = self._clock.now() if _is_answer(kept.error) else -math.inf
            if kept.error:
                raise kept.error
            value: T = kept.value
            return value

    def drop(self, key: Hashable) -> None:
        """Forget an answer."""
        with self._lock:
            self._answers.pop(key, None)


def _is_answer(error: BaseException | None) -> bool:
    if isinstance(error, (CredentialRefused, errors.ServerFault, Throttled)):
        return False  # the circuit breaker remembers a refused credential
    return error is None or isinstance(error, (errors.ApiError, errors.SettingsError))
