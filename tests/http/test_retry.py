from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from hypothesis import assume, given
from hypothesis import strategies as st

from pulumi_cbr_sharing.errors import (
    AlreadyShared,
    ApiError,
    BackupNotFound,
    CbrSharingError,
    CredentialRefused,
    MemberNotFound,
    PermissionDenied,
    ServerFault,
    SettingsError,
    Throttled,
    UnexpectedAnswer,
    Unreachable,
)
from pulumi_cbr_sharing.http.retry import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    LONGEST_WAIT,
    UNCONNECTED_TRIES,
    Clock,
    RateLimit,
    Retries,
    is_ambiguous,
    pause_before,
    should_retry,
)


@dataclass
class FakeTime:
    """Time that passes only when somebody sleeps."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        """Advance the time."""
        self.slept.append(seconds)
        self.now += seconds

    @property
    def clock(self) -> Clock:
        """The clock for a client."""
        return Clock(lambda: self.now, self.sleep)


def throttled(retry_after: float | None = None) -> Throttled:
    """A 429."""
    return Throttled("Sharing", "too many", status=429, retry_after=retry_after)


FAULT = ServerFault("Sharing", "the service failed", status=503)
RESET = Unreachable("sharing", "the connection was cut", sent=True)
NOT_SENT = Unreachable("sharing", "no connection", sent=False)
UNTRUSTED = Unreachable("sharing", "not trusted", sent=False, lasting=True)
STRANGE = UnexpectedAnswer("a page of a proxy")


# --- the rule --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "if_repeatable", "otherwise", "ambiguous"),
    [
        pytest.param(throttled(), True, True, False, id="throttled"),
        pytest.param(NOT_SENT, True, True, False, id="not sent"),
        pytest.param(RESET, True, False, True, id="cut off"),
        pytest.param(UNTRUSTED, False, False, False, id="TLS not trusted"),
        pytest.param(Unreachable("sharing", "x", sent=True, lasting=True), False, False, True, id="sent, and lasting"),
        pytest.param(FAULT, True, False, True, id="fault of the service"),
        pytest.param(STRANGE, False, False, True, id="unreadable answer"),
        pytest.param(AlreadyShared("a", "b", status=400), False, False, False, id="shared already"),
        pytest.param(BackupNotFound("a", "b", status=404), False, False, False, id="backup gone"),
        pytest.param(MemberNotFound("a", "b", status=404), False, False, False, id="share gone"),
        pytest.param(CredentialRefused("a", "b", status=401), False, False, False, id="credential refused"),
        pytest.param(PermissionDenied("a", "b", status=403), False, False, False, id="permission denied"),
        pytest.param(ApiError("a", "b", status=400), False, False, False, id="any other no"),
        pytest.param(SettingsError("x"), False, False, False, id="settings"),
        pytest.param(ValueError("x"), False, False, False, id="a mistake of ours"),
    ],
)
def test_the_rule(error: Exception, if_repeatable: bool, otherwise: bool, ambiguous: bool) -> None:
    """Throttled or not sent: any call; a fault or a broken connection: repeatable ones; other answers are final."""
    assert should_retry(error, repeatable=True) is if_repeatable
    assert should_retry(error, repeatable=False) is otherwise
    assert is_ambiguous(error) is ambiguous


# --- pauses ----------------------------------------------------------------------------------------------------------


@given(attempt=st.integers(1, 10_000))
def test_a_pause_is_within_a_doubling_bound_of_at_most_a_minute(attempt: int) -> None:
    """The first pause is at most a second, the longest a minute, because the limits of the gateway are per minute."""
    pause = pause_before(attempt)
    assert 0 <= pause <= min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(attempt, 50))


@given(attempt=st.integers(1, 100), seconds=st.floats(0, 3600))
def test_a_pause_that_was_asked_for_is_kept(attempt: int, seconds: float) -> None:
    """Never shorter, and only a little longer, whatever the number of tries."""
    assume(seconds > 0)
    assert seconds <= pause_before(attempt, retry_after=seconds) <= seconds + FIRST_PAUSE


def test_pauses_are_spread_over_the_whole_bound() -> None:
    """Clients that were throttled together do not come back together."""
    pauses = [pause_before(20) for _ in range(500)]
    assert min(pauses) < LONGEST_PAUSE / 4
    assert max(pauses) > LONGEST_PAUSE * 3 / 4


def test_retry_after_0_does_not_switch_back_off_off() -> None:
    """A gateway that always sends 0 is not asked without a pause."""
    pauses = [pause_before(20, retry_after=0.0) for _ in range(500)]
    assert max(pauses) > LONGEST_PAUSE * 3 / 4


# --- the rate limit of an account ------------------------------------------------------------------------------------


def test_without_throttling_nobody_waits() -> None:
    """The rate limit costs nothing until the first 429."""
    time = FakeTime()
    rate_limit = RateLimit(time.clock)
    rate_limit.wait("Sharing", 600.0)
    assert time.slept == []


def test_one_429_pauses_every_thread_of_the_process() -> None:
    """The limit is the account's, so later calls wait until the same time."""
    time = FakeTime()
    rate_limit = RateLimit(time.clock)
    left = rate_limit.throttled(30.0)
    assert left == 30.0
    rate_limit.wait("Sharing", 600.0)
    assert time.slept == [pytest.approx(left)]
    rate_limit.wait("Sharing", 600.0)
    assert len(time.slept) == 1


