"""The lifecycle of a BackupShare in the real plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from clouds import environment
from doors import DYNAMIC_ONLY, process
from plugin import UNKNOWN, Made, Plugin, PluginError
from pulumi_cbr_sharing.emulator import Fault
from pulumi_cbr_sharing.resources.share import BackupShareProvider
from pulumi_cbr_sharing.resources.share_member import BackupShareMemberProvider
from stack import Stack


if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pulumi_cbr_sharing.emulator import Emulator


pytestmark = pytest.mark.usefixtures("door")
OURS = BackupShareProvider()


@pytest.fixture(name="plugin")
def _plugin(emulator: Emulator) -> Iterator[Plugin]:
    """A run with the sharer's credentials in the environment."""
    with process(env=environment(emulator)) as plugin:
        yield plugin


@pytest.fixture(name="teams")
def _teams(emulator: Emulator) -> list[str]:
    """Twelve projects, in the order of their ids."""
    return sorted(emulator.add_account(f"team-{number}").project_id for number in range(12))


def inputs(emulator: Emulator, projects: list[str], **changes: Any) -> dict[str, Any]:
    """The inputs to share the first backup with projects."""
    return {"backup_id": emulator.backup.id, "dest_project_ids": projects, **changes}


def live(emulator: Emulator) -> list[str]:
    """The projects that the first backup is shared with."""
    return sorted(emulator.members(emulator.backup.id))


def sent(emulator: Emulator) -> list[str]:
    """The methods of the requests to the cloud."""
    return [request.method for request in emulator.requests]


def test_ten_recipients_are_one_post(emulator: Emulator, plugin: Plugin, teams: list[str]) -> None:
    """Create lists the members, and adds all missing ones with one POST."""
    made = plugin.create(OURS, inputs(emulator, teams[:10]))
    assert live(emulator) == teams[:10]
    assert sent(emulator) == ["GET", "POST"]
    assert made.id == emulator.backup.id
    assert made.outs["statuses"] == dict.fromkeys(teams[:10], "pending")


def test_a_refresh_is_one_list(emulator: Emulator, plugin: Plugin, teams: list[str]) -> None:
    """A destroy is one request for each declared recipient."""
    emulator.page_size = 1000  # requests are counted
    made = plugin.create(OURS, inputs(emulator, teams[:10]))
    with process(env=environment(emulator)) as later:
        emulator.clear_requests()
        assert later.read(made)
        assert sent(emulator) == ["GET"]
        emulator.clear_requests()
        later.delete(made)
        assert sent(emulator) == ["DELETE"] * 10
    assert live(emulator) == []


SIZES = (0, 1, 9, 10)


@pytest.mark.parametrize("before", SIZES)
@pytest.mark.parametrize("after", SIZES)
def test_sets_change_in_every_direction(
    before: int, after: int, emulator: Emulator, plugin: Plugin, teams: list[str]
) -> None:
    """The live list becomes the declared one, also at the limit, with at most one POST."""
    made = plugin.create(OURS, inputs(emulator, teams[:before]))
    emulator.clear_requests()
    wanted = teams[12 - after :]

    updated = plugin.update(OURS, made, inputs(emulator, wanted))

    assert live(emulator) == wanted
    assert updated.outs["dest_project_ids"] == wanted
    assert sent(emulator).count("POST") <= 1


def test_order_means_nothing(emulator: Emulator, plugin: Plugin, teams: list[str]) -> None:
    """Another order of recipients is no change."""
    made = plugin.create(OURS, inputs(emulator, teams[:3]))
    assert not plugin.diff(OURS, made, inputs(emulator, teams[2::-1])).changes


def test_undeclared_recipients_are_drift_and_go(emulator: Emulator, plugin: Plugin, teams: list[str]) -> None:
    """A refresh shows them, and the next update removes them."""
    made = plugin.create(OURS, inputs(emulator, teams[:2]))
    emulator.add_member(emulator.backup.id, teams[5])
    with process(env=environment(emulator)) as later:
        read = later.read(made)
        assert read
        assert teams[5] in read.outs["dest_project_ids"]
        assert later.diff(OURS, read, inputs(emulator, teams[:2])).changes
        later.update(OURS, read, inputs(emulator, teams[:2]))
    assert live(emulator) == teams[:2]


