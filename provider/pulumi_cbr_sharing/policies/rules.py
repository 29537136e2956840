"""From a judgement to a policy: configuration, exceptions, unknown values and messages, alike for every rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
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

from pulumi_cbr_sharing.policies.config import Exemption, Schema, exceptions, exemptions, troubles
from pulumi_cbr_sharing.policies.shares import Role, Share, shares_of


Clock = Callable[[], datetime]
OWNERS = (Role.MEMBER, Role.SET)


class Subject(Protocol):
    """What is judged."""

    @property
    def name(self) -> str:
        """What the program calls it."""

    @property
    def urn(self) -> str:
        """What the engine calls it."""


class Finding(NamedTuple):
    """A violation, if no exception covers it.

    Attributes:
        message: what is wrong, with the names of all that take part, and what to do.
        recipients: the projects that it is about.
        unsure: whether it is about others, too, that are not known yet.
    """

    message: str
    recipients: tuple[str, ...] = ()
    unsure: bool = False


class Unchecked(NamedTuple):
    """What a rule could not judge, and why."""

    message: str


class CannotBeChecked(UnknownValueError):
    """What a rule could not judge: an advice at every enforcement level.

    The policy SDK has one way to say less than the level of a rule: it makes an advisory report of this error.
    """

    def __init__(self, message: str) -> None:
        super().__init__(UNKNOWN_STRING_VALUE, [])
        self.message = message

    def __str__(self) -> str:
        return self.message


S = TypeVar("S", bound=Subject)
Judge = Callable[[S, Mapping[str, Any]], Iterator[Finding | Unchecked]]


@dataclass(frozen=True)
class Rule(Generic[S]):
    """A rule, before it becomes a policy of the SDK.

    Attributes:
        name: of the policy.
        description: what must be, in a sentence.
        judge: finds what is wrong with a subject.
        clock: tells when an exception has ended.
        properties: schemas of its own configuration.
        level: the level of enforcement where the configuration names none; else that of the pack.
        about_recipients: whether it judges who the recipients are, so that an exception must name one.
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
        """The same for the SDK."""
        return PolicyConfigSchema(self.schema["properties"])

    def apply(self, subjects: Iterable[S], config: Mapping[str, Any], report: ReportViolation) -> None:
        """Report every violation; then, in one advice, all that could not be checked.

        Raises:
            CannotBeChecked: there is something of the kind.
        """
        if wrong := list(troubles(dict(config), self.schema)):
            report(f"{self.name}: its configuration must be corrected: {'; '.join(wrong)}", None)
            return
        agreed, today, unchecked = exemptions(config), self.clock().date(), []
        for subject in subjects:
            for said in self.judge(subject, config):
                settled = _settle(said, subject, agreed, today)
                if isinstance(settled, Finding):
                    report(f"{self.name}: {settled.message}", subject.urn)
                elif settled:
                    unchecked.append(settled.message)
        if unchecked:
            raise CannotBeChecked(f"{self.name}: {'; '.join(unchecked)}")


def share_rule(rule: Rule[Share], *roles: Role) -> ResourceValidationPolicy:
    """A policy that looks at each share before it is made; by default at those of owners, not at accepters."""

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        shares = [share for share in shares_of(args) if share.role in (roles or OWNERS)]
        if shares:
            rule.apply(shares, args.get_config(), report)

    return ResourceValidationPolicy(rule.name, rule.description, validate, rule.level, rule.config_schema)


def resource_rule(rule: Rule[ResourceValidationArgs]) -> ResourceValidationPolicy:
    """A policy that looks at each resource of any type before it is made."""

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        rule.apply([args], args.get_config(), report)

    return ResourceValidationPolicy(rule.name, rule.description, validate, rule.level, rule.config_schema)


def stack_rule(rule: Rule[S], subjects_of: Callable[[PolicyResource], Iterable[S]]) -> StackValidationPolicy:
    """A policy that looks at all subjects of a stack, with their outputs, at the end."""

    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        rule.apply(chain.from_iterable(map(subjects_of, args.resources)), args.get_config(), report)

    return StackValidationPolicy(rule.name, rule.description, validate, rule.level, rule.config_schema)


def _settle(
    said: Finding | Unchecked, subject: Subject, agreed: list[Exemption], today: date
) -> Finding | Unchecked | None:
    """What remains of a finding after the exceptions: nothing, itself, or that it depends on what is not known."""
    if isinstance(said, Unchecked):
        return said
    mine = [each for each in agreed if each.covers_resource(subject.name, subject.urn)]
    # An exception for recipients can only be applied when all of them are known.
    open_ones = [each for each in mine if said.unsure and each.recipient and each.until >= today]
    mine = [each for each in mine if not (said.unsure and each.recipient)]
    covering = [each for each in mine if each.covers_recipients(said.recipients)]
    if any(each.until >= today for each in covering):
        return None
    if open_ones:
        return Unchecked(f"cannot be checked yet: whether an exception covers {subject.name} depends on a recipient")
    ended = "".join(f"; the exception for it ({each.reason}) ended on {each.until}" for each in covering)
    return said._replace(message=said.message + ended)
