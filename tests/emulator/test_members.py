"""The members API of the emulator: who may share what with whom, and its errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from emulated import SECONDS, ask, code, members_of, project
from pulumi_cbr_sharing.emulator import serve


if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_cbr_sharing.emulator import Emulator


NOBODY = "0" * 32
NO_BACKUP = "00000000-0000-4000-8000-000000000000"


def share(emulator: Emulator, *projects: str, account: str = "sharer", backup: str | None = None) -> requests.Response:
    """Share a backup, by default the first one."""
    path = f"/backups/{backup or emulator.backup.id}/members"
    return ask(emulator, "POST", path, {"members": list(projects)}, account=account)


def put(emulator: Emulator, *, account: str = "recipient", **body: Any) -> requests.Response:
    """Answer the offer of the seeded backup to the recipient."""
    return ask(emulator, "PUT", f"{members_of(emulator)}/{project(emulator)}", body, account=account)


def accept(emulator: Emulator) -> requests.Response:
    """Accept it into the recipient's vault."""
    return put(emulator, status="accepted", vault_id=emulator.vault("recipient").id)


def test_sharing_adds_pending_members(emulator: Emulator) -> None:
    """The answer is the new records, without a count."""
    answer = share(emulator, project(emulator), project(emulator, "bystander"))

    assert answer.status_code == 200
    assert set(answer.json()) == {"members"}
    assert [one["dest_project_id"] for one in answer.json()["members"]] == list(emulator.members(emulator.backup.id))
    assert {one.status for one in emulator.members(emulator.backup.id).values()} == {"pending"}


def test_a_member_is_found_by_the_recipients_project(emulator: Emulator) -> None:
    """A path has the recipient's project id, not the id of the record."""
    record = share(emulator, project(emulator)).json()["members"][0]

    assert ask(emulator, "GET", f"{members_of(emulator)}/{project(emulator)}").json() == {"member": record}
    assert ask(emulator, "GET", f"{members_of(emulator)}/{record['id'].replace('-', '')}").status_code == 404


def test_huawei_writes_nulls_and_moments_without_a_zone(emulator: Emulator) -> None:
    """Every key is there, whether it has a value or not."""
    record = share(emulator, project(emulator)).json()["members"][0]

    absent = {key for key, value in record.items() if value is None}
    assert absent == {"vault_id", "image_id", "updated_at"}
    assert len(record["created_at"]) == len("2020-02-05T10:38:34.209782")


def test_otc_leaves_absent_keys_out_and_writes_the_zone() -> None:
    """Milliseconds, and +00:00."""
    with serve(dialect="otc") as emulator:
        record = share(emulator, project(emulator)).json()["members"][0]

    assert set(record) == {"id", "status", "backup_id", "dest_project_id", "created_at"}
    assert record["created_at"].endswith("+00:00")
    assert len(record["created_at"]) == len("2020-02-05T10:38:34.210+00:00")


def _of_kind(emulator: Emulator, **fields: Any) -> requests.Response:
    return share(emulator, project(emulator), backup=emulator.add_backup(**fields).id)


def _eleventh(emulator: Emulator) -> requests.Response:
    for number in range(10):
        emulator.add_member(emulator.backup.id, emulator.add_account(f"more-{number}").project_id)
    return share(emulator, project(emulator))


def _shared_on(emulator: Emulator) -> requests.Response:
    emulator.add_member(emulator.backup.id, project(emulator), "accepted")
    return share(emulator, project(emulator, "bystander"), account="recipient")


def _again(emulator: Emulator, status: str) -> requests.Response:
    emulator.add_member(emulator.backup.id, project(emulator), status)
    return share(emulator, project(emulator))


REFUSED_SHARES: dict[str, tuple[str, Callable[[Emulator], requests.Response]]] = {
    "no backup": ("404 6200", lambda e: share(e, project(e), backup=NO_BACKUP)),
    "another project's backup": ("404 6200", lambda e: share(e, project(e), account="bystander")),
    "still being made": ("400 6702", lambda e: _of_kind(e, status="protecting")),
    "of a kind that cannot be shared": ("400 6700", lambda e: _of_kind(e, resource_type="OS::Native::Server")),
    "encrypted": ("400 6709", lambda e: _of_kind(e, encrypted=True)),
    "not allowed": ("400 6707", lambda e: _of_kind(e, shareable=False)),
    "an eleventh": ("400 6701", _eleventh),
    "eleven at once": ("400 6701", lambda e: share(e, *[e.add_account(f"m{n}").project_id for n in range(11)])),
    "unknown recipient": ("400 6704", lambda e: share(e, NOBODY)),
    "oneself": ("400 6704", lambda e: share(e, project(e, "sharer"))),
    "a received backup": ("400 6714", _shared_on),
    "shared already": ("400 6703", lambda e: _again(e, "pending")),
    "shared and rejected": ("400 6703", lambda e: _again(e, "rejected")),
    "nobody": ("400 9900", share),
    "no project id": ("400 9900", lambda e: share(e, "somebody")),
    "no backup id": ("400 9900", lambda e: share(e, project(e), backup="abc")),
    "no list": ("400 9900", lambda e: ask(e, "POST", members_of(e), {"members": project(e)})),
    "no object": ("400 9900", lambda e: ask(e, "POST", members_of(e), [project(e)])),
    "no body": ("400 9900", lambda e: ask(e, "POST", members_of(e))),
}


