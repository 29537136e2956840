"""The two programs of `examples/disaster_recovery` and their pipelines, night after night: who can recover what."""

from __future__ import annotations

import re
import shutil

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from clouds import environment
from pipelines import Ran, commands_of, github, gitlab, lock_of
from pulumi_cbr_sharing.emulator import Fault
from pulumi_cbr_sharing.emulator.routes import ROUTES
from stack import Run, Stack


if TYPE_CHECKING:
    from pulumi_cbr_sharing.emulator import Emulator


pytestmark = pytest.mark.engine

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "disaster_recovery"
WEB: dict[str, Any] = {"id": "11111111-2222-4333-8444-555555555555", "type": "OS::Nova::Server", "name": "web"}


def half(name: str, emulator: Emulator, folder: Path, **config: str) -> Stack:
    """One half of the example, with its account's credentials; the project is looked up."""
    stack = Stack(folder / name, project=f"cbr-dr-{name}")
    for file in ("Pulumi.yaml", "__main__.py"):
        shutil.copy(EXAMPLE / name / file, stack.folder / file)
    stack.file("requirements.lock", lock_of((EXAMPLE / name / "requirements.txt").read_text()))
    stack.env.update(environment(emulator, name))
    del stack.env["HW_PROJECT_ID"]
    for key, value in config.items():
        stack.config_set(key.replace("__0", "[0]").replace("__1", "[1]"), value, path="__" in key)
    return stack


def by_github(name: str, emulator: Emulator, stack: Stack) -> Ran:
    """The workflow of a half: with the secrets of its account, which may do what the workflow names and no more."""
    file = EXAMPLE / name / "github" / "nightly.yml"
    named = set(re.findall(r"(?:cbr|iam):\w+:\w+", file.read_text()))
    for action in {route.action for route in ROUTES if route.action} - named:
        emulator.deny(name, action)
    names = environment(emulator, name)
    values = {f"secrets.{key}": names[key] for key in ("HW_ACCESS_KEY", "HW_SECRET_KEY")}
    values |= {"vars.PULUMI_STACK": stack.name, "vars.HW_REGION_NAME": names["HW_REGION_NAME"]}
    ran = github(stack, file, {**values, "secrets.PULUMI_ACCESS_TOKEN": ""})
    assert ran.code or ran.commands == commands_of(file)
    return ran


def by_gitlab(stack: Stack) -> Ran:
    """The job of either half."""
    return gitlab(stack, "nightly", {**stack.env, "STACK": stack.name}, EXAMPLE / "gitlab" / ".gitlab-ci.yml")


def recoverable(emulator: Emulator) -> set[str]:
    """What the recipient could recover from, if the sharer's account were lost now."""
    return emulator.visible_to(emulator.account("recipient").project_id)


def a_night(emulator: Emulator) -> str:
    """A day passes and the sharer's vault is backed up; returns the backup's id."""
    emulator.pass_time(days=1)
    (made,) = emulator.back_up()
    emulator.complete_checkpoints()
    return made.id


def test_the_nights_of_the_readme(emulator: Emulator, tmp_path: Path) -> None:
    """New backups, expired ones, a failed run, a stranger, a recipient that is away for two nights, a full vault."""
    emulator.remove_backup(emulator.backup.id)
    source, target = emulator.vault("sharer"), emulator.vault("recipient")
    source.resources.append(WEB)
    source.keep_days = 5
    dr, owner = emulator.account("recipient").project_id, emulator.account("sharer").project_id
    sharer = half("sharer", emulator, tmp_path, vaultId=source.id, drProjectId=dr)
    recipient = half("recipient", emulator, tmp_path, vaultId=target.id, ownerProjectIds__0=owner)

    nights = [a_night(emulator)]  # by the pipelines
    for ran in (by_github("sharer", emulator, sharer), by_github("recipient", emulator, recipient)):
        assert ran.code == 0, ran.output
    assert recoverable(emulator) == set(nights)

    nights.append(a_night(emulator))  # the sharer's run fails
    emulator.add_fault(Fault(path="/backups$", status=403, body="{}", times=99))
    assert not sharer.up(check=False).ok
    emulator.clear_faults()
    recipient.up("--expect-no-changes")
    assert recoverable(emulator) == {nights[0]}

    nights.append(a_night(emulator))  # a stranger offers, too
    stranger = emulator.add_backup("bystander", resource_id=WEB["id"]).id
    emulator.add_member(stranger, dr)
    sharer.up()
    recipient.up()
    assert recoverable(emulator) == set(nights)
    assert emulator.members(stranger)[dr].status == "pending"

    for still_there in (nights[1:], nights[2:]):  # the recipient is away for two nights
        nights.append(a_night(emulator))
        sharer.up()
        assert recoverable(emulator) == set(still_there)

    nights.append(a_night(emulator))  # it is back, and its vault is too small
    target.size = 100
    sharer.up()
    assert "GB left, and the offers need 120 GB" in recipient.up().output
    assert recoverable(emulator) == set(nights[-2:])
    assert emulator.members(nights[-3])[dr].status == "pending"

    nights.append(a_night(emulator))  # the vault is larger
    target.size = 200
    sharer.up()
    recipient.up()
    assert recoverable(emulator) == set(nights[-3:])

    emulator.pass_time(days=3)  # nobody backs up any more: both pipelines fail, and say why
    sentence = f"the newest backup of web ({WEB['id']}) is 3.0 days old"
    for component, ran in (
        ("VaultShare", by_github("sharer", emulator, sharer)),
        ("ReceivedBackups", by_gitlab(recipient)),
    ):
        assert ran.code != 0, ran.output
        assert f"warning: {component} dr: {sentence}" in ran.output
        assert f"error: {component} dr: {sentence}" in ran.output
    left = recoverable(emulator)
    assert left == {one for one in nights[-3:] if one in emulator.state.backups}
    emulator.pass_time(days=3)  # all has expired: the recipient's run fails, and says so
    empty = recipient.up(check=False)
    assert not empty.ok
    assert "there is nothing to accept or keep" in empty.output
    assert recoverable(emulator) == set()


