"""The ledger of what the emulator does, and the switches for what the service may do instead."""

from __future__ import annotations

import inspect
import re

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import pulumi_cbr_sharing.emulator

from emulated import ask, code, control, members_of, project
from pulumi_cbr_sharing.emulator import behaviours
from pulumi_cbr_sharing.emulator.behaviours import Switches, guesses, ledger, switch_rows
from pulumi_cbr_sharing.emulator.routes import ROUTES


if TYPE_CHECKING:
    from pulumi_cbr_sharing.emulator import Emulator


LEDGER = ledger(ROUTES)
FOLDER = Path(pulumi_cbr_sharing.emulator.__file__).parent


def test_every_route_error_and_switch_is_in_the_ledger() -> None:
    """Each with what it does, and with one of three sources."""
    named = [row.what for row in LEDGER]
    assert {f"{route.method} {route.path}" for route in ROUTES} <= set(named)
    assert {row.code for row in behaviours.rows()} <= {name.partition(" ")[2] for name in named}
    assert {one.name for one in fields(Switches)} <= set(named)
    assert {row.source for row in LEDGER} == {"documented", "seen", "inferred"}
    assert [row.what for row in LEDGER if not row.does] == []


def test_what_is_inferred_has_another_answer() -> None:
    """A guess without one could not be tried."""
    assert [row.what for row in LEDGER if row.source == "inferred" and not row.others] == []
    assert [row.code for row in behaviours.rows() if (row.source == "inferred") != (row.other is not None)] == []


def test_every_code_that_is_answered_is_in_the_ledger() -> None:
    """No handler has an error of its own."""
    text = "".join(path.read_text() for path in FOLDER.glob("*.py") if path.name != "behaviours.py")
    named = set(re.findall(r"behaviours\.([A-Z_]+)\b", text))
    known = {name for name, value in vars(behaviours).items() if isinstance(value, behaviours.Row)}
    by_fault_alone = {"CANCEL_FAILED", "ANSWER_FAILED"}
    assert named - {"DOCUMENTED", "SEEN", "INFERRED", "CHINESE"} <= known
    assert known - named - by_fault_alone == set()


def test_every_other_answer_is_a_value_of_its_switch(emulator: Emulator) -> None:
    """It can be set from outside, and the state shows it."""
    for name, other in guesses():
        assert control(emulator, "POST", "switches", **{name: other}).status_code == 200, name
        assert control(emulator, "GET", "state").json()["switches"][name] == other


def test_the_ledger_is_shown(emulator: Emulator) -> None:
    """By a control endpoint, for people and scripts."""
    shown = control(emulator, "GET", "behaviours").json()
    assert len(shown) == len(LEDGER)
    assert {"what": "share_again", "source": "inferred"}.items() <= next(
        one for one in shown if one["what"] == "share_again"
    ).items()


def test_no_switch_is_without_a_test() -> None:
    """Each is set somewhere in the tests of the emulator."""
    texts = "".join(path.read_text() for path in Path(__file__).parent.glob("*.py"))
    unused = [row.what for row in switch_rows() if not re.search(rf"emulator\.{row.what}\b|\b{row.what}=", texts)]
    assert unused == []


def share(emulator: Emulator, *recipients: str) -> str:
    """Share the first backup; the error code, or ""."""
    answer = ask(emulator, "POST", members_of(emulator), {"members": list(recipients)})
    return "" if answer.status_code == 200 else code(answer)


def answer(emulator: Emulator, status: str, vault_id: str | None = None) -> Any:
    """Answer as the recipient; the member, or the error code."""
    body = {"status": status, "vault_id": vault_id or emulator.vault("recipient").id}
    path = f"{members_of(emulator)}/{project(emulator)}"
    told = ask(emulator, "PUT", path, body, account="recipient")
    return told.json()["member"] if told.status_code == 200 else code(told)


def status(emulator: Emulator) -> str:
    """What the recipient has answered."""
    return emulator.members(emulator.backup.id)[project(emulator)].status


def test_a_rejected_share_may_need_a_new_offer(emulator: Emulator) -> None:
    """`accepts_after_reject`."""
    emulator.add_member(emulator.backup.id, project(emulator), "rejected")
    emulator.accepts_after_reject = False
    refused = answer(emulator, "accepted")
    emulator.accepts_after_reject = True
    assert refused == "BackupService.6706"
    assert answer(emulator, "accepted")["status"] == "accepted"


