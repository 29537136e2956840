"""A stack on the real engine, in a folder of its own: what a user types, as a test would say it.

stack = Stack(tmp_path)
stack.program("import pulumi; pulumi.export('x', 1)")
stack.up()
assert stack.outputs() == {"x": 1}
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import engine_setup
import forked
import vault


if TYPE_CHECKING:
    from collections.abc import Iterator


# What a process needs to start. Nothing else of the tester's environment reaches the engine: no cloud account, no
# Pulumi login, no options.
INHERITED = ("LANG", "LC_ALL", "TMPDIR")
PROJECT = """\
name: {project}
runtime: python
"""
TIMEOUT = 180  # seconds for one command; the slowest usual one takes five
_WRITTEN: dict[tuple[str, str, str], dict[Path, bytes]] = {}  # by `pulumi stack init`, for its choices


@dataclass(frozen=True)
class Run:
    """What a command printed, on both streams, and how it ended."""

    code: int
    output: str

    @property
    def ok(self) -> bool:
        """Whether it succeeded."""
        return self.code == 0

    @property
    def of_resources(self) -> str:
        """What it printed, without the diagnostics of the stack itself.

        When a resource fails, Pulumi interrupts the program, and shows that as a traceback of its own script there.
        """
        under_its_heading = r"^  pulumi:pulumi:Stack \(.*\n(?:    .*\n|\n(?=    ))*"
        beside_its_progress = r"^ [ +~@-]*pulumi:pulumi:Stack .*\n"
        return re.sub(rf"(?m){under_its_heading}|{beside_its_progress}", "", self.output)


class Stack:
    """One stack with its project, its file backend and its environment.

    Every verb raises an AssertionError with the whole output if the command fails, unless `check=False`. Further
    words go to the command as they are: `stack.preview("--diff")`.

    Args:
        plain: start each process anew. Otherwise they are forked, which takes a fifth of the time: `fork_server.py`.
        passphrase: the key of secrets comes from a passphrase, by default from `vault.py`.

    Attributes:
        env: the whole environment of the commands; a test adds to it.
        folder: where the program lies.
    """

    def __init__(
        self, folder: Path, name: str = "dev", project: str = "shares", *, plain: bool = False, passphrase: bool = False
    ) -> None:
        self.name = name
        self.folder = folder / "project"
        self._backend = folder / "backend"
        home = folder / "home"
        for made in (self.folder, self._backend, home):
            made.mkdir(parents=True, exist_ok=True)
        self.env = {key: os.environ[key] for key in INHERITED if key in os.environ} | {
            "PATH": search_path(),
            "HOME": str(home),  # the tester's may hold credentials of a cloud
            "PULUMI_BACKEND_URL": self._backend.as_uri(),
            "PULUMI_HOME": str(home / ".pulumi"),
            "PULUMI_STACK": name,
            "PULUMI_CONFIG_PASSPHRASE": "a passphrase for tests",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",  # a missing plugin is a failure, not a download
        }
        self.env |= {} if plain else forked.environment(self.env["PATH"])
        self.env |= {} if passphrase else vault.environment()
        self.file("Pulumi.yaml", PROJECT.format(project=project))
        self.program("")
        self._init(folder, project, "passphrase" if passphrase else vault.PROVIDER)

    def _init(self, folder: Path, project: str, secrets: str) -> None:
        """Run `pulumi stack init` once for the same choices; further stacks start with what that wrote."""
        if written := _WRITTEN.get((project, self.name, secrets)):
            for path, content in written.items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(content)
        else:
            self.pulumi("stack", "init", self.name, "--secrets-provider", secrets)
            files = (self.folder / f"Pulumi.{self.name}.yaml", *filter(Path.is_file, self._backend.rglob("*")))
            _WRITTEN[project, self.name, secrets] = {path.relative_to(folder): path.read_bytes() for path in files}

    def program(self, source: str) -> None:
        """Replace the program."""
        self.file("__main__.py", source)

    def file(self, name: str, text: str) -> Path:
        """Write another file of the project: a module, a policy pack."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def config_set(self, key: str, value: str, *, secret: bool = False, path: bool = False) -> None:
        """Set a configuration value; a key without namespace is the project's."""
        flags = ["--secret" if secret else "--plaintext", *(["--path"] if path else [])]
        self.pulumi("config", "set", *flags, "--", key, value)

    def config_rm(self, key: str) -> None:
        """Remove a configuration value."""
        self.pulumi("config", "rm", key)

    def up(self, *args: str, refresh: bool = False, check: bool = True) -> Run:
        """Deploy, without a preview ahead."""
        flags = ["--yes", "--skip-preview", *(["--refresh"] if refresh else [])]
        return self.pulumi("up", *flags, *args, check=check)

    def preview(self, *args: str, refresh: bool = False, check: bool = True) -> Run:
        """Show what would be done."""
        return self.pulumi("preview", *(["--refresh"] if refresh else []), *args, check=check)

    def refresh(self, *args: str, check: bool = True) -> Run:
        """Take the state from the cloud; with `--preview-only`, only compare."""
        consent = [] if "--preview-only" in args else ["--yes", "--skip-preview"]
        return self.pulumi("refresh", *consent, *args, check=check)

    def destroy(self, *args: str, check: bool = True) -> Run:
        """Remove everything that the stack made."""
        return self.pulumi("destroy", "--yes", "--skip-preview", *args, check=check)

    def cancel(self) -> Run:
        """Lift the lock that a killed command left on the stack."""
        return self.pulumi("cancel", "--yes")

    def export(self) -> dict[str, Any]:
        """The deployment in the state, secrets encrypted."""
        return dict(json.loads(self.stdout("stack", "export"))["deployment"])

    def state_text(self) -> str:
        """The state file as it lies in the backend."""
        (state,) = (self._backend / ".pulumi" / "stacks").glob(f"*/{self.name}.json")
        return state.read_text()

    def outputs(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """The stack's outputs."""
        flags = ["--show-secrets"] if show_secrets else []
        return dict(json.loads(self.stdout("stack", "output", "--json", *flags)))

    def resources(self, type_suffix: str = "") -> list[dict[str, Any]]:
        """The resources in the state whose type ends so."""
        return [entry for entry in self.checkpoint().get("resources", []) if entry["type"].endswith(type_suffix)]

    def checkpoint(self) -> dict[str, Any]:
        """The deployment as it lies in the backend, empty before the first one."""
        return dict(json.loads(self.state_text())["checkpoint"]["latest"] or {})

    def pulumi(self, *args: str, check: bool = True) -> Run:
        """Run any command of `pulumi` here."""
        process = self.start(*args)
        try:
            output, _ = process.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            output = f"no end within {TIMEOUT} s:\n{self.kill(process)}"
        run = Run(process.returncode, output)
        assert run.ok or not check, f"pulumi {' '.join(args)} ended with {run.code}:\n{output}"
        return run

    def start(self, *args: str) -> subprocess.Popen[str]:
        """Start any command of `pulumi` here, in a process group of its own, and return at once."""
        return subprocess.Popen(
            self._command(*args),
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def kill(self, process: subprocess.Popen[str]) -> str:
        """Kill a started command with every process that it started, as a power cut would; returns its output.

        Its plugins lie in process groups of their own, so the group alone is not enough.
        """
        family = [process.pid, *descendants(process.pid)]
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return process.communicate(timeout=30)[0]

    def stdout(self, *args: str) -> str:
        """Run any command of `pulumi` here; gives what it prints for programs."""
        run = subprocess.run(
            self._command(*args), cwd=self.folder, env=self.env, capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, f"pulumi {' '.join(args)} ended with {run.returncode}:\n{run.stderr}"
        return run.stdout

    def _command(self, *args: str) -> list[str]:
        # Looked up here: Popen would search the tester's PATH, not that of `env`.
        pulumi = shutil.which("pulumi", path=self.env["PATH"])
        assert pulumi, f"no pulumi on {self.env['PATH']}"
        return [pulumi, "--non-interactive", "--color", "never", *args]


def search_path() -> str:
    """A PATH with the engine and the interpreter that runs this, however pytest was called."""
    folders = [*engine_setup.ensure(), Path(sys.prefix, "bin")]
    return os.pathsep.join([*map(str, folders), os.environ["PATH"]])


def descendants(pid: int) -> Iterator[int]:
    """The processes that a process has started, and theirs."""
    parents = _parents()
    generation = {pid}
    while generation := {child for child, parent in parents.items() if parent in generation}:
        yield from generation


def _parents() -> dict[int, int]:
    """The parent of every process of this machine."""
    if Path("/proc/self/stat").exists():  # slim images have no `ps`
        return dict(filter(None, map(_parent, Path("/proc").glob("[0-9]*"))))
    listing = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    return {int(pid): int(parent) for pid, parent in map(str.split, listing.splitlines())}


def _parent(process: Path) -> tuple[int, int] | None:
    with suppress(OSError):  # it has ended meanwhile
        # The name, in brackets, may hold anything; then come the state and the parent.
        return int(process.name), int((process / "stat").read_text().rpartition(")")[2].split()[1])
    return None
