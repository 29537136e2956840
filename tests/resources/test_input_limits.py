"""Limits of all inputs of both share resources, checked before anything is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from inprocess import Run, settings_of


if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi_cbr_sharing.emulator import Emulator


UUID = "0b07081e-3ec7-4e77-8571-54e2947da422"
HEX = "0605767b5780d5762fc5c0118072a564"
NO_IDS = {
    "nothing": None,
    "empty": "",
    "blank": " \t ",
    "endless": "a" * 10_000,
    "endless, of the right digits": HEX * 313,
    "endless, of another alphabet": "\u0661" * 10_000,
    "a null byte": "{}\x00",
    "a line after it": "{}\n",
    "two lines": "{}\nX-Auth-Token: stolen",
    "carriage return": "{}\r\nHost: elsewhere",
    "an escape sequence": "\x1b[2J{}",
    "parent folder": "../{}",
    "parent folder after it": "{}/../..",
    "an encoded slash": "..%2f{}",
    "a query": "{}?limit=1",
    "a fragment": "{}#",
    "another member": "{}/members",
    "a host": "//elsewhere/{}",
    "Arabic digits": "\u0661" * 32,
    "wide digits": "\uff10" * 32,
    "a Cyrillic letter": "\u0430" + HEX[1:],
    "half a surrogate": "\udc80" + HEX[1:],
    "right to left": "\u202e{}",
    "upper case": "{}",  # made so below
    "blanks around it": " {} ",
    "a number": 5.0,
    "a big number": 10**40,
    "no number": float("nan"),
    "a truth": True,
    "a list of it": ["{}"],
    "an object": {"id": "{}"},
}
FIELDS = {
    "member backup": ("member", "backup_id", UUID),
    "member recipient": ("member", "dest_project_id", HEX),
    "share backup": ("share", "backup_id", UUID),
    "share recipients": ("share", "dest_project_ids", HEX),
}


@pytest.fixture(name="run")
def _run(emulator: Emulator) -> Iterator[Run]:
    with Run(settings_of(emulator, plan_checks=False)) as run:
        yield run


def check(run: Run, kind: str, **changes: Any) -> dict[str, str]:
    """The failures of `check` by property; inputs that are not given are valid."""
    recipients = {"dest_project_id": HEX} if kind == "member" else {"dest_project_ids": [HEX]}
    provider = run.member if kind == "member" else run.share
    checked = provider.check({}, {"backup_id": UUID, **recipients, **changes})
    return {failure.property: failure.reason for failure in checked.failures}


def made_of(name: str, right: str) -> Any:
    """The wrong value, built around a right one if it has a placeholder."""
    value = NO_IDS[name]
    if name == "upper case":
        return right.upper()
    if isinstance(value, list):
        return [right]
    return value.replace("{}", right) if isinstance(value, str) else value


@pytest.mark.parametrize("name", NO_IDS)
@pytest.mark.parametrize("field", FIELDS)
def test_what_is_no_id_is_refused_in_one_short_line(field: str, name: str, emulator: Emulator, run: Run) -> None:
    """The message names the property, and is printable; nothing is sent."""
    kind, prop, right = FIELDS[field]
    value = made_of(name, right)
    failures = check(run, kind, **{prop: [value] if prop == "dest_project_ids" else value})

    assert list(failures) == [prop]
    assert failures[prop].isprintable()
    assert len(failures[prop]) < 500
    assert emulator.requests == []


@pytest.mark.parametrize("value", [None, "", HEX, 5.0, True, {"0": HEX}, (HEX,)], ids=repr)
def test_recipients_that_are_no_list_are_refused(value: Any, emulator: Emulator, run: Run) -> None:
    """A text is not a list of its letters."""
    assert list(check(run, "share", dest_project_ids=value)) == ["dest_project_ids"]
    assert emulator.requests == []


def test_thousands_of_recipients_are_refused(emulator: Emulator, run: Run) -> None:
    """The service allows ten."""
    failures = check(run, "share", dest_project_ids=[f"{number:032x}" for number in range(5_000)])
    assert "has 5000 projects; a backup can be shared with at most 10" in failures["dest_project_ids"]
    assert emulator.requests == []


NO_SECONDS = [-1, -0.1, float("nan"), float("inf"), 86_401, 10**400, "60", "", True, [60], {"seconds": 60}]


@pytest.mark.parametrize("kind", ["member", "share"])
@pytest.mark.parametrize("value", NO_SECONDS, ids=lambda value: repr(value)[:20])
def test_what_is_no_number_of_seconds_is_refused(value: Any, kind: str, emulator: Emulator, run: Run) -> None:
    """No worker waits for ever."""
    failures = check(run, kind, wait_for_backup=value)
    assert list(failures) == ["wait_for_backup"]
    assert emulator.requests == []


@pytest.mark.parametrize("value", ["false", "no", "", 0.0, 1.0, [], {}], ids=repr)
def test_adopt_is_true_or_false_and_nothing_that_looks_so(value: Any, emulator: Emulator, run: Run) -> None:
    """The text "false" would be true, and adopt a share."""
    assert list(check(run, "member", adopt=value)) == ["adopt"]
    assert emulator.requests == []


@pytest.mark.parametrize(
    "changes",
    [{}, {"adopt": True}, {"adopt": False}, {"adopt": None}, {"wait_for_backup": 0}, {"wait_for_backup": 86_400.0}],
    ids=repr,
)
def test_what_is_right_passes(changes: dict[str, Any], run: Run) -> None:
    """Limits and defaults are valid, too."""
    assert check(run, "member", **changes) == {}