def test_a_rejected_share_may_be_offered_again_by_post(emulator: Emulator) -> None:
    """`share_again`: refused with 6703, or pending again."""
    emulator.add_member(emulator.backup.id, project(emulator), "rejected")
    assert share(emulator, project(emulator)) == "BackupService.6703"
    emulator.share_again = "offered"
    assert share(emulator, project(emulator)) == ""
    assert status(emulator) == "pending"
    assert share(emulator, project(emulator)) == "BackupService.6703"


def test_one_wrong_recipient_may_not_stop_the_others(emulator: Emulator) -> None:
    """`one_wrong`: the error is the same."""
    recipients = (project(emulator), "0" * 32)
    assert share(emulator, *recipients) == "BackupService.6704"
    assert emulator.members(emulator.backup.id) == {}
    emulator.one_wrong = "adds the others"
    assert share(emulator, *recipients) == "BackupService.6704"
    assert set(emulator.members(emulator.backup.id)) == {project(emulator)}


def test_pending_may_be_no_answer(emulator: Emulator) -> None:
    """`answers_pending`."""
    emulator.add_member(emulator.backup.id, project(emulator), "accepted")
    emulator.answers_pending = False
    assert answer(emulator, "pending") == "BackupService.6706"
    emulator.answers_pending = True
    assert answer(emulator, "pending")["vault_id"] is None


def test_a_vault_may_be_shown_a_moment_later(emulator: Emulator) -> None:
    """`accept_seconds`: until then it is null in the member, and empty in the recipient's backup."""
    emulator.accept_seconds = 600
    emulator.add_member(emulator.backup.id, project(emulator))
    path = f"/backups/{emulator.backup.id}"
    early = answer(emulator, "accepted")["vault_id"], ask(emulator, "GET", path, account="recipient").json()["backup"]
    emulator.pass_time(seconds=601)

    assert (early[0], early[1]["vault_id"]) == (None, "")
    late = ask(emulator, "GET", path, account="recipient").json()["backup"]["vault_id"]
    assert late == emulator.vault("recipient").id


def as_recipient(emulator: Emulator, method: str, path: str) -> int:
    """The status of a request of the recipient."""
    return ask(emulator, method, path, account="recipient").status_code


def test_what_a_recipient_may_do_with_its_member_is_chosen(emulator: Emulator) -> None:
    """`recipient_reads`, `recipient_lists`, `recipient_leaves`."""
    emulator.add_member(emulator.backup.id, project(emulator))
    emulator.add_member(emulator.backup.id, project(emulator, "bystander"))
    members, own = members_of(emulator), f"{members_of(emulator)}/{project(emulator)}"
    before = as_recipient(emulator, "GET", own), as_recipient(emulator, "GET", members)
    emulator.recipient_reads, emulator.recipient_lists = False, True
    listed = ask(emulator, "GET", members, account="recipient").json()["members"]
    stays = as_recipient(emulator, "DELETE", own)
    emulator.recipient_leaves = True

    assert before == (200, 404)
    assert as_recipient(emulator, "GET", own) == 404
    assert [one["dest_project_id"] for one in listed] == [project(emulator)]
    assert (stays, as_recipient(emulator, "DELETE", own)) == (404, 204)
    assert set(emulator.members(emulator.backup.id)) == {project(emulator, "bystander")}


def test_inferred_codes_have_a_second_choice(emulator: Emulator) -> None:
    """`inferred_codes`; a documented code stays."""
    emulator.inferred_codes = "second"
    assert share(emulator, "0" * 32) == "BackupService.9900"
    emulator.add_member(emulator.backup.id, project(emulator))
    assert share(emulator, project(emulator)) == "BackupService.6703"


def listed(emulator: Emulator, query: str) -> Any:
    """The ids in a page of backups, or the error code."""
    told = ask(emulator, "GET", f"/backups?{query}")
    return [one["id"] for one in told.json()["backups"]] if told.status_code == 200 else code(told)


