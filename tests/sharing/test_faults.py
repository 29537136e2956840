"""Every fault in every operation: the outcome, the number of requests, and that cloud and state agree afterwards.

Operations: sharing, reading and cancelling with an access key; signing in by password, then sharing; looking the
project up by its region, then sharing. An outcome is `ok`, `gone` (the service said beyond doubt that the share is
not there) or the class of the error, and the number of requests that reached the cloud, lookups among them;
`+` stands for as many as the patience allows.

A fault is of a kind, and a kind has two rows: what happens if the fault comes once, and if it stays. `!` in a row
is the error class of the fault itself.
"""

from __future__ import annotations

import json

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from inprocess import FakeTime, Run, password_of, settings_of
from pulumi_cbr_sharing.emulator import Fault, serve
from pulumi_cbr_sharing.errors import CbrSharingError


if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi_cbr_sharing.emulator import Emulator
    from pulumi_cbr_sharing.settings.resolve import Settings


RETRIES = 2
DEADLINE = 60.0  # of a clock that does not wait
READ_TIMEOUT = 0.4  # real seconds, the only ones that these tests spend
TOO_LONG = 2.0
PAGE = "<!DOCTYPE html><html><title>Sign in</title></html>"
HALF = '{"members": [{"dest_proj'
STRANGER = {"dest_project_id": "5" * 32, "status": "pending", "id": "5" * 8 + "-5555" * 3 + "-" + "5" * 12}
OPERATIONS = {
    "share": Fault(method="POST", path="/members$"),
    "read": Fault(method="GET", path="/members$"),
    "cancel": Fault(method="DELETE", path="/members/"),
    "sign in": Fault(method="POST", path="/auth/tokens$"),
    "look up": Fault(method="GET", path="/v3/projects$"),
}  # Each operation, and the door that it goes through; signing in is the same behind both.
THROUGH = [
    (one, door) for one in OPERATIONS for door in ("", "@native") if not door or one in ("share", "read", "cancel")
]

KINDS = {
    # kind: share | read | cancel | sign in | look up
    "no effect": (
        "ok 3 | ok 2 | ok 2 | ok 3 | ok 3",
        "! 6   | ! 3   | ! 3   | ! 3   | ! 3",
    ),
    "effect, answer lost": (
        "ok 2 | ok 2 | ok 2 | ok 3 | ok 3",
        "ok 2 | ! 3   | ! 3   | ! 3   | ! 3",
    ),
    # A 204 has no body that could be cut.
    "effect, body lost": (
        "ok 2 | ok 2 | ok 1 | ok 3 | ok 3",
        "ok 2 | ! 3   | ok 1 | ! 3   | ! 3",
    ),
    "throttled": (
        "ok 2 | ok 2 | ok 2 | ok 3 | ok 3",
        "! +   | ! +   | ! +   | ! +   | ! +",
    ),
    # Nothing is concluded from what nobody can read; an offer and a cancellation are looked up.
    "unreadable, no effect": (
        "ok 3 | ! 1   | ! 2   | ! 1   | ! 1",
        "! 6   | ! 1   | ! 2   | ! 1   | ! 1",
    ),
    "unreadable, effect": (
        "ok 2 | ! 1   | ok 2 | ! 1   | ! 1",
        "ok 2 | ! 1   | ok 2 | ! 1   | ! 1",
    ),
    "answered": (
        "! 1   | ! 1   | ! 1   | ! 1   | ! 1",
        "! 1   | ! 1   | ! 1   | ! 1   | ! 1",
    ),
}


@dataclass(frozen=True)
class Case:
    """A fault, its kind, its error, and where it differs from its kind.

    Attributes:
        exceptions: operation to outcome, once or lasting.
    """

    kind: str
    error: str
    fault: Fault
    exceptions: dict[str, str] | None = None

    def expected(self, operation: str, *, lasting: bool) -> str:
        """The expected outcome and number of requests."""
        row = KINDS[self.kind][lasting].split("|")
        cell = row[list(OPERATIONS).index(operation)].strip().replace("!", self.error)
        return " ".join((self.exceptions or {}).get(operation, cell).split())


