"""A real Pulumi engine runs real programs against the emulated cloud."""

from __future__ import annotations

import shutil

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from clouds import environment, stack_config
from stack import Stack


if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi_cbr_sharing.emulator import Emulator


pytestmark = pytest.mark.engine

ROOT = Path(__file__).parent.parent.parent
DRIFT = ("--expect-no-changes",)

SHARE = """
import pulumi
from pulumi_cbr_sharing import BackupShareMember

share = BackupShareMember({name!r}, backup_id={backup!r}, dest_project_id={project!r})
pulumi.export("status", share.status)
"""


@pytest.fixture(name="stack")
def _stack(request: pytest.FixtureRequest, tmp_path: Path, emulator: Emulator) -> Iterator[Stack]:
    """A new stack with the credentials of the emulated sharer."""
    stack = Stack(tmp_path, **getattr(request, "param", {}))
    stack.env.update(environment(emulator))
    yield stack
    shutil.rmtree(tmp_path, ignore_errors=True)


def share(emulator: Emulator, recipient: str = "recipient", name: str = "dr") -> str:
    """A program that shares the first backup with an account."""
    return SHARE.format(name=name, backup=emulator.backup.id, project=emulator.account(recipient).project_id)


def recipients(emulator: Emulator) -> dict[str, str]:
    """The status of each share of the first backup, by the name of the account."""
    names = {emulator.account(name).project_id: name for name in ("recipient", "bystander")}
    return {names[project]: member.status for project, member in emulator.members(emulator.backup.id).items()}


def sent(emulator: Emulator) -> list[str]:
    """The methods of the requests that reached the cloud."""
    return [request.method for request in emulator.requests]


@pytest.mark.parametrize("stack", [{"plain": True, "passphrase": True}], indirect=True, ids=["plain"])
def test_the_life_of_a_share(emulator: Emulator, stack: Stack) -> None:
    """`up` creates it, a second `up` has no changes, a refresh finds no drift, and `destroy` cancels it."""
    stack.program(share(emulator))

    stack.up()
    assert recipients(emulator) == {"recipient": "pending"}
    assert stack.outputs() == {"status": "pending"}
    assert sent(emulator) == ["POST"]  # an update makes no look that only a plan needs

    emulator.clear_requests()
    stack.up("--expect-no-changes")
    assert sent(emulator) == []

    stack.refresh(*DRIFT)
    assert sent(emulator) == ["GET"]

    emulator.clear_requests()
    stack.destroy()
    assert recipients(emulator) == {}
    assert sent(emulator) == ["DELETE"]


@pytest.mark.parametrize("module", ["pulumi_cbr_sharing", "pulumi_cbr_sharing.native"])
def test_the_state_names_the_line_of_the_program(emulator: Emulator, stack: Stack, module: str) -> None:
    """By it, an audit tells where a share is declared."""
    stack.program(share(emulator).replace("pulumi_cbr_sharing", module))
    stack.up()
    (made,) = stack.resources("BackupShareMember")
    assert made["sourcePosition"] == "project:///__main__.py#5"


def test_a_cancelled_share_is_drift_and_made_again(emulator: Emulator, stack: Stack) -> None:
    """A pipeline that expects no changes fails; the next `up --refresh` creates it again."""
    stack.program(share(emulator))
    stack.up()
    emulator.remove_member(emulator.backup.id, emulator.account("recipient").project_id)

    found = stack.preview("--refresh", *DRIFT, check=False)
    assert not found.ok
    assert "dr" in found.output
    assert "delete" in found.output or "create" in found.output

    stack.up("--refresh")
    assert recipients(emulator) == {"recipient": "pending"}


def test_a_rejected_share_is_drift_and_offered_again(emulator: Emulator, stack: Stack) -> None:
    """A refresh finds the rejection, and the next `up` offers the share again."""
    stack.program(share(emulator))
    stack.up()
    emulator.answer(emulator.backup.id, emulator.account("recipient").project_id, "rejected")

    found = stack.refresh("--preview-only", "--diff", *DRIFT, check=False)
    assert not found.ok
    assert '"pending" => "rejected"' in found.output

    emulator.clear_requests()
    assert "another resource owns it" not in stack.up("--refresh").output
    assert [method for method in sent(emulator) if method != "GET"] == ["DELETE", "POST"]
    assert recipients(emulator) == {"recipient": "pending"}


