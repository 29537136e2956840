"""Rules for every command of `cbr-sharing`: imports, exit codes and errors."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from click.testing import CliRunner

from commands import Terminal
from emulated import SECONDS
from pulumi_cbr_sharing import cli
from pulumi_cbr_sharing.emulator import Fault


if TYPE_CHECKING:
    from commands import Operator
    from pulumi_cbr_sharing.emulator import Emulator


def run(*arguments: str) -> tuple[int, str]:
    """Run the command in this process; returns its exit code and its output."""
    done = CliRunner().invoke(cli.main, arguments)
    return done.exit_code, done.output


def python(program: str) -> subprocess.CompletedProcess[str]:
    """Run a program in another process."""
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)


def test_the_help_lists_every_command_and_loads_none() -> None:
    """The help imports neither a command nor a library that only a command needs."""
    done = python(
        "import sys; from pulumi_cbr_sharing.cli import main; main(['--help'], standalone_mode=False);"
        "print(*(name for name in sys.modules if name.split('.')[0] in ('rich', 'flask', 'pulumi_cbr_sharing')))"
    )
    text, loaded = done.stdout.rstrip().rsplit("\n", 1)
    assert [name for name in cli.COMMANDS if name not in text] == []
    assert [name for name in loaded.split() if name.startswith(("rich", "flask", "pulumi_cbr_sharing.cli."))] == []


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_has_its_line_and_its_help(name: str) -> None:
    """The command's own help begins with its line in the table."""
    code, text = run(name, "--help")
    assert code == 0
    assert cli.COMMANDS[name][1].removesuffix(".") in " ".join(text.split())


@pytest.mark.parametrize("words", [["nonsense"], ["emulator", "--nonsense"], ["--nonsense"], ["emulator", "--port=x"]])
def test_wrong_usage_ends_with_1(words: list[str]) -> None:
    """It shows the usage; 2 is for findings of an audit."""
    code, text = run(*words)
    assert code == 1
    assert "Usage: " in text
    assert "Error: " in text


def test_a_missing_library_is_one_line() -> None:
    """It names the extra to install."""
    done = python("import sys; sys.modules['rich'] = None; from pulumi_cbr_sharing.cli import main; main(['vaults'])")
    assert done.returncode == 1
    assert done.stderr == "Error: this command needs rich: install pulumi-cbr-sharing[cli]\n"


def test_ctrl_c_while_it_waits_ends_quietly(emulator: Emulator, operator: Operator) -> None:
    """The exit code is 130, as in shells, without a traceback."""
    emulator.add_fault(Fault(delay=SECONDS))
    with operator.start("backups") as process:
        ends = time.monotonic() + SECONDS
        while emulator.unused_faults and time.monotonic() < ends:  # until its request is under way
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, out, err) == (130, "", "")


@pytest.mark.slow
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_pipe_that_is_closed_ends_quietly(emulator: Emulator, operator: Operator, options: list[str]) -> None:
    """For example by `| head -1`."""
    emulator.page_size = 1000  # more pages than this are not read
    for number in range(2000):
        emulator.add_backup(name=f"backup-{number}")
    with operator.start("backups", *options) as process:
        assert process.stdout
        assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr
        assert process.stderr.read() == ""


def test_a_name_in_another_script_comes_out_everywhere(emulator: Emulator, operator: Operator) -> None:
    """If the terminal cannot show it, it is escaped."""
    emulator.add_backup(name="备份")
    operator.env["PYTHONIOENCODING"] = "ascii"
    with operator.start("backups") as process:
        out, err = process.communicate(timeout=SECONDS)
    assert r"\u5907\u4efd" in out
    assert (process.returncode, err) == (0, "")


@pytest.mark.slow
def test_colour_is_for_terminals(emulator: Emulator, operator: Operator) -> None:
    """There are no colours in a pipe, or if NO_COLOR is set."""
    with operator.start("backups") as process:
        assert "\x1b" not in process.communicate(timeout=SECONDS)[0]
    with Terminal(operator, "backups") as terminal:
        assert terminal.code == 0
        assert "\x1b[32mavailable" in terminal.shown
    operator.env["NO_COLOR"] = "1"
    with Terminal(operator, "backups") as terminal:
        assert terminal.code == 0
        assert "\x1b[32m" not in terminal.shown
    assert emulator.backup.id in terminal.shown


def test_a_dumb_terminal_cuts_no_id(emulator: Emulator, operator: Operator) -> None:
    """As build servers and editors call theirs."""
    operator.env["TERM"] = "dumb"
    with Terminal(operator, "backups") as terminal:
        assert terminal.code == 0
    assert emulator.backup.id in terminal.shown


@pytest.mark.parametrize(("typed", "offered"), [("un", ["unshare"]), ("members --proj", ["--project-id"])])
def test_the_shell_completes(operator: Operator, typed: str, offered: list[str]) -> None:
    """Completion works as set up by the line in the help."""
    words = ["cbr-sharing", *typed.split()]
    operator.env |= {"_CBR_SHARING_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(words)}
    operator.env["COMP_CWORD"] = str(len(words) - 1)
    command = Path(sys.executable).with_name("cbr-sharing")
    done = subprocess.run([command], env=operator.whole_env, capture_output=True, text=True, check=False)
    assert [line.partition(",")[2] for line in done.stdout.splitlines()] == offered
    assert done.stderr == ""
