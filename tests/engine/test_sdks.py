"""SDKs that are generated from the schema: TypeScript is compiled and run, Go and Python are compiled."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import go_toolchain
import hosts

from clouds import environment
from engine_pins import MODULE
from pulumi_cbr_sharing.plugin.settings import schema
from stack import Stack


if TYPE_CHECKING:
    from pulumi_cbr_sharing.emulator import Emulator


pytestmark = pytest.mark.engine

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = ROOT / "examples"


def sdk(language: str, tmp_path: Path) -> Path:
    """The SDK of a language, as a Pulumi release generates it."""
    text = tmp_path / "schema.json"
    text.write_text(json.dumps(schema()))
    folder = tmp_path / f"sdk-{language}"
    run(hosts.sdk_generator(), language, text, folder)
    return folder


def run(*command: Any, cwd: Path | None = None, env: dict[str, str] | None = None) -> None:
    """Run a command to its end."""
    done = subprocess.run([*map(str, command)], cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_program_in_typescript(emulator: Emulator, tmp_path: Path) -> None:
    """The example is compiled by `tsc` against the SDK, and runs from preview to destroy."""
    tools = hosts.typescript()
    stack = Stack(tmp_path, project="shares-in-typescript")
    stack.env |= environment(emulator)
    host = stack.file("bin/pulumi-language-nodejs", f'#!/bin/sh\nexec {shlex.join(host_command())} "$@"\n')
    host.chmod(0o755)
    stack.env["PATH"] = os.pathsep.join([str(host.parent), str(tools), stack.env["PATH"]])
    shutil.copytree(EXAMPLES / "typescript", stack.folder, dirs_exist_ok=True)
    (stack.folder / "__main__.py").unlink()
    modules = stack.folder / "node_modules"
    modules.mkdir()
    for package in (tools / "node_modules").iterdir():
        (modules / package.name).symlink_to(package)
    package = sdk("nodejs", tmp_path)
    (package / "node_modules").symlink_to(tools / "node_modules")
    run(tools / "tsc", cwd=package)
    (package / "node_modules").unlink()
    shutil.copy(package / "package.json", package / "bin" / "package.json")
    shutil.move(package / "bin", modules / "pulumi-cbr-sharing")
    run(tools / "tsc", "--outDir", stack.folder, cwd=stack.folder)
    (stack.folder / "index.ts").unlink()

    golden = emulator.add_backup().id
    stack.config_set("vaultId", emulator.vault("sharer").id)
    stack.config_set("recipientId", emulator.account("recipient").project_id)
    stack.config_set("goldenBackupId", golden)
    stack.preview()
    stack.up()
    found = stack.outputs()
    assert found["goldenStatus"] == "pending"
    assert set(found["shares"].values()) == {"pending"}
    assert found["vaults"]
    stack.preview("--expect-no-changes", refresh=True)
    stack.destroy()
    assert not emulator.members(golden)


def host_command() -> list[str]:
    """The stand-in for the language host."""
    return [sys.executable, "-u", str(ROOT / "tests/support/node_host.py")]


def test_a_program_in_go_compiles(tmp_path: Path) -> None:
    """The example, against the SDK; with the pins and the flags of the engine, whose build has compiled the rest."""
    folder = tmp_path / "module"
    shutil.copytree(sdk("go", tmp_path), folder)
    for name in ("go.mod", "go.sum"):
        shutil.copy(MODULE / name, folder / name)
    shutil.copytree(EXAMPLES / "go", folder / "program", ignore=shutil.ignore_patterns("go.*"))
    for source in folder.rglob("*.go"):
        source.write_text(
            source.read_text().replace("github.com/pulumi-cbr-sharing/pulumi-cbr-sharing/sdk/go/", "engine/")
        )
    go, env = go_toolchain.find(tmp_path, folder)
    run(go, "build", "-trimpath", "-ldflags", "-s -w", "./cbrsharing", "./program", cwd=folder, env=env)


def test_the_sdk_in_python_is_no_wheel_of_ours(tmp_path: Path) -> None:
    """`pulumi package add` would overwrite the package otherwise."""
    folder = sdk("python", tmp_path)
    names = {path.name for path in folder.iterdir() if path.is_dir()}
    assert names == {"pulumi_cbr_sharing_native"}
    run(sys.executable, "-m", "compileall", "-q", folder)