def test_an_accepted_share_is_no_drift(emulator: Emulator, stack: Stack) -> None:
    """An accepted share causes no changes."""
    stack.program(share(emulator))
    stack.up()
    emulator.answer(emulator.backup.id, emulator.account("recipient").project_id, "accepted")

    stack.preview("--refresh", *DRIFT)
    stack.up("--refresh")
    assert stack.outputs() == {"status": "accepted"}


@pytest.mark.differs("import, `get`", "dynamic")
def test_a_share_made_by_hand_is_adopted(emulator: Emulator, stack: Stack) -> None:
    """`up` adopts it, and `destroy` cancels it."""
    emulator.add_member(emulator.backup.id, emulator.account("recipient").project_id)
    stack.program(share(emulator))
    stack.up()
    assert recipients(emulator) == {"recipient": "pending"}
    stack.destroy()
    assert recipients(emulator) == {}


def test_another_recipient_replaces_the_share(emulator: Emulator, stack: Stack) -> None:
    """The new share is created before the old one is cancelled; other shares are not changed."""
    stack.program(share(emulator))
    stack.up()
    emulator.clear_requests()

    stack.program(share(emulator, "bystander"))
    stack.up()

    assert recipients(emulator) == {"bystander": "pending"}
    assert [method for method in sent(emulator) if method != "GET"] == ["POST", "DELETE"]


def test_renaming_the_resource_keeps_the_share(emulator: Emulator, stack: Stack) -> None:
    """The engine creates the new resource and then deletes the old one; the share stays."""
    stack.program(share(emulator, name="old"))
    stack.up()
    stack.program(share(emulator, name="new"))
    stack.up()
    assert recipients(emulator) == {"recipient": "pending"}
    stack.up("--refresh", "--expect-no-changes")


def test_two_resources_that_swap_their_recipients_lose_none(emulator: Emulator, stack: Stack) -> None:
    """Each adopts the other's share, which stays."""
    both = share(emulator, "recipient", "a") + share(emulator, "bystander", "b")
    swapped = share(emulator, "bystander", "a") + share(emulator, "recipient", "b")
    stack.program(both)
    stack.up()
    stack.program(swapped)
    stack.up()
    assert recipients(emulator) == {"recipient": "pending", "bystander": "pending"}


def test_inputs_take_outputs_of_other_resources(emulator: Emulator, stack: Stack) -> None:
    """A backup id that is unknown at preview is shared at up."""
    project = emulator.account("bystander").project_id
    chained = f"\nBackupShareMember('chained', backup_id=share.backup_id, dest_project_id={project!r})\n"
    stack.program(share(emulator) + chained)
    stack.up()
    assert recipients(emulator) == {"recipient": "pending", "bystander": "pending"}


def test_a_refusal_is_shown_without_a_traceback(emulator: Emulator, stack: Stack) -> None:
    """The user sees one line: what was being done, why it failed, and what to do."""
    emulator.set_backup_status(emulator.backup.id, "error")
    stack.program(share(emulator))

    refused = stack.up(check=False)

    assert not refused.ok
    assert "Traceback" not in refused.of_resources
    lines = [line for line in refused.output.splitlines() if "the backup's status is error" in line]
    assert lines
    assert all("error: sharing backup" in line for line in lines)


def test_missing_settings_are_refused_at_preview_in_one_message(emulator: Emulator, stack: Stack) -> None:
    """Nothing is sent, and the error lists every missing setting."""
    sign_out(stack)
    stack.program(share(emulator))

    refused = stack.preview(check=False)

    assert not refused.ok
    assert "Traceback" not in refused.of_resources
    assert "huaweicloud:region" in refused.output
    assert "HW_ACCESS_KEY" in refused.output
    assert sent(emulator) == []


