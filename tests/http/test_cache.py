"""The single-flight cache: one request, whose answer is used for a while."""

from __future__ import annotations

import threading

from concurrent.futures import ThreadPoolExecutor

import pytest

from inprocess import FakeTime
from pulumi_cbr_sharing.errors import ApiError, CbrSharingError, CredentialRefused, SettingsError, Stopped, Unreachable
from pulumi_cbr_sharing.http.client import TIME_TO_LIVE, SingleFlightCache


class Question:
    """A request that counts how often it is sent."""

    def __init__(self, error: CbrSharingError | None = None) -> None:
        self.asked, self._error = 0, error

    def __call__(self) -> int:
        """Return the count, or raise the error."""
        self.asked += 1
        if self._error:
            raise self._error
        return self.asked


def test_an_answer_serves_for_a_while_and_no_longer() -> None:
    """In a long-lived process, answers expire."""
    time, question = FakeTime(), Question()
    cache = SingleFlightCache(time.clock)
    assert [cache.get("a", question), cache.get("a", question)] == [1, 1]
    time.sleep(TIME_TO_LIVE)
    assert cache.get("a", question) == 2


def test_a_question_says_how_old_its_answer_may_be() -> None:
    """For each question, the same answer is old or fresh."""
    time, question = FakeTime(), Question()
    cache = SingleFlightCache(time.clock)
    cache.get("a", question)
    time.sleep(TIME_TO_LIVE)
    assert cache.get("a", question, TIME_TO_LIVE + 1) == 1
    assert cache.get("a", question) == 2


def test_keys_are_apart() -> None:
    """Each key has its own answer."""
    cache, question = SingleFlightCache(FakeTime().clock), Question()
    assert [cache.get("a", question), cache.get("b", question)] == [1, 2]


def test_what_was_changed_is_asked_again() -> None:
    """A dropped answer is not used again."""
    cache, question = SingleFlightCache(FakeTime().clock), Question()
    cache.get("a", question)
    cache.drop("a")
    assert cache.get("a", question) == 2


@pytest.mark.parametrize(
    ("error", "times"),
    [
        (ApiError("asking", "no", status=403), 1),
        (SettingsError("asking: there is no such project"), 1),
        (CredentialRefused("asking", "no", status=401), 2),
        (Unreachable("asking", "cut", sent=True), 2),
    ],
    ids=["a refusal is an answer", "so are wrong settings", "a credential may be renewed", "a fault may pass"],
)
def test_which_errors_are_answers(error: CbrSharingError, times: int) -> None:
    """Refusals by the service and mistakes in the settings are cached; other errors are not."""
    cache, question = SingleFlightCache(FakeTime().clock), Question(error)
    for _ in range(2):
        with pytest.raises(type(error)):
            cache.get("a", question)
    assert question.asked == times


def test_those_who_wait_get_the_one_answer() -> None:
    """Four workers, one request."""
    cache, begun, question = SingleFlightCache(FakeTime().clock), threading.Barrier(4), Question()
    slow = threading.Event()

    def ask() -> int:
        slow.wait(5)
        return question()

    def get(_: int) -> int:
        begun.wait(5)
        return cache.get("a", ask)

    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(get, number) for number in range(4)]
        slow.set()
    assert [answer.result() for answer in answers] == [1, 1, 1, 1]


def test_one_who_waits_asks_where_the_one_who_asked_had_to_stop() -> None:
    """A call that was cancelled, or whose time was over, says nothing about the others."""
    cache, asked, stopped = SingleFlightCache(FakeTime().clock), threading.Event(), threading.Event()

    def ask_and_stop() -> int:
        asked.set()
        stopped.wait(5)
        raise Stopped("create: stopped after 1 s")

    with ThreadPoolExecutor(2) as pool:
        leader = pool.submit(cache.get, "a", ask_and_stop)
        asked.wait(5)
        follower = pool.submit(cache.get, "a", Question())
        stopped.set()
        assert follower.result() == 1
        with pytest.raises(Stopped):
            leader.result()
