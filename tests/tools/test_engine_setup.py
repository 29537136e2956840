"""The set-up command, with its own PATH and cache.

The tools of others (`pulumi`, `go`) are small scripts here; no download is attempted.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys

from dataclasses import dataclass, field
from pathlib import Path

import pytest

import engine_cache
import engine_setup

from engine_log import Unavailable
from engine_pins import MODULE, go_version, pulumi_version


COMMAND = Path(engine_setup.__file__)
COMMANDS = ("pulumi", "pulumi-language-python", "pulumi-language-python-exec", "pulumi-resource-pulumi-python")

# Stands for Go: answers the three commands that a build needs, and notes that it was asked to build.
GO = """#!/bin/sh
case "$1" in
version) echo go version go1.26.0 ;;
list) echo "$SDK" ;;
build) echo built >> "$SDK/builds"; sleep 0.2
  while [ "$1" != -o ]; do shift; done
  echo '#!/bin/sh' > "$2"; chmod +x "$2" ;;
esac
"""


@dataclass
class Machine:
    """A machine with few commands on PATH; tests add theirs."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)
    umask: int = 0o022

    def __post_init__(self) -> None:
        self.bin = self.folder / "bin"
        self.sdk = self.folder / "sdk"
        self.env = {
            "PATH": str(self.bin),
            "HOME": str(self.folder),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "SDK": str(self.sdk),
        }
        self.bin.mkdir()
        for needed in ("chmod", "sleep"):
            (self.bin / needed).symlink_to(str(shutil.which(needed)))
        # Downloads are blocked: nothing listens there.
        self.env |= dict.fromkeys(("http_proxy", "https_proxy", "ALL_PROXY"), "http://127.0.0.1:9")
        self.env |= {"UV_HTTP_RETRIES": "0", "UV_NO_CACHE": "1", "PIP_RETRIES": "0"}

    @property
    def engine(self) -> Path:
        """The folder of the cached engine."""
        return self.folder / "cache" / "pulumi-cbr-sharing" / f"engine-{pulumi_version()}" / "bin"

    @property
    def path(self) -> str:
        """What the set-up prints: the stand-in of the clone, then the engine."""
        return os.pathsep.join([str(engine_setup.STAND_IN), str(self.engine)])

    @property
    def builds(self) -> int:
        """The number of builds."""
        notes = self.sdk / "builds"
        return len(notes.read_text().splitlines()) if notes.exists() else 0

    def script(self, path: Path, text: str = "#!/bin/sh\n") -> Path:
        """Write an executable script."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
        return path

    def with_go(self) -> None:
        """Put a Go on PATH, and what it downloads where it says."""
        self.script(self.bin / "go", GO)
        self.script(self.sdk / "python/cmd/pulumi-language-python-exec")
        self.script(self.sdk / "python/dist/pulumi-resource-pulumi-python")

    def start(self) -> subprocess.Popen[str]:
        """Start the set-up."""
        return subprocess.Popen(
            [sys.executable, str(COMMAND)],
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            umask=self.umask,
        )

    def setup(self, code: int = 0) -> tuple[str, str]:
        """Run the set-up; returns what it prints on each stream."""
        process = self.start()
        out, err = process.communicate(timeout=60)
        assert process.returncode == code, err
        return out.strip(), err


@pytest.fixture(name="machine")
def _machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_release_on_path_is_used_untouched(machine: Machine) -> None:
    """With `pulumi` and its Python language host on PATH nothing is made, said or put before it."""
    machine.script(machine.bin / "pulumi")
    machine.script(machine.bin / "pulumi-language-python")
    assert machine.setup() == ("", "")
    assert not machine.engine.parent.parent.exists()


def test_a_linked_release_is_a_release(machine: Machine) -> None:
    """A release whose `pulumi` alone is linked into PATH, as package managers do, finds its host by itself."""
    release = machine.script(machine.folder / "release" / "pulumi")
    machine.script(machine.folder / "release" / "pulumi-language-python")
    (machine.bin / "pulumi").symlink_to(release)
    assert machine.setup() == ("", "")


def test_a_pulumi_without_its_host_is_no_release(machine: Machine) -> None:
    """A `pulumi` that cannot run Python programs is named, left alone, and an engine is made."""
    alone = machine.script(machine.bin / "pulumi")
    machine.with_go()
    out, err = machine.setup()
    assert out == machine.path
    assert f"{alone} has no pulumi-language-python" in err


def test_a_cached_engine_is_found_again(machine: Machine) -> None:
    """The second run makes nothing and says nothing but the folder, also with that folder on PATH already."""
    machine.with_go()
    machine.setup()
    assert machine.setup() == (machine.path, "")
    machine.env["PATH"] = f"{machine.engine}{os.pathsep}{machine.env['PATH']}"
    assert machine.setup() == (machine.path, "")
    assert machine.builds == 1


def test_without_a_release_the_engine_is_built(machine: Machine) -> None:
    """It is built with its helpers; one line tells of each step, and nothing else is left in the cache."""
    machine.with_go()
    out, err = machine.setup()
    assert out == machine.path
    assert all(os.access(machine.engine / name, os.X_OK) for name in COMMANDS)
    assert [line.split(":")[0] for line in err.splitlines()] == ["engine"] * 2
    left = {path.name for path in machine.engine.parent.parent.iterdir()}
    assert left == {machine.engine.parent.name, f"{machine.engine.parent.name}.lock"}


def test_without_any_way_one_message_says_what_to_do(machine: Machine) -> None:
    """Without a release and Go the command fails with what was tried and what helps."""
    out, err = machine.setup(code=1)
    assert out == ""
    message = err.partition("No Pulumi engine could be had.")[2]
    for part in ("pulumi on PATH: none", "no go on PATH", "toolchain did not install"):
        assert part in message
    assert f"install Go {go_version()} or newer" in message
    assert "Traceback" not in err
    assert not machine.engine.parent.exists()


def test_a_failed_build_leaves_no_half_engine(machine: Machine) -> None:
    """A build that fails shows the compiler's words, and the next run starts anew."""
    machine.with_go()
    machine.script(machine.bin / "go", GO.replace("sleep 0.2", "echo no space left >&2; exit 1"))
    _, err = machine.setup(code=1)
    assert "no space left" in err
    machine.with_go()
    assert machine.setup()[0] == machine.path


