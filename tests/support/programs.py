"""Programs on the emulator's seeded backup, runs of them, and what is true afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from histories import Killed, Options
from inprocess import FakeTime, Run, settings_of


if TYPE_CHECKING:
    from histories import Stack
    from pulumi_cbr_sharing.emulator import Emulator


def up(stack: Stack, emulator: Emulator, **how: Any) -> list[str]:
    """One run, see `Stack.up`; returns the requests that changed something."""
    return told(stack, emulator, **how)[0]


def told(stack: Stack, emulator: Emulator, **how: Any) -> tuple[list[str], str]:
    """One run; returns the requests that changed something, and what the user was told."""
    emulator.clear_requests()
    with Run(settings_of(emulator), FakeTime().clock) as run:
        try:
            stack.up(run, Options(**how))
        except Killed:
            assert "kill_at" in how
        else:
            assert "kill_at" not in how, "it was not killed"
    return [request.method for request in emulator.requests if request.method != "GET"], "\n".join(run.news)


def member(emulator: Emulator, account: str = "recipient", **inputs: Any) -> tuple[str, dict[str, Any]]:
    """A BackupShareMember."""
    project = emulator.account(account).project_id
    return "member", {"backup_id": emulator.backup.id, "dest_project_id": project, **inputs}


def share(emulator: Emulator, *accounts: str) -> tuple[str, dict[str, Any]]:
    """A BackupShare."""
    projects = [emulator.account(name).project_id for name in accounts]
    return "share", {"backup_id": emulator.backup.id, "dest_project_ids": projects}


def accepted(emulator: Emulator, *accounts: str) -> dict[str, str]:
    """These have accepted: a share that was made anew would be pending."""
    for name in accounts:
        emulator.answer(emulator.backup.id, emulator.account(name).project_id, "accepted")
    return statuses(emulator)


def statuses(emulator: Emulator) -> dict[str, str]:
    """Who the backup is shared with."""
    return {project: one.status for project, one in emulator.members(emulator.backup.id).items()}