def test_who_waits_sees_that_the_pause_was_lengthened() -> None:
    """A 429 of another thread extends the pause of threads that already sleep."""
    time = FakeTime()
    rate_limit = RateLimit(time.clock)
    rate_limit.throttled(10.0)
    sleep = time.sleep

    def interrupted(seconds: float) -> None:
        if not time.slept:
            rate_limit.throttled(30.0)
        sleep(seconds)

    rate_limit.clock.sleep = interrupted
    rate_limit.wait("Sharing", 600.0)
    assert sum(time.slept) >= 30.0


def test_a_pause_that_is_too_long_is_an_error_at_once() -> None:
    """The error says how long the pause is; no time is wasted."""
    time = FakeTime()
    rate_limit = RateLimit(time.clock)
    rate_limit.throttled(50.0)
    with pytest.raises(Throttled, match=r"Sharing: .* asks for a pause of 5\d s more"):
        rate_limit.wait("Sharing", 10.0)
    assert time.slept == []


def test_a_shorter_pause_does_not_shorten_a_longer_one() -> None:
    """The longest pause counts."""
    time = FakeTime()
    rate_limit = RateLimit(time.clock)
    first = rate_limit.throttled(50.0)
    assert rate_limit.throttled(1.0) == pytest.approx(first)


# --- patience --------------------------------------------------------------------------------------------------------


@dataclass
class Patient:
    """Counts the retries of a call under a fake time."""

    most: int = 8
    deadline: float = 600.0
    connected: bool = True
    time: FakeTime = field(default_factory=FakeTime)
    told: list[str] = field(default_factory=list)
    again: int = 0

    def __post_init__(self) -> None:
        self.rate_limit = RateLimit(self.time.clock)
        self.retries = Retries(self.rate_limit, self.most, self.deadline, self.told.append)

    def wait_or_raise(self, error: CbrSharingError) -> None:
        """Wait as the client does."""
        self.retries.wait_or_raise(error, connected=self.connected)

    def tries_again(self, error: CbrSharingError) -> int:
        """The number of retries of a call that always ends with this error."""
        with pytest.raises(CbrSharingError) as caught:
            self._go_on(error)
        assert caught.value is error
        return self.again

    def _go_on(self, error: CbrSharingError) -> None:
        for self.again in range(100_000):
            self.wait_or_raise(error)


@pytest.mark.parametrize("error", [FAULT, RESET, NOT_SENT], ids=["fault", "cut off", "not sent"])
@pytest.mark.parametrize("most", [0, 1, 3, 8])
def test_faults_are_tried_again_so_many_times(error: CbrSharingError, most: int) -> None:
    """The setting is the number of retries; then the error itself is raised."""
    assert Patient(most).tries_again(error) == most


