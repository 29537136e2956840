"""Malicious answers, which would redirect the next call or spoil a message: nothing is concluded from them."""

from __future__ import annotations

import json

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pytest

from inprocess import settings_of
from pulumi_cbr_sharing.cbr import backups, members, projects, vaults
from pulumi_cbr_sharing.emulator import Fault
from pulumi_cbr_sharing.errors import CbrSharingError, NotFound, Refused, UnexpectedAnswer
from pulumi_cbr_sharing.http.client import Client


if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_cbr_sharing.emulator import Emulator

    Ask = Callable[[Client, Emulator], Any]


OTHER = "11111111-2222-4333-8444-555555555555"
HOSTILE = ["..", "x/members?", f"{OTHER}/members", "a\nb", "\x1b[2Jgone", "\ud800", " ", "x" * 500, 7, ["x"], {"x": 1}]
SPOILT = "\x1b[2J\r\nshared\u202e\ud800" + "x" * 1000


@pytest.fixture(name="client")
def _client(emulator: Emulator) -> Client:
    """The sharer's."""
    return Client(settings_of(emulator, max_retries=0))


def recipient(emulator: Emulator) -> str:
    """The recipient's project."""
    return emulator.account("recipient").project_id


def record_of(kind: str, emulator: Emulator) -> dict[str, Any]:
    """A record without any fault."""
    own, whom = emulator.account("sharer").project_id, recipient(emulator)
    return {
        "member": {"dest_project_id": whom, "status": "pending", "id": OTHER, "backup_id": emulator.backup.id},
        "backup": {"id": emulator.backup.id, "status": "available", "project_id": own},
        "vault": {"id": emulator.vault("sharer").id, "name": "vault", "project_id": own},
        "project": {"project_id": whom, "project_name": "eu-de"},
    }[kind]


def add(client: Client, emulator: Emulator) -> Any:
    """Share with the recipient; a look finds nothing."""
    return members.add_members(client, emulator.backup.id, [recipient(emulator)], look=lambda: None)


def accept(client: Client, emulator: Emulator) -> Any:
    """Answer an offer to the client's own project."""
    return members.answer_membership(client, emulator.backup.id, "accepted", emulator.vault("sharer").id)


# Every call that is answered by records: what they are of, and how it is asked.
CALLS: dict[str, tuple[str, Ask]] = {
    "add members": ("member", add),
    "list members": ("member", lambda client, emulator: members.list_members(client, emulator.backup.id).all()),
    "get member": (
        "member",
        lambda client, emulator: members.get_member(client, emulator.backup.id, recipient(emulator)),
    ),
    "answer": ("member", accept),
    "list backups": ("backup", lambda client, _: backups.list_backups(client)),
    "list shared backups": ("backup", lambda client, _: backups.list_backups(client, own_type="shared")),
    "get backup": ("backup", lambda client, emulator: backups.get_backup(client, emulator.backup.id)),
    "list vaults": ("vault", lambda client, _: vaults.list_vaults(client)),
    "get vault": ("vault", lambda client, emulator: vaults.get_vault(client, emulator.vault("sharer").id)),
    "projects": ("project", lambda client, _: projects.projects_of_account(client, "acme")),
}
IDS = {
    "member": ["dest_project_id", "id", "backup_id", "vault_id", "image_id"],
    "backup": ["id", "project_id", "vault_id", "resource_id", "checkpoint_id"],
    "vault": ["id", "project_id"],
    "project": ["project_id"],
}
TEXTS = {
    "member": ["status"],
    "backup": ["status", "resource_type", "name", "resource_name"],
    "vault": ["name"],
    "project": ["project_name"],
}


def cells(fields: dict[str, list[str]]) -> list[Any]:
    """Every call with every field of its records."""
    return [pytest.param(call, field, id=f"{call}-{field}") for call in CALLS for field in fields[CALLS[call][0]]]


