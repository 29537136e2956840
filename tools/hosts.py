"""Builds what tests of other languages need beside the engine, where no Pulumi release brings it.

* The language host of YAML, from its Go module, which `yaml_host/go.mod` pins. A release has it.
* The generator of SDKs, from the engine's module: a release generates them by the host of each language.

Each is built when a test first needs it, once for a user, while other tests run.
"""

from __future__ import annotations

import shutil

from typing import TYPE_CHECKING

import engine_setup
import go_toolchain

from engine_build import compiled
from engine_cache import Kept
from engine_log import say
from engine_pins import MODULE, YAML_MODULE, pulumi_version, yaml_version


if TYPE_CHECKING:
    from pathlib import Path


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


def node() -> bool:
    """Whether there is a Node.js with its package manager."""
    return all(map(shutil.which, ("node", "npm")))


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
