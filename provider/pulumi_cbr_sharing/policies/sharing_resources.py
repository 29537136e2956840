"""One view of all resources that share a backup, whichever provider they belong to.

A resource is recognised by its type (`NAMES`: those of this package, by either door, and of the bridged provider), or
by its properties: a dynamic resource that names a recipient, whatever its type, and any other that names a recipient
and a backup. Ids are searched at every depth and in both spellings, so that no wrapper hides them.
"""

from __future__ import annotations

import math

from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NamedTuple

from pulumi_cbr_sharing.policies.properties import UNKNOWN, UnknownValue, normal, properties_of, shown


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pulumi_policy import PolicyResource, ResourceValidationArgs


OURS = "pulumi-python:dynamic/huaweicloud/cbr:"
DYNAMIC = "pulumi-python"  # the package that runs dynamic providers; no other can run ours
DYNAMIC_PROVIDER = f"pulumi:providers:{DYNAMIC}"


class Role(Enum):
    """What a resource declares of a backup's recipients."""

    MEMBER = "owns one recipient"
    SET = "owns all recipients"
    ACCEPTER = "is the recipient's answer"


# The end of a type token, in lower case: the modules of the bridged provider differ between versions.
NAMES = {
    "backupsharemember": Role.MEMBER,
    "backupshare": Role.SET,
    "cbrbackupshare": Role.SET,
    "backupshareaccepter": Role.ACCEPTER,
    "cbrbackupshareaccepter": Role.ACCEPTER,
}
# Names of properties, in lower case and without underscores.
BACKUP = frozenset({"backupid"})
ONE_PROJECT, PROJECTS = frozenset({"destprojectid"}), frozenset({"destprojectids"})
ACCOUNTS = frozenset({"destaccount", "destaccounts"})  # used if no project is given
MEMBERS = "members"  # in the bridged provider: objects, each with a project


class Standing(NamedTuple):
    """A recipient's answer, as in the state; any of it may be unknown or missing."""

    recipient: Any
    status: Any
    since: Any


@dataclass(frozen=True)
class SharingResource:
    """A resource that shares, or accepts, a backup.

    Attributes:
        label: its name in messages.
        name: its name in the program.
        urn: its URN.
        role: what it declares.
        backup: the id of the backup, UNKNOWN, or None.
        recipients: the known projects, as the service writes them.
        unknown_recipients: how many more there are; infinity for an unknown list.
        hidden: whether it names no recipient that a rule can see.
        protected: whether it has the option `protect`.
        props: all its properties.
    """

    label: str
    name: str
    urn: str
    role: Role
    backup: str | UnknownValue | None
    recipients: tuple[str, ...]
    unknown_recipients: float
    hidden: bool
    protected: bool
    props: Mapping[str, Any]

    @property
    def backup_named(self) -> str:
        """The backup, for messages."""
        return (
            "a backup that is not known yet"
            if isinstance(self.backup, UnknownValue)
            else f"backup {shown(self.backup)}"
        )

    @property
    def stack(self) -> str:
        """The stack, as `project/stack`."""
        stack, project = self.urn.removeprefix("urn:pulumi:").split("::")[:2]
        return f"{project}/{stack}"

    @property
    def standings(self) -> Iterator[Standing]:
        """The recipients' answers."""
        if "statuses" in self.props:
            yield from _of_set(self.props["statuses"])
        elif isinstance(self.props.get(MEMBERS), list):
            yield from _of_bridged(self.props[MEMBERS])
        elif "status" in self.props:
            recipient = self.recipients[0] if self.recipients else UNKNOWN
            since = self.props.get("created_at", self.props.get("createdAt"))
            yield Standing(recipient, self.props["status"], since)

    def in_stack_of(self, patterns: Iterable[str]) -> bool:
        """Whether it is in one of these stacks."""
        names = (self.stack, self.stack.partition("/")[2])
        return any(fnmatchcase(name, pattern) for name in names for pattern in patterns)


def _of_set(statuses: Any) -> Iterator[Standing]:
    # A BackupShare has no times in its outputs.
    if isinstance(statuses, UnknownValue):
        yield Standing(UNKNOWN, UNKNOWN, None)
    elif isinstance(statuses, dict):
        yield from (Standing(project, status, None) for project, status in statuses.items())


def _of_bridged(members: list[Any]) -> Iterator[Standing]:
    for member in filter(lambda member: isinstance(member, dict), members):
        yield Standing(*(member.get(name) for name in ("destProjectId", "status", "createdAt")))