def test_destroy_leaves_what_others_made(emulator: Emulator, plugin: Plugin, teams: list[str]) -> None:
    """Only the declared shares are cancelled, even after a refresh that saw others."""
    made = plugin.create(OURS, inputs(emulator, teams[:2]))
    emulator.add_member(emulator.backup.id, teams[5])
    with process(env=environment(emulator)) as later:
        read = later.read(made)
        assert read
        later.delete(read)
    assert live(emulator) == [teams[5]]


def test_existing_shares_are_kept_as_they_are(emulator: Emulator, plugin: Plugin, teams: list[str]) -> None:
    """An accepted share that is declared is not offered again; an undeclared one is removed, with a warning."""
    emulator.add_member(emulator.backup.id, teams[0], status="accepted")
    emulator.add_member(emulator.backup.id, teams[7])
    made = plugin.create(OURS, inputs(emulator, teams[:2]))
    assert made.outs["statuses"] == {teams[0]: "accepted", teams[1]: "pending"}
    assert live(emulator) == teams[:2]
    assert f"cancelled 1 undeclared share of backup {emulator.backup.id}: {teams[7]}" in plugin.stop()


def test_a_rejected_offer_is_drift_and_made_again(emulator: Emulator, plugin: Plugin, teams: list[str]) -> None:
    """The rejected share is removed before the new offer."""
    made = plugin.create(OURS, inputs(emulator, teams[:10]))
    emulator.answer(emulator.backup.id, teams[4], "rejected", vault_id="any")
    with process(env=environment(emulator)) as later:
        read = later.read(made)
        assert read
        assert later.diff(OURS, read, inputs(emulator, teams[:10])).changes
        updated = later.update(OURS, read, inputs(emulator, teams[:10]))
    assert updated.outs["statuses"][teams[4]] == "pending"
    assert live(emulator) == teams[:10]


def test_a_half_failed_update_is_completed_by_the_next(emulator: Emulator, plugin: Plugin, teams: list[str]) -> None:
    """One recipient has an image; the others are removed and new ones added; the state is unchanged."""
    made = plugin.create(OURS, inputs(emulator, teams[:5]))
    image = emulator.register_image(emulator.backup.id, teams[0])
    wanted = inputs(emulator, teams[3:7])
    with pytest.raises(PluginError, match=f"delete image {image} first"):
        plugin.update(OURS, made, wanted)
    assert live(emulator) == [teams[0], *teams[3:7]]
    assert plugin.diff(OURS, made, wanted).changes

    emulator.members(emulator.backup.id)[teams[0]].image_id = None
    plugin.update(OURS, made, wanted)
    assert live(emulator) == teams[3:7]


FAILED = '{"error_code": "BackupService.6711", "error_msg": "no"}'


@DYNAMIC_ONLY
@pytest.mark.differs("a create that is half done", "dynamic")
def test_what_a_failed_create_keeps_out_of_the_state_is_taken_back(
    emulator: Emulator, plugin: Plugin, teams: list[str]
) -> None:
    """If a removal fails, new shares are cancelled again; otherwise a destroy would not know of them."""
    emulator.add_member(emulator.backup.id, teams[0])
    emulator.add_fault(Fault(method="DELETE", path=teams[0], status=400, body=FAILED))
    with pytest.raises(PluginError, match="could not be cancelled"):
        plugin.create(OURS, inputs(emulator, teams[1:4]))
    assert live(emulator) == teams[:1]
    assert "adopted" not in plugin.stop()


@pytest.mark.differs("an update that is half done")
def test_a_failed_update_keeps_what_it_has_added(
    door: str, emulator: Emulator, plugin: Plugin, teams: list[str]
) -> None:
    """It is not offered and cancelled again in each run: the next one goes on from the live list."""
    made = plugin.create(OURS, inputs(emulator, teams[:2]))
    emulator.add_fault(Fault(method="DELETE", path=teams[0], status=400, body=FAILED))
    with pytest.raises(PluginError, match="could not be cancelled") as error:
        plugin.update(OURS, made, inputs(emulator, teams[1:4]))
    lost = f"does not record that backup {emulator.backup.id} is, or may be, shared with {teams[2]}, {teams[3]}: run"
    assert (lost in str(error.value)) == (door == "")  # the native plugin records it
    assert live(emulator) == teams[:4]
    before = emulator.members(emulator.backup.id)[teams[3]].id
    assert plugin.diff(OURS, made, inputs(emulator, teams[1:4])).changes

    updated = plugin.update(OURS, made, inputs(emulator, teams[1:4]))

    assert live(emulator) == updated.outs["declared"] == teams[1:4]
    assert emulator.members(emulator.backup.id)[teams[3]].id == before
    assert plugin.stop().count("cancelled 1 undeclared share") == 1


