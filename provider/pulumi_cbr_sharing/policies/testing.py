"""Tests a policy configuration without an engine and without a cloud.

from pulumi_cbr_sharing.policies.testing import PolicyTest, member

pack = PolicyTest("config.json")

def test_backups_stay_at_home():
    assert pack.stopped_by(member(dest_project_id="f" * 32)) == {"allowed-recipients"}

The resources of one call are one deployment: resource rules check each of them, stack rules all of them at the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timezone
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyCustomTimeouts,
    PolicyResource,
    PolicyResourceOptions,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
)
from pulumi_policy.deserialize import SPECIAL_SECRET_SIG, SPECIAL_SIG_KEY
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from pulumi_cbr_sharing.policies import rules
from pulumi_cbr_sharing.policies.configuration import ALL, LEVEL, ConfigError, faults, long_form, read, with_recipients
from pulumi_cbr_sharing.policies.policy import CannotBeChecked
from pulumi_cbr_sharing.policies.properties import UNKNOWN, SecretText, UnknownValue, as_sent, from_wire
from pulumi_cbr_sharing.policies.sharing_resources import OURS


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


__all__ = [
    "UNKNOWN",
    "ConfigError",
    "PolicyTest",
    "Report",
    "Resource",
    "accepter",
    "bridged_share",
    "member",
    "provider",
    "secret",
    "share",
]

A_BACKUP = "9ee6e4bd-5c7d-4c3a-a1f0-2f6c1d1b7a10"
A_PROJECT = "02e814ff2f81f01a5fb11caf75eed906"


@dataclass(frozen=True)
class Report:
    """What a rule reported, and at which level."""

    rule: str
    level: str
    message: str
    resource: str | None = None


@dataclass(frozen=True)
class Resource:
    """A resource of a program.

    Attributes:
        token: the type token.
        name: the name of the resource.
        props: its inputs, and for stack rules its outputs; values may be UNKNOWN or `secret(…)`.
        outputs: outputs that are no inputs, or differ from them.
        protect: the option `protect`.
        stack: `project/stack`.
    """

    token: str
    name: str
    props: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict, kw_only=True)
    protect: bool = False
    stack: str = "project/dev"

    @property
    def urn(self) -> str:
        """Its URN."""
        project, _, stack = self.stack.rpartition("/")
        return f"urn:pulumi:{stack}::{project}::{self.token}::{self.name}"


def secret(text: str) -> str:
    """Mark a property as secret."""
    return SecretText(text)


def member(
    name: str = "dr", *, backup_id: Any = A_BACKUP, dest_project_id: Any = A_PROJECT, **options: Any
) -> Resource:
    """A BackupShareMember; further arguments are attributes of `Resource`, or outputs such as `status`."""
    return _resource(f"{OURS}BackupShareMember", name, options, backup_id=backup_id, dest_project_id=dest_project_id)


def share(
    name: str = "dr", *, backup_id: Any = A_BACKUP, dest_project_ids: Any = (A_PROJECT,), **options: Any
) -> Resource:
    """A BackupShare."""
    return _resource(f"{OURS}BackupShare", name, options, backup_id=backup_id, dest_project_ids=dest_project_ids)


def accepter(name: str = "dr", *, backup_id: Any = A_BACKUP, **options: Any) -> Resource:
    """A BackupShareAccepter."""
    return _resource(f"{OURS}BackupShareAccepter", name, options, backup_id=backup_id)


def bridged_share(
    name: str = "dr", *, backup_id: Any = A_BACKUP, dest_project_ids: Any = (A_PROJECT,), **options: Any
) -> Resource:
    """A BackupShare of the bridged provider."""
    known = not isinstance(dest_project_ids, UnknownValue)
    members = [{"destProjectId": project} for project in dest_project_ids] if known else UNKNOWN
    return _resource("huaweicloud:Cbr/backupShare:BackupShare", name, options, backupId=backup_id, members=members)


def provider(name: str = "default", *, token: str = "pulumi:providers:huaweicloud", **props: Any) -> Resource:  # noqa: S107 - a type's token
    """A provider with its configuration."""
    return Resource(token, name, props)


def _resource(token: str, name: str, options: Mapping[str, Any], **inputs: Any) -> Resource:
    own = {key: value for key, value in options.items() if key in {"protect", "stack", "outputs"}}
    outputs = {key: value for key, value in options.items() if key not in own}
    return Resource(token, name, {**inputs, **outputs}, **own)


class PolicyTest:
    """The pack with a configuration.

    Args:
        config: a file for `--policy-pack-config`, or its content; None means no configuration.
        folder: the folder of the pack, for a relative `recipients_file`; default: that of the configuration file.
        today: the day of the test, for exceptions that expire and offers that are not answered.

    Raises:
        ConfigError: the configuration is not valid.
    """

    def __init__(
        self,
        config: str | Path | Mapping[str, Any] | None = None,
        *,
        folder: Path | None = None,
        today: date | None = None,
    ) -> None:
        given = dict(config) if isinstance(config, Mapping) else read(config) if config else {}
        self._clock = _clock_of(today)
        if wrong := faults(given, rules(self._clock)):
            raise ConfigError("; ".join(wrong))
        if folder is None and config is not None and not isinstance(config, Mapping):
            folder = Path(config).parent
        self._config = with_recipients(given, folder)

    def check(self, *resources: Resource) -> list[Report]:
        """Everything that the rules report for a deployment of these resources."""
        return [report for rule in rules(self._clock) for report in self._said_by(rule, resources)]

    def stopped_by(self, *resources: Resource) -> set[str]:
        """The names of the mandatory rules that a deployment of these resources violates; if empty, it may run."""
        return {report.rule for report in self.check(*resources) if report.level == "mandatory"}

    def _said_by(self, rule: Policy, resources: tuple[Resource, ...]) -> Iterator[Report]:
        level, config = self._of(rule)
        if level != "disabled":
            inputs = {resource.urn: _on_the_wire(resource.props) for resource in resources}
            outputs = {one.urn: _on_the_wire({**one.props, **one.outputs}) for one in resources}
            is_resource_rule = isinstance(rule, ResourceValidationPolicy)
            with as_sent(inputs) if is_resource_rule else as_sent(outputs, from_wire(inputs)):
                for run in _runs(rule, resources, config):
                    yield from _reports(rule.name, level, run)

    def _of(self, rule: Policy) -> tuple[str, dict[str, Any]]:
        """The level and the configuration of a rule, combined as the engine does it."""
        default = (rule.enforcement_level or EnforcementLevel.ADVISORY).value
        given = long_form(self._config.get(rule.name, {}))
        level = given.pop(LEVEL, long_form(self._config.get(ALL, {})).get(LEVEL, default))
        return ("mandatory" if level == "remediate" else level), given


def _clock_of(today: date | None) -> Callable[[], datetime]:
    if today is None:
        return lambda: datetime.now(timezone.utc)
    return lambda: datetime.combine(today, time(12), timezone.utc)


def _runs(rule: Any, resources: tuple[Resource, ...], config: dict[str, Any]) -> list[Callable[[Any], Any]]:
    if isinstance(rule, ResourceValidationPolicy):
        return [partial(rule.validate, _as_args(resource, config)) for resource in resources]
    return [partial(rule.validate, StackValidationArgs(list(map(_as_output, resources)), config))]


def _reports(rule: str, level: str, run: Callable[[Any], Any]) -> list[Report]:
    said: list[Report] = []
    try:
        run(lambda message, urn=None: said.append(Report(rule, level, message, urn)))
    except CannotBeChecked as unchecked:  # the SDK makes it an advisory
        said.append(Report(rule, "advisory", unchecked.message))
    return said


def _as_args(resource: Resource, config: dict[str, Any]) -> ResourceValidationArgs:
    return ResourceValidationArgs(resource.token, {}, resource.urn, resource.name, _options(resource), None, config)


def _as_output(resource: Resource) -> PolicyResource:
    return PolicyResource(resource.token, {}, resource.urn, resource.name, _options(resource), None, None, [], {})


def _options(resource: Resource) -> PolicyResourceOptions:
    return PolicyResourceOptions(resource.protect, [], None, [], PolicyCustomTimeouts(0, 0, 0), [])


def _on_the_wire(value: Any) -> Any:
    if isinstance(value, UnknownValue):
        return UNKNOWN_STRING_VALUE
    if isinstance(value, SecretText):
        return {SPECIAL_SIG_KEY: SPECIAL_SECRET_SIG, "value": str(value)}
    if isinstance(value, Mapping):
        return {key: _on_the_wire(inner) for key, inner in value.items()}
    return [_on_the_wire(inner) for inner in value] if isinstance(value, (list, tuple)) else value
