from __future__ import annotations

import threading
import time

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from inprocess import FakeTime, password_of, settings_of
from pulumi_cbr_sharing.errors import (
    AlreadyShared,
    ApiError,
    BackupNotFound,
    CbrSharingError,
    CredentialRefused,
    PermissionDenied,
    ServerFault,
    Throttled,
    UnexpectedAnswer,
    Unreachable,
)
from pulumi_cbr_sharing.http.auth import Accounts
from pulumi_cbr_sharing.http.retry import REFUSED_FOR, CredentialBreaker
from pulumi_cbr_sharing.settings.credentials import Secret, Token


if TYPE_CHECKING:
    from pulumi_cbr_sharing.emulator import Emulator


THREADS = 16
SHORT = 0.1  # seconds that are waited for what does not happen
REFUSED = CredentialRefused(
    "Sharing b", "the signature is wrong", "check it", status=401, code="APIGW.0301", request_id="r1"
)
DENIED = PermissionDenied("Sharing b", "permission denied", "ask", status=403, request_id="r2")


@dataclass
class Cloud:
    """A service behind a circuit breaker: counts requests, also those at the same time."""

    time: FakeTime = field(default_factory=FakeTime)
    sent: list[str] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.breaker = CredentialBreaker(self.time.clock)

    def send(
        self, end: CbrSharingError | None = None, doing: str = "Sharing b", seconds: float = 0
    ) -> Exception | None:
        """Send a request that ends so; returns the error that the caller gets."""
        try:
            with self.breaker.turn(doing):
                self._send(doing, seconds)
                self.breaker.record(end)
        except CbrSharingError as error:
            return error
        return end

    def _send(self, doing: str, seconds: float) -> None:
        with self.lock:
            self.sent.append(doing)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        time.sleep(seconds)
        with self.lock:
            self.at_once -= 1

    def send_many(self, end: CbrSharingError | None = None) -> list[Exception | None]:
        """Send from many threads at the same time."""
        barrier = threading.Barrier(THREADS)

        def one(number: int) -> Exception | None:
            barrier.wait(10)
            return self.send(end, f"Sharing b {number}", 0.02)

        with ThreadPoolExecutor(THREADS) as pool:
            return list(pool.map(one, range(THREADS)))

    def lets_two_in(self, patience: float = 10.0) -> bool:
        """Whether two requests may be sent at the same time."""
        together = threading.Barrier(2)

        def one(_: int) -> bool:
            try:
                with self.breaker.turn("Sharing b"):
                    together.wait(patience)
            except threading.BrokenBarrierError:
                return False
            return True

        with ThreadPoolExecutor(2) as pool:
            return all(list(pool.map(one, range(2))))


def test_a_refused_credential_is_sent_exactly_once() -> None:
    """A program with many shares sends one wrong signature, not as many as would lock the key."""
    cloud = Cloud()
    ends = cloud.send_many(REFUSED)
    assert len(cloud.sent) == 1
    assert {type(error) for error in ends} == {CredentialRefused}


def test_a_remembered_refusal_names_the_call_at_hand() -> None:
    """Each error says what was not done, with code and request id of the request that was sent."""
    cloud = Cloud()
    cloud.send(REFUSED)
    told = cloud.send(doing="Listing b")
    assert str(told) == "Listing b: the signature is wrong (APIGW.0301, HTTP 401, request r1): check it"
    assert cloud.sent == ["Sharing b"]


def test_a_refusal_is_forgotten_after_five_minutes() -> None:
    """Then requests are sent again, one at a time: a long-lived process can use a corrected key."""
    cloud = Cloud()
    cloud.send()
    cloud.send(REFUSED)
    cloud.time.now += REFUSED_FOR - 1
    assert isinstance(cloud.send(), CredentialRefused)
    cloud.time.now += 1
    assert not cloud.lets_two_in(patience=SHORT)
    assert cloud.send() is None
    assert len(cloud.sent) == 3
    assert cloud.lets_two_in()


@pytest.mark.parametrize("order", [[0, 1, 0, 0, 1], [1, 0, 1, 1, 1, 0], [1] * 5 + [0]], ids=str)
def test_a_403_for_one_backup_locks_nothing(order: list[int]) -> None:
    """Permissions depend on the enterprise project, too: the other backups are shared, in any order."""
    cloud = Cloud()
    ends = [cloud.send(DENIED if denied else None) for denied in order]
    assert ends == [DENIED if denied else None for denied in order]
    assert len(cloud.sent) == len(order)


def test_calls_go_one_by_one_until_the_credential_has_worked() -> None:
    """Until then the key may be wrong."""
    cloud = Cloud()
    cloud.send_many(Unreachable("sharing", "no connection", sent=False))
    assert cloud.most_at_once == 1
    assert len(cloud.sent) == THREADS


