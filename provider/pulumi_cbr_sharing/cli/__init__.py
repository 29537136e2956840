"""The command `cbr-sharing`. A module of commands is imported, with its libraries, when one of them is called.

A command `name` is the object `name_command` of its module, and a line of `COMMANDS`. Rules for all of them are here:
an error is one line and ends with 1, wrong usage too; Ctrl-C ends quietly with 130.
"""

from __future__ import annotations

import io
import re
import sys

from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any


try:
    import click
except ImportError:
    raise SystemExit("the command cbr-sharing needs click: install pulumi-cbr-sharing[cli]") from None

from pulumi_cbr_sharing.errors import CbrSharingError


if TYPE_CHECKING:
    from collections.abc import Iterator


COMMANDS = {  # name: its module, and its line in the help
    "members": ("owner", "List whom a backup is shared with."),
    "share": ("owner", "Share a backup with projects."),
    "unshare": ("owner", "Cancel the shares of a backup with projects."),
    "offers": ("recipient", "List the backups that other projects offer to this one."),
    "accept": ("recipient", "Accept the offer of a backup into a vault."),
    "reject": ("recipient", "Reject the offer of a backup, or give back one that was accepted."),
    "backups": ("account", "List backups, newest first."),
    "vaults": ("account", "List the vaults of the project."),
    "whoami": ("account", "Show the account that commands work in."),
    "adopt": ("programs", "Print the Pulumi program that adopts existing shares."),
    "move": ("programs", "Print what declares the shares of another tool, and how that tool forgets them."),
    "audit": ("audit", "Compare declared shares with live ones."),
    "plugin": ("machine", "Give the native plugin to Pulumi, for programs in every language."),
    "emulator": ("machine", "Run an emulated CBR with its IAM on this machine."),
}
# Errors name what a program would set; these are the options of the same purpose.
OPTIONS = {
    "wait_for_backup": "--wait",
    "vault_id": "--vault",
    "Connection profile": "--connection",
    "Connection region": "--region",
    "Connection project_id": "--project-id",
    "Connection endpoint": "--endpoint",
}
INTERRUPTED = 130  # as shells report a command that was ended by Ctrl-C


class Later(click.Command):
    """A command that is imported when it is called, not to list its name."""

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Import the command, and parse its options."""
        return load(str(self.name)).make_context(*args, **extra)


class Commands(click.Group):
    """A group with rules for all its commands."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """The names of the commands, in the order of the table."""
        return list(self.commands)

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Parse the options of the group."""
        with _one_line():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Import the command, parse its options, run it."""
        _print_whatever_comes()
        with _one_line():
            return super().invoke(ctx)


def load(name: str) -> click.Command:
    """Import the command of a name.

    Raises:
        ClickException: a library that the command needs is not installed.
    """
    try:
        command: click.Command = getattr(import_module(f"{__name__}.{COMMANDS[name][0]}"), f"{name}_command")
    except ModuleNotFoundError as error:
        missing = (error.name or "a library").partition(".")[0]
        raise click.ClickException(f"this command needs {missing}: install pulumi-cbr-sharing[cli]") from None
    return command


def in_options(text: str) -> str:
    """A message in the words of commands."""
    for name, option in OPTIONS.items():
        text = re.sub(rf"\b{name}\b", option, text)
    return text


@contextmanager
def _one_line() -> Iterator[None]:
    try:
        yield
    except click.UsageError as error:
        error.show()
        sys.exit(1)  # click's own 2 means findings of an audit here
    except CbrSharingError as error:
        raise click.ClickException(in_options(error.told)) from None
    except (KeyboardInterrupt, click.Abort):
        sys.exit(INTERRUPTED)


def _print_whatever_comes() -> None:
    """Print characters that the terminal cannot show as escapes, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@click.group(
    cls=Commands,
    commands=[Later(name, short_help=text) for name, (_, text) in COMMANDS.items()],
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="pulumi-cbr-sharing")
def main() -> None:
    """List, share, accept and audit shared backups.

    Settings are those of a Pulumi program, without the stack config: see `cbr-sharing whoami`.

    \b
    Exit codes:
      0    success, or nothing to do
      1    an error, wrong usage, or not confirmed
      130  ended by Ctrl-C

    \b
    Completion, in ~/.bashrc (replace bash by zsh or fish):
      eval "$(_CBR_SHARING_COMPLETE=bash_source cbr-sharing)"
    """