@pytest.mark.differs("a create that is half done")
def test_a_wrong_recipient_is_named_and_keeps_no_other_one_out_of_an_update(
    door: str, emulator: Emulator, plugin: Plugin, teams: list[str]
) -> None:
    """The service says only that one of them is wrong (6704), so each is offered the share by itself."""
    made = plugin.create(OURS, inputs(emulator, teams[:1]))
    nobody = "0" * 32
    with pytest.raises(PluginError, match=f"with project {nobody}: "):
        plugin.update(OURS, made, inputs(emulator, [*teams[:3], nobody]))
    assert live(emulator) == teams[:3]
    with process(env=environment(emulator)) as other, pytest.raises(PluginError, match=f"with project {nobody}: "):
        other.create(OURS, inputs(emulator, [*teams[:4], nobody]))
    assert live(emulator) == teams[: 4 if door else 3]  # the native plugin records a create that is half done


def test_an_undeclared_recipient_that_cannot_be_removed_keeps_no_declared_one_out(
    emulator: Emulator, plugin: Plugin, teams: list[str]
) -> None:
    """The others are added, the run fails, and the next one completes."""
    emulator.add_member(emulator.backup.id, teams[9])
    emulator.register_image(emulator.backup.id, teams[9])
    with pytest.raises(PluginError, match=r"delete image .* first"):
        plugin.create(OURS, inputs(emulator, teams[:2]))
    assert live(emulator) == sorted([*teams[:2], teams[9]])
    emulator.members(emulator.backup.id)[teams[9]].image_id = None
    assert plugin.create(OURS, inputs(emulator, teams[:2])).outs["declared"] == teams[:2]
    assert live(emulator) == teams[:2]


ODD_SUCCESSES = {
    "null": '{"members": null}',
    "one member": '{"member": {"status": "pending"}}',
    "no project": '{"members": [{"status": "pending"}]}',
    "an error": '{"error_code": "X.1"}',
    "others": '{"members": []}',
}


@pytest.mark.parametrize("body", ODD_SUCCESSES.values(), ids=ODD_SUCCESSES)
def test_a_success_that_cannot_be_read_is_looked_up(
    body: str, emulator: Emulator, plugin: Plugin, teams: list[str]
) -> None:
    """The share exists, so it is recorded; only the status of a member is mandatory."""
    emulator.add_fault(Fault(method="POST", status=200, body=body, when="after"))
    made = plugin.create(OURS, inputs(emulator, teams[:2]))
    assert made.outs["dest_project_ids"] == teams[:2]
    assert sent(emulator).count("POST") == 1


def test_an_offer_whose_answer_is_lost_is_not_lost(emulator: Emulator, plugin: Plugin, teams: list[str]) -> None:
    """If the effect is unknown, the members are listed."""
    emulator.add_fault(Fault(method="POST", reset=True, when="after"))
    plugin.create(OURS, inputs(emulator, teams[:4]))
    assert live(emulator) == teams[:4]
    assert sent(emulator).count("POST") == 1


def test_a_member_of_the_same_backup_in_one_program_is_refused(
    emulator: Emulator, plugin: Plugin, teams: list[str]
) -> None:
    """The set would cancel the member's share; the error says to keep one of them."""
    assert plugin.check(OURS, inputs(emulator, teams[:2])).failures == {}
    member = {"backup_id": emulator.backup.id, "dest_project_id": teams[5]}
    refused = plugin.check(BackupShareMemberProvider(), member).failures["backup_id"]
    assert "shared by a BackupShare in the same program" in refused