@pytest.mark.parametrize(
    ("end", "works"),
    [
        pytest.param(None, True, id="success"),
        pytest.param(DENIED, True, id="denied"),
        pytest.param(AlreadyShared("a", "b", status=400, code="BackupService.6703"), True, id="shared already"),
        pytest.param(BackupNotFound("a", "b", status=404, code="BackupService.6200"), True, id="backup gone"),
        pytest.param(ApiError("a", "b", status=400, code="BackupService.9900"), True, id="malformed"),
        pytest.param(Unreachable("sharing", "x", sent=False), False, id="no connection"),
        pytest.param(Unreachable("sharing", "x", sent=True), False, id="cut off"),
        pytest.param(UnexpectedAnswer("x"), False, id="unreadable"),
        pytest.param(Throttled("a", "b", status=429, code="APIGW.0308"), False, id="throttled"),
        pytest.param(ApiError("a", "b", status=404, code="APIGW.0101"), False, id="wrong endpoint"),
        pytest.param(ServerFault("a", "b", status=503), False, id="fault of the gateway"),
        pytest.param(BackupNotFound("a", "b", status=401, code="401"), False, id="the quirk"),
    ],
)
def test_what_proves_a_credential(end: CbrSharingError | None, works: bool) -> None:
    """Success, a missing permission, and error codes of CBR, which is behind the gateway."""
    cloud = Cloud()
    assert not cloud.lets_two_in(patience=SHORT)
    assert cloud.send(end) is end
    assert cloud.lets_two_in(patience=10.0 if works else SHORT) is works


@pytest.mark.parametrize(
    "end",
    [
        Unreachable("sharing", "x", sent=False),
        Unreachable("sharing", "x", sent=True),
        Throttled("a", "b", status=429),
        UnexpectedAnswer("x"),
    ],
    ids=["no connection", "cut off", "throttled", "unreadable"],
)
def test_what_is_no_refusal_is_not_remembered(end: CbrSharingError) -> None:
    """The next call is sent."""
    cloud = Cloud()
    cloud.send(end)
    assert cloud.send_many() == [None] * THREADS
    assert len(cloud.sent) == THREADS + 1


def test_an_exception_leaves_the_breaker_usable() -> None:
    """It neither opens the circuit breaker nor proves the credential."""
    cloud = Cloud()
    with pytest.raises(ZeroDivisionError), cloud.breaker.turn("Sharing b"):
        _ = 1 / 0
    assert not cloud.lets_two_in(patience=SHORT)
    assert cloud.send() is None


def test_threads_that_waited_for_the_first_success_go_on_side_by_side() -> None:
    """Otherwise every process would begin with as many round trips as it has threads."""
    cloud = Cloud()
    first_is_in, waiting, together = threading.Event(), threading.Barrier(THREADS + 1), threading.Barrier(THREADS)

    def first() -> None:
        with cloud.breaker.turn("Sharing b"):
            first_is_in.set()
            waiting.wait(10)
            time.sleep(SHORT)  # the others stand at the lock by now
            cloud.breaker.record(None)

    def other(_: int) -> None:
        first_is_in.wait(10)
        waiting.wait(10)
        with cloud.breaker.turn("Sharing b"):
            together.wait(10)

    with ThreadPoolExecutor(THREADS + 1) as pool:
        for done in [pool.submit(first), *(pool.submit(other, n) for n in range(THREADS))]:
            done.result()


def test_a_401_after_a_success_is_remembered() -> None:
    """A key can be revoked during a run."""
    cloud = Cloud()
    cloud.send()
    cloud.send(REFUSED)
    assert isinstance(cloud.send(), CredentialRefused)
    assert len(cloud.sent) == 2


# --- one account -----------------------------------------------------------------------------------------------------


def test_an_access_key_is_one_account_in_all_regions_and_projects(emulator: Emulator) -> None:
    """The service locks the key, whatever its source and wherever it is used."""
    accounts, settings = Accounts(), settings_of(emulator, region="eu-de", cbr="https://cbr.eu-de.example.com")
    elsewhere = replace(
        settings,
        region="eu-nl",
        cbr="https://cbr.eu-nl.example.com",
        project_id="1" * 32,
        credential=replace(settings.credential, source="elsewhere"),
    )
    assert accounts.of(elsewhere).breaker is accounts.of(settings).breaker
    assert accounts.of(elsewhere).rate_limit is accounts.of(settings).rate_limit
    other_cloud = accounts.of(replace(settings, cbr="https://cbr.eu-de.another.com"))
    assert other_cloud.breaker is not accounts.of(settings).breaker


def test_a_token_or_user_is_refused_for_one_project_and_slowed_in_all(emulator: Emulator) -> None:
    """A user may have no access to one project but to another; the rate limit is the user's."""
    for credential in (password_of(emulator), Token(Secret("planted"), "here")):
        accounts, settings = Accounts(), settings_of(emulator, credential=credential)
        other = accounts.of(replace(settings, project_id="1" * 32))
        assert other.breaker is not accounts.of(settings).breaker
        assert other.rate_limit is accounts.of(settings).rate_limit


def test_other_credentials_are_other_accounts(emulator: Emulator) -> None:
    """They share neither circuit breaker nor rate limit."""
    accounts = Accounts()
    one, other = (accounts.of(settings_of(emulator, name)) for name in ("sharer", "recipient"))
    assert one.breaker is not other.breaker
    assert one.rate_limit is not other.rate_limit
