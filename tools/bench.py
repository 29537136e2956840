"""Measures what shares cost behind each door, beside a provider of the same kind that does nothing, in the same run.

    make bench
    make bench ARGS="--cases 1-share 50-sets --latencies 0.1 --doors native"
    make bench ARGS="--peer 'terraform=./peer.sh {verb}'"    another tool on the same cloud: it gets `HW_*` variables,
                                                             SHARES, a JSON file of backups and recipients, and the verb

Read the ratios: seconds are those of one machine on one day. Whatever is compared is run in turn, `--pairs` times, and
what is shown is the median. Writes a table, and with `--plot FILE` a picture of it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import subprocess
import sys
import tempfile
import time

from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from pulumi_cbr_sharing.emulator import serve


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pulumi_cbr_sharing.emulator import Emulator


TOOLS = Path(__file__).resolve().parent
VERBS = {
    "create": ("up", "--yes", "--skip-preview"),
    "up, nothing to do": ("up", "--yes", "--skip-preview", "--expect-no-changes"),
    "refresh": ("refresh", "--yes", "--skip-preview"),
    "up --refresh": ("up", "--yes", "--skip-preview", "--refresh"),
    "destroy": ("destroy", "--yes", "--skip-preview"),
}
PREVIEW = {"preview": ("preview",)}


@dataclass(frozen=True)
class Case:
    """A program: so many backups, each shared with so many projects, by members or by a set."""

    backups: int
    recipients: int = 10
    kind: str = "BackupShareMember"
    verbs: Mapping[str, Sequence[str]] = field(default_factory=lambda: VERBS)


CASES = {
    "1-share": Case(1, 1),
    "50-shares": Case(5),
    "500-shares": Case(50),
    "1-set": Case(1, kind="BackupShare"),
    "50-sets": Case(50, kind="BackupShare"),
    "preview-1500": Case(150, verbs=PREVIEW),
    "preview-5000": Case(500, verbs=PREVIEW),
}
OURS = {"dynamic": "pulumi_cbr_sharing", "native": "pulumi_cbr_sharing.native"}

PROGRAM = """
import json, os
from {module} import {kind}

for backup, projects in json.load(open(os.environ["SHARES"])):
    if "{kind}" == "BackupShare":
        {kind}(backup, backup_id=backup, dest_project_ids=projects)
    else:
        for project in projects:
            {kind}(f"{{backup}}-{{project}}", backup_id=backup, dest_project_id=project)
"""

# A file backend writes the whole state after each step, even in a preview: the engine's own time grows with the square
# of their number, and nothing else could be seen.
WITHOUT_CHECKPOINTS = {"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}
MANY = 100  # resources

# The same properties, inputs and outputs.
FLOOR = """
import base64, json, os, pickle
import pulumi
from bench_floor import Nothing

provider = base64.b64encode(pickle.dumps(Nothing(), protocol=4)).decode()
own = {{"__provider": provider}} if "{door}" == "dynamic" else {{}}
token = "pulumi-python:dynamic/bench:Nothing" if "{door}" == "dynamic" else "nothing:index:Nothing"

class Resource(pulumi.CustomResource):
    def __init__(self, name, given):
        super().__init__(token, name, given)

for backup, projects in json.load(open(os.environ["SHARES"])):
    for project in [projects] if "{kind}" == "BackupShare" else projects:
        given = {{"backup_id": backup, "dest_project_id": project}}
        given |= {{f"output_{{number}}": "0" * 32 for number in range(8)}}
        name = backup if "{kind}" == "BackupShare" else f"{{backup}}-{{project}}"
        Resource(name, given | own)
