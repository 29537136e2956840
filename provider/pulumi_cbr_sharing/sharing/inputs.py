"""The inputs of the resources, and what can be wrong with them.

They are described at the resources. They may be of any type until `problems` finds none.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pulumi_cbr_sharing.cbr.members import MOST_RECIPIENTS
from pulumi_cbr_sharing.ids import BACKUP, PROJECT, VAULT, trouble_with_account


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Unknown(Enum):
    """The value of an input that is known only when another resource has been created."""

    UNKNOWN = "not known yet"


UNKNOWN: Final = Unknown.UNKNOWN
DEFAULT_WAIT = 600.0  # seconds for a backup that is still being made
DEFAULT_OFFER_WAIT = 300.0  # seconds for an offer
LONGEST_WAIT = 86400


class Problem(NamedTuple):
    """What is wrong with an input.

    Attributes:
        property: the input; "" if no single input is at fault.
        sentence: what to tell the user.
    """

    property: str
    sentence: str

    @classmethod
    def it(cls, name: str, trouble: str) -> Problem:
        """A problem from the end of a sentence, such as `is empty: give …`."""
        return cls(name, f"it {trouble}")


@dataclass(frozen=True)
class MemberInputs:
    """The inputs of a BackupShareMember."""

    backup_id: Any = None
    dest_project_id: Any = None
    dest_account: Any = None
    adopt: Any = True
    wait_for_backup: Any = DEFAULT_WAIT

    def problems(self) -> Iterator[Problem]:
        """Problems with the shapes of the inputs. Unknown values have none."""
        yield from _problems("backup_id", self.backup_id, BACKUP.trouble_with)
        if self.dest_account is None:
            yield from _problems("dest_project_id", self.dest_project_id, _trouble_with_recipient)
        elif self.dest_project_id is None:
            yield from _problems("dest_account", self.dest_account, trouble_with_account)
        else:
            yield Problem.it("dest_account", "is given together with dest_project_id: give one of the two")
        yield from _problems("wait_for_backup", self.wait_for_backup, _trouble_with_wait)
        yield from _problems("adopt", self.adopt, _trouble_with_flag)


@dataclass(frozen=True)
class SetInputs:
    """The inputs of a BackupShare."""

    backup_id: Any = None
    dest_project_ids: Any = None
    wait_for_backup: Any = DEFAULT_WAIT

    def problems(self) -> Iterator[Problem]:
        """Problems with the shapes of the inputs. Unknown values have none."""
        yield from _problems("backup_id", self.backup_id, BACKUP.trouble_with)
        if not is_unknown(self.dest_project_ids):
            yield from (Problem.it("dest_project_ids", one) for one in troubles_with_recipients(self.dest_project_ids))
        yield from _problems("wait_for_backup", self.wait_for_backup, _trouble_with_wait)


@dataclass(frozen=True)
class AcceptanceInputs:
    """The inputs of a BackupShareAccepter."""

    backup_id: Any = None
    vault_id: Any = None
    wait_for_offer: Any = DEFAULT_OFFER_WAIT
    pending: Any = False

    def problems(self) -> Iterator[Problem]:
        """Problems with the shapes of the inputs. Unknown values have none."""
        yield from _problems("backup_id", self.backup_id, BACKUP.trouble_with)
        yield from _problems("vault_id", self.vault_id, VAULT.trouble_with)
        yield from _problems("wait_for_offer", self.wait_for_offer, _trouble_with_wait)


def is_unknown(value: Any) -> bool:
    """Whether a value is not known yet."""
    return value is UNKNOWN


def _problems(name: str, value: Any, trouble_with: Callable[[Any], str | None]) -> Iterator[Problem]:
    if not is_unknown(value) and (trouble := trouble_with(value)):
        yield Problem.it(name, trouble)


def _trouble_with_recipient(project_id: Any) -> str | None:
    if project_id is None:
        return "is missing: give the recipient's project id, or the account's name as dest_account"
    return PROJECT.trouble_with(project_id)


def _trouble_with_wait(seconds: Any) -> str | None:
    if isinstance(seconds, (int, float)) and not isinstance(seconds, bool) and 0 <= seconds <= LONGEST_WAIT:
        return None
    return f"is not a number of seconds from 0 to {LONGEST_WAIT}: give {DEFAULT_WAIT:g}, or 0 not to wait"


def _trouble_with_flag(value: Any) -> str | None:
    return None if isinstance(value, bool) else "is neither true nor false"


def troubles_with_recipients(project_ids: Any) -> Iterator[str]:
    """Invalid ids, duplicates, more than ten."""
    if not isinstance(project_ids, list):
        yield "is not a list: give a list of project ids, an empty one to share with nobody"
        return
    known = [project for project in project_ids if not is_unknown(project)]
    yield from (f"has an entry that {trouble}" for project in known if (trouble := PROJECT.trouble_with(project)))
    texts = [project for project in known if isinstance(project, str)]
    for project in sorted({text for text in texts if texts.count(text) > 1}):
        yield f"has {project} twice: name each recipient once"
    if len(project_ids) > MOST_RECIPIENTS:
        yield f"has {len(project_ids)} projects; a backup can be shared with at most {MOST_RECIPIENTS}"