def answer(status: int, code: str = "", when: Any = "before", **headers: str) -> Fault:
    """An error with this code instead of the real answer."""
    body = json.dumps({"error_code": code, "error_msg": "no"}) if code else ""
    names = {name.replace("_", "-"): text for name, text in headers.items()}
    return Fault(status=status, body=body, headers=names, when=when)


def told(status: int, body: str, kind: str = "application/json", when: Any = "before") -> Fault:
    """An answer with this body instead of the real one."""
    return Fault(status=status, body=body, headers={"Content-Type": kind}, when=when)


def unauthorized(message: str) -> str:
    """A 401 body of the shape that can mean that a backup does not exist."""
    return json.dumps({"unauthorized": {"code": "401", "message": message}})


CASES = {
    "reset before": Case("no effect", "Unreachable", Fault(reset=True)),
    "reset after": Case("effect, answer lost", "Unreachable", Fault(reset=True, when="after")),
    "closed before": Case("no effect", "Unreachable", Fault(close=True)),
    "closed after": Case("effect, answer lost", "Unreachable", Fault(close=True, when="after")),
    "time-out before": Case("no effect", "Unreachable", Fault(status=200, delay=TOO_LONG)),
    "time-out after": Case("effect, answer lost", "Unreachable", Fault(delay=TOO_LONG, when="after")),
    "slow trickle": Case("effect, body lost", "Unreachable", Fault(trickle=0.05)),
    "body shorter than announced": Case("effect, body lost", "Unreachable", Fault(truncate=5)),
    "408 before": Case("no effect", "ServerFault", answer(408)),
    "408 after": Case("effect, answer lost", "ServerFault", answer(408, when="after")),
    "429": Case("throttled", "Throttled", answer(429, "APIGW.0308")),
    "429 that asks for 20 s": Case("throttled", "Throttled", answer(429, "APIGW.0308", Retry_After="20")),
    "429 that asks for an hour": Case("answered", "Throttled", answer(429, "APIGW.0308", Retry_After="3600")),
    "429 that names a date": Case("throttled", "Throttled", answer(429, Retry_After="Wed, 21 Oct 2026 07:28:00 GMT")),
    "500 before": Case("no effect", "ServerFault", answer(500, "BackupService.0001")),
    "500 after": Case("effect, answer lost", "ServerFault", answer(500, "BackupService.0001", "after")),
    "500 with the code of a missing share": Case("no effect", "ServerFault", answer(500, "BackupService.6705")),
    "502 page": Case("no effect", "ServerFault", told(502, PAGE, "text/html")),
    "502 of the gateway": Case("no effect", "ServerFault", answer(502, "APIGW.0201")),
    "503 before": Case("no effect", "ServerFault", answer(503, "APIGW.0613", Retry_After="1")),
    "504 before": Case("no effect", "ServerFault", answer(504, "APIGW.0203")),
    "504 after": Case("effect, answer lost", "ServerFault", answer(504, "APIGW.0203", "after")),
    "page before": Case("unreadable, no effect", "UnexpectedAnswer", told(200, PAGE, "text/html")),
    "page after": Case("unreadable, effect", "UnexpectedAnswer", told(200, PAGE, "text/html", "after")),
    "page called JSON": Case("unreadable, no effect", "UnexpectedAnswer", told(200, PAGE)),
    "empty body before": Case("unreadable, no effect", "UnexpectedAnswer", told(200, "")),
    "empty body after": Case("unreadable, effect", "UnexpectedAnswer", told(200, "", when="after")),
    "half a JSON before": Case("unreadable, no effect", "UnexpectedAnswer", told(200, HALF)),
    "half a JSON after": Case("unreadable, effect", "UnexpectedAnswer", told(200, HALF, when="after")),
    "a list for an object": Case("unreadable, no effect", "UnexpectedAnswer", told(200, "[]")),
    # Rows under another name; a POST that says yes to nothing is looked up, and not found.
    "another object": Case(
        "unreadable, no effect", "UnexpectedAnswer", told(200, '{"vaults": []}'), {"share": "UnexpectedAnswer 2"}
    ),
    "another object after": Case("unreadable, effect", "UnexpectedAnswer", told(200, '{"vaults": []}', when="after")),
    "a member that says nothing after": Case(
        "unreadable, effect", "UnexpectedAnswer", told(200, '{"members": [{"status": "pending"}]}', when="after")
    ),
    "202": Case("unreadable, no effect", "UnexpectedAnswer", told(202, "")),
    "redirect": Case("unreadable, no effect", "UnexpectedAnswer", Fault(status=302, headers={"Location": "/other"})),
    "307": Case("unreadable, no effect", "UnexpectedAnswer", Fault(status=307, headers={"Location": "/other"})),
    "401 0301": Case("answered", "CredentialRefused", answer(401, "APIGW.0301")),
    "401 0303": Case("answered", "CredentialRefused", answer(401, "APIGW.0303")),
    "401 0307": Case("answered", "CredentialRefused", answer(401, "APIGW.0307")),
    # A read looks at the list of backups, a change at the backup itself: if it is there, nothing is concluded. IAM does
    # not answer so.
    "401 quirk": Case(
        "answered",
        "CredentialRefused",
        told(401, unauthorized("Malformed request url")),
        {"share": "MalformedUrl 2", "read": "gone 2", "cancel": "MalformedUrl 2"},
    ),
    "401 almost the quirk": Case("answered", "CredentialRefused", told(401, unauthorized("Malformed request"))),
    "401 page": Case("answered", "CredentialRefused", told(401, PAGE, "text/html")),
    "403 of the gateway": Case("answered", "PermissionDenied", answer(403, "APIGW.0302")),
    "403 without code": Case("answered", "PermissionDenied", told(403, '{"forbidden": {"code": "403"}}')),
    "404 no such API": Case("answered", "ApiError", answer(404, "APIGW.0101")),
    # IAM's 404 has a meaning of its own: no such account, project or identity provider.
    "404 of a vault": Case("answered", "NotFound", answer(404, "BackupService.6105"), {"sign in": "ApiError 1"}),
    "404 page": Case("answered", "ApiError", told(404, PAGE, "text/html")),
    "404 empty": Case("answered", "ApiError", told(404, "")),
    "400 with the code of a missing share": Case("answered", "ApiError", answer(400, "BackupService.6705")),
    "418": Case("answered", "ApiError", told(418, "{}")),
}
# Lists that do not fit their own count, for `read` alone.
LISTS = {
    "more counted than listed": ({"members": [STRANGER], "count": 2}, "UnexpectedAnswer 2"),
    "fewer counted than listed": ({"members": [STRANGER], "count": 0}, "UnexpectedAnswer 1"),
    "nothing listed, some counted": ({"members": [], "count": 1}, "UnexpectedAnswer 1"),
    "a count that is no number": ({"members": [STRANGER], "count": "1"}, "UnexpectedAnswer 2"),
    "a count that is a truth": ({"members": [STRANGER], "count": True}, "UnexpectedAnswer 2"),
    "members that are no objects": ({"members": ["5" * 32], "count": 1}, "UnexpectedAnswer 1"),
    "members without project": ({"members": [{"status": "pending"}], "count": 1}, "UnexpectedAnswer 1"),
    "members without status": ({"members": [{"dest_project_id": "5" * 32}], "count": 1}, "UnexpectedAnswer 1"),
}


