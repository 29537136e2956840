"""The shares that a program declares, which a delete must not cancel."""

from __future__ import annotations

import itertools
import os
import stat
import subprocess
import sys

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from pulumi_cbr_sharing.sharing.ledger import Ledger


if TYPE_CHECKING:
    from pathlib import Path


BACKUP, OTHER, ENGINE = "b", "o", "127.0.0.1:43871"


def test_a_declared_member_stays() -> None:
    """Exactly this backup and recipient."""
    ledger = Ledger()
    assert ledger.declare_member(BACKUP, "p") is None
    assert ledger.declares(BACKUP, "p")
    assert not ledger.declares(BACKUP, "q")
    assert not ledger.declares(OTHER, "p")


def test_a_set_owns_every_share_of_its_backup() -> None:
    """Whoever it does not name goes by its own work, not by an older resource's."""
    ledger = Ledger()
    assert ledger.declare_set(BACKUP, ["p"]) is None
    assert ledger.declares(BACKUP, "q")
    assert ledger.declares_set(BACKUP)
    assert not ledger.declares_set(OTHER)


@pytest.mark.parametrize("order", list(itertools.permutations(["set", "member"])), ids="-".join)
def test_a_set_and_a_member_of_one_backup_are_refused_in_either_order(order: tuple[str, str]) -> None:
    """Each would undo the other's changes."""
    ledger = Ledger()
    declare = {"set": lambda: ledger.declare_set(BACKUP, ["p"]), "member": lambda: ledger.declare_member(BACKUP, "p")}
    assert declare[order[0]]() is None
    assert "in the same program" in str(declare[order[1]]())


@pytest.mark.parametrize("order", list(itertools.permutations([("p",), ("q",)])))
def test_two_sets_of_one_backup_are_refused_in_either_order(order: tuple[tuple[str], tuple[str]]) -> None:
    """Each would cancel the other's shares."""
    ledger = Ledger()
    assert ledger.declare_set(BACKUP, order[0]) is None
    assert "another BackupShare" in str(ledger.declare_set(BACKUP, order[1]))
    assert ledger.declare_set(BACKUP, order[0]) is None


def test_a_set_that_is_checked_again_is_the_same_in_any_order_of_its_recipients() -> None:
    """The engine checks a replacement twice; recipients that are not known yet say nothing."""
    ledger = Ledger()
    assert ledger.declare_set(BACKUP, None) is None
    assert ledger.declare_set(BACKUP, ["p", "q"]) is None
    assert ledger.declare_set(BACKUP, ["q", "p"]) is None
    assert ledger.declare_set(BACKUP, None) is None


def test_what_a_resource_has_recorded_is_its_own() -> None:
    """Whether it is declared or not."""
    ledger = Ledger()
    ledger.declare_member(BACKUP, "new", recorded=(BACKUP, "old"))
    ledger.declare_member(OTHER, "moved", recorded=(BACKUP, "moved"))
    assert ledger.owned(BACKUP) == {"old", "moved"}
    assert ledger.owned(OTHER) == set()
    assert ledger.recipients(BACKUP) == {"new"}


def test_an_acceptance_is_declared_into_its_vault() -> None:
    """In another vault it is another one, and the old one has to be given back."""
    ledger = Ledger()
    ledger.declare_acceptance(BACKUP, "new")
    assert ledger.declares_acceptance(BACKUP, "new")
    assert not ledger.declares_acceptance(BACKUP, "old")


@pytest.fixture(name="two")
def _two(tmp_path: Path) -> tuple[Ledger, Ledger]:
    """Those of two providers of one run."""
    return Ledger(ENGINE, tmp_path), Ledger(ENGINE, tmp_path)


def test_what_one_process_declares_all_of_the_run_know(two: tuple[Ledger, Ledger]) -> None:
    """Members, sets and acceptances, also those that are declared later, and whoever began first."""
    one, other = two
    one.declare_member(BACKUP, "p")
    assert other.declares(BACKUP, "p")
    assert not other.declares(BACKUP, "q")
    other.declare_set(OTHER, ["r"])
    assert one.declares_set(OTHER)
    one.declare_member(BACKUP, "q")
    one.declare_acceptance(BACKUP, "v")
    assert other.declares(BACKUP, "q")
    assert other.declares_acceptance(BACKUP, "v")
    assert (one.trouble, other.trouble) == (None, None)