def test_lists_may_have_short_pages_and_other_filters(emulator: Emulator) -> None:
    """`page_size`, `offset_past_end`, `odd_parameters`, `names_match`."""
    first, second = emulator.backup.id, emulator.add_backup(name="nightly-2").id
    emulator.page_size = 1
    short = listed(emulator, "")
    emulator.page_size = 1000
    refused = listed(emulator, "limit=0"), listed(emulator, "sort=colour"), listed(emulator, "marker=none")
    past = listed(emulator, "offset=9")
    emulator.offset_past_end, emulator.odd_parameters, emulator.names_match = "refused", "ignored", "part"

    assert short == [first]
    assert (refused, past) == (("BackupService.9900",) * 3, [])
    assert listed(emulator, "offset=9") == "BackupService.9900"
    assert listed(emulator, "limit=0&sort=colour&marker=none") == [first, second]
    assert listed(emulator, "name=nightly") == [first, second]


def test_a_confined_user_may_be_refused(emulator: Emulator) -> None:
    """`confined_list`, and the projects of no account, `unknown_account`."""
    emulator.confine("sharer", "0")
    emulator.confined_list = "denied"
    assert ask(emulator, "GET", "/backups").status_code == 403
    assert listed(emulator, "enterprise_project_id=0") == [emulator.backup.id]


@pytest.mark.parametrize(("choice", "expected"), [("empty", 200), ("not found", 404)])
def test_an_account_that_does_not_exist_has_no_projects(choice: Any, expected: int, emulator: Emulator) -> None:
    """`unknown_account`: an empty list, or 404."""
    import requests  # noqa: PLC0415

    emulator.unknown_account = choice
    headers = {"X-Auth-Token": emulator.token("sharer")}
    answered = requests.get(f"{emulator.url}/v3/domain/nobody/projects", headers=headers, timeout=10)
    assert answered.status_code == expected


def test_every_switch_says_what_it_does() -> None:
    """In a few words, not in the code's."""
    assert [row.what for row in switch_rows() if len(row.does.split()) < 3] == []
    assert inspect.getdoc(Switches)


@pytest.mark.parametrize(("choice", "expected"), [(None, 404), ("empty vault", ""), ("no vault", None)])
def test_a_recipient_may_see_an_offer(choice: Any, expected: Any, emulator: Emulator) -> None:
    """`offer_shown`: not at all, or without a vault."""
    emulator.add_member(emulator.backup.id, project(emulator))
    emulator.offer_shown = choice
    told = ask(emulator, "GET", f"/backups/{emulator.backup.id}", account="recipient")
    assert (told.json()["backup"].get("vault_id") if told.status_code == 200 else 404) == expected


def test_the_list_may_ignore_what_was_answered(emulator: Emulator) -> None:
    """`ignores_member_status`."""
    emulator.add_member(emulator.backup.id, project(emulator), "accepted")
    path = "/backups?own_type=shared&member_status=pending"
    before = ask(emulator, "GET", path, account="recipient").json()["count"]
    emulator.ignores_member_status = True
    assert (before, ask(emulator, "GET", path, account="recipient").json()["count"]) == (0, 1)


def test_the_list_may_have_the_owners_vault(emulator: Emulator) -> None:
    """`listed_vault`: a single backup has the recipient's all the same."""
    emulator.add_member(emulator.backup.id, project(emulator), "accepted")
    path = "/backups?own_type=shared"
    seen = [ask(emulator, "GET", path, account="recipient").json()["backups"][0]["vault_id"]]
    emulator.listed_vault = "owner's"
    seen.append(ask(emulator, "GET", path, account="recipient").json()["backups"][0]["vault_id"])
    assert seen == [emulator.vault("recipient").id, emulator.vault("sharer").id]
    one = ask(emulator, "GET", f"/backups/{emulator.backup.id}", account="recipient").json()["backup"]
    assert one["vault_id"] == emulator.vault("recipient").id


def table_of_guesses() -> str:
    """The guesses as a table, in Markdown."""
    rows = [
        f"| `{row.what}` | {row.does} | {shown(getattr(Switches, row.what))} | {', '.join(map(shown, row.others))} |"
        for row in switch_rows()
        if row.source == "inferred"
    ]
    return "\n".join(["| switch | what is not documented | as it is | or |", "| --- | --- | --- | --- |", *rows])


def shown(value: Any) -> str:
    """A value as a program writes it."""
    return f'`"{value}"`' if isinstance(value, str) else f"`{value}`"


def test_the_guide_has_all_guesses() -> None:
    """In a table that is made from the code."""
    page = Path(__file__).parent.parent.parent / "docs/testing.md"
    assert table_of_guesses() in page.read_text(), f"put this table there:\n{table_of_guesses()}"
