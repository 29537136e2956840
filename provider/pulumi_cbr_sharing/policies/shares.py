"""What a policy sees of a share: one view of all the resources that share a backup, whoever wrote them.

`KINDS` is the whole table. A resource of this package is known by its token, one of the bridged provider by the end
of its token, because its module is not the same in every version.
"""

from __future__ import annotations

import math

from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NamedTuple

from pulumi_policy.proxy import UnknownValueError


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from pulumi_policy import PolicyResource, ResourceValidationArgs


OURS = "pulumi-python:dynamic/huaweicloud/cbr:"
EACH = "[]"  # a step of a path: every element of a list


class Role(Enum):
    """What a resource is to the share of a backup."""

    MEMBER = "owns one recipient"
    SET = "owns all recipients"
    ACCEPTER = "is the recipient's answer"


class Unknown:
    """A value that another resource will only have after it was made."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = Unknown()


class Secret(str):
    """A text that the program or the configuration keeps secret; it is never printed."""

    __slots__ = ()


class Standing(NamedTuple):
    """How a recipient answered, as the state has it; any of it may be unknown or missing."""

    recipient: Any
    status: Any
    since: Any


@dataclass(frozen=True)
class Kind:
    """A row of the table.

    Attributes:
        token: the type's token; `*` stands for anything.
        role: what such a resource is to the share.
        backup: the property with the backup's id.
        recipients: the path to the ids of the recipients' projects.
        standings: reads the answers from the outputs.
    """

    token: str
    role: Role
    backup: str
    recipients: tuple[str, ...] = ()
    standings: Callable[[Mapping[str, Any]], Iterator[Standing]] = lambda _: iter(())


def _of_member(props: Mapping[str, Any]) -> Iterator[Standing]:
    yield Standing(*(step(props, name) for name in ("dest_project_id", "status", "created_at")))


def _of_set(props: Mapping[str, Any]) -> Iterator[Standing]:
    # Its outputs keep no times.
    statuses = step(props, "statuses")
    if isinstance(statuses, Unknown):
        yield Standing(UNKNOWN, UNKNOWN, None)
    else:
        yield from (Standing(project, step(statuses, project), None) for project in statuses or ())


def _of_bridged(props: Mapping[str, Any]) -> Iterator[Standing]:
    for member in walk(props, ("members", EACH)):
        yield Standing(*(step(member, name) for name in ("destProjectId", "status", "createdAt")))


_BRIDGED = ("backupId", ("members", EACH, "destProjectId"), _of_bridged)

# The first row that fits counts.
KINDS = (
    Kind(f"{OURS}BackupShareMember", Role.MEMBER, "backup_id", ("dest_project_id",), _of_member),
    Kind(f"{OURS}BackupShare", Role.SET, "backup_id", ("dest_project_ids", EACH), _of_set),
    Kind(f"{OURS}BackupShareAccepter", Role.ACCEPTER, "backup_id"),
    Kind("*:BackupShare", Role.SET, *_BRIDGED),
    Kind("*:CbrBackupShare", Role.SET, *_BRIDGED),
    Kind("*:BackupShareAccepter", Role.ACCEPTER, "backupId"),
    Kind("*:CbrBackupShareAccepter", Role.ACCEPTER, "backupId"),
)


@dataclass(frozen=True)
class Share:
    """A resource that shares, or accepts, a backup.

    Attributes:
        label: how messages call the resource.
        name: what the program calls it.
        urn: what the engine calls it.
        kind: its row in the table.
        backup: the backup's id, UNKNOWN, or None.
        recipients: the projects that are known, as the service writes them.
        unknown_recipients: how many more there are; infinity for a list that is not known.
        protected: whether Pulumi refuses to delete it.
        props: all its properties.
    """

    label: str
    name: str
    urn: str
    kind: Kind
    backup: str | Unknown | None
    recipients: tuple[str, ...]
    unknown_recipients: float
    protected: bool
    props: Mapping[str, Any]

    @property
    def backup_named(self) -> str:
        """The backup, as messages call it."""
        return "a backup that is not known yet" if isinstance(self.backup, Unknown) else f"backup {shown(self.backup)}"

    @property
    def stack(self) -> str:
        """The stack, as `project/stack`."""
        stack, project = self.urn.removeprefix("urn:pulumi:").split("::")[:2]
        return f"{project}/{stack}"

    @property
    def standings(self) -> Iterator[Standing]:
        """How the recipients answered."""
        return self.kind.standings(self.props)

    def in_stack_of(self, patterns: Iterable[str]) -> bool:
        """Whether it is in one of these stacks."""
        names = (self.stack, self.stack.partition("/")[2])
        return any(fnmatchcase(name, pattern) for name in names for pattern in patterns)


def share_of(resource: ResourceValidationArgs | PolicyResource) -> Share | None:
    """The share that a resource is; None if it is something else."""
    kind = next((kind for kind in KINDS if fnmatchcase(resource.resource_type, kind.token)), None)
    if kind is None:
        return None
    projects = list(walk(resource.props, kind.recipients)) if kind.recipients else []
    known = [normal(project) for project in projects if not isinstance(project, Unknown)]
    endless = len(kind.recipients) > 1 and isinstance(step(resource.props, kind.recipients[0]), Unknown)
    return Share(
        label=f"{resource.resource_type.rpartition(':')[2]} '{resource.name}'",
        name=resource.name,
        urn=resource.urn,
        kind=kind,
        backup=normal(step(resource.props, kind.backup)),
        recipients=tuple(dict.fromkeys(project for project in known if project and isinstance(project, str))),
        unknown_recipients=math.inf if endless else len(projects) - len(known),
        protected=bool(resource.opts.protect),
        props=resource.props,
    )


def step(container: Any, key: Any) -> Any:
    """A value inside another: UNKNOWN if it is not known yet, None if it is not there."""
    try:
        return None if container is None else container[key]
    except UnknownValueError:
        return UNKNOWN
    except (KeyError, IndexError, TypeError):
        return None


def walk(value: Any, path: tuple[str, ...]) -> Iterator[Any]:
    """The values at a path; an unknown list counts as one unknown value."""
    if not path or isinstance(value, Unknown):
        yield value
    elif path[0] != EACH:
        yield from walk(step(value, path[0]), path[1:])
    elif value is not None and not isinstance(value, str):
        for index in range(len(value)):
            yield from walk(step(value, index), path[1:])


def normal(value: Any) -> Any:
    """An id as the service writes it, so that no spelling passes a rule; whatever is no text stays as it is."""
    if not isinstance(value, str):
        return value
    return type(value)(value.strip().lower())


def shown(value: Any) -> str:
    """A value in a message."""
    return "[secret]" if isinstance(value, Secret) else str(value)