@pytest.fixture(name="shared", scope="module")
def _shared() -> Iterator[Emulator]:
    """One cloud for all tests; each resets it."""
    with serve() as emulator:
        yield emulator


@pytest.fixture(name="cloud")
def _cloud(shared: Emulator) -> Emulator:
    shared.reset()
    return shared


def settings_for(operation: str, cloud: Emulator, **changes: Any) -> Settings:
    """The settings for an operation."""
    if operation == "sign in":
        changes["credential"] = password_of(cloud)
    if operation == "look up":
        changes["project_id"] = None
    return settings_of(cloud, max_retries=RETRIES, deadline=DEADLINE, **changes)


def state_of(cloud: Emulator) -> dict[str, Any]:
    """The state of a share with the recipient."""
    owner, recipient = cloud.account("sharer"), cloud.account("recipient")
    ids = {"backup_id": cloud.backup.id, "dest_project_id": recipient.project_id}
    return {**ids, "owner_project_id": owner.project_id, "region": owner.region}


def attempt(operation: str, settings: Settings, state: dict[str, Any]) -> str:
    """Run an operation; returns its outcome."""
    with Run(settings, FakeTime().clock) as run:
        try:
            if operation == "read":
                return "ok" if run.read(state) else "gone"
            if operation == "cancel":
                run.delete(state)
            else:
                run.create(state["backup_id"], state["dest_project_id"])
        except CbrSharingError as error:
            return type(error).__name__
    return "ok"