def ended(call: str, client: Client, emulator: Emulator, **fields: Any) -> Any:
    """How a call ends whose answer has one record with some fields changed: the result, or the error."""
    kind, ask = CALLS[call]
    record = {**record_of(kind, emulator), **fields}
    body = {kind: record, f"{kind}s": [record], "count": 1}
    emulator.clear_faults()
    emulator.add_fault(Fault(status=200, body=json.dumps(body), times=9))
    try:
        return ask(client, emulator)
    except CbrSharingError as error:
        return error


@pytest.mark.parametrize("call", CALLS)
def test_the_record_without_fault_is_taken(call: str, emulator: Emulator, client: Client) -> None:
    """This shows that in the other tests the changed field matters."""
    own = {"dest_project_id": client.project_id} if call == "answer" else {}
    assert not isinstance(ended(call, client, emulator, **own), Exception)


@pytest.mark.parametrize(("call", "field"), cells(IDS))
def test_an_id_of_another_shape_concludes_nothing(call: str, field: str, emulator: Emulator, client: Client) -> None:
    """To cancel a member with the id `..` would delete the backup."""
    own = {"dest_project_id": client.project_id} if call == "answer" else {}
    ends = [ended(call, client, emulator, **{**own, field: value}) for value in HOSTILE]

    texts = [str(end) for end in ends]
    assert [type(end) for end in ends] == [UnexpectedAnswer] * len(HOSTILE)
    assert [text for text in texts if f"whose {field} is " not in text or "nothing is concluded" not in text] == []
    assert [text for text in texts if not text.isprintable() or len(text) > 450] == []


@pytest.mark.parametrize(("call", "field"), cells(TEXTS))
def test_a_text_becomes_one_bounded_line(call: str, field: str, emulator: Emulator, client: Client) -> None:
    """It ends up in messages, in the state and on terminals. Unknown values stay visible."""
    own = {"dest_project_id": client.project_id} if call == "answer" else {}
    end = ended(call, client, emulator, **{**own, field: SPOILT})

    if isinstance(end, members.Member):
        end = {"": end}
    found = list(end.values()) if isinstance(end, dict) else end if isinstance(end, list) else [end]
    (record,) = found
    text = asdict(record)[{"project_name": "name"}.get(field, field)]
    assert "shared" in text
    assert text.isprintable()
    assert len(text) <= 255


@pytest.mark.parametrize("status", ["resting", "OS::Nova::Server", "wait-for-it_2"])
def test_an_unknown_status_stays_as_it_is(status: str, emulator: Emulator, client: Client) -> None:
    """It may be a new one, which users should see."""
    found = ended("list members", client, emulator, status=status)
    assert [member.status for member in found.values()] == [status]


@pytest.mark.parametrize("status", ["", None, [], {}, "\n"])
def test_a_member_without_status_concludes_nothing(status: Any, emulator: Emulator, client: Client) -> None:
    """The status is what the answer is for."""
    assert "whose status is missing" in str(ended("list members", client, emulator, status=status))


ANOTHER: dict[str, tuple[str, Callable[[Emulator], str]]] = {
    "list members": ("backup_id", lambda _: OTHER),
    "get member": ("dest_project_id", lambda emulator: emulator.account("bystander").project_id),
    "answer": ("dest_project_id", lambda emulator: emulator.account("bystander").project_id),
    "get backup": ("id", lambda _: OTHER),
    "get vault": ("id", lambda _: OTHER),
}


@pytest.mark.parametrize(("call", "another"), ANOTHER.items(), ids=ANOTHER.keys())
def test_an_answer_about_something_else_concludes_nothing(
    call: str, another: tuple[str, Callable[[Emulator], str]], emulator: Emulator, client: Client
) -> None:
    """The id has the right shape, but is another one."""
    field, value = another
    end = ended(call, client, emulator, **{field: value(emulator)})
    assert isinstance(end, UnexpectedAnswer)
    assert "was asked for" in str(end)