@pytest.mark.parametrize(("most", "tries"), [(0, 0), (3, 3), (8, UNCONNECTED_TRIES), (999, UNCONNECTED_TRIES)])
def test_an_address_that_never_answered_is_given_up_sooner(most: int, tries: int) -> None:
    """An address that never answered is more likely wrong than down."""
    assert Patient(most, connected=False).tries_again(NOT_SENT) == tries


def test_throttling_is_bounded_by_the_deadline_alone() -> None:
    """A limit per minute lasts longer than any number of quick retries."""
    patient = Patient(most=0, deadline=600.0)
    assert patient.tries_again(throttled()) > 5
    assert sum(patient.time.slept) <= 600.0


def test_repeated_429s_make_the_pauses_longer() -> None:
    """The first pause is at most half a second, later ones double."""
    longest = [0.0] * 8
    for _ in range(200):
        patient = Patient()
        for number in range(8):
            patient.wait_or_raise(throttled())
            longest[number] = max(longest[number], patient.time.slept[-1])
    assert all(pause <= FIRST_PAUSE * 2**number for number, pause in enumerate(longest))
    assert longest[7] > 20


@pytest.mark.parametrize("error", [throttled(50.0), FAULT], ids=["throttled", "fault"])
def test_no_wait_reaches_beyond_the_deadline(error: CbrSharingError) -> None:
    """A wait that could not help is not started."""
    patient = Patient(most=999, deadline=120.0)
    patient.tries_again(error)
    assert sum(patient.time.slept) <= 120.0


def test_a_pause_beyond_the_deadline_ends_it_at_once() -> None:
    """If the answer asks to wait for an hour, the user is told at once."""
    patient = Patient(deadline=600.0)
    assert patient.tries_again(throttled(3600.0)) == 0
    assert patient.time.slept == []


def test_time_that_tries_took_counts() -> None:
    """The deadline includes the time of the tries themselves."""
    patient = Patient(deadline=100.0)
    patient.time.now += 100.0
    assert patient.tries_again(FAULT) == 0


def test_a_blip_is_no_news_and_the_third_try_is() -> None:
    """The third try prints one line: why it takes long, and when the next try is."""
    patient = Patient()
    for _ in range(2):
        patient.wait_or_raise(FAULT)
    assert patient.told == []
    patient.wait_or_raise(FAULT)
    seconds = max(1, round(patient.time.slept[2]))
    assert patient.told == [f"Sharing: the service failed (HTTP 503) - trying again in {seconds} s"]


def test_a_long_wait_is_told_at_once() -> None:
    """A long wait is not silent."""
    patient = Patient()
    patient.wait_or_raise(throttled(30.0))
    assert len(patient.told) == 1
    assert patient.told[0].startswith("Sharing: too many (HTTP 429) - trying again in 3")


def test_a_throttled_call_pauses_the_others_too() -> None:
    """The pause is for the whole process."""
    patient = Patient()
    patient.wait_or_raise(throttled(30.0))
    assert len(patient.time.slept) == 1
    patient.time.now -= 10.0
    patient.rate_limit.wait("Listing", 600.0)
    assert patient.time.slept[1] == pytest.approx(10.0)


# --- waiting for what takes its time ---------------------------------------------------------------------------------


def test_tries_are_spread_over_the_time_that_is_given() -> None:
    """The first one is at once, the last one when the time is over; the pauses grow to a quarter minute."""
    time = FakeTime()
    left = list(time.clock.tries(60.0))
    assert (left[0], left[-1], sum(time.slept)) == (60.0, 0.0, 60.0)
    assert time.slept[:-1] == sorted(time.slept[:-1])
    assert max(time.slept) == LONGEST_WAIT
    assert left[1] == 60.0 - time.slept[0]


def test_without_time_there_is_one_try() -> None:
    """And no pause."""
    time = FakeTime()
    assert list(time.clock.tries(0.0)) == [0.0]
    assert time.slept == []
