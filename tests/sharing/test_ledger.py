"""The shares that a program declares, which a delete must not cancel."""

from __future__ import annotations

import itertools

import pytest

from pulumi_cbr_sharing.sharing.ledger import Ledger


BACKUP, OTHER = "b", "o"


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


def test_whoever_is_replaced_leaves_until_somebody_else_declares_it() -> None:
    """A recipient that is replaced makes room, unless a resource of the program has it now."""
    ledger = Ledger()
    ledger.declare_member(BACKUP, "new", instead_of=(BACKUP, "old"))
    ledger.declare_member(BACKUP, "same", instead_of=(BACKUP, "same"))
    ledger.declare_member(OTHER, "moved", instead_of=(BACKUP, "moved"))
    assert ledger.members.leaving(BACKUP) == {"moved", "old"}
    assert ledger.members.leaving(OTHER) == set()
    ledger.declare_member(BACKUP, "old")
    assert ledger.members.leaving(BACKUP) == {"moved"}


def test_an_acceptance_is_declared_into_its_vault() -> None:
    """In another vault it is another one, and the old one has to be given back."""
    ledger = Ledger()
    ledger.acceptances.add(BACKUP, "new", instead_of=(BACKUP, "old"))
    assert ledger.acceptances.has(BACKUP, "new")
    assert not ledger.acceptances.has(BACKUP, "old")
    assert ledger.acceptances.leaving(BACKUP) == {"old"}