"""


@dataclass(frozen=True)
class Cost:
    """What a command took: seconds, processor seconds, megabytes of its largest process, what the cloud saw."""

    seconds: float
    cpu: float
    megabytes: float
    requests: int
    connections: int


@dataclass(frozen=True)
class Row:
    """One measurement, several times, beside the floor where there is one."""

    case: str
    latency: float
    verb: str
    who: str
    costs: Sequence[Cost]
    floors: Sequence[Cost] = ()

    def __str__(self) -> str:
        """A line of the table; the ratio is the median of the pairs'."""
        what = f"{self.case} {self.latency * 1000:.0f} ms {self.who}: {self.verb}"
        text = f"{what:42}{self.median('seconds'):9.1f}"
        if self.floors:
            ratio = median(ours.seconds / floor.seconds for ours, floor in zip(self.costs, self.floors, strict=True))
            text += f"{self.median('seconds', of=self.floors):8.1f}{ratio:7.2f}"
        text = f"{text:66}{self.median('cpu'):7.1f}{self.median('megabytes'):6.0f}"
        text += f"{self.median('megabytes', of=self.floors):6.0f}" if self.floors else " " * 6
        return f"{text}{self.median('requests'):10.0f}{self.median('connections'):6.0f}"

    def median(self, what: str, of: Sequence[Cost] | None = None) -> float:
        """The median of a cost."""
        return float(median(getattr(cost, what) for cost in (self.costs if of is None else of)))


def main() -> int:
    """Measure what was asked for, and print it row by row."""
    given = arguments()
    print(f"{facts()}, median of {given.pairs}\n{'':42}  seconds   floor  ratio  cpu s    MB floor  requests conn.")
    rows = []
    for row in measured(given):
        rows.append(row)
        print(row, flush=True)
    if given.plot:
        plot(rows, given.plot)
    return 0


def arguments() -> argparse.Namespace:
    """The words of the command line."""
    parser = argparse.ArgumentParser(description="Measure what shares cost.")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES), metavar="CASE")
    parser.add_argument("--latencies", nargs="+", type=float, default=[0.0, 0.1], metavar="SECONDS")
    parser.add_argument("--doors", nargs="+", choices=OURS, default=list(OURS), metavar="DOOR")
    parser.add_argument("--parallel", type=int, default=0, help="for the engine; it takes four a core by itself")
    parser.add_argument("--pairs", type=int, default=1, help="how often each pair is run")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=COMMAND")
    parser.add_argument("--plot", type=Path, metavar="FILE")
    return parser.parse_args()


def facts() -> str:
    """Where and with what it is measured."""
    cores, day = os.cpu_count(), datetime.now(timezone.utc).date()
    engine = subprocess.run(["pulumi", "version"], capture_output=True, text=True, check=True).stdout.strip()
    return f"{day}, {cores} cores, Python {platform.python_version()}, SDK {version('pulumi')}, engine {engine}"


def measured(given: argparse.Namespace) -> Iterator[Row]:
    """All rows; what belongs together is measured in turn."""
    for name in given.cases:
        case = CASES[name]
        for latency in given.latencies:
            with serve() as emulator, tempfile.TemporaryDirectory(prefix="bench-") as folder:
                scratch = Path(folder)
                env = environment(emulator, scratch, case)
                emulator.latency = latency
                runs: dict[tuple[str, str], list[Callable[[], Cost]]] = {}
                for door in given.doors:
                    words = {"kind": case.kind, "module": OURS[door], "door": door}
                    ours = Project(scratch / door, PROGRAM.format(**words), env, given.parallel)
                    floor = Project(scratch / f"{door}-floor", FLOOR.format(**words), env, given.parallel)
                    for verb, command in case.verbs.items():
                        runs[door, verb] = [partial(one.run, command, emulator) for one in (ours, floor)]
                for peer in given.peer:
                    who, _, command = peer.partition("=")
                    for verb in case.verbs:
                        words_of_peer = shlex.split(command.replace("{verb}", shlex.quote(verb)))
                        runs[who, verb] = [partial(cost_of, words_of_peer, scratch, env, emulator)]
                took = [{key: [run() for run in pair] for key, pair in runs.items()} for _ in range(given.pairs)]
                for who, verb in runs:
                    costs, *floors = zip(*(pairs[who, verb] for pairs in took), strict=True)
                    yield Row(name, latency, verb, who, costs, *floors)