@pytest.mark.parametrize("case", REFUSED_SHARES)
def test_a_share_that_is_refused_says_why_and_changes_nothing(case: str, emulator: Emulator) -> None:
    """Each documented error has its status and code."""
    expected, attempt = REFUSED_SHARES[case]
    answer = attempt(emulator)
    others = {one for backup in emulator.state.backups for one in emulator.members(backup)}

    assert f"{answer.status_code} {code(answer).removeprefix('BackupService.')}" == expected
    assert project(emulator, "bystander") not in others
    assert NOBODY not in others


def test_one_wrong_recipient_refuses_all(emulator: Emulator) -> None:
    """If one cannot be added, none is."""
    assert code(share(emulator, project(emulator), NOBODY)) == "BackupService.6704"
    assert emulator.members(emulator.backup.id) == {}


def test_ten_recipients_are_not_too_many(emulator: Emulator) -> None:
    """Ten is allowed."""
    projects = [emulator.add_account(f"more-{number}").project_id for number in range(10)]
    assert share(emulator, *projects).status_code == 200
    assert set(emulator.members(emulator.backup.id)) == set(projects)


def test_disks_can_be_shared(emulator: Emulator) -> None:
    """Newer regions can share backups of disks, too."""
    disk = emulator.add_backup(resource_type="OS::Cinder::Volume")
    assert share(emulator, project(emulator), backup=disk.id).status_code == 200
    assert project(emulator) in emulator.members(disk.id)


def test_accepting_gives_the_recipient_the_backup_in_its_own_vault(emulator: Emulator) -> None:
    """Same id, the recipient's vault, the sharer's project."""
    share(emulator, project(emulator))
    path = f"/backups/{emulator.backup.id}"
    before = ask(emulator, "GET", path, account="recipient")
    accepted = accept(emulator).json()["member"]
    seen = ask(emulator, "GET", path, account="recipient").json()["backup"]

    assert code(before) == "BackupService.6200"
    assert accepted["status"] == "accepted"
    assert accepted["updated_at"] is not None
    assert seen["id"] == emulator.backup.id
    assert seen["vault_id"] == emulator.vault("recipient").id
    assert seen["project_id"] == project(emulator, "sharer")
    assert "members" not in seen
    assert emulator.visible_to(project(emulator)) == {emulator.backup.id}


def test_rejecting_gives_an_accepted_backup_back(emulator: Emulator) -> None:
    """The backup is not found any more; the member still exists."""
    share(emulator, project(emulator))
    accept(emulator)
    assert put(emulator, status="rejected").status_code == 200

    assert emulator.visible_to(project(emulator)) == set()
    member = emulator.members(emulator.backup.id)[project(emulator)]
    assert (member.status, member.vault_id) == ("rejected", None)


def _into(emulator: Emulator, **fields: Any) -> requests.Response:
    vault = emulator.add_vault(account="recipient", **fields)
    return put(emulator, status="accepted", vault_id=vault.id)


def _answer_to_nothing(emulator: Emulator) -> requests.Response:
    emulator.remove_member(emulator.backup.id, project(emulator))
    return accept(emulator)


REFUSED_ANSWERS: dict[str, tuple[str, Callable[[Emulator], requests.Response]]] = {
    "without a vault": ("400 6706", lambda e: put(e, status="accepted")),
    "with half a vault": ("400 6706", lambda e: put(e, status="accepted", vault_id=7)),
    "with another word": ("400 6706", lambda e: put(e, status="thanks")),
    "with nothing": ("400 6706", put),
    "by the sharer": ("404 6705", lambda e: put(e, account="sharer", status="rejected")),
    "by somebody": ("404 6200", lambda e: put(e, account="bystander", status="rejected")),
    "to no offer": ("404 6705", _answer_to_nothing),
    "into no vault": ("404 6105", lambda e: put(e, status="accepted", vault_id=NO_BACKUP)),
    "into a foreign vault": ("404 6105", lambda e: put(e, status="accepted", vault_id=e.vault("sharer").id)),
    "into a locked vault": ("400 6712", lambda e: _into(e, status="lock")),
    "into a vault for disks": ("400 6713", lambda e: _into(e, object_type="disk")),
    "into a small vault": ("400 6114", lambda e: _into(e, size=10)),
}


