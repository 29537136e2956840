from __future__ import annotations

import threading
import time

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import pytest

from pulumi_cbr_sharing.errors import (
    AlreadyShared,
    ApiError,
    BackupNotFound,
    CbrSharingError,
    CredentialRefused,
    PermissionDenied,
    ServerFault,
    Throttled,
    TokenExpired,
    UnexpectedAnswer,
    Unreachable,
)
from pulumi_cbr_sharing.http.breaker import MOST_DENIALS, Admission
from pulumi_cbr_sharing.http.messages import Call


THREADS = 16
SHORT = 0.1  # seconds that are waited for what does not happen
CREATE = Call("POST", "/v3/p/backups/b/members", "Sharing b", "cbr:member:create")
LIST = Call("GET", "/v3/p/backups/b/members", "Listing b", "cbr:member:list")
REFUSED = CredentialRefused(
    "Sharing b", "the signature is wrong", "check it", status=401, code="APIGW.0301", request_id="r1"
)
DENIED = PermissionDenied("Sharing b", "permission was refused", "ask", status=403, request_id="r2")


@dataclass
class Cloud:
    """Behind an admission: counts what is sent, and how much of it at once."""

    admission: Admission = field(default_factory=Admission)
    sent: list[str] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, call: Call, end: CbrSharingError | None = None, seconds: float = 0) -> CbrSharingError | None:
        """Send one call that ends so, and give back what the caller gets instead."""
        try:
            with self.admission.enter(call):
                with self.lock:
                    self.sent.append(call.doing)
                    self.at_once += 1
                    self.most_at_once = max(self.most_at_once, self.at_once)
                try:
                    time.sleep(seconds)
                    if end:
                        raise end
                finally:
                    with self.lock:
                        self.at_once -= 1
        except CbrSharingError as error:
            return error
        return None

    def send_many(self, call: Call, end: CbrSharingError | None = None) -> list[CbrSharingError | None]:
        """Many threads send at the same moment."""
        barrier = threading.Barrier(THREADS)

        def one(number: int) -> CbrSharingError | None:
            barrier.wait(10)
            return self.send(replace(call, doing=f"{call.doing} {number}"), end, 0.02)

        with ThreadPoolExecutor(THREADS) as pool:
            return list(pool.map(one, range(THREADS)))

    def open(self, *calls: Call, patience: float = 10.0) -> bool:
        """Whether two of these calls get in together, as long as one waits for the other."""
        together = threading.Barrier(2)

        def one(call: Call) -> bool:
            try:
                with self.admission.enter(call):
                    together.wait(patience)
            except threading.BrokenBarrierError:
                return False
            return True

        with ThreadPoolExecutor(2) as pool:
            return all(list(pool.map(one, (calls[0], calls[-1]))))


@pytest.mark.parametrize(
    "end", [REFUSED, TokenExpired("Sharing b", "expired", status=401)], ids=["wrong signature", "expired"]
)
def test_a_refused_credential_is_sent_exactly_once(end: CredentialRefused) -> None:
    """More than five wrong signatures lock a key, and a program with many shares sends one."""
    cloud = Cloud()
    ends = cloud.send_many(CREATE, end)
    assert len(cloud.sent) == 1
    assert {type(error) for error in ends} == {type(end)}


def test_a_remembered_refusal_names_the_deed_at_hand() -> None:
    """Each resource is told what it was not able to do, with code and request of the one that was sent."""
    cloud = Cloud()
    cloud.send(CREATE, REFUSED)
    assert str(cloud.send(LIST)) == ("Listing b: the signature is wrong (APIGW.0301, HTTP 401, request r1): check it")
    assert cloud.sent == ["Sharing b"]


def test_a_refused_credential_holds_for_every_action() -> None:
    """Also for the lookups of the others, and of IAM."""
    cloud = Cloud()
    cloud.send(CREATE, REFUSED)
    assert {type(cloud.send(call)) for call in (CREATE, LIST, replace(LIST, service="iam"))} == {CredentialRefused}
    assert len(cloud.sent) == 1


def test_a_denied_action_is_sent_exactly_once() -> None:
    """Two hundred resources without permission are one line in the audit trail."""
    cloud = Cloud()
    ends = cloud.send_many(CREATE, DENIED)
    assert len(cloud.sent) == 1
    assert {type(error) for error in ends} == {PermissionDenied}


