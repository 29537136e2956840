"""A cloud with a history, for audits: backups by the hundred, and every kind of finding planted, with the truth.

world = World(emulator)
world.plant_everything()
run = world.audit("--format", "json")
"""

from __future__ import annotations

import json

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

from click.testing import CliRunner

from clouds import environment
from pulumi_cbr_sharing.cli import main


if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

    from pulumi_cbr_sharing.emulator import Emulator
    from pulumi_cbr_sharing.emulator.records import Backup


NOW = datetime.now(timezone.utc)
TOKEN = "pulumi-python:dynamic/huaweicloud/cbr:"
GONE = "00000000-0000-4000-8000-00000000dead"
NEVER = "00000000-0000-4000-8000-0000000000e0"
Key = tuple[str, str, str]  # kind, backup, recipient


class Planted(NamedTuple):
    """Recipients' projects by what the file of recipients says of them."""

    friendly: str
    third: str
    unknown: str


@dataclass
class World:
    """An emulated cloud, the states that declare some of it, and what an audit must find.

    Attributes:
        cloud: the emulator.
        folder: where the files lie.
        truth: every finding that is due.
        ours, bridged, terraform: resources of the three states.
        exceptions: of the file of recipients.
    """

    cloud: Emulator
    folder: Path
    truth: set[Key] = field(default_factory=set)
    ours: list[dict[str, Any]] = field(default_factory=list)
    bridged: list[dict[str, Any]] = field(default_factory=list)
    terraform: list[dict[str, Any]] = field(default_factory=list)
    exceptions: list[dict[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Empty the cloud, and name the projects."""
        self.cloud.remove_backup(self.cloud.backup.id)
        self.owner = self.cloud.account("sharer").project_id
        self.to = Planted(*(self.cloud.add_account(name).project_id for name in ("friend", "third", "stranger")))

    # -- what is in the cloud --------------------------------------------------------------------------------------

    def backup(self, days: float = 0.5, **fields: Any) -> Backup:
        """A backup of a server of its own, so many days old."""
        number = len(self.cloud.state.backups)
        named = {"name": f"nightly-{number}", "resource_name": f"web-{number}"} | fields
        return self.cloud.add_backup("sharer", created_at=NOW - timedelta(days=days), **named)

    def share(self, backup: Backup, project: str, status: str = "pending", days: float = 0.25) -> None:
        """Share a backup by hand, so many days ago."""
        member = self.cloud.add_member(backup.id, project, status)
        member.created_at = NOW - timedelta(days=days)

    def due(self, kind: str, backup: str, project: str) -> None:
        """A finding that the audit must have."""
        self.truth.add((kind, backup, project))

    # -- what is declared ------------------------------------------------------------------------------------------

    def member(self, backup: str, project: str, **outputs: Any) -> None:
        """A BackupShareMember in the stack's state."""
        inputs = {"backup_id": backup, "dest_project_id": project}
        self._resource("BackupShareMember", f"{backup}/{project}", inputs, {"owner_project_id": self.owner} | outputs)

    def set_(self, backup: str, *projects: str) -> None:
        """A BackupShare: after a refresh the output has everybody, the input what the program says."""
        outputs = {"dest_project_ids": list(self.cloud.members(backup)), "owner_project_id": self.owner}
        self._resource("BackupShare", backup, {"backup_id": backup, "dest_project_ids": list(projects)}, outputs)

    def accepter(self, backup: str, project: str, vault: str) -> None:
        """A BackupShareAccepter."""
        outputs = {"recipient_project_id": project, "owner_project_id": self.owner}
        self._resource("BackupShareAccepter", f"{backup}/{project}", {"backup_id": backup, "vault_id": vault}, outputs)

    def _resource(self, name: str, id_: str, inputs: dict[str, Any], outputs: dict[str, Any]) -> None:
        number = len(self.ours)
        type_ = TOKEN + name
        self.ours.append(
            {
                "urn": f"urn:pulumi:prod::dr::{type_}::share-{number}",
                "custom": True,
                "id": id_,
                "type": type_,
                "inputs": inputs,
                "outputs": {**inputs, **outputs},
                "stackTrace": [{"sourcePosition": f"project:///__main__.py#{number + 1}"}],
            }
        )

    def bridged_set(self, backup: str, *projects: str) -> None:
        """A BackupShare of the bridged provider."""
        type_ = "huaweicloud:Cbr/backupShare:BackupShare"
        inputs = {"backupId": backup, "members": [{"destProjectId": one} for one in projects]}
        urn = f"urn:pulumi:prod::old::{type_}::bridged-{len(self.bridged)}"
        self.bridged.append({"urn": urn, "custom": True, "id": backup, "type": type_, "inputs": inputs, "outputs": {}})

    def terraform_set(self, backup: str, *projects: str) -> None:
        """A huaweicloud_cbr_backup_share of a Terraform state."""
        attributes = {"id": backup, "backup_id": backup, "members": [{"dest_project_id": one} for one in projects]}
        instance = {"index_key": len(self.terraform), "attributes": attributes}
        self.terraform.append(
            {
                "mode": "managed",
                "type": "huaweicloud_cbr_backup_share",
                "name": "dr",
                "module": "module.dr",
                "instances": [instance],
            }
        )

    def exception(self, backup: str, recipient: str, days: int = 30) -> None:
        """An agreed exception, that ends in so many days."""
        until = (NOW + timedelta(days=days)).date().isoformat()
        words = {"reason": "the auditor's copy", "owner": "security@example.org", "until": until}
        self.exceptions.append({"backup": backup, "recipient": recipient, **words})

    # -- everything ------------------------------------------------------------------------------------------------

    def plant_clean(self, backups: int) -> None:
        """Shares that are declared, accepted and fresh, behind every door; and backups that nobody shares."""
        declare = (self.member, self.set_, self.bridged_set, self.terraform_set)
        for number in range(backups):
            backup = self.backup()
            if number % 5 < 4:
                self.share(backup, self.to.friendly, "accepted")
                declare[number % 4](backup.id, self.to.friendly)

    def plant_everything(self, each: int = 4) -> None:
        """So many of every kind."""
        for number in range(each):
            self._plant_undeclared()
            self._plant_missing(number)
            self._plant_answers()
            self._plant_times()
            self._plant_exceptions(number)

    def _plant_undeclared(self) -> None:
        for project in self.to:
            backup = self.backup()
            self.share(backup, project)
            self.due("undeclared", backup.id, project)
        self.due("recipient-not-allowed", backup.id, self.to.unknown)
        both = self.backup()
        for project in self.to[:2]:
            self.share(both, project, "accepted")
        self.set_(both.id, self.to.friendly)
        self.due("undeclared", both.id, self.to.third)

    def _plant_missing(self, number: int) -> None:
        declare = (self.member, self.set_, self.bridged_set, self.terraform_set)[number % 4]
        backup = self.backup()
        declare(backup.id, self.to.third)
        self.due("missing", backup.id, self.to.third)
        gone = GONE[:-4] + f"{number:04x}"
        self.member(gone, self.to.friendly)
        self.due("missing", gone, self.to.friendly)

    def _plant_answers(self) -> None:
        refused, pinned, elsewhere = (self.backup() for _ in range(3))
        self.share(refused, self.to.friendly, "rejected")
        self.due("rejected", refused.id, self.to.friendly)
        self.share(pinned, self.to.friendly, "accepted")
        self.cloud.register_image(pinned.id, self.to.friendly)
        self.due("pinned-by-image", pinned.id, self.to.friendly)
        self.share(elsewhere, self.to.friendly, "accepted")
        self.accepter(elsewhere.id, self.to.friendly, NEVER)
        self.due("accepted-elsewhere", elsewhere.id, self.to.friendly)
        for backup in (refused, pinned, elsewhere):
            self.member(backup.id, self.to.friendly)
        stranger = self.backup()
        self.share(stranger, self.to.unknown, "accepted")
        self.member(stranger.id, self.to.unknown)
        self.due("recipient-not-allowed", stranger.id, self.to.unknown)

    def _plant_times(self) -> None:
        silent, fresh, short = self.backup(9), self.backup(), self.backup(expired_at=NOW + timedelta(days=2))
        self.share(silent, self.to.friendly, days=8)
        self.due("pending-too-long", silent.id, self.to.friendly)
        self.share(fresh, self.to.friendly)
        self.share(short, self.to.friendly, "accepted")
        self.due("backup-expires", short.id, self.to.friendly)
        server = self.backup().resource_id
        old, older = (self.backup(days, resource_id=server, resource_name="db") for days in (5, 6))
        for backup in (old, older):
            self.share(backup, self.to.friendly, "accepted")
        self.due("recovery-point-too-old", old.id, self.to.friendly)
        for backup in (silent, fresh, short, old, older):
            self.member(backup.id, self.to.friendly)

    def _plant_exceptions(self, number: int) -> None:
        agreed = self.backup()
        self.share(agreed, self.to.third)
        self.exception(agreed.id, self.to.third)
        self.due("undeclared", agreed.id, self.to.third)  # and covered
        ended = self.backup()
        self.share(ended, self.to.third)
        self.exception(ended.id, self.to.third, days=-1)
        self.due("undeclared", ended.id, self.to.third)
        self.due("exception-expired", ended.id, self.to.third)
        unused = NEVER[:-4] + f"{number:04x}"
        self.exception(unused, self.to.third)
        self.due("exception-unused", unused, self.to.third)

    # -- running it ------------------------------------------------------------------------------------------------

    def files(self) -> list[str]:
        """Write the states and the file of recipients; returns the options that name them."""
        states = {
            "ours.json": {"version": 3, "deployment": {"manifest": {}, "resources": self.ours}},
            "bridged.json": {
                "version": 3,
                "checkpoint": {"stack": "old/prod", "latest": {"manifest": {}, "resources": self.bridged}},
            },
            "terraform.tfstate": {"version": 4, "terraform_version": "1.9.0", "resources": self.terraform},
        }
        for name, state in states.items():
            (self.folder / name).write_text(json.dumps(state))
        (self.folder / "cbr-sharing.yaml").write_text(json.dumps(self.agreed()))
        named = [word for name in states for word in ("--state", str(self.folder / name))]
        return [*named, "--cwd", str(self.folder)]

    def agreed(self) -> dict[str, Any]:
        """What the file of recipients says."""
        classes = ((self.to.friendly, "DR, Zürich", "friendly"), (self.to.third, "Auditor | AG", "third-party"))
        recipients = [
            {"project_id": id_, "name": name, "owner": "platform@example.org", "class": class_}
            for id_, name, class_ in classes
        ]
        return {"recipients": recipients, "exceptions": self.exceptions}

    def audit(self, *options: str, limits: bool = True) -> Result:
        """Run the command."""
        judged = ["--expires-within", "3", "--max-age", "3d"] if limits else []
        words = ["audit", *self.files(), *judged, *options]
        return CliRunner().invoke(main, words, env=environment(self.cloud))


def found(report: dict[str, Any]) -> set[Key]:
    """The findings of a report, except for what was not looked at."""
    return {
        (one["kind"], one["backup_id"], one["recipient_project_id"])
        for one in report["findings"]
        if one["kind"] != "not-looked-at"
    }