@pytest.mark.parametrize("case", REFUSED_ANSWERS)
def test_an_answer_that_is_refused_says_why_and_changes_nothing(case: str, emulator: Emulator) -> None:
    """Only the recipient can answer, and only with a vault that fits the backup."""
    share(emulator, project(emulator))
    expected, attempt = REFUSED_ANSWERS[case]
    answer = attempt(emulator)

    assert f"{answer.status_code} {code(answer).removeprefix('BackupService.')}" == expected
    assert {one.status for one in emulator.members(emulator.backup.id).values()} <= {"pending"}


def test_an_answer_can_be_repeated_in_a_full_vault(emulator: Emulator) -> None:
    """A backup that is in the vault already takes no more capacity."""
    share(emulator, project(emulator))
    vault = emulator.add_vault(account="recipient", size=emulator.backup.size)
    answers = [put(emulator, status="accepted", vault_id=vault.id) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]


def test_an_answer_can_be_taken_back_to_pending(emulator: Emulator) -> None:
    """The status is one of the three that are legal."""
    share(emulator, project(emulator))
    accept(emulator)
    assert put(emulator, status="pending").json()["member"]["status"] == "pending"
    assert emulator.visible_to(project(emulator)) == set()


def test_cancelling_removes_the_member_and_the_recipients_view(emulator: Emulator) -> None:
    """204, without a body; the second time it is not found."""
    emulator.add_member(emulator.backup.id, project(emulator), "accepted")
    path = f"{members_of(emulator)}/{project(emulator)}"
    first, second = (ask(emulator, "DELETE", path) for _ in range(2))

    assert (first.status_code, first.content) == (204, b"")
    assert (second.status_code, code(second)) == (404, "BackupService.6705")
    assert emulator.visible_to(project(emulator)) == set()


def test_a_share_with_an_image_cannot_be_cancelled(emulator: Emulator) -> None:
    """The image must be deleted first; the member has its id."""
    emulator.add_member(emulator.backup.id, project(emulator), "accepted")
    image = emulator.register_image(emulator.backup.id, project(emulator))
    path = f"{members_of(emulator)}/{project(emulator)}"

    assert code(ask(emulator, "DELETE", path)) == "BackupService.6710"
    assert ask(emulator, "GET", path).json()["member"]["image_id"] == image
    assert project(emulator) in emulator.members(emulator.backup.id)


def test_the_recipient_may_not_cancel(emulator: Emulator) -> None:
    """A recipient gives a share back by rejecting it."""
    emulator.add_member(emulator.backup.id, project(emulator), "accepted")
    path = f"{members_of(emulator)}/{project(emulator)}"
    assert code(ask(emulator, "DELETE", path, account="recipient")) == "BackupService.6200"
    assert project(emulator) in emulator.members(emulator.backup.id)


def test_the_recipient_sees_its_own_membership_and_no_other(emulator: Emulator) -> None:
    """Other recipients are not shown to it."""
    for account in ("recipient", "bystander"):
        emulator.add_member(emulator.backup.id, project(emulator, account))
    path = members_of(emulator)

    assert ask(emulator, "GET", f"{path}/{project(emulator)}", account="recipient").status_code == 200
    other = ask(emulator, "GET", f"{path}/{project(emulator, 'bystander')}", account="recipient")
    assert code(other) == "BackupService.6200"
    assert code(ask(emulator, "GET", path, account="recipient")) == "BackupService.6200"


def five(emulator: Emulator) -> list[str]:
    """Share the seeded backup with five projects, the third rejected."""
    projects = [emulator.add_account(f"team-{number}").project_id for number in range(5)]
    for number, one in enumerate(projects):
        emulator.add_member(emulator.backup.id, one, "rejected" if number == 2 else "pending")
    return projects


def listed(emulator: Emulator, query: str) -> tuple[list[str], int]:
    """The recipients on a page of the list, and its count."""
    body = ask(emulator, "GET", f"{members_of(emulator)}?{query}").json()
    return [one["dest_project_id"] for one in body["members"]], body["count"]


def test_the_count_is_the_total_and_not_the_length_of_the_page(emulator: Emulator) -> None:
    """The count is that of all pages."""
    projects = five(emulator)
    assert listed(emulator, "") == (projects, 5)
    assert listed(emulator, "limit=2") == (projects[:2], 5)
    assert listed(emulator, "limit=2&offset=4") == (projects[4:], 5)
    assert listed(emulator, "offset=99") == ([], 5)


