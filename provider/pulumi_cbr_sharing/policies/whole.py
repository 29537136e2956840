"""The configuration of the whole pack, as `--policy-pack-config` takes it, and its errors.

The engine passes it to the pack rule by rule, and checks each against its schema; it ignores unknown names of rules and
properties.
"""

from __future__ import annotations

import json

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pulumi_policy import EnforcementLevel, Policy, ResourceValidationPolicy

from pulumi_cbr_sharing.policies.config import nearest, troubles


LEVEL = "enforcementLevel"
LEVELS = [level.value for level in EnforcementLevel]
# The default level of the rule that needs a list. No rule here remediates, so this level can mark that none was set.
UNSET = EnforcementLevel.REMEDIATE.value
LIST, FILE = "recipients", "recipients_file"  # the file has a list, too
# Properties without which a rule checks nothing: a level alone is a mistake.
NEEDED = {"recovery-point-too-old": "max_age_hours"}
ALL, ENVIRONMENTS = "all", "environments"  # names of the engine: a level for all rules, and Pulumi ESC


class ConfigError(ValueError):
    """The configuration is not valid; the message lists all errors."""


def read(path: str | Path) -> dict[str, Any]:
    """Read a configuration file; an empty one means the defaults of the pack.

    Raises:
        ConfigError: it is not a JSON object, or has a name twice, of which the engine would use the last.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        content = json.loads(text, object_pairs_hook=_unique) if text.strip() else {}
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from None
    if not isinstance(content, dict):
        raise ConfigError(f"{path} must hold a JSON object")
    return content


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(f"{', '.join(twice)} is there twice")
    return dict(pairs)


def long_form(value: Any) -> dict[str, Any]:
    """The configuration of a rule as an object; it may also be a level alone."""
    return dict(value) if isinstance(value, Mapping) else {LEVEL: value}


def in_force(policy: Policy, level: str, given: Mapping[str, Any]) -> str:
    """The level of a rule; one that needs a list is advisory without it, unless a level was set."""
    if level != UNSET or not _needs_list(policy):
        return level
    return EnforcementLevel.MANDATORY.value if _has_list(given) else EnforcementLevel.ADVISORY.value


def _has_list(given: Mapping[str, Any]) -> bool:
    return LIST in given or FILE in given


def _needs_list(policy: Policy) -> bool:
    says_so = policy.enforcement_level is EnforcementLevel.REMEDIATE
    return says_so and isinstance(policy, ResourceValidationPolicy) and not policy.has_remediation()


def faults(content: Mapping[str, Any], policies: Sequence[Policy]) -> list[str]:
    """All errors of a configuration, as sentences."""
    known = {policy.name: policy for policy in policies}
    names = [name for name in content if name in (*known, ALL)]
    found = [fault for name in names for fault in _faults(name, long_form(content[name]), known.get(name))]
    lists = [fault for policy in filter(_needs_list, policies) for fault in _without_list(policy.name, content)]
    return [*unknown_rules(content, policies), *found, *lists, *levels_alone(content)]


def unknown_rules(content: Mapping[str, Any], policies: Sequence[Policy]) -> list[str]:
    """The names of unknown rules, each with the one that was probably meant."""
    known = [policy.name for policy in policies]
    return [
        f"there is no rule {name}: {nearest(name, (*known, ALL))}the rules are {', '.join(known)}"
        for name in content
        if name not in (*known, ALL, ENVIRONMENTS)
    ]


def levels_alone(content: Mapping[str, Any]) -> list[str]:
    """Rules that have a level, but not the properties that they need."""
    needy = {name: long_form(content[name]) for name in NEEDED if name in content}
    return [
        f"{name} has a level but no {NEEDED[name]}, without which it checks nothing"
        for name, given in needy.items()
        if given.get(LEVEL, "disabled") != "disabled" and NEEDED[name] not in given
    ]


def _faults(name: str, given: dict[str, Any], policy: Policy | None) -> Iterator[str]:
    level = given.pop(LEVEL, LEVELS[0])
    if level not in LEVELS:
        yield f"{name}.{LEVEL} must be one of {', '.join(LEVELS)}; it is {level!r}"
    if policy is None and given:
        yield f"{name} sets the level of every rule and nothing else: move {', '.join(given)} to the rules"
    if policy and policy.config_schema:
        yield from troubles(given, {"type": "object", "properties": policy.config_schema.properties}, name)


def _without_list(name: str, content: Mapping[str, Any]) -> Iterator[str]:
    """An error if the rule that needs a list is set to the level that stands for "not set"."""
    given = long_form(content.get(name, {}))
    if given.get(LEVEL, long_form(content.get(ALL, {})).get(LEVEL)) == UNSET and not _has_list(given):
        yield f"{name} has a level but no {LIST}: list the projects that may receive backups"
