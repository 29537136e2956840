"""What a program gives besides inputs: what would have no effect is refused, in one line."""

from __future__ import annotations

import json
import subprocess
import sys

from contextvars import copy_context
from typing import TYPE_CHECKING, Any

import pytest

from pulumi import CustomTimeouts, ResourceOptions, RunError, runtime

from pulumi_cbr_sharing import Agency, Connection
from pulumi_cbr_sharing.resources.arguments import refuse_useless, waiting
from stack import Stack


if TYPE_CHECKING:
    from pathlib import Path


REFUSED = """
import json
import pulumi
from pulumi_cbr_sharing import Agency, BackupShareMember, Connection, get_backups

unknown = pulumi.Output.from_input("dr")
cases = {
    "provider": dict(opts=pulumi.ResourceOptions(provider=object())),
    "import": dict(opts=pulumi.ResourceOptions(import_="x/y")),
    "id": dict(opts=pulumi.ResourceOptions(id="x/y")),
    "text": dict(connection="dr"),
    "map": dict(connection={"namespace": "dr"}),
    "output": dict(connection=pulumi.Output.from_input(Connection(namespace="dr"))),
    "output within": dict(connection=Connection(region=unknown)),
    "agency": dict(connection=Connection(agency="admin")),
    "output in agency": dict(connection=Connection(agency=Agency("admin", domain_name=unknown))),
    "first": dict(connection=Connection(namespace="dr-1")),
    "same variables": dict(connection=Connection(namespace="dr.1")),
}
told = {}
for name, given in cases.items():
    try:
        BackupShareMember(name, backup_id="x", dest_project_id="y", **given)
    except pulumi.RunError as error:
        told[name] = str(error)
try:
    get_backups(connection="dr")
except pulumi.RunError as error:
    told["look-up"] = str(error)
with open("told.json", "w") as file:
    json.dump(told, file)
"""
GIVE = 'give plain values, such as Connection(namespace="dr")'
TEXT = (
    "give a text; it is needed before the program's resources are made, so it may come from the stack's configuration, "
    "but from no resource and no stack reference"
)
TOLD = {
    "provider": "the option provider has no effect on this resource: for another account, give "
    "connection=Connection(namespace=…)",
    "import": "the option import does not work with dynamic providers: declare the resource, and what exists is "
    "adopted",
    "id": "the option id does not work with dynamic providers: declare the resource, or look it up with "
    "get_share_members",
    "text": f"connection is of type str: {GIVE}",
    "map": f"connection is of type dict: {GIVE}",
    "output": f"connection is an Output: {GIVE}",
    "output within": f"connection.region is an Output: {TEXT}",
    "agency": 'connection.agency is of type str: give plain values, such as Agency("name", domain_name="account")',
    "output in agency": f"connection.agency.domain_name is an Output: {TEXT}",
    "same variables": "the namespaces dr-1 and dr.1 both read the variables DR_1_HW_…: rename one of them",
    "look-up": f"get_backups: connection is of type str: {GIVE}",
}


@pytest.mark.differs("import, `get`", "dynamic")
@pytest.mark.engine
def test_what_would_have_no_effect_is_refused_in_one_line(tmp_path: Path) -> None:
    """Each message names the resource, what it was given, and what to give."""
    stack = Stack(tmp_path)
    stack.program(REFUSED)
    stack.preview(check=False)

    told = json.loads((stack.folder / "told.json").read_text())
    assert {name: text.removeprefix(f"BackupShareMember {name}: ") for name, text in told.items()} == TOLD


@pytest.mark.differs("`customTimeouts`", "dynamic")
@pytest.mark.parametrize(
    ("seconds", "create", "waits"),
    [
        (None, None, None),
        (None, "1h30m", 5400.0),
        (600, "5s", 5.0),
        (3, "1m", 3),
        (600, None, 600),
        (None, "soon", None),
        ("600", "5s", "600"),
        (None, "250ms", 0.25),
    ],
)
def test_custom_timeouts_limit_the_wait(seconds: Any, create: str | None, waits: float | None) -> None:
    """Those of create; the engine keeps them from a dynamic provider, and itself refuses what is no duration."""
    opts = ResourceOptions(custom_timeouts=CustomTimeouts(create=create)) if create else ResourceOptions()
    assert waiting(seconds, opts) == waits
    assert waiting(seconds, None) == seconds
    other = ResourceOptions(custom_timeouts=CustomTimeouts(update=create, delete=create))
    assert waiting(seconds, other) == seconds


MANY = """
import pulumi
from pulumi.runtime import Mocks, set_mocks
from pulumi_cbr_sharing import BackupShareMember

class Cloud(Mocks):
    def new_resource(self, args): return [args.name, args.inputs]
    def call(self, args): return {}

set_mocks(Cloud())
for number in range(1500):
    BackupShareMember(f"s{number}", backup_id="x", dest_project_id="y")
"""


@pytest.mark.slow
def test_a_program_may_declare_more_shares_than_the_sdk_can_pickle() -> None:
    """Its `serialize_provider` ends in a RecursionError at about 950."""
    done = subprocess.run([sys.executable, "-c", MANY], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_agency_may_have_a_duration() -> None:
    """It is a number; all else in a Connection is text."""
    refuse_useless("share", Connection(agency=Agency("admin", domain_name="other", duration=900)), None)
    with pytest.raises(RunError, match=r"agency\.duration is of type str: give a number"):
        refuse_useless("share", Connection(agency=Agency("admin", domain_name="o", duration="900")), None)  # type: ignore[arg-type]


@pytest.mark.parametrize("key", ["secretKey", "secret_key", "securityToken", "security_token", "password", "token"])
def test_a_plain_secret_is_warned_of_in_either_spelling(key: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Once for each key."""

    def program() -> None:
        runtime.set_config(f"plain:{key}", "planted")
        for _ in range(2):
            refuse_useless("share", Connection(namespace="plain"), None)

    copy_context().run(program)
    shown = capsys.readouterr().err
    assert shown.count(f"plain:{key} is in the stack's configuration in plain text") == 1
    assert "planted" not in shown