def test_a_marker_is_the_id_of_the_last_record_of_the_page_before(emulator: Emulator) -> None:
    """Following the markers reads every record once."""
    projects = five(emulator)
    marker = emulator.members(emulator.backup.id)[projects[1]].id
    assert listed(emulator, f"limit=2&marker={marker}") == (projects[2:4], 5)


def test_members_are_filtered(emulator: Emulator) -> None:
    """The count is that of the filtered members."""
    projects = five(emulator)
    image = emulator.register_image(emulator.backup.id, projects[0])
    assert listed(emulator, "status=rejected") == ([projects[2]], 1)
    assert listed(emulator, f"dest_project_id={projects[3]}") == ([projects[3]], 1)
    assert listed(emulator, f"image_id={image}") == ([projects[0]], 1)
    assert listed(emulator, f"vault_id={NO_BACKUP}") == ([], 0)


def test_members_are_sorted_downwards_unless_told_otherwise(emulator: Emulator) -> None:
    """Several keys, each with its direction."""
    projects = five(emulator)
    assert listed(emulator, "sort=dest_project_id")[0] == sorted(projects, reverse=True)
    assert listed(emulator, "sort=dest_project_id:asc")[0] == sorted(projects)
    by_status = listed(emulator, "sort=status:desc,dest_project_id:asc")[0]
    assert by_status == [projects[2], *sorted({*projects} - {projects[2]})]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=-1", "limit=x", "offset=x", "marker=x", "sort=x", "sort=id:up"]
)
def test_a_list_parameter_that_makes_no_sense_is_refused(query: str, emulator: Emulator) -> None:
    """It is not ignored, so that errors of a client show."""
    five(emulator)
    assert code(ask(emulator, "GET", f"{members_of(emulator)}?{query}")) == "BackupService.9900"


@pytest.mark.parametrize("path", ["/backups/abc/members", f"/backups/{NO_BACKUP}/members/abc"])
def test_ids_of_another_form_are_refused(path: str, emulator: Emulator) -> None:
    """The error differs from that for a missing one."""
    assert code(ask(emulator, "GET", path)) == "BackupService.9900"


@pytest.mark.parametrize("language", ["", "zh-cn"])
def test_without_a_language_the_service_answers_in_chinese(language: str, emulator: Emulator) -> None:
    """The codes are the same; a client that relies on texts fails."""
    path = f"{members_of(emulator)}/{project(emulator)}"
    foreign = ask(emulator, "GET", path, headers={"X-Language": language})
    english = ask(emulator, "GET", path)

    assert code(foreign) == code(english) == "BackupService.6705"
    assert english.json()["error_msg"].isascii()
    assert not foreign.json()["error_msg"].isascii()


def test_the_malformed_url_quirk_is_off_until_it_is_switched_on(emulator: Emulator) -> None:
    """Then list and get of a missing backup answer 401 with exactly this body."""
    paths = [f"/backups/{NO_BACKUP}{rest}" for rest in ("", "/members", f"/members/{project(emulator)}")]
    usual = [ask(emulator, "GET", path).status_code for path in paths]
    emulator.quirk_malformed_url = True
    quirky = [ask(emulator, "GET", path) for path in paths]

    assert usual == [404] * 3
    assert [answer.status_code for answer in quirky] == [401] * 3
    body = {"unauthorized": {"code": "401", "message": "Malformed request url"}}
    assert [answer.json() for answer in quirky] == [body] * 3
    assert share(emulator, project(emulator), backup=NO_BACKUP).status_code == 404


def test_the_other_malformed_url_quirk_is_off_until_it_is_switched_on(emulator: Emulator) -> None:
    """Then a project that is not the caller's gets the same answer, as from Karbor."""
    paths = ["/backups", members_of(emulator), "/vaults"]
    other = project(emulator)

    def answers() -> list[tuple[int, str]]:
        headers = {"X-Auth-Token": emulator.token("sharer")}
        urls = [f"{emulator.url}/v3/{other}{path}" for path in paths]
        found = [requests.get(url, headers=headers, timeout=SECONDS) for url in urls]
        return [(answer.status_code, answer.text) for answer in found]

    usual = answers()
    emulator.quirk_wrong_project = True

    assert [status for status, _ in usual] == [403] * 3
    assert answers() == [(401, '{"unauthorized": {"code": "401", "message": "Malformed request url"}}')] * 3
    assert ask(emulator, "GET", "/backups").status_code == 200
