"""The recipients file: its content, and its errors with the line."""

from __future__ import annotations

import json

from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pulumi_cbr_sharing.errors import SettingsError
from pulumi_cbr_sharing.recipients_file import RecipientsFile, read_recipients_file


if TYPE_CHECKING:
    from collections.abc import Callable

    Read = Callable[[str], RecipientsFile]


DIGITS = "12345678901234567890123456789012"
OTHER = "5f0c7f0d2f3a4d3e9a1b6c5d4e3f2a10"
UNTIL = str(datetime.now(timezone.utc).date() + timedelta(days=366))
BACKUP = "9ee6e4bd-5c7d-4c3a-a1f0-2f6c1d1b7a10"
GOOD: dict[str, Any] = {
    "recipients": [{"project_id": DIGITS, "name": "DR", "owner": "platform@example.org", "class": "friendly"}],
    "exceptions": [
        {"backup": BACKUP, "recipient": OTHER, "reason": "audit", "owner": "sec@example.org", "until": UNTIL}
    ],
}
YAML = f"""\
# who may receive backups
recipients:
  - project_id: {DIGITS}
    name: DR
    owner: platform@example.org
    class: friendly
exceptions:
  - backup: {BACKUP}
    recipient: {OTHER}
    reason: audit
    owner: sec@example.org
    until: {UNTIL}
"""


@pytest.fixture(name="read")
def _read(tmp_path: Path) -> Read:
    """Reads a file with this text."""

    def read(text: str) -> RecipientsFile:
        (tmp_path / "cbr-sharing.yaml").write_text(text)
        file = read_recipients_file(tmp_path / "cbr-sharing.yaml")
        if file.trouble:
            raise SettingsError(file.trouble)
        return file

    return read


@pytest.mark.parametrize("text", [YAML, json.dumps(GOOD), json.dumps(GOOD, indent="\t")])
def test_yaml_and_json_say_the_same(read: Read, text: str) -> None:
    """An id of digits is not a number, and a date is a text."""
    file = read(text)
    assert file.recipients is not None
    assert file.recipients[DIGITS].owner == "platform@example.org"
    assert file.known(DIGITS) == file.recipients[DIGITS]
    assert file.known("0" * 32) is None
    (exception,) = file.exceptions
    assert exception.until == date.fromisoformat(UNTIL)
    assert exception.covers(BACKUP, OTHER)
    assert not exception.covers(BACKUP.replace("9", "8"), OTHER)
    assert not exception.covers(BACKUP, DIGITS)


def test_the_line_of_an_exception_is_known(read: Read) -> None:
    """Reports show it."""
    assert read(YAML).exceptions[0].line == 8


@pytest.mark.parametrize(("text", "recipients"), [("", None), ("exceptions: []", None), ("recipients:\n", {})])
def test_a_file_without_recipients_says_nothing_of_who_may(read: Read, text: str, recipients: Any) -> None:
    """An empty list means that nobody may."""
    assert read(text).recipients == recipients


def test_an_exception_may_be_for_every_backup_of_one_recipient(read: Read) -> None:
    """As a window of backups needs it, whose ids change every night."""
    (exception,) = read(changed(lambda document: document["exceptions"][0].update(backup="*"))).exceptions
    assert exception.covers(BACKUP, OTHER)
    assert not exception.covers(BACKUP, DIGITS)


def changed(change: Callable[[dict[str, Any]], object]) -> str:
    """The good file with one change."""
    document = json.loads(json.dumps(GOOD))
    change(document)
    return json.dumps(document, indent=1)


@pytest.mark.parametrize("section", ["recipients", "exceptions"])
def test_every_key_is_mandatory(read: Read, section: str) -> None:
    """Every recipient has an owner; every exception has a reason, an owner and a last day."""
    for key in GOOD[section][0]:
        document = json.loads(json.dumps(GOOD))
        del document[section][0][key]
        with pytest.raises(SettingsError, match=rf"line \d+: {section}\[0\] has no {key}"):
            read(json.dumps(document))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda d: d.update(recipient=[]), "line 19: recipient is not known; known are recipients, exceptions"),
        (lambda d: d["recipients"][0].update(note="x"), r"recipients\[0\].note is not known"),
        (lambda d: d["exceptions"][0].update(till="x"), r"exceptions\[0\].till is not known"),
        (
            lambda d: d["recipients"][0].update(project_id="ABC"),
            r"line 4: recipients\[0\].project_id has",
        ),
        (lambda d: d["recipients"][0].update(project_id="*"), r"recipients\[0\].project_id has another shape"),
        (lambda d: d["recipients"][0].update({"class": "hostile"}), "class is 'hostile': give friendly or third-party"),
        (lambda d: d["recipients"][0].update(name=" "), "name is empty"),
        (lambda d: d["exceptions"][0].update(backup=BACKUP[:-1]), r"exceptions\[0\].backup has another shape"),
        (lambda d: d["exceptions"][0].update(recipient="me"), r"exceptions\[0\].recipient has another shape"),
        (
            lambda d: d["exceptions"][0].update(recipient="*"),
            r"exceptions\[0\].recipient is a pattern, and an exception",
        ),
        (lambda d: d["exceptions"][0].update(recipient="[0-9a-f]*"), "recipient is a pattern"),
        (lambda d: d["exceptions"][0].update(recipient="?" * 32), "recipient is a pattern"),
        (
            lambda d: d["exceptions"][0].update(until="2999-01-01"),
            "and no exception may be longer than .*: agree",
        ),
        (lambda d: d["exceptions"][0].update(reason=""), r"exceptions\[0\].reason is empty"),
        (lambda d: d["exceptions"][0].update(owner=["x"]), r"exceptions\[0\].owner is not a text"),
        (lambda d: d["exceptions"][0].update(until="next year"), "until is 'next year': give the last day"),
        (lambda d: d["exceptions"][0].update(until="2027-02-30"), "until is '2027-02-30'"),
        (lambda d: d.update(recipients={}), "recipients is not a list"),
        (lambda d: d.update(recipients=["x"]), r"recipients\[0\] is not a map"),
        (
            lambda d: d["recipients"].append(d["recipients"][0]),
            rf"line 9: recipients\[1\] has the project_id of another entry, {DIGITS}",
        ),
    ],
)
def test_errors_have_the_line(read: Read, change: Callable[[dict[str, Any]], object], told: str) -> None:
    """A misspelled name is an error."""
    with pytest.raises(SettingsError, match=told):
        read(changed(change))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- x", "it is not a map"),
        ("a: [", r"cbr-sharing\.yaml: "),
        ("exceptions: []\nexceptions: []", "line 2: exceptions is there twice"),
        ("[" * 2000, r"cbr-sharing\.yaml: it is nested too deep"),
        ("recipients: &a [*a]", r"line 1: recipients\[0\] is not a map with project_id, name, owner, class"),
    ],
)
def test_what_is_no_such_file_at_all(read: Read, text: str, told: str) -> None:
    """Broken YAML, another document, a duplicate key, a list in itself."""
    with pytest.raises(SettingsError, match=told):
        read(text)


def test_a_file_that_is_not_there() -> None:
    """The error names it."""
    with pytest.raises(SettingsError, match=r"reading /nonexistent\.yaml"):
        read_recipients_file(Path("/nonexistent.yaml"))
