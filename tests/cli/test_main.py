"""What holds for every command of `cbr-sharing`: what is loaded, how it ends, what it says when it cannot."""

from __future__ import annotations

import subprocess
import sys

import pytest

from click.testing import CliRunner

from pulumi_cbr_sharing import cli


def run(*arguments: str) -> tuple[int, str]:
    """Run the command in this process: its exit code, and both its outputs."""
    done = CliRunner().invoke(cli.main, arguments)
    return done.exit_code, done.output


def python(program: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a process of its own."""
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)


def test_the_help_lists_every_command_and_loads_none() -> None:
    """Neither the module of a command nor a library that it alone needs."""
    done = python(
        "import sys; from pulumi_cbr_sharing.cli import main; main(['--help'], standalone_mode=False);"
        "print(*(name for name in sys.modules if name.split('.')[0] in ('rich', 'flask', 'pulumi_cbr_sharing')))"
    )
    text, loaded = done.stdout.rstrip().rsplit("\n", 1)
    assert [name for name in cli.COMMANDS if name not in text] == []
    assert [name for name in loaded.split() if name.startswith(("rich", "flask", "pulumi_cbr_sharing.cli."))] == []


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_has_its_line_and_its_help(name: str) -> None:
    """The line of the table begins the command's own help, so that the two cannot drift apart."""
    code, text = run(name, "--help")
    assert code == 0
    assert cli.COMMANDS[name].removesuffix(".") in " ".join(text.split())


@pytest.mark.parametrize("words", [["nonsense"], ["emulator", "--nonsense"], ["--nonsense"], ["emulator", "--port=x"]])
def test_wrong_usage_ends_with_1(words: list[str]) -> None:
    """And says how to use it; 2 is what an audit says of findings."""
    code, text = run(*words)
    assert code == 1
    assert "Usage: " in text
    assert "Error: " in text


@pytest.mark.parametrize(
    ("module", "command"), [("rich", name) for name in cli.COMMANDS if name != "emulator"] or [("click", "--help")]
)
def test_a_missing_library_is_one_line(module: str, command: str) -> None:
    """It names the extra to install."""
    done = python(
        f"import sys; sys.modules[{module!r}] = None; from pulumi_cbr_sharing.cli import main; main([{command!r}])"
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith("install pulumi-cbr-sharing[cli]")
