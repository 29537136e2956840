"""What a policy sees of a share: one view of all the resources that share a backup, whoever wrote them.

A resource is found by its name (`NAMES`: this package's own and the bridged provider's), or by what it holds: a dynamic
resource that names a recipient, whatever its token, and any other that names a recipient and a backup. The ids are
looked for at every depth and in both spellings, so that no wrapper hides them.
"""

from __future__ import annotations

import math

from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NamedTuple

from pulumi_cbr_sharing.policies.values import UNKNOWN, Unknown, normal, properties_of, shown


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pulumi_policy import PolicyResource, ResourceValidationArgs


OURS = "pulumi-python:dynamic/huaweicloud/cbr:"
DYNAMIC = "pulumi-python"  # the package that runs a provider out of a program; no other can run ours
DYNAMIC_PROVIDER = f"pulumi:providers:{DYNAMIC}"


class Role(Enum):
    """What a resource is to the share of a backup."""

    MEMBER = "owns one recipient"
    SET = "owns all recipients"
    ACCEPTER = "is the recipient's answer"


# The end of a type's token, in lower case: the modules of the bridged provider are not the same in every version.
NAMES = {
    "backupsharemember": Role.MEMBER,
    "backupshare": Role.SET,
    "cbrbackupshare": Role.SET,
    "backupshareaccepter": Role.ACCEPTER,
    "cbrbackupshareaccepter": Role.ACCEPTER,
}
# Names of properties, without underscores and in lower case.
BACKUP = frozenset({"backupid"})
ONE_PROJECT, PROJECTS = frozenset({"destprojectid"}), frozenset({"destprojectids"})
ACCOUNTS = frozenset({"destaccount", "destaccounts"})  # count where no project is given
MEMBERS = "members"  # of the bridged provider: objects with a project each


class Standing(NamedTuple):
    """How a recipient answered, as the state has it; any of it may be unknown or missing."""

    recipient: Any
    status: Any
    since: Any


@dataclass(frozen=True)
class Share:
    """A resource that shares, or accepts, a backup.

    Attributes:
        label: how messages call the resource.
        name: what the program calls it.
        urn: what the engine calls it.
        role: what it is to the share.
        backup: the backup's id, UNKNOWN, or None.
        recipients: the projects that are known, as the service writes them.
        unknown_recipients: how many more there are; infinity for a list that is not known.
        hidden: whether it names no recipient where a rule could see it.
        protected: whether Pulumi refuses to delete it.
        props: all its properties.
    """

    label: str
    name: str
    urn: str
    role: Role
    backup: str | Unknown | None
    recipients: tuple[str, ...]
    unknown_recipients: float
    hidden: bool
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
        if "statuses" in self.props:
            yield from _of_set(self.props["statuses"])
        elif isinstance(self.props.get(MEMBERS), list):
            yield from _of_bridged(self.props[MEMBERS])
        elif "status" in self.props:
            recipient = self.recipients[0] if self.recipients else UNKNOWN
            yield Standing(recipient, self.props["status"], self.props.get("created_at"))

    def in_stack_of(self, patterns: Iterable[str]) -> bool:
        """Whether it is in one of these stacks."""
        names = (self.stack, self.stack.partition("/")[2])
        return any(fnmatchcase(name, pattern) for name in names for pattern in patterns)


def _of_set(statuses: Any) -> Iterator[Standing]:
    # The outputs of a set keep no times.
    if isinstance(statuses, Unknown):
        yield Standing(UNKNOWN, UNKNOWN, None)
    elif isinstance(statuses, dict):
        yield from (Standing(project, status, None) for project, status in statuses.items())


def _of_bridged(members: list[Any]) -> Iterator[Standing]:
    for member in filter(lambda member: isinstance(member, dict), members):
        yield Standing(*(member.get(name) for name in ("destProjectId", "status", "createdAt")))


def shares_of(resource: ResourceValidationArgs | PolicyResource) -> list[Share]:
    """The shares that a resource is, one for each backup; empty if it is something else."""
    props = properties_of(resource)
    role = _role(resource, props)
    if role is None:
        return []
    recipients = list(_recipients(props, bridged=not _is_dynamic(resource)))
    known = [normal(project) for project in recipients if isinstance(project, str)]
    label = f"{shown(resource.resource_type.rpartition(':')[2])} '{shown(resource.name)}'"
    return [
        Share(
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
    """Whether a provider out of a program makes it: by its package, or by the provider that it was given."""
    provider = resource.provider.resource_type if resource.provider else ""
    return resource.resource_type.partition(":")[0] == DYNAMIC or provider == DYNAMIC_PROVIDER


def _recipients(props: Mapping[str, Any], *, bridged: bool) -> Iterator[str | float | None]:
    """Each recipient: its id, or how many are not known yet, or None for what cannot be seen at all."""
    many = list(_given(props, PROJECTS))
    found = [*many, *_given(props, ONE_PROJECT)] or list(_given(props, ACCOUNTS))
    for value in found:
        if isinstance(value, Unknown):
            yield math.inf if many else 1
        else:
            yield from (1 if isinstance(leaf, Unknown) else leaf for leaf in _leaves(value))
    if bridged and MEMBERS in props:
        yield from _of_members(props[MEMBERS])
    elif not found:
        yield None


def _of_members(members: Any) -> Iterator[float | None]:
    """What the members of a bridged share hide; the projects in them are found at their depth."""
    if isinstance(members, Unknown):
        yield math.inf
    elif not isinstance(members, list):
        yield None
    else:
        yield from (1 if isinstance(each, Unknown) else None for each in members if not any(_given(each, ONE_PROJECT)))


def _backups(props: Mapping[str, Any]) -> Iterator[str | Unknown]:
    for value in _given(props, BACKUP):
        yield from (leaf if isinstance(leaf, Unknown) else normal(leaf) for leaf in _leaves(value))


def _given(value: Any, names: frozenset[str]) -> Iterator[Any]:
    """The values of properties of these names, at every depth; null is none."""
    if isinstance(value, dict):
        for key, each in value.items():
            if key.replace("_", "").lower() not in names:
                yield from _given(each, names)
            elif each is not None:
                yield each
    elif isinstance(value, list):
        for each in value:
            yield from _given(each, names)


def _leaves(value: Any) -> Iterator[str | Unknown]:
    """Every text in a value, keys included, and what is unknown; other values as text."""
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list):
        for each in value:
            yield from _leaves(each)
    elif isinstance(value, (Unknown, str)):
        yield value
    elif value is not None:
        yield str(value)