def environment(emulator: Emulator, scratch: Path, case: Case) -> dict[str, str]:
    """Backups and recipients in the cloud, and the environment of all commands."""
    projects = [emulator.add_account(f"team-{number}").project_id for number in range(case.recipients)]
    shares = [(emulator.add_backup("sharer").id, projects) for _ in range(case.backups)]
    (scratch / "shares.json").write_text(json.dumps(shares))
    floor = scratch / "pulumi-resource-nothing"
    floor.write_text(
        f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(str(TOOLS / "bench_floor.py"))} "$@"\n'
    )
    floor.chmod(0o755)
    clean = {name: text for name, text in os.environ.items() if not name.startswith(("HW_", "OS_", "PULUMI_"))}
    is_large = case.backups * (1 if case.kind == "BackupShare" else case.recipients) > MANY
    return clean | {
        **(WITHOUT_CHECKPOINTS if is_large else {}),
        "PATH": f"{scratch}{os.pathsep}{clean['PATH']}",
        "PYTHONPATH": str(TOOLS),
        "SHARES": str(scratch / "shares.json"),
        **emulator.environment(),
        "PULUMI_CONFIG_PASSPHRASE": "bench",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }


class Project:
    """A Pulumi project with one stack."""

    def __init__(self, folder: Path, program: str, env: Mapping[str, str], parallel: int) -> None:
        (folder / "state").mkdir(parents=True)
        (folder / "Pulumi.yaml").write_text("name: bench\nruntime: python\n")
        (folder / "__main__.py").write_text(program)
        own = {"PULUMI_BACKEND_URL": (folder / "state").as_uri(), "PULUMI_HOME": str(folder / "home")}
        self._folder, self._env = folder, {**env, **own}
        self._parallel = ["--parallel", str(parallel)] if parallel else []
        self.run(("stack", "init", "dev"))

    def run(self, command: Sequence[str], emulator: Emulator | None = None) -> Cost:
        """Run a command of `pulumi`."""
        parallel = self._parallel if command[0] != "stack" else []
        return cost_of(["pulumi", "--non-interactive", *command, *parallel], self._folder, self._env, emulator)


def cost_of(command: Sequence[str], folder: Path, env: Mapping[str, str], emulator: Emulator | None) -> Cost:
    """Run a command with all that it starts; its output is shown only if it fails."""
    before, started = _seen(emulator), time.monotonic()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, cwd=folder, env=env, stdout=output, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - started
        if process.returncode:
            output.seek(0)
            sys.exit(f"{' '.join(command)} failed:\n{output.read().decode()}")
    requests, connections = (after - number for after, number in zip(_seen(emulator), before, strict=True))
    return Cost(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, requests, connections)


def _seen(emulator: Emulator | None) -> tuple[int, int]:
    """How many requests and connections the cloud has seen."""
    return (len(emulator.requests), emulator.connections) if emulator else (0, 0)


def plot(rows: Sequence[Row], file: Path) -> None:
    """Draw the ratios to the floor, and peers in seconds beside ours."""
    import matplotlib as mpl  # noqa: PLC0415 - slow to import, and seldom needed

    mpl.use("svg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, axes = plt.subplots(figsize=(9, 0.32 * len(rows) + 1.5), layout="constrained")
    names = [f"{row.case}, {row.latency * 1000:.0f} ms: {row.verb}, {row.who}" for row in rows]
    axes.barh(names, [row.median("seconds") for row in rows], color="#3465a4", label="seconds")
    floors = [row.median("seconds", of=row.floors) if row.floors else 0 for row in rows]
    axes.barh(names, floors, color="#babdb6", height=0.4, label="a provider that does nothing")
    axes.invert_yaxis()
    axes.set_xlabel("seconds")
    axes.set_title(facts(), fontsize=9)
    axes.legend()
    figure.savefig(file)


if __name__ == "__main__":
    sys.exit(main())
