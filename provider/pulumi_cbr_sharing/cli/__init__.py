"""The command `cbr-sharing`: a file a command, loaded with its libraries when it is called.

A command `name` is the object `command` of the module `name` in this folder, and a line of `COMMANDS`. What holds
for all of them is here: an error is one line and ends with 1, wrong usage too; Ctrl-C ends quietly with 130.
"""

from __future__ import annotations

import io
import sys

from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any


try:
    import click

    from click.shell_completion import CompletionItem
except ImportError:
    raise SystemExit("the command cbr-sharing needs click: install pulumi-cbr-sharing[cli]") from None

from pulumi_cbr_sharing.errors import CbrSharingError


if TYPE_CHECKING:
    from collections.abc import Iterator


COMMANDS = {
    "members": "Tell who a backup is shared with.",
    "share": "Share a backup with projects.",
    "unshare": "Cancel the shares of a backup with projects.",
    "offers": "List the backups that others offer to this project.",
    "accept": "Accept the offer of a backup into a vault.",
    "reject": "Reject the offer of a backup, or give back one that was accepted.",
    "backups": "List backups, newest first.",
    "vaults": "List the vaults of the project.",
    "whoami": "Tell which account commands work in, and which permissions were seen to work.",
    "adopt": "Print the Pulumi program for the shares that exist.",
    "audit": "Compare the shares that are declared with those that are live.",
    "emulator": "Serve an emulated CBR with its IAM on this machine.",
}
INTERRUPTED = 130  # as a shell says it of a command that was ended by Ctrl-C


class Commands(click.Group):
    """A group whose commands are loaded when they are called, not to list their names."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """The names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        """The command of a name; None if there is none."""
        return load(name) if name in COMMANDS else None

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table into the help."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands that begin so; and the options."""
        fitting = [CompletionItem(name, help=text) for name, text in COMMANDS.items() if name.startswith(incomplete)]
        return fitting + click.Command.shell_complete(self, ctx, incomplete)

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Read the options of the group."""
        with _one_line():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Load the command, read its options, run it."""
        _print_whatever_comes()
        with _one_line():
            return super().invoke(ctx)


def load(name: str) -> click.Command:
    """The command of a name.

    Raises:
        ClickException: a library of the extra is not installed.
    """
    try:
        command: click.Command = import_module(f"{__name__}.{name}").command
    except ModuleNotFoundError as error:
        missing = (error.name or "a library").partition(".")[0]
        raise click.ClickException(f"this command needs {missing}: install pulumi-cbr-sharing[cli]") from None
    return command


@contextmanager
def _one_line() -> Iterator[None]:
    try:
        yield
    except click.UsageError as error:
        error.show()
        sys.exit(1)  # click's own 2 means findings of an audit here
    except CbrSharingError as error:
        raise click.ClickException(str(error)) from None
    except (KeyboardInterrupt, click.Abort):
        sys.exit(INTERRUPTED)


def _print_whatever_comes() -> None:
    """Let a name in a script that the terminal cannot show come out as escapes, not as a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="pulumi-cbr-sharing")
def main() -> None:
    """Look at shared backups, and change who has them.

    Settings are those of a Pulumi program, without the stack's: `cbr-sharing whoami` shows where they lead.

    \b
    Exit codes:
      0    done, or nothing was to be done
      1    an error, in one line; or wrong usage; or not confirmed
      130  ended by Ctrl-C

    \b
    Completion, in ~/.bashrc (zsh and fish: write so instead of bash):
      eval "$(_CBR_SHARING_COMPLETE=bash_source cbr-sharing)"
    """