def is_shared(cloud: Emulator) -> bool:
    """Whether the backup is shared with the recipient."""
    return list(cloud.members(cloud.backup.id)) == [cloud.account("recipient").project_id]


def prepare(operation: str, cloud: Emulator) -> None:
    """Create the share that is read or cancelled."""
    if operation in ("read", "cancel"):
        cloud.add_member(cloud.backup.id, cloud.account("recipient").project_id)


def assert_agreement(operation: str, outcome: str, cloud: Emulator) -> None:
    """After `ok` the share is as expected; after an error the next run makes it so."""
    if operation == "read":
        assert is_shared(cloud)
    elif outcome == "ok":
        assert is_shared(cloud) == (operation != "cancel")
    cloud.faults.clear()
    assert attempt(operation, settings_for(operation, cloud), state_of(cloud)) == "ok"
    assert is_shared(cloud) == (operation != "cancel")
    assert len(cloud.members(cloud.backup.id)) <= 1


@pytest.mark.parametrize("lasting", [False, True], ids=["once", "lasting"])
@pytest.mark.parametrize(("operation", "door"), THROUGH, indirect=["door"])
@pytest.mark.parametrize("name", CASES)
@pytest.mark.usefixtures("door")
def test_a_fault_ends_as_the_table_says(name: str, operation: str, lasting: bool, cloud: Emulator) -> None:
    """The outcome and the number of requests are as expected, and cloud and state agree."""
    case, where = CASES[name], OPERATIONS[operation]
    prepare(operation, cloud)
    cloud.add_fault(replace(case.fault, method=where.method, path=where.path, times=99 if lasting else 1))
    slow = case.fault.delay or case.fault.trickle

    settings = settings_for(operation, cloud, read_timeout=READ_TIMEOUT if slow else 20.0)
    outcome = attempt(operation, settings, state_of(cloud))

    expected = case.expected(operation, lasting=lasting)
    assert expected.replace("+", str(len(cloud.requests))) == f"{outcome} {len(cloud.requests)}"
    assert_agreement(operation, outcome, cloud)