BUILT: dict[str, Callable[[Client, str], Any]] = {
    "add": lambda client, bad: members.add_members(client, bad, ["5" * 32], look=lambda: None),
    "list": members.list_members,
    "get": lambda client, bad: members.get_member(client, OTHER, bad),
    "get of a backup": lambda client, bad: members.get_member(client, bad, "5" * 32),
    "answer": lambda client, bad: members.answer_membership(client, bad, "rejected"),
    "remove": lambda client, bad: members.remove_member(client, OTHER, bad),
    "remove of a backup": lambda client, bad: members.remove_member(client, bad, "5" * 32),
    "backup": backups.get_backup,
    "vault": vaults.get_vault,
    "backups of a vault": lambda client, bad: backups.list_backups(client, vault_id=bad),
}


@pytest.mark.parametrize("bad", ["..", "x/members?", f"{OTHER}/members", "\ud800", "a b"], ids=repr)
@pytest.mark.parametrize("ask", BUILT.values(), ids=BUILT.keys())
def test_nothing_of_another_shape_is_sent(
    ask: Callable[[Client, str], Any], bad: str, emulator: Emulator, client: Client
) -> None:
    """Whatever function is called, and wherever the id comes from."""
    with pytest.raises(Refused):
        ask(client, bad)
    assert emulator.requests == []


@pytest.mark.parametrize("method", ["share", "cancel", "list", "answer"])
def test_a_project_id_of_the_caller_cannot_lead_elsewhere(method: str, emulator: Emulator) -> None:
    """A project id such as `P/backups/OTHER/members?` from IAM would act on another backup."""
    other = emulator.add_backup()
    own = emulator.account("sharer").project_id
    client = Client(settings_of(emulator, project_id=f"{own}/backups/{other.id}/members?"))
    calls: dict[str, Callable[[], Any]] = {
        "share": lambda: add(client, emulator),
        "cancel": lambda: members.remove_member(client, emulator.backup.id, recipient(emulator)),
        "list": lambda: backups.list_backups(client),
        "answer": lambda: accept(client, emulator),
    }
    with pytest.raises(CbrSharingError):
        calls[method]()
    assert (emulator.requests, emulator.members(other.id)) == ([], {})


TEXT_FILTERS: dict[str, Callable[[Client, Any], Any]] = {
    "backups by name": lambda client, text: backups.list_backups(client, name=text),
    "backups by status": lambda client, text: backups.list_backups(client, status=text),
    "backups by resource": lambda client, text: backups.list_backups(client, resource_id=text),
    "vaults by name": lambda client, text: vaults.list_vaults(client, name=text),
    "projects": projects.projects_of_account,
}


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "a\x00b", "a\x1b[2J", "x" * 256, 7])
@pytest.mark.parametrize("look", TEXT_FILTERS.values(), ids=TEXT_FILTERS.keys())
def test_a_text_that_cannot_be_sent_is_refused(
    look: Callable[[Client, Any], Any], text: Any, emulator: Emulator, client: Client
) -> None:
    """A lone surrogate cannot be encoded: a clear error, and nothing is sent."""
    with pytest.raises(Refused) as told:
        look(client, text)
    assert str(told.value).isprintable()
    assert emulator.requests == []


def test_the_backup_outlives_a_member_that_is_called_like_the_way_up(emulator: Emulator, client: Client) -> None:
    """The whole attack: a list has a member `..`, and the caller cancels it."""
    end = ended("list members", client, emulator, dest_project_id="..")
    assert isinstance(end, UnexpectedAnswer)
    emulator.clear_faults()
    with pytest.raises((Refused, NotFound)):
        members.remove_member(client, emulator.backup.id, "..")
    assert [request.method for request in emulator.requests] == ["GET"]
    assert backups.get_backup(client, emulator.backup.id).status == "available"
