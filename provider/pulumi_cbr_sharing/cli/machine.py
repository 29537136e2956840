"""`cbr-sharing emulator` and `cbr-sharing plugin install`: what runs on this machine, without an account."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pulumi_cbr_sharing.plugin.semver import own_version


if TYPE_CHECKING:
    from pulumi_cbr_sharing.emulator import Emulator


COMMAND = "pulumi-resource-cbr-sharing"


@click.command
@click.option("--port", default=0, show_default="any that is free", help="The port on 127.0.0.1.")
@click.option("--dialect", type=click.Choice(["huawei", "otc"]), default="huawei", show_default=True, help="The cloud.")
@click.option("--accounts", default=0, show_default=True, help="The number of accounts in addition to the first three.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON (url, accounts, backups), for scripts.")
def emulator_command(*, port: int, dialect: Any, accounts: int, as_json: bool) -> None:
    """Run an emulated CBR with its IAM on this machine, until Ctrl-C."""
    try:
        from pulumi_cbr_sharing.emulator import serve  # noqa: PLC0415

        ended = _ended_by_signal()
        with serve(dialect, port) as cloud:
            for number in range(1, accounts + 1):
                cloud.add_account(f"more-{number}")
            click.echo(_as_json(cloud) if as_json else _how_to_use(cloud))
            ended.wait()
    except (ImportError, OSError, OverflowError) as error:
        raise click.ClickException(str(error)) from None


def _ended_by_signal() -> threading.Event:
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    return ended


def _how_to_use(cloud: Emulator) -> str:
    return f"""\
# An emulated CBR with made-up credentials. In another terminal, as the account that shares:
{_exports(cloud.environment())}

# and as the one that receives, for Connection(namespace="recipient"):
{_exports(cloud.environment("recipient", "recipient"))}

# backup_id          {cloud.backup.id}
# dest_project_id    {cloud.account("recipient").project_id}
# vault_id           {cloud.vault("recipient").id}  of the recipient
# to watch it        {cloud.url}/_emulator/
# to script it       {cloud.url}/_emulator/endpoints

Ready at {cloud.url} (Ctrl-C ends it)"""


def _exports(variables: dict[str, str]) -> str:
    return "\n".join(f"export {name}={text}" for name, text in variables.items())


def _as_json(cloud: Emulator) -> str:
    accounts = [{**vars(account), "vault_id": cloud.vault(account.name).id} for account in cloud.accounts.all()]
    backups = [
        {"id": backup.id, "project_id": backup.project_id, "status": backup.status}
        for backup in cloud.state.backups.values()
    ]
    return json.dumps({"url": cloud.url, "iam_url": cloud.iam_url, "accounts": accounts, "backups": backups})


@click.group("plugin")
def plugin_command() -> None:
    """Give the native plugin to Pulumi, for programs in every language.

    Programs in YAML, TypeScript, Go, C# and Java need it, and programs in Python that import pulumi_cbr_sharing.native.
    """


@plugin_command.command("install")
def install_command() -> None:
    """Install the plugin for the Pulumi on PATH.

    A script is copied into Pulumi's folder of plugins. It runs in this Python environment, which must stay where it is;
    after an upgrade of the package, run it again.

    \b
    Example:
      cbr-sharing plugin install
    """
    pulumi = shutil.which("pulumi")
    if not pulumi:
        raise click.ClickException("there is no pulumi on PATH: install Pulumi, or put it on PATH")
    script = _script()
    version = own_version()
    command = [pulumi, "plugin", "install", "resource", "cbr-sharing", version, "--file", str(script), "--reinstall"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        last = (run.stderr.strip() or run.stdout.strip() or f"exit code {run.returncode}").splitlines()[-1]
        raise click.ClickException(f"pulumi plugin install failed: {last.removeprefix('error: ')}")
    click.echo(f"installed the plugin cbr-sharing {version}, which runs in {sys.prefix}")


def _script() -> Path:
    """The plugin of this environment."""
    beside = Path(sys.executable).parent / COMMAND
    found = beside if beside.exists() else shutil.which(COMMAND)
    if not found:
        raise click.ClickException(f"{COMMAND} is not in {beside.parent}: install pulumi-cbr-sharing[plugin] again")
    return Path(found)
