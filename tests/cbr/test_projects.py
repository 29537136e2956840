"""From the name of an account to its project."""

from __future__ import annotations

import json

from typing import TYPE_CHECKING, Any

import pytest

from inprocess import settings_of
from pulumi_cbr_sharing.cbr.projects import Project, project_of_account, projects_of_account
from pulumi_cbr_sharing.emulator import Fault
from pulumi_cbr_sharing.errors import Refused, UnexpectedAnswer
from pulumi_cbr_sharing.http.client import Client


if TYPE_CHECKING:
    from pulumi_cbr_sharing.emulator import Emulator


REGION = "eu-de"
MAIN, SUB, OTHER = ("1" * 32, REGION), ("2" * 32, f"{REGION}_web"), ("3" * 32, f"{REGION}_db")


@pytest.fixture(name="client")
def _client(emulator: Emulator) -> Client:
    """The sharer's."""
    return Client(settings_of(emulator, max_retries=0))


def told(emulator: Emulator, *projects: tuple[str, str]) -> None:
    """Make the cloud answer these projects for any account."""
    records = [{"project_id": id_, "project_name": name} for id_, name in projects]
    emulator.add_fault(Fault(method="GET", status=200, body=json.dumps({"projects": records})))


def test_the_projects_of_another_account(emulator: Emulator, client: Client) -> None:
    """They are found by the name of the account."""
    account = emulator.account("recipient")
    assert projects_of_account(client, "recipient") == [Project(account.project_id, account.project_name)]


@pytest.mark.parametrize("name", ["研发 账号", "a b", "a+b", "50%", "ümlaut", "with.dots"])
def test_a_name_may_have_any_characters(name: str, emulator: Emulator, client: Client) -> None:
    """The name is encoded, and signed as it is sent."""
    account = emulator.add_account(name)
    assert [project.id for project in projects_of_account(client, name)] == [account.project_id]


@pytest.mark.parametrize("name", ["", " ", ".", "..", " ... ", "\ud800", "a\nb", "a\x1b[2Jb", "x" * 256, None, 5])
def test_what_is_no_name_is_not_sent(name: Any, emulator: Emulator, client: Client) -> None:
    """A name of dots would be another path."""
    with pytest.raises(Refused, match="is not an account name"):
        projects_of_account(client, name)
    assert emulator.requests == []


def test_a_name_with_slashes_asks_nothing_else(emulator: Emulator, client: Client) -> None:
    """It stays one part of the path."""
    emulator.add_fault(Fault(method="GET", status=200, body='{"projects": []}'))
    projects_of_account(client, "../../v3/projects")
    assert [request.path.count("/domain/") for request in emulator.requests] == [1]


CHOICES: dict[str, tuple[list[tuple[str, str]], str | None, str]] = {
    "the region's own": ([SUB, MAIN], REGION, MAIN[0]),
    "the only one inside": ([SUB, ("4" * 32, "eu-nl")], REGION, SUB[0]),
    "the only one": ([SUB], None, SUB[0]),
}


@pytest.mark.parametrize(("projects", "region", "meant"), CHOICES.values(), ids=CHOICES.keys())
def test_the_project_that_is_meant(
    projects: list[tuple[str, str]], region: str | None, meant: str, emulator: Emulator, client: Client
) -> None:
    """The one with the name of the region, else the only one."""
    told(emulator, *projects)
    assert project_of_account(client, "acme", region).id == meant


OPEN: dict[str, tuple[list[tuple[str, str]], str | None]] = {
    "two inside": ([SUB, OTHER], REGION),
    "two, no region": ([MAIN, SUB], None),
    "of another region": ([("4" * 32, "eu-nl"), ("5" * 32, "eu-de2")], REGION),
    "twice the same name": ([MAIN, ("6" * 32, REGION)], REGION),
}


@pytest.mark.parametrize(("projects", "region"), OPEN.values(), ids=OPEN.keys())
def test_what_is_open_is_an_error_with_the_choices(
    projects: list[tuple[str, str]], region: str | None, emulator: Emulator, client: Client
) -> None:
    """The error lists every project with its id, to be copied."""
    told(emulator, *projects)
    with pytest.raises(Refused, match="it is not clear which of its projects is meant") as refused:
        project_of_account(client, "acme", region)
    assert [f"{name} ({id_})" for id_, name in projects if f"{name} ({id_})" not in str(refused.value)] == []


def test_many_choices_stay_one_line(emulator: Emulator, client: Client) -> None:
    """The error lists ten projects, and counts the rest."""
    told(emulator, *((f"{number:032x}", f"{REGION}_{number}") for number in range(25)))
    with pytest.raises(Refused, match="and 15 more: set one as dest_project_id"):
        project_of_account(client, "acme", REGION)


def test_an_account_of_which_nothing_is_told_is_an_error(client: Client) -> None:
    """The error says what to do."""
    with pytest.raises(Refused, match="lists no project of this account: check the name"):
        project_of_account(client, "nobody", REGION)


def test_an_answer_without_ids_is_an_error(emulator: Emulator, client: Client) -> None:
    """Nothing is concluded from a wrong shape."""
    emulator.add_fault(Fault(method="GET", status=200, body='{"projects": [{"project_name": "eu-de"}]}'))
    with pytest.raises(UnexpectedAnswer, match="a project whose project_id is missing"):
        projects_of_account(client, "acme")


@pytest.mark.parametrize("account", ["acme", "a/b", "..x", "研发", "a?b#c%2f"])
def test_the_name_of_an_account_stays_one_part(account: str, emulator: Emulator, client: Client) -> None:
    """It is the only part of a path without a fixed shape, so it is encoded."""
    emulator.add_fault(Fault(method="GET", status=200, body='{"projects": []}'))
    projects_of_account(client, account)
    (request,) = emulator.requests
    assert (request.path.count("/"), request.query) == (4 + account.count("/"), "")