def test_two_sets_of_one_backup_in_one_program_are_refused(
    emulator: Emulator, plugin: Plugin, teams: list[str]
) -> None:
    """Each would cancel the other's shares; a set that is checked again, or changed, counts once."""
    assert plugin.check(OURS, inputs(emulator, teams[:2])).failures == {}
    assert plugin.check(OURS, inputs(emulator, teams[1::-1])).failures == {}
    refused = plugin.check(OURS, inputs(emulator, teams[2:4])).failures["backup_id"]
    assert "shared by another BackupShare in the same program" in refused


@pytest.mark.parametrize("kind", [BackupShareMemberProvider(), OURS], ids=["member", "set"])
def test_an_own_project_that_was_looked_up_is_refused_in_the_plan(
    kind: BackupShareMemberProvider | BackupShareProvider, emulator: Emulator
) -> None:
    """The project is not in the settings; reading the backup shows it."""
    place = environment(emulator)
    own = place.pop("HW_PROJECT_ID")
    with process(env=place) as plugin:
        wanted = inputs(emulator, [own]) if kind is OURS else {"backup_id": emulator.backup.id, "dest_project_id": own}
        failures = plugin.check(kind, wanted).failures
    assert "the project that owns the backup" in str(failures)


CHECKS: dict[str, tuple[Any, str]] = {
    "no list": ("f" * 32, "is not a list"),
    "a bad id": (["nobody"], "has an entry that has another shape"),
    "twins": (["f" * 32, "f" * 32], "twice: name each recipient once"),
    "eleven": ([f"{number:032x}" for number in range(1, 12)], "has 11 projects"),
    "nothing": (None, "is not a list"),
}


@pytest.mark.parametrize(("projects", "reason"), CHECKS.values(), ids=CHECKS.keys())
def test_check_refuses_wrong_recipients(projects: Any, reason: str, emulator: Emulator, plugin: Plugin) -> None:
    """No request is sent; the errors say what to give."""
    checked = plugin.check(OURS, inputs(emulator, projects))
    assert reason in checked.failures["dest_project_ids"]
    assert sent(emulator) == []


def test_check_lets_unknown_recipients_pass(emulator: Emulator, plugin: Plugin, teams: list[str]) -> None:
    """The list, or an entry, may depend on another resource."""
    assert plugin.check(OURS, inputs(emulator, [teams[0], UNKNOWN])).failures == {}
    assert plugin.check(OURS, {"backup_id": UNKNOWN, "dest_project_ids": UNKNOWN}).failures == {}


def test_an_unknown_recipient_is_a_change(emulator: Emulator, plugin: Plugin, teams: list[str]) -> None:
    """It may be any project."""
    made = plugin.create(OURS, inputs(emulator, teams[:1]))
    assert plugin.diff(OURS, made, inputs(emulator, [UNKNOWN])).changes
    assert plugin.diff(OURS, made, {"backup_id": emulator.backup.id, "dest_project_ids": UNKNOWN}).changes


def test_it_is_gone_only_with_its_backup(emulator: Emulator, plugin: Plugin) -> None:
    """An empty set still exists."""
    made = plugin.create(OURS, inputs(emulator, []))
    assert plugin.read(made) == Made(made.id, made.outs)
    emulator.remove_backup(emulator.backup.id)
    with process(env=environment(emulator)) as later:
        assert later.read(made) is None


@DYNAMIC_ONLY
@pytest.mark.engine
def test_the_engine_shows_undeclared_recipients_and_removes_them(
    emulator: Emulator, tmp_path: Path, teams: list[str]
) -> None:
    """A pipeline that expects no changes fails and names the projects; the next `up` removes them."""
    stack = Stack(tmp_path)
    stack.env.update(environment(emulator))
    source = "from pulumi_cbr_sharing import BackupShare\n"
    stack.program(f"{source}BackupShare('dr', backup_id={emulator.backup.id!r}, dest_project_ids={teams[:3]!r})\n")
    stack.up()
    assert live(emulator) == teams[:3]
    stack.up("--expect-no-changes", "--refresh")

    emulator.add_member(emulator.backup.id, teams[9])
    emulator.remove_member(emulator.backup.id, teams[0])
    found = stack.preview("--refresh", "--expect-no-changes", check=False)
    assert not found.ok
    assert f"is also shared with {teams[9]}, which is not declared" in found.output
    assert f"is no longer shared with {teams[0]}, which is declared" in found.output

    stack.up("--refresh")
    assert live(emulator) == teams[:3]
    stack.destroy()
    assert live(emulator) == []