def test_a_denied_action_is_denied_alone() -> None:
    """Who may not share may still look."""
    cloud = Cloud()
    cloud.send(CREATE, DENIED)
    assert cloud.send(LIST) is None
    assert isinstance(cloud.send(CREATE), PermissionDenied)
    assert cloud.sent == ["Sharing b", "Listing b"]


def test_a_denied_action_proves_the_credential() -> None:
    """A 403 comes from somebody who knows who calls, so other actions go side by side."""
    cloud = Cloud()
    lookup = replace(LIST, action="cbr:backups:get")
    assert not cloud.open(LIST, lookup, patience=SHORT)
    cloud = Cloud()
    cloud.send(CREATE, DENIED)
    assert cloud.open(LIST, lookup)


def test_calls_go_one_by_one_until_one_was_welcome() -> None:
    """Nobody knows yet whether the key is right."""
    cloud = Cloud()
    cloud.send_many(CREATE, Unreachable("sharing", "no connection", sent=False))
    assert cloud.most_at_once == 1
    assert len(cloud.sent) == THREADS


def test_calls_go_side_by_side_once_one_was_welcome() -> None:
    """From then on nothing waits."""
    cloud = Cloud()
    assert not cloud.open(CREATE, patience=SHORT)
    cloud.send(CREATE)
    assert cloud.open(CREATE)


def test_an_action_is_proved_on_its_own() -> None:
    """That listing is allowed says nothing of sharing."""
    cloud = Cloud()
    cloud.send(LIST)
    assert cloud.open(LIST)
    assert not cloud.open(CREATE, patience=SHORT)


@pytest.mark.parametrize(
    ("end", "opened"),
    [
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
def test_what_proves_that_a_call_is_welcome(end: CbrSharingError, opened: bool) -> None:
    """Only the service's own codes do: they come from behind the gateway."""
    cloud = Cloud()
    assert cloud.send(CREATE, end) is end
    assert cloud.open(CREATE, patience=10.0 if opened else SHORT) is opened


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
    """The next call is sent, and nobody waits for a gate that was left shut."""
    cloud = Cloud()
    cloud.send(CREATE, end)
    assert cloud.send_many(CREATE) == [None] * THREADS
    assert len(cloud.sent) == THREADS + 1


def test_a_mistake_of_ours_leaves_the_gate_usable() -> None:
    """An exception that is no answer shuts nothing and proves nothing."""
    cloud = Cloud()
    with pytest.raises(ZeroDivisionError), cloud.admission.enter(CREATE):
        _ = 1 / 0
    assert not cloud.open(CREATE, patience=SHORT)
    assert cloud.send(CREATE) is None


def test_a_401_after_a_welcome_is_remembered() -> None:
    """A key can be revoked in the middle of a run."""
    cloud = Cloud()
    cloud.send(CREATE)
    cloud.send(CREATE, REFUSED)
    assert isinstance(cloud.send(CREATE), CredentialRefused)
    assert isinstance(cloud.send(LIST), CredentialRefused)
    assert len(cloud.sent) == 2


def test_a_403_after_a_welcome_is_that_of_one_backup() -> None:
    """Rights can go by enterprise project: one backup out of bounds does not keep the others from being shared."""
    cloud = Cloud()
    cloud.send(CREATE)
    for _ in range(5):
        assert isinstance(cloud.send(CREATE, DENIED), PermissionDenied)
        assert cloud.send(CREATE) is None
    assert len(cloud.sent) == 11


def test_403s_in_a_row_after_a_welcome_are_remembered() -> None:
    """A right can be withdrawn in the middle of a run."""
    cloud = Cloud()
    cloud.send(CREATE)
    for _ in range(MOST_DENIALS):
        cloud.send(CREATE, DENIED)
    assert isinstance(cloud.send(CREATE), PermissionDenied)
    assert cloud.send(LIST) is None
    assert len(cloud.sent) == MOST_DENIALS + 2


def test_two_clients_remember_apart() -> None:
    """Another account's key is another key."""
    one, other = Cloud(), Cloud()
    one.send(CREATE, REFUSED)
    assert other.send(CREATE) is None


def test_many_threads_with_different_actions_do_not_block_each_other_for_good() -> None:
    """Gates are passed in one order, so nobody waits for somebody who waits."""
    cloud = Cloud()
    calls = [replace(LIST, action=f"action {number % 3}") for number in range(THREADS)]
    with ThreadPoolExecutor(THREADS) as pool:
        assert list(pool.map(cloud.send, calls)) == [None] * THREADS
