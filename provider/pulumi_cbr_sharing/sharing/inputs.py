"""The inputs of the resources, and what can be wrong with them.

They are described at the resources. They may be of any type until `problems` finds none.
"""

from __future__ import annotations

import re

from collections import Counter
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from pulumi_cbr_sharing.cbr.members import MOST_RECIPIENTS
from pulumi_cbr_sharing.ids import BACKUP, PROJECT, VAULT, trouble_with_account


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


D = TypeVar("D")
NOT_KNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"  # the engine's mark: another resource has to be created first
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


def camel(name: str) -> str:
    """The name of a property in all languages but Python: `backup_id` as `backupId`."""
    return re.sub(r"_(.)", lambda found: found[1].upper(), name)


def is_unknown(value: Any) -> bool:
    """Whether a value is not known yet."""
    return bool(value == NOT_KNOWN)


def known(kind: type[D], properties: Mapping[str, Any]) -> D:
    """A dataclass from properties by their names in Python or in the other languages, since a state may change doors.

    Null becomes the field's default.
    """
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    given = {name: properties.get(name, properties.get(camel(name))) for name in names}
    return kind(**{name: value for name, value in given.items() if value is not None})


def trouble_with_recipients(project_ids: Any) -> str | None:
    """Invalid ids, duplicates, more than ten."""
    if not isinstance(project_ids, list):
        return "is not a list: give a list of project ids, an empty one to share with nobody"
    known = [project for project in project_ids if not is_unknown(project)]
    troubles = [f"has an entry that {trouble}" for trouble in map(PROJECT.trouble_with, known) if trouble]
    texts = Counter(project for project in known if isinstance(project, str))
    troubles += [f"has {project} twice: name each recipient once" for project, n in sorted(texts.items()) if n > 1]
    if len(project_ids) > MOST_RECIPIENTS:
        troubles.append(f"has {len(project_ids)} projects; a backup can be shared with at most {MOST_RECIPIENTS}")
    return "; it ".join(troubles) or None


def _trouble_with_wait(seconds: Any) -> str | None:
    if isinstance(seconds, (int, float)) and not isinstance(seconds, bool) and 0 <= seconds <= LONGEST_WAIT:
        return None
    return f"is not a number of seconds from 0 to {LONGEST_WAIT}: give {DEFAULT_WAIT:g}, or 0 not to wait"


def _trouble_with_flag(value: Any) -> str | None:
    return None if isinstance(value, bool) else "is neither true nor false"


_TROUBLE_WITH: Mapping[str, Callable[[Any], str | None]] = {
    "backup_id": BACKUP.trouble_with,
    "vault_id": VAULT.trouble_with,
    "dest_project_id": PROJECT.trouble_with,
    "dest_account": trouble_with_account,
    "dest_project_ids": trouble_with_recipients,
    "adopt": _trouble_with_flag,
    "pending": _trouble_with_flag,
    "wait_for_backup": _trouble_with_wait,
    "wait_for_offer": _trouble_with_wait,
}
_ONE_OF = ("dest_project_id", "dest_account")


@dataclass(frozen=True)
class Inputs:
    """Base of the inputs of a kind of resource."""

    def problems(self) -> Iterator[Problem]:
        """Problems with the shapes of the inputs. Unknown values have none."""
        for name, value in vars(self).items():
            is_left_out = value is None and name in _ONE_OF
            if not is_unknown(value) and not is_left_out and (trouble := _TROUBLE_WITH[name](value)):
                yield Problem.it(name, trouble)


@dataclass(frozen=True)
class MemberInputs(Inputs):
    """The inputs of a BackupShareMember."""

    backup_id: Any = None
    dest_project_id: Any = None
    dest_account: Any = None
    adopt: Any = True
    wait_for_backup: Any = DEFAULT_WAIT

    def problems(self) -> Iterator[Problem]:
        """Also none or two of the ways to name the recipient."""
        if self.dest_account is None and self.dest_project_id is None:
            missing = "is missing: give the recipient's project id, or the account's name as dest_account"
            yield Problem.it("dest_project_id", missing)
        elif self.dest_account is not None and self.dest_project_id is not None:
            yield Problem.it("dest_account", "is given together with dest_project_id: give one of the two")
        yield from super().problems()


@dataclass(frozen=True)
class SetInputs(Inputs):
    """The inputs of a BackupShare."""

    backup_id: Any = None
    dest_project_ids: Any = None
    wait_for_backup: Any = DEFAULT_WAIT


@dataclass(frozen=True)
class AcceptanceInputs(Inputs):
    """The inputs of a BackupShareAccepter."""

    backup_id: Any = None
    vault_id: Any = None
    wait_for_offer: Any = DEFAULT_OFFER_WAIT
    pending: Any = False