@pytest.mark.parametrize("lasting", [False, True], ids=["once", "lasting"])
@pytest.mark.parametrize("name", LISTS)
@pytest.mark.usefixtures("door")
def test_a_list_that_does_not_fit_its_count_proves_nothing(name: str, lasting: bool, cloud: Emulator) -> None:
    """A share that is missing from it may still exist."""
    prepare("read", cloud)
    body, expected = LISTS[name]
    cloud.add_fault(replace(told(200, json.dumps(body)), method="GET", path="/members$", times=99 if lasting else 1))

    outcome = attempt("read", settings_for("read", cloud), state_of(cloud))

    assert f"{outcome} {len(cloud.requests)}" == expected
    assert_agreement("read", outcome, cloud)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_refused_connection_is_an_error_after_a_few_tries(operation: str, cloud: Emulator) -> None:
    """Nothing was sent or changed."""
    prepare(operation, cloud)
    nowhere = (
        {"cbr": "http://127.0.0.1:9"} if operation in ("share", "read", "cancel") else {"iam": "http://127.0.0.1:9/v3"}
    )

    outcome = attempt(operation, settings_for(operation, cloud, **nowhere), state_of(cloud))

    assert f"{outcome} {len(cloud.requests)}" == "Unreachable 0"
    assert_agreement(operation, outcome, cloud)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_type_of_an_answer_is_not_what_decides(operation: str, cloud: Emulator) -> None:
    """A JSON answer with another content type is accepted."""
    prepare(operation, cloud)
    owner, recipient = cloud.account("sharer").project_id, cloud.account("recipient").project_id
    member = {"dest_project_id": recipient, "status": "pending"}
    status, body = {
        "share": (200, {"members": [member]}),
        "read": (200, {"members": [member], "count": 1}),
        "cancel": (204, None),
        "sign in": (201, {"token": {"project": {"id": owner}}}),
        "look up": (200, {"projects": [{"id": owner}]}),
    }[operation]
    headers = {"Content-Type": "text/html", "X-Subject-Token": cloud.token("sharer")}
    where = OPERATIONS[operation]
    text = "" if body is None else json.dumps(body)
    cloud.add_fault(Fault(where.method, where.path, status, text, headers, when="after"))

    assert attempt(operation, settings_for(operation, cloud), state_of(cloud)) == "ok"
    assert len(cloud.requests) == (2 if operation in ("sign in", "look up") else 1)


def test_an_expired_token_is_renewed_once_and_the_call_sent_again(cloud: Emulator) -> None:
    """Sign in, a refused POST, sign in again, the POST."""
    cloud.add_fault(replace(CASES["401 0307"].fault, method="POST", path="/members$"))

    assert attempt("share", settings_for("sign in", cloud), state_of(cloud)) == "ok"

    assert [request.status for request in cloud.requests] == [201, 401, 201, 200]


def test_a_token_that_is_refused_even_when_new_is_an_error(cloud: Emulator) -> None:
    """It is renewed only once."""
    cloud.add_fault(replace(CASES["401 0307"].fault, method="POST", path="/members$", times=99))

    assert attempt("share", settings_for("sign in", cloud), state_of(cloud)) == "CredentialRefused"

    assert [request.status for request in cloud.requests] == [201, 401, 201, 401]
    assert not is_shared(cloud)


@pytest.mark.parametrize("found", [0, 2])
def test_a_project_that_is_not_the_only_one_of_its_name_is_an_error(found: int, cloud: Emulator) -> None:
    """The project is not guessed."""
    projects = [{"id": f"{number}" * 32} for number in range(found)]
    cloud.add_fault(Fault("GET", "/v3/projects$", 200, json.dumps({"projects": projects})))

    assert attempt("look up", settings_for("look up", cloud), state_of(cloud)) == "SettingsError"

    assert not is_shared(cloud)
    assert_agreement("look up", "SettingsError", cloud)


@pytest.mark.parametrize("name", ["reset before", "500 after", "429", "page before", "401 0301", "403 of the gateway"])
@pytest.mark.parametrize("lasting", [False, True], ids=["once", "lasting"])
def test_a_fault_of_signing_in_is_the_same_where_the_token_tells_the_project(
    name: str, lasting: bool, cloud: Emulator
) -> None:
    """Then the first request is for the project, not for a share."""
    case, where = CASES[name], OPERATIONS["sign in"]
    cloud.add_fault(replace(case.fault, method=where.method, path=where.path, times=99 if lasting else 1))

    outcome = attempt("share", settings_for("sign in", cloud, project_id=None), state_of(cloud))

    expected = case.expected("sign in", lasting=lasting)
    assert expected.replace("+", str(len(cloud.requests))) == f"{outcome} {len(cloud.requests)}"
    assert_agreement("share", outcome, cloud)