def test_wrong_input_is_refused_at_preview(emulator: Emulator, stack: Stack) -> None:
    """The error names the property, and what to give."""
    stack.program(share(emulator).replace(emulator.backup.id, "not-a-backup"))
    refused = stack.preview(check=False)
    assert "property backup_id" in refused.output
    assert "give a backup id such as" in refused.output


def test_a_key_rotated_in_the_stack_config(emulator: Emulator, stack: Stack) -> None:
    """A refresh uses the old key, and says so; --run-program and a plain `up` use the new one."""
    sign_out(stack)
    configure(stack, emulator)
    stack.program(share(emulator))
    stack.up()

    emulator.rotate_key("sharer")
    configure(stack, emulator)
    emulator.clear_requests()

    refused = stack.refresh(check=False)
    assert not refused.ok
    assert "add --run-program" in refused.output
    assert len(emulator.requests) == 1
    assert recipients(emulator) == {"recipient": "pending"}

    refused = stack.up(refresh=True, check=False)
    assert not refused.ok
    assert "add --run-program" in refused.output
    stack.preview("--run-program", "--expect-no-changes", refresh=True)

    stack.refresh("--run-program")
    stack.up()
    stack.destroy("--run-program")
    assert recipients(emulator) == {}


def test_half_a_key_recorded_from_the_stack_config(emulator: Emulator, stack: Stack) -> None:
    """The error says that an earlier run recorded it, because the stack no longer has it."""
    sign_out(stack)
    configure(stack, emulator)
    stack.program(share(emulator))
    stack.up()
    stack.config_rm("huaweicloud:accessKey")
    assert "is set without" in stack.up(check=False).output

    for name in ("accessKey", "secretKey"):
        stack.config_rm(f"huaweicloud:{name}")
    stack.env |= environment(emulator)
    refused = stack.refresh(check=False)
    assert "is set without" in refused.output
    assert "add --run-program" in refused.output
    stack.up()
    stack.refresh()
    stack.destroy()
    assert recipients(emulator) == {}


def sign_out(stack: Stack) -> None:
    """Remove the credential from the environment."""
    for name in [name for name in stack.env if name.startswith("HW_")]:
        del stack.env[name]


def configure(stack: Stack, emulator: Emulator) -> None:
    """Set the credential in the stack config: secrets encrypted, endpoints as a map."""
    for key, value in stack_config(emulator).items():
        stack.config_set(key, value, secret=key.endswith("Key"))
    stack.config_set("huaweicloud:endpoints.cbr", emulator.url, path=True)
    stack.config_set("huaweicloud:endpoints.iam", emulator.iam_url, path=True)


@pytest.mark.differs("secrets in the state", "dynamic")
def test_no_secret_is_in_the_state(emulator: Emulator, stack: Stack) -> None:
    """Neither from the environment nor, unencrypted, from the stack config."""
    configure(stack, emulator)
    account = emulator.account("sharer")
    stack.env.update(HW_USER_NAME=account.user_name, HW_USER_PASSWORD=account.password)
    stack.env.update(HW_DOMAIN_NAME=account.name, OS_AUTH_TOKEN=emulator.token("sharer"))
    stack.program(share(emulator))

    output = stack.up().output
    output += stack.refresh().output

    secrets = [account.secret_key, account.password, stack.env["OS_AUTH_TOKEN"]]
    for text in (stack.state_text(), str(stack.export()), output):
        assert [secret for secret in secrets if secret in text] == []


def test_user_and_password_without_a_project_id(emulator: Emulator, stack: Stack) -> None:
    """The token is fetched once, and tells the project."""
    account = emulator.account("sharer")
    sign_out(stack)
    stack.env.update(
        HW_USER_NAME=account.user_name,
        HW_USER_PASSWORD=account.password,
        HW_DOMAIN_NAME=account.name,
        HW_REGION_NAME=account.region,
        HW_CBR_ENDPOINT=emulator.url,
        HW_IAM_ENDPOINT=emulator.iam_url,
    )
    stack.program(share(emulator))

    stack.up()

    assert recipients(emulator) == {"recipient": "pending"}
    assert [request.path for request in emulator.requests if request.path.endswith("/tokens")] == ["/v3/auth/tokens"]
