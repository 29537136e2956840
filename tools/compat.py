"""Runs the main job in the versions that are promised: the lowest of each dependency, and each Python found here.

make compat

For each Python an environment is made outside of the clone, with the lowest versions that pyproject.toml promises, and
one with the newest; in each a stack shares a backup, finds no drift, and takes the share back, on an emulated cloud.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from pulumi_cbr_sharing.emulator import serve


ROOT = Path(__file__).parent.parent
UV = Path(sys.executable).with_name("uv")
PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
PINNED = ("--constraint", ROOT / "requirements.lock")
RESOLUTIONS = ("lowest-direct", "highest")
FOREIGN = ("HW_", "OS_", "HUAWEICLOUD_", "PULUMI_", "VIRTUAL_ENV")
PROJECT = "name: compat\nruntime: {{name: python, options: {{toolchain: pip, virtualenv: {venv}}}}}\n"
PROGRAM = """
import pulumi
from pulumi_cbr_sharing import BackupShareMember

pulumi.export("status", BackupShareMember("dr", backup_id={backup!r}, dest_project_id={project!r}).status)
"""
JOB = (
    ("stack", "init", "compat"),
    ("up", "--yes", "--skip-preview"),
    ("preview", "--refresh", "--expect-no-changes"),
    ("destroy", "--yes", "--skip-preview"),
)


class Failed(Exception):
    """A command ended with an error; the message has what it printed."""


class Trial(NamedTuple):
    """An interpreter and a way to choose the versions."""

    python: str
    resolution: str

    def run(self) -> str:
        """Do the job; returns what it was done with."""
        with tempfile.TemporaryDirectory(prefix="cbr-sharing-compat-") as scratch:
            folder = Path(scratch)
            python = self._environment(folder / "venv")
            _share(folder, folder / "venv")
            return _output(python, "-c", VERSIONS)

    def _environment(self, venv: Path) -> Path:
        python = venv / "bin" / "python"
        _output(UV, "venv", "--quiet", "--no-python-downloads", "--python", self.python, "--seed", venv)
        build = ("--no-build-isolation-package", "pulumi-cbr-sharing")
        _output(UV, "pip", "install", "--quiet", "--python", python, *PINNED, "hatchling", "editables")
        _output(UV, "pip", "install", "--quiet", "--python", python, "--resolution", self.resolution, *build, ROOT)
        return python


VERSIONS = """
import platform
from importlib.metadata import version
print("Python", platform.python_version(), *(f"{name} {version(name)}" for name in ("pulumi", "requests", "urllib3")))
"""


def main() -> int:
    """Try all; returns the exit code."""
    found = filter(None, map(_found, PYTHONS))
    trials = [Trial(python, resolution) for python in found for resolution in RESOLUTIONS]
    good = [_told(trial) for trial in trials]
    return 0 if all(good) else 1


def _told(trial: Trial) -> bool:
    try:
        print(f"good: {trial.resolution}: {trial.run()}", flush=True)
    except Failed as failure:
        print(f"FAILED: {trial.resolution}, Python {trial.python}: {failure}", flush=True)
        return False
    return True


def _found(version: str) -> str:
    """The interpreter of a version: one of pyenv's, which its shims hide, or one that uv finds; nothing if none."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    if own := sorted(pyenv.glob(f"{version}.*/bin/python")):
        return str(own[-1])
    with suppress(Failed):
        return _output(UV, "python", "find", "--no-python-downloads", version)
    print(f"not here: Python {version}", flush=True)
    return ""


def _share(folder: Path, venv: Path) -> None:
    with serve() as cloud:
        sharer, recipient = cloud.account("sharer"), cloud.account("recipient")
        project = folder / "project"
        for made in (project, folder / "state"):
            made.mkdir()
        (project / "Pulumi.yaml").write_text(PROJECT.format(venv=venv))
        (project / "__main__.py").write_text(PROGRAM.format(backup=cloud.backup.id, project=recipient.project_id))
        env = {name: text for name, text in os.environ.items() if not name.startswith(FOREIGN)} | {
            "PULUMI_BACKEND_URL": (folder / "state").as_uri(),
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_CONFIG_PASSPHRASE": "compat",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "HW_REGION_NAME": sharer.region,
            "HW_PROJECT_ID": sharer.project_id,
            "HW_ACCESS_KEY": sharer.access_key,
            "HW_SECRET_KEY": sharer.secret_key,
            "HW_CBR_ENDPOINT": cloud.url,
            "HW_IAM_ENDPOINT": cloud.iam_url,
        }
        for words in JOB:
            _output("pulumi", "--non-interactive", *words, cwd=project, env=env)
            if words[0] == "up" and not cloud.members(cloud.backup.id):
                raise Failed("nothing was shared")
        if cloud.members(cloud.backup.id):
            raise Failed("the share was not taken back")


def _output(*command: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    words = [str(word) for word in command]
    run = subprocess.run(
        words, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if run.returncode:
        raise Failed(f"{' '.join(words)} ended with {run.returncode}:\n{run.stdout.strip()}")
    return run.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
