"""The command `cbr-sharing emulator`."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import requests

from click.testing import CliRunner

from emulated import SECONDS
from pulumi_cbr_sharing.cli import main
from pulumi_cbr_sharing.emulator import serve


if TYPE_CHECKING:
    from collections.abc import Iterator


COMMAND = (sys.executable, "-m", "pulumi_cbr_sharing.cli", "emulator")


@contextmanager
def running(*options: str) -> Iterator[subprocess.Popen[str]]:
    """Run the command until the block ends."""
    with subprocess.Popen([*COMMAND, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: subprocess.Popen[str]) -> str:
    """The next line that it prints."""
    assert process.stdout
    return process.stdout.readline().rstrip()


def printed(process: subprocess.Popen[str]) -> list[str]:
    """The lines that it prints until it is ready."""
    lines = [line(process)]
    while not lines[-1].startswith("Ready"):
        assert process.poll() is None
        lines.append(line(process))
    return lines


def exports(lines: list[str]) -> dict[str, str]:
    """The variables in `export` lines."""
    pairs = (text.removeprefix("export ").partition("=") for text in lines if text.startswith("export "))
    return {name: value for name, _, value in pairs}


def test_what_it_prints_leads_to_it() -> None:
    """The lines can be pasted into a shell, sign in to both accounts, and the endpoints answer."""
    with running() as process:
        lines = printed(process)
        found = exports(lines)
        state = requests.get(f"{found['HW_CBR_ENDPOINT']}/_emulator/state", timeout=SECONDS).json()
        refused = requests.post(f"{found['HW_IAM_ENDPOINT']}/auth/tokens", json={"auth": {}}, timeout=SECONDS)

    sharer, recipient, _ = state["accounts"]
    assert {name: found[name] for name in found if name.startswith("HW_")} == variables(state, sharer)
    both = variables(state, sharer) | variables(state, recipient, "RECIPIENT_")
    assert found == both
    assert found["HW_CBR_ENDPOINT"] in lines[-1]
    assert refused.status_code == 401


def variables(state: Any, account: Any, prefix: str = "") -> dict[str, str]:
    """What signs in to an account."""
    return {
        f"{prefix}HW_ACCESS_KEY": account["access_key"],
        f"{prefix}HW_SECRET_KEY": account["secret_key"],
        f"{prefix}HW_REGION_NAME": account["region"],
        f"{prefix}HW_PROJECT_ID": account["project_id"],
        f"{prefix}HW_CBR_ENDPOINT": state["url"],
        f"{prefix}HW_IAM_ENDPOINT": state["iam_url"],
    }


def test_it_says_which_backup_can_be_shared_with_whom() -> None:
    """It prints ids for a first program."""
    with running() as process:
        text = "\n".join(printed(process))
    with serve() as same:
        assert same.backup.id in text
        assert same.account("recipient").project_id in text
        assert same.vault("recipient").id in text


def test_json_is_one_line_for_scripts() -> None:
    """It has the requested number of accounts."""
    with running("--json", "--accounts", "2", "--dialect", "otc") as process:
        told = json.loads(line(process))
        state = requests.get(f"{told['url']}/_emulator/state", timeout=SECONDS).json()

    names = [one["name"] for one in told["accounts"]]
    assert names == ["sharer", "recipient", "bystander", "more-1", "more-2"]
    assert [one["id"] for one in told["backups"]] == [state["backups"][0]["id"]]
    assert state["switches"]["dialect"] == "otc"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_quietly(number: signal.Signals) -> None:
    """On Ctrl-C, and on SIGTERM."""
    with running("--json") as process:
        line(process)
        process.send_signal(number)
        out, err = process.communicate(timeout=SECONDS)
        assert (process.returncode, out, err) == (0, "", "")


def test_a_port_that_is_taken_is_one_line() -> None:
    """No traceback."""
    with serve() as emulator:
        port = emulator.url.rpartition(":")[2]
        told = CliRunner().invoke(main, ["emulator", "--port", port])
    assert told.exit_code == 1
    assert told.output.startswith("Error: ")
    assert "in use" in told.output
    assert len(told.output.splitlines()) == 1


@pytest.mark.parametrize(
    ("module", "missing", "told"),
    [
        ("pulumi_cbr_sharing.cli", "click", "needs click: install pulumi-cbr-sharing[cli]"),
        ("pulumi_cbr_sharing.emulator", "flask", "needs Flask: install pulumi-cbr-sharing[emulator]"),
        ("pulumi_cbr_sharing.emulator", "re2", "needs RE2: install pulumi-cbr-sharing[emulator]"),
    ],
)
def test_what_is_not_installed_is_named_with_its_extra(module: str, missing: str, told: str) -> None:
    """The error is one line, at the end of the output."""
    program = f"import sys; sys.modules[{missing!r}] = None; import {module}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(told)


def test_the_command_names_the_extra_of_the_emulator() -> None:
    """The error is one line, if only the extra `cli` is installed."""
    program = "import sys; sys.modules['flask'] = None; from pulumi_cbr_sharing.cli import main; main(['emulator'])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "Error: the emulator needs Flask: install pulumi-cbr-sharing[emulator]\n"
