"""`cbr-sharing plugin install`: gives this environment's native plugin to Pulumi, for programs in every language."""

from __future__ import annotations

import shutil
import subprocess
import sys

from pathlib import Path

import click

from pulumi_cbr_sharing.plugin.semver import own_version


COMMAND = "pulumi-resource-cbr-sharing"


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