def test_the_environment_chooses_no_other_toolchain(machine: Machine) -> None:
    """Nor what hands out compiled packages: the Go on PATH builds, or the one that is pinned by hash."""
    machine.with_go()
    told = machine.folder / "told"
    kept = f'echo "$GOTOOLCHAIN|$GOROOT|$GOCACHEPROG|$GOFLAGS" >> {told}; echo built'
    machine.script(machine.bin / "go", GO.replace("echo built", kept, 1))
    machine.env |= {"GOTOOLCHAIN": "go1.99.9+auto", "GOROOT": "/evil", "GOCACHEPROG": "/evil", "GOFLAGS": "-mod=mod"}
    assert machine.setup()[0] == machine.path
    assert set(told.read_text().splitlines()) == {"local|||-buildvcs=false"}


def test_two_runs_at_once_build_once(machine: Machine) -> None:
    """The second of two runs waits for the first and takes what that made."""
    machine.with_go()
    runs = [machine.start(), machine.start()]
    ends = [run.communicate(timeout=60) for run in runs]
    assert [out.strip() for out, _ in ends] == [machine.path] * 2
    assert machine.builds == 1


def test_a_waiting_run_says_so(machine: Machine) -> None:
    """Who waits for another run is told, and goes on when that ends without an engine."""
    machine.with_go()
    lock = machine.engine.parent.with_name(f"{machine.engine.parent.name}.lock")
    lock.parent.mkdir(parents=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        process = machine.start()
        assert process.stderr
        assert "waiting for that one" in process.stderr.readline()
    out, _ = process.communicate(timeout=60)
    assert out.strip() == machine.path


def plant(machine: Machine) -> None:
    """An engine that nobody built."""
    for name in COMMANDS:
        machine.script(machine.engine / name)
    machine.engine.parent.parent.chmod(0o700)


def test_an_engine_that_others_may_write_is_not_used(machine: Machine) -> None:
    """A command, a folder of the cache, or a folder above it: any of them could be exchanged."""
    plant(machine)
    assert machine.setup()[0] == machine.path
    for path, mode in ((machine.engine / "pulumi", 0o757), (machine.engine, 0o775), (machine.folder / "cache", 0o777)):
        usual = path.stat().st_mode
        path.chmod(mode)
        out, err = machine.setup(code=1)
        assert (out, str(path) in err, "Traceback" in err) == ("", True, False)
        path.chmod(usual)
    assert machine.setup()[0] == machine.path


def test_an_engine_of_another_user_is_not_used(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its owner could replace it."""
    plant(machine)
    monkeypatch.setenv("XDG_CACHE_HOME", machine.env["XDG_CACHE_HOME"])
    assert engine_cache.ENGINE.is_complete()
    monkeypatch.setattr(engine_cache, "ROOT", -1)
    monkeypatch.setattr(os, "getuid", lambda: 4711)
    with pytest.raises(Unavailable, match="can be written by others"):
        engine_cache.ENGINE.is_complete()


@pytest.mark.parametrize("linked", ["pulumi", "bin", "engine", "root"])
def test_no_link_in_the_cache_is_followed(linked: str, machine: Machine) -> None:
    """Whatever its target."""
    plant(machine)
    bin_folder = machine.engine
    path = {
        "pulumi": bin_folder / "pulumi",
        "bin": bin_folder,
        "engine": bin_folder.parent,
        "root": bin_folder.parent.parent,
    }[linked]
    moved = machine.folder / "elsewhere"
    path.rename(moved)
    path.symlink_to(moved)
    out, err = machine.setup(code=1)
    assert out == ""
    assert f"{path} is a link" in err


def test_the_cache_is_for_its_user_alone(machine: Machine) -> None:
    """Also where new folders are open to a group by default."""
    machine.with_go()
    machine.umask = 0o002
    machine.setup()
    assert machine.engine.parent.parent.stat().st_mode & 0o777 == 0o700
    assert machine.setup()[0] == machine.path


def test_go_mod_pins_what_is_built() -> None:
    """The version that names the cache is the one that go.mod requires, of both modules."""
    text = (MODULE / "go.mod").read_text()
    assert f"github.com/pulumi/pulumi/pkg/v3 v{pulumi_version()}\n" in text
    assert f"github.com/pulumi/pulumi/sdk/v3 v{pulumi_version()}\n" in text