def shares_of(resource: ResourceValidationArgs | PolicyResource) -> list[SharingResource]:
    """The shares that a resource declares, one for each backup; empty if it is another resource."""
    props = properties_of(resource)
    role = _role(resource, props)
    if role is None:
        return []
    recipients = list(_recipients(props, bridged=not _is_dynamic(resource)))
    known = [normal(project) for project in recipients if isinstance(project, str)]
    label = f"{shown(resource.resource_type.rpartition(':')[2])} '{shown(resource.name)}'"
    return [
        SharingResource(
            label=label,
            name=resource.name,
            urn=resource.urn,
            role=role,
            backup=backup,
            recipients=tuple(dict.fromkeys(known)),
            unknown_recipients=sum(each for each in recipients if isinstance(each, (int, float))),
            hidden=None in recipients,
            protected=bool(resource.opts.protect),
            props=props,
        )
        for backup in dict.fromkeys(_backups(props)) or [None]
    ]


def _role(resource: ResourceValidationArgs | PolicyResource, props: Mapping[str, Any]) -> Role | None:
    named = NAMES.get(resource.resource_type.rpartition(":")[2].lower())
    if named in (Role.MEMBER, Role.SET):
        return named
    many, one, backup = (bool(list(_given(props, names))) for names in (PROJECTS, ONE_PROJECT | ACCOUNTS, BACKUP))
    if (many or one) and (backup or _is_dynamic(resource)):
        return Role.SET if many else Role.MEMBER
    return named


def _is_dynamic(resource: ResourceValidationArgs | PolicyResource) -> bool:
    """Whether it is a dynamic resource: by its package, or by its `__provider`."""
    provider = resource.provider.resource_type if resource.provider else ""
    return resource.resource_type.partition(":")[0] == DYNAMIC or provider == DYNAMIC_PROVIDER


def recipients_in(props: Mapping[str, Any]) -> set[str | float]:
    """The recipients in the properties of any resource, and how many are unknown."""
    found = _recipients(props, bridged=True)
    return {normal(each) if isinstance(each, str) else each for each in found if each is not None}


def _recipients(props: Mapping[str, Any], *, bridged: bool) -> Iterator[str | float | None]:
    """Each recipient: its id, or how many are unknown, or None if it cannot be seen."""
    many = list(_given(props, PROJECTS))
    found = list(_named([*many, *_given(props, ONE_PROJECT)], math.inf if many else 1))
    yield from found or _named(_given(props, ACCOUNTS), 1)
    if bridged and MEMBERS in props:
        yield from _of_members(props[MEMBERS])
    elif not (found or many or list(_given(props, ACCOUNTS))):
        yield None


def _named(values: Iterable[Any], unknown: float) -> Iterator[str | float]:
    """Each recipient in some values; an unknown value may be so many."""
    for value in values:
        if isinstance(value, UnknownValue):
            yield unknown
        else:
            yield from (1 if isinstance(leaf, UnknownValue) else leaf for leaf in _leaves(value))


def _of_members(members: Any) -> Iterator[float | None]:
    """The unknown or hidden members of a bridged share; the projects in known ones are found at their depth."""
    if isinstance(members, UnknownValue):
        yield math.inf
    elif not isinstance(members, list):
        yield None
    else:
        yield from (
            1 if isinstance(each, UnknownValue) else None for each in members if not any(_given(each, ONE_PROJECT))
        )


def _backups(props: Mapping[str, Any]) -> Iterator[str | UnknownValue]:
    for value in _given(props, BACKUP):
        yield from (leaf if isinstance(leaf, UnknownValue) else normal(leaf) for leaf in _leaves(value))


def _given(value: Any, names: frozenset[str]) -> Iterator[Any]:
    """The values of properties with these names, at every depth; without nulls."""
    if isinstance(value, dict):
        for key, each in value.items():
            if key.replace("_", "").lower() not in names:
                yield from _given(each, names)
            elif each is not None:
                yield each
    elif isinstance(value, list):
        for each in value:
            yield from _given(each, names)


def _leaves(value: Any) -> Iterator[str | UnknownValue]:
    """Every text in a value, including keys, and unknown values; other values as text."""
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list):
        for each in value:
            yield from _leaves(each)
    elif isinstance(value, (UnknownValue, str)):
        yield value
    elif value is not None:
        yield str(value)