class Nights:
    """The two halves, which keep two backups; a partner, who is named, and a stranger, who is not, offer by hand.

    All three owners call their server the same, by name and by id.
    """

    def __init__(self, emulator: Emulator, folder: Path) -> None:
        emulator.remove_backup(emulator.backup.id)
        source, target = emulator.vault("sharer"), emulator.vault("recipient")
        source.resources.append(WEB)
        source.keep_days = 3
        self.cloud, self.dr = emulator, emulator.account("recipient").project_id
        named = [emulator.account("sharer").project_id, emulator.add_account("partner").project_id]
        owners = dict(zip(("ownerProjectIds__0", "ownerProjectIds__1"), named, strict=True))
        self.halves = {
            "sharer": half("sharer", emulator, folder, vaultId=source.id, drProjectId=self.dr, keep="2"),
            "recipient": half("recipient", emulator, folder, vaultId=target.id, keep="2", **owners),
        }
        self.made: dict[str, list[str]] = {"sharer": [], "partner": [], "bystander": []}
        self.seen: set[str] = set()

    def pass_one(self) -> None:
        """A day passes, the sharer's vault is backed up, and the two others offer."""
        self.made["sharer"].append(a_night(self.cloud))
        for account in ("partner", "bystander"):
            backup = self.cloud.add_backup(account, resource_id=WEB["id"], resource_name=WEB["name"])
            self.cloud.add_member(backup.id, self.dr)
            self.made[account].append(backup.id)

    def run(self, name: str, *faults: Fault, fails: str = "", options: tuple[str, ...] = ()) -> Run:
        """A run as its pipeline has it, in which these faults come up; it fails only for the reason that is given."""
        for fault in faults:
            self.cloud.add_fault(fault)
        on_offer = self.on_offer()
        run = self.halves[name].up(*options, refresh=True, check=False)
        assert run.ok == (not fails), run.output
        assert fails in run.output
        assert not [fault for fault in self.cloud.unused_faults if fault.times == 1]
        self.cloud.clear_faults()
        if name == "recipient" and run.ok:
            self.seen = on_offer
        assert recoverable(self.cloud) == {one for one in self.seen if self.dr in self.cloud.members(one)}
        strangers = [self.cloud.members(one)[self.dr].status for one in self.made["bystander"]]
        assert set(strangers) == {"pending"}
        return run

    def on_offer(self) -> set[str]:
        """The newest two that each named owner shares, accepted or not."""
        shared = {
            owner: [one for one in made if self.status(one) in ("pending", "accepted")]
            for owner, made in self.made.items()
        }
        return {*shared["sharer"][-2:], *shared["partner"][-2:]}

    def status(self, backup_id: str) -> str:
        """What the recipient has answered; "" where nothing is shared."""
        member = self.cloud.members(backup_id).get(self.dr)
        return member.status if member else ""

    def is_exact(self) -> bool:
        """Whether the recipient has the newest two that are there of each named owner, and nothing else."""
        return recoverable(self.cloud) == {*self.made["sharer"][-2:], *self.made["partner"][-2:]}


def test_six_nights_in_changing_order(emulator: Emulator, tmp_path: Path) -> None:
    """Whoever runs first, whatever breaks: after the recipient's run it has the window, nothing of a stranger's."""
    nights = Nights(emulator, tmp_path)
    dr, owner = nights.dr, emulator.account("sharer").project_id

    nights.pass_one()  # the sharer is throttled, and the answer to its POST is lost
    nights.run(
        "sharer", Fault(path=f"{owner}/backups$", status=429), Fault("POST", "/members$", close=True, when="after")
    )
    nights.run("recipient")
    assert nights.is_exact()

    nights.pass_one()  # the recipient comes first; a list fails, and a connection is cut
    nights.run("recipient", Fault(path=f"{dr}/backups$", status=500), Fault(path=f"{dr}/vaults/", reset=True))
    nights.run("sharer")
    assert nights.status(nights.made["sharer"][-1]) == "pending"

    nights.pass_one()  # the sharer is away
    nights.run("recipient")
    assert nights.made["sharer"][-2] in recoverable(emulator)

    nights.pass_one()  # the sharer may not list; of what it shared, one backup has expired
    nights.run("sharer", Fault(path=f"{owner}/backups$", status=403, body="{}", times=99), fails="HTTP 403")
    nights.run("recipient")
    assert len(recoverable(emulator) & set(nights.made["sharer"])) == 1

    nights.pass_one()  # both run twice; by now all that was shared has expired, and the answer to a PUT is lost
    nights.run("recipient")
    assert not recoverable(emulator) & set(nights.made["sharer"])
    nights.run("sharer")
    nights.run("recipient", Fault("PUT", "/members/", close=True, when="after"))
    nights.run("sharer", options=("--expect-no-changes",))
    assert nights.is_exact()

    nights.pass_one()  # a cancelled share is answered by 503; the recipient may not list at first, and loses nothing
    nights.run("sharer", Fault("DELETE", "/members/", status=503, when="after"))
    nights.run("recipient", Fault(path=f"{dr}/backups$", status=403, body="{}", times=99), fails="HTTP 403")
    nights.run("recipient")
    assert nights.is_exact()
