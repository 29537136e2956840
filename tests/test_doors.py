"""Where the two doors differ: each row of the table in docs/doors.md is shown by tests, and nothing else differs.

A test with the mark `differs(ROW)` shows a row through both doors, one with `differs(ROW, "native")` the side of one.
"""

from __future__ import annotations

import ast
import re

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from clouds import environment
from doors import process
from native import MEMBER, Failed, Native
from plugin import Made, Plugin, PluginError
from pulumi_cbr_sharing.emulator import Fault
from pulumi_cbr_sharing.resources.share_member import BackupShareMemberProvider


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pulumi_cbr_sharing.emulator import Emulator


TESTS = Path(__file__).parent
TABLE = (TESTS.parent / "docs" / "doors.md").read_text().partition("## Where the doors differ")[2].partition("\n## ")[0]
ROWS = re.findall(r"^\| (.+?) \|", TABLE, re.MULTILINE)[2:]  # after the heads
OURS = BackupShareMemberProvider()
MANY = 8


def functions() -> Iterator[tuple[ast.FunctionDef, list[str]]]:
    """All tests, with their marks; a list of those of the module is also read."""
    for path in TESTS.rglob("test_*.py"):
        marks: list[str] = []
        for one in ast.parse(path.read_text()).body:
            if isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == "pytestmark":
                marks = [ast.unparse(mark) for mark in getattr(one.value, "elts", [one.value])]
            if isinstance(one, ast.FunctionDef) and one.name.startswith("test_"):
                yield one, marks + [ast.unparse(decorator) for decorator in one.decorator_list]


def rows_of(decorators: list[str]) -> Iterator[list[str]]:
    """The arguments of the mark."""
    for decorator in decorators:
        if decorator.startswith("pytest.mark.differs("):
            yield [ast.literal_eval(argument) for argument in ast.parse(decorator, mode="eval").body.args]  # type: ignore[attr-defined]


def test_each_row_is_shown_through_both_doors() -> None:
    """A row that no test shows may be false, and a test that names none shows what no user is told."""
    shown: defaultdict[str, set[str]] = defaultdict(set)
    for _, decorators in functions():
        for row, *door in rows_of(decorators):
            shown[row] |= set(door or ["dynamic", "native"])
    assert ROWS
    assert shown == {row: {"dynamic", "native"} for row in ROWS}


def test_nothing_else_differs() -> None:
    """A test that asks for its door, or leaves one out, names a row; one with an engine may do so for its time."""
    unnamed = []
    for test, decorators in functions():
        asks = "door" in {argument.arg for argument in test.args.args}
        leaves_out = "DYNAMIC_ONLY" in decorators and "pytest.mark.engine" not in decorators
        if (asks or leaves_out) and not list(rows_of(decorators)):
            unnamed.append(test.name)
    assert unnamed == []


@pytest.fixture(name="native")
def _native(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """The native plugin, which this process serves, has the sharer's credentials."""
    for name, value in environment(emulator).items():
        monkeypatch.setenv(name, value)


def share(emulator: Emulator, backup_id: str | None = None) -> dict[str, str]:
    """The inputs to share a backup with the recipient, as Python has them."""
    return {"backup_id": backup_id or emulator.backup.id, "dest_project_id": emulator.account("recipient").project_id}


def on_the_wire(emulator: Emulator, backup_id: str | None = None) -> dict[str, str]:
    """The same, as the other languages have them."""
    return dict(zip(("backupId", "destProjectId"), share(emulator, backup_id).values(), strict=True))


@pytest.mark.differs("the state is code")
def test_only_the_dynamic_door_records_a_pickle(door: str, emulator: Emulator) -> None:
    """The provider itself, under a name of the engine's."""
    with process(env=environment(emulator)) as run:
        made = run.create(OURS, share(emulator))
    assert ("__provider" in made.outs) == (door == "")


@pytest.mark.differs("what the cloud would refuse")
@pytest.mark.usefixtures("native")
def test_a_preview_asks_in_check_or_in_create(emulator: Emulator) -> None:
    """The engine checks one resource after the other, and previews creates side by side."""
    missing = "0b07081e-3ec7-4e77-8571-54e2947da422"
    with Plugin(env=environment(emulator)) as dynamic:
        assert set(dynamic.check(OURS, share(emulator, missing)).failures) == {"backup_id"}
    emulator.clear_requests()
    with Native(preview=True) as native:
        inputs, failures = native.check(MEMBER, on_the_wire(emulator, missing))
        assert (failures, list(emulator.requests)) == ({}, [])
        with pytest.raises(Failed, match="backupId: it does not exist"):
            native.create(MEMBER, inputs)


@pytest.mark.slow
@pytest.mark.differs("at once")
@pytest.mark.usefixtures("native")
def test_how_many_calls_run_at_once(emulator: Emulator) -> None:
    """The dynamic plugin has four threads, however many calls the engine makes."""
    ours, theirs = ([emulator.add_backup().id for _ in range(MANY)] for _ in range(2))

    def asked(read: Callable[[Any], Any], made: list[Any]) -> int:
        """How many reads have reached the cloud when the first one is answered."""
        emulator.add_fault(Fault(method="GET", delay=2, times=99))
        with ThreadPoolExecutor(MANY) as pool:
            return min(pool.map(lambda one: read(one) and 99 - emulator.unused_faults[0].times, made))

    with Plugin(env=environment(emulator)) as dynamic:
        states = [dynamic.create(OURS, share(emulator, backup)) for backup in ours]
        assert 4 <= asked(dynamic.read, states) < MANY
    emulator.clear_faults()
    with Native() as native:
        shares = [native.create(MEMBER, on_the_wire(emulator, backup), backup) for backup in theirs]
        assert asked(lambda one: native.read(MEMBER, one), shares) == MANY


@pytest.mark.differs("import, `get`", "dynamic")
def test_the_dynamic_door_cannot_read_by_an_id_alone(emulator: Emulator) -> None:
    """Which provider is to read is in the properties, and the engine has none to send."""
    with Plugin(env=environment(emulator)) as run, pytest.raises(PluginError, match="__provider"):
        run.read(Made("/".join(share(emulator).values()), {}))
