"""What a program gives for a resource, before and after it is checked."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pulumi_cbr_sharing.cbr.members import MOST_RECIPIENTS
from pulumi_cbr_sharing.ids import (
    trouble_with_account,
    trouble_with_backup_id,
    trouble_with_project_id,
    trouble_with_vault_id,
)


if TYPE_CHECKING:
    from collections.abc import Iterator


class Unknown(Enum):
    """The value of an input that is not known before another resource is made."""

    UNKNOWN = "not known yet"


UNKNOWN: Final = Unknown.UNKNOWN
DEFAULT_WAIT = 600.0  # seconds for a backup that is still being made
DEFAULT_OFFER_WAIT = 300.0  # seconds for an offer to show
LONGEST_WAIT = 86400


class Problem(NamedTuple):
    """What is wrong with an input.

    Attributes:
        property: the input; "" where it is no single input's fault.
        sentence: what to tell the user.
    """

    property: str
    sentence: str

    @classmethod
    def it(cls, name: str, trouble: str) -> Problem:
        """What is wrong with an input, from the end of a sentence such as `is empty: give …`."""
        return cls(name, f"it {trouble}")


@dataclass(frozen=True)
class MemberInputs:
    """What a program says of a share; of any type until `problems` finds none.

    Attributes:
        backup_id: the UUID of the backup.
        dest_project_id: the recipient's project; None where `dest_account` is given.
        dest_account: the name of the recipient's account.
        adopt: whether a share that exists already is taken over.
        wait_for_backup: seconds to wait for a backup that is still being made.
    """

    backup_id: Any = None
    dest_project_id: Any = None
    dest_account: Any = None
    adopt: Any = True
    wait_for_backup: Any = DEFAULT_WAIT

    def problems(self) -> Iterator[Problem]:
        """What is wrong with the shapes of the inputs; what is not known yet is not judged."""
        if not is_unknown(self.backup_id) and (trouble := trouble_with_backup_id(self.backup_id)):
            yield Problem.it("backup_id", trouble)
        yield from _problems_with_recipient(self.dest_project_id, self.dest_account)
        if trouble := trouble_with_wait(self.wait_for_backup):
            yield Problem.it("wait_for_backup", trouble)
        if not (isinstance(self.adopt, bool) or is_unknown(self.adopt)):
            yield Problem.it("adopt", "is neither true nor false")


@dataclass(frozen=True)
class SetInputs:
    """What a program says of all recipients of a backup; of any type until `problems` finds none.

    Attributes:
        backup_id: the UUID of the backup.
        dest_project_ids: the recipients' projects, none to ten, in any order.
        wait_for_backup: seconds to wait for a backup that is still being made.
    """

    backup_id: Any = None
    dest_project_ids: Any = None
    wait_for_backup: Any = DEFAULT_WAIT

    def problems(self) -> Iterator[Problem]:
        """What is wrong with the shapes of the inputs; what is not known yet is not judged."""
        if not is_unknown(self.backup_id) and (trouble := trouble_with_backup_id(self.backup_id)):
            yield Problem.it("backup_id", trouble)
        if not is_unknown(self.dest_project_ids):
            yield from (
                Problem.it("dest_project_ids", trouble) for trouble in _troubles_with_recipients(self.dest_project_ids)
            )
        if trouble := trouble_with_wait(self.wait_for_backup):
            yield Problem.it("wait_for_backup", trouble)


@dataclass(frozen=True)
class AcceptanceInputs:
    """What a program says of an acceptance; of any type until `problems` finds none.

    Attributes:
        backup_id: the UUID of the sharer's backup.
        vault_id: the UUID of the recipient's vault.
        wait_for_offer: seconds to wait for the offer to show.
        pending: whether a lookup of this run saw the offer pending.
    """

    backup_id: Any = None
    vault_id: Any = None
    wait_for_offer: Any = DEFAULT_OFFER_WAIT
    pending: Any = False

    def problems(self) -> Iterator[Problem]:
        """What is wrong with the shapes of the inputs; what is not known yet is not judged."""
        if not is_unknown(self.backup_id) and (trouble := trouble_with_backup_id(self.backup_id)):
            yield Problem.it("backup_id", trouble)
        if not is_unknown(self.vault_id) and (trouble := trouble_with_vault_id(self.vault_id)):
            yield Problem.it("vault_id", trouble)
        if trouble := trouble_with_wait(self.wait_for_offer):
            yield Problem.it("wait_for_offer", trouble)


def is_unknown(value: Any) -> bool:
    """Whether a value is not known yet."""
    return value is UNKNOWN


def trouble_with_wait(seconds: Any) -> str | None:
    """What is wrong with a number of seconds to wait; None if nothing is, or if it is not known yet."""
    if seconds is None or is_unknown(seconds):
        return None
    if isinstance(seconds, (int, float)) and not isinstance(seconds, bool) and 0 <= seconds <= LONGEST_WAIT:
        return None
    return f"is no number of seconds from 0 to {LONGEST_WAIT}: give {DEFAULT_WAIT:g}, or 0 not to wait"


def _problems_with_recipient(project_id: Any, account: Any) -> Iterator[Problem]:
    if account is not None:
        if project_id is not None:
            yield Problem.it("dest_account", "is given together with dest_project_id: give one of the two")
        elif not is_unknown(account) and (trouble := trouble_with_account(account)):
            yield Problem.it("dest_account", trouble)
    elif project_id is None:
        reason = "is missing: give the recipient's project id, or the account's name as dest_account"
        yield Problem.it("dest_project_id", reason)
    elif not is_unknown(project_id) and (trouble := trouble_with_project_id(project_id)):
        yield Problem.it("dest_project_id", trouble)


def _troubles_with_recipients(project_ids: Any) -> Iterator[str]:
    """Invalid ids, duplicates, more than ten."""
    if not isinstance(project_ids, list):
        yield "is no list: give a list of project ids, an empty one to share with nobody"
        return
    known = [project for project in project_ids if not is_unknown(project)]
    yield from (f"has an entry that {trouble}" for project in known if (trouble := trouble_with_project_id(project)))
    texts = [project for project in known if isinstance(project, str)]
    for project in sorted({text for text in texts if texts.count(text) > 1}):
        yield f"has {project} twice: name each recipient once"
    if len(project_ids) > MOST_RECIPIENTS:
        yield f"has {len(project_ids)} projects; a backup can be shared with at most {MOST_RECIPIENTS}"