def test_a_set_and_a_member_are_refused_across_processes(two: tuple[Ledger, Ledger]) -> None:
    """Each would undo the other's changes, whichever provider it has."""
    one, other = two
    assert one.declare_set(BACKUP, None) is None
    assert "BackupShare in the same program" in str(other.declare_member(BACKUP, "p"))
    assert one.declare_member(OTHER, None) is None
    assert "BackupShareMember in the same program" in str(other.declare_set(OTHER, ["p"]))


def test_what_another_run_declares_counts_for_that_run(tmp_path: Path) -> None:
    """Two engines at the same time have two addresses."""
    one, other = (Ledger(address, tmp_path) for address in ("127.0.0.1:1", "127.0.0.1:2"))
    one.declare_member(BACKUP, "p")
    assert not other.declares(BACKUP, "p")


DECLARES = """
import sys, pathlib
from pulumi_cbr_sharing.sharing.ledger import Ledger
ledger = Ledger(sys.argv[1], pathlib.Path(sys.argv[2]))
ledger.declare_member("b", "p")
print("declared", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("end", ["exit", "kill"])
def test_what_an_ended_process_has_declared_counts_no_more(end: str, tmp_path: Path) -> None:
    """The preview of the same run, say; and nothing of it is left, also not of another run that was killed."""
    command = [sys.executable, "-c", DECLARES, ENGINE, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == b"declared\n"
        assert Ledger(ENGINE, tmp_path).declares("b", "p")
        if end == "kill":
            process.kill()
        else:
            process.stdin.close()
        process.wait()

    assert not Ledger(ENGINE, tmp_path).declares("b", "p")
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(f"{process.pid}-")]


def test_nothing_but_ids_is_written_where_only_the_user_can_read(two: tuple[Ledger, Ledger], tmp_path: Path) -> None:
    """One line each, however often it is checked."""
    for _ in range(3):
        two[0].declare_member(BACKUP, "p", recorded=(BACKUP, "old"))
    (text,) = [text for path in tmp_path.rglob("*") if path.is_file() and (text := path.read_text())]
    assert text == "member b p\n"
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")} == {0o700, 0o600}


def in_the_way(root: Path, how: str) -> None:
    """What somebody else may have put there."""
    folder = root / f"pulumi-cbr-sharing-{os.getuid()}"
    if how == "link":
        (root / "elsewhere").mkdir()
        folder.symlink_to(root / "elsewhere")
    elif how == "open to others":
        folder.mkdir()
        folder.chmod(0o777)
    elif how == "file":
        folder.write_text("")


@pytest.mark.parametrize("how", ["link", "open to others", "file"])
def test_a_folder_that_others_could_use_is_not_used(how: str, tmp_path: Path) -> None:
    """Each process then has only its own declarations, and knows it."""
    in_the_way(tmp_path, how)
    one, other = (Ledger(ENGINE, tmp_path) for _ in range(2))
    one.declare_member(BACKUP, "p")
    assert one.declares(BACKUP, "p")
    assert not other.declares(BACKUP, "p")
    assert "pulumi-cbr-sharing" in str(other.trouble)
    assert not list(tmp_path.glob("elsewhere/*"))


def test_many_threads_and_processes_lose_no_line(tmp_path: Path) -> None:
    """Each thread is a provider of the run."""
    ledgers = [Ledger(ENGINE, tmp_path) for _ in range(8)]

    def declare(number: int) -> None:
        for backup in range(25):
            ledgers[number].declare_member(f"b{backup}", f"p{number}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(declare, range(8)))

    every = [(f"b{backup}", f"p{number}") for backup in range(25) for number in range(8)]
    assert all(ledger.declares(*one) for ledger in ledgers for one in every)
