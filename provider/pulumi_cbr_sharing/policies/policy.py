"""Turns a check into a policy: configuration, exceptions, unknown values and messages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from fnmatch import fnmatchcase
from itertools import chain
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from pulumi_policy import (
    EnforcementLevel,
    PolicyConfigSchema,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, UnknownValueError

from pulumi_cbr_sharing.policies.configuration import Schema, exceptions, exceptions_in, troubles
from pulumi_cbr_sharing.policies.properties import UnknownValue
from pulumi_cbr_sharing.policies.sharing_resources import Role, SharingResource, shares_of
from pulumi_cbr_sharing.recipients_file import AgreedException


Clock = Callable[[], datetime]
OWNERS = (Role.MEMBER, Role.SET)


class Subject(Protocol):
    """A resource that is judged."""

    @property
    def name(self) -> str:
        """Its name in the program."""

    @property
    def urn(self) -> str:
        """Its URN."""


class Violation(NamedTuple):
    """A violation, if no exception covers it.

    Attributes:
        message: what is wrong, with the names of all resources involved, and what to do.
        recipients: the projects that it is about.
        unsure: whether it is also about recipients that are not known yet.
    """

    message: str
    recipients: tuple[str, ...] = ()
    unsure: bool = False


class Unchecked(NamedTuple):
    """Something that a rule could not judge, and why."""

    message: str


class CannotBeChecked(UnknownValueError):
    """Something that a rule could not judge: advisory, whatever the enforcement level.

    The policy SDK has one way to report below the level of a rule: it makes this error an advisory.
    """

    def __init__(self, message: str) -> None:
        super().__init__(UNKNOWN_STRING_VALUE, [])
        self.message = message

    def __str__(self) -> str:
        return self.message


S = TypeVar("S", bound=Subject)
Judge = Callable[[S, Mapping[str, Any]], Iterator[Violation | Unchecked]]


@dataclass(frozen=True)
class Rule(Generic[S]):
    """A rule, before it becomes a policy of the SDK.

    Attributes:
        name: the name of the policy.
        description: the requirement, in one sentence.
        judge: finds what is wrong with a subject.
        clock: the current time, for exceptions that expire.
        properties: the schemas of its configuration.
        level: the default enforcement level; None means that of the pack.
        about_recipients: whether it judges who the recipients are; then an exception must name one.
    """

    name: str
    description: str
    judge: Judge[S]
    clock: Clock
    properties: Mapping[str, Schema] = field(default_factory=dict)
    level: EnforcementLevel | None = None
    about_recipients: bool = False

    @property
    def schema(self) -> Schema:
        """The schema of its whole configuration."""
        excepted = exceptions(for_recipients=self.about_recipients)
        return {"type": "object", "properties": {**self.properties, "exceptions": excepted}}

    @property
    def config_schema(self) -> PolicyConfigSchema:
        """The schema, as the SDK takes it."""
        return PolicyConfigSchema(self.schema["properties"])

    def apply(self, subjects: Iterable[S], config: Mapping[str, Any], report: ReportViolation) -> None:
        """Report every violation, then all that could not be checked in one advisory.

        Raises:
            CannotBeChecked: something could not be checked.
        """
        if wrong := list(troubles(dict(config), self.schema)):
            report(f"{self.name}: its configuration must be corrected: {'; '.join(wrong)}", None)
            return
        agreed, today, unchecked = exceptions_in(config), self.clock().date(), []
        for subject in subjects:
            for said in self.judge(subject, config):
                settled = _settle(said, subject, agreed, today)
                if isinstance(settled, Violation):
                    report(f"{self.name}: {settled.message}", subject.urn)
                elif settled:
                    unchecked.append(settled.message)
        if unchecked:
            raise CannotBeChecked(f"{self.name}: {'; '.join(unchecked)}")


def share_rule(rule: Rule[SharingResource], *roles: Role) -> ResourceValidationPolicy:
    """A policy that checks each share before it is created; by default those of owners, not accepters."""

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        shares = [share for share in shares_of(args) if share.role in (roles or OWNERS)]
        if shares:
            rule.apply(shares, args.get_config(), report)

    return ResourceValidationPolicy(rule.name, rule.description, validate, rule.level, rule.config_schema)


def resource_rule(rule: Rule[ResourceValidationArgs]) -> ResourceValidationPolicy:
    """A policy that checks each resource of any type before it is created."""

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        rule.apply([args], args.get_config(), report)

    return ResourceValidationPolicy(rule.name, rule.description, validate, rule.level, rule.config_schema)


def stack_rule(rule: Rule[S], subjects_of: Callable[[PolicyResource], Iterable[S]]) -> StackValidationPolicy:
    """A policy that checks all subjects of a stack, with their outputs, at the end."""

    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        rule.apply(chain.from_iterable(map(subjects_of, args.resources)), args.get_config(), report)

    return StackValidationPolicy(rule.name, rule.description, validate, rule.level, rule.config_schema)


def _settle(
    said: Violation | Unchecked, subject: Subject, agreed: list[AgreedException], today: date
) -> Violation | Unchecked | None:
    """Apply the exceptions to a finding: it is dropped, or kept, or depends on an unknown value."""
    if isinstance(said, Unchecked):
        return said
    backup, covering, depends = getattr(subject, "backup", ""), list[AgreedException](), False
    for each in (each for each in agreed if _is_for(each, subject)):
        # An exception for recipients, or for a backup, can only be applied when all of them are known.
        if (said.unsure and each.recipient != "*") or (isinstance(backup, UnknownValue) and each.backup != "*"):
            depends = depends or each.until >= today
        elif each.covers(str(backup), *said.recipients):
            covering.append(each)
    if any(each.until >= today for each in covering):
        return None
    if depends:
        return Unchecked(f"cannot be checked yet: whether an exception covers {subject.name} depends on another value")
    ended = "".join(f"; the exception for it ({each.reason}) ended on {each.until}" for each in covering)
    return said._replace(message=said.message + ended)


def _is_for(exception: AgreedException, subject: Subject) -> bool:
    """Whether the resource of an exception is this one; the parts of a URN are compared one by one."""
    if not exception.resource.startswith("urn:"):
        return fnmatchcase(subject.name, exception.resource)
    parts, patterns = _parts(subject.urn, subject.name), _parts(exception.resource)
    return len(parts) == len(patterns) and all(map(fnmatchcase, parts, patterns))


def _parts(urn: str, name: str | None = None) -> list[str]:
    """Stack, project, type and name of a URN; only the name may contain `::`."""
    if name is None:
        name = urn.split("::", 3)[-1]
    return [*urn.removesuffix(f"::{name}").split("::", 2), name]
