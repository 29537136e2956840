"""Policies for shared backups: who may receive them, how shares are declared, and that secrets are encrypted.

from pulumi_cbr_sharing.policies import RULES, run_pack

run_pack("cbr-sharing", RULES)

Rules can also be imported one by one: `from pulumi_cbr_sharing.policies import allowed_recipients`. Resource rules run
before a resource is created, so a mandatory one stops `pulumi up` before the share is sent; stack rules run at the end.
If a value is unknown at preview, the rule reports that it cannot be checked yet, and the update checks it.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING


try:
    from pulumi_policy import EnforcementLevel, Policy
except ImportError as error:
    raise ImportError("the policies need pulumi-policy: install pulumi-cbr-sharing[policies]") from error

from pulumi_cbr_sharing.policies import checks
from pulumi_cbr_sharing.policies.configuration import PATH, number, projects, texts
from pulumi_cbr_sharing.policies.pack import run_pack
from pulumi_cbr_sharing.policies.policy import Rule, resource_rule, share_rule, stack_rule
from pulumi_cbr_sharing.policies.sharing_resources import Role, shares_of


if TYPE_CHECKING:
    from collections.abc import Callable


__all__ = [
    "RULES",
    "allowed_recipients",
    "authoritative_required",
    "denied_recipients",
    "most_recipients",
    "no_mixed_ownership",
    "no_plain_secrets",
    "pending_too_long",
    "protected_share",
    "recipients_in_outputs",
    "rejected_share",
    "rules",
    "run_pack",
]


def rules(clock: Callable[[], datetime] = lambda: datetime.now(timezone.utc)) -> list[Policy]:
    """Create all rules; some of them remember the resources that they have seen.

    Args:
        clock: the current time, for exceptions that expire and offers that are not answered.
    """
    return [
        *_about_recipients(clock),
        *_about_ownership(clock),
        *_about_answers(clock),
        *_about_providers(clock),
        *_about_style(clock),
    ]


def _about_recipients(clock: Callable[[], datetime]) -> list[Policy]:
    allowed = Rule(
        "allowed-recipients",
        "Backups may only be shared with allowed recipients.",
        checks.only_allowed,
        clock,
        properties={"recipients": projects("note"), "recipients_file": PATH},
        level=EnforcementLevel.MANDATORY,
        about_recipients=True,
    )
    denied = Rule(
        "denied-recipients",
        "Backups must not be shared with denied recipients.",
        checks.none_denied,
        clock,
        properties={"recipients": projects()},
        level=EnforcementLevel.MANDATORY,
        about_recipients=True,
    )
    most = Rule(
        "most-recipients",
        "A backup must not have more recipients than the policy allows.",
        checks.at_most(checks.SharesSoFar()),
        clock,
        properties={"most": number(checks.MOST)},
    )
    reported = Rule(
        "recipients-in-outputs",
        "The outputs of a resource must not name recipients that its inputs do not declare.",
        checks.as_declared,
        clock,
        level=EnforcementLevel.MANDATORY,
        about_recipients=True,
    )
    return [share_rule(allowed), share_rule(denied), share_rule(most), stack_rule(reported, shares_of)]


def _about_ownership(clock: Callable[[], datetime]) -> list[Policy]:
    mixed = Rule(
        "no-mixed-ownership",
        "The recipients of a backup must have one owner: one BackupShare, or BackupShareMembers only.",
        checks.one_owner(checks.SharesSoFar()),
        clock,
    )
    protected = Rule(
        "protected-share",
        "Shares must be protected from deletion, except in the stacks that the policy names.",
        checks.is_protected,
        clock,
        properties={"stacks": texts("a list of stacks, as `stack` or `project/stack`")},
    )
    return [share_rule(mixed), share_rule(protected, *Role)]


def _about_answers(clock: Callable[[], datetime]) -> list[Policy]:
    pending = Rule(
        "pending-too-long",
        "Recipients must answer an offer in time.",
        checks.answered(clock),
        clock,
        properties={"days": number(3650)},
    )
    rejected = Rule("rejected-share", "No share may stay rejected.", checks.not_rejected, clock)
    return [stack_rule(pending, shares_of), stack_rule(rejected, shares_of)]


def _about_providers(clock: Callable[[], datetime]) -> list[Policy]:
    plain = Rule(
        "no-plain-secrets",
        "Secrets in the configuration of a provider must be encrypted.",
        checks.is_encrypted,
        clock,
        properties={
            "names": texts("a list of further properties, such as accessKey"),
            "namespaces": texts("a list of namespaces of the stack's configuration, such as huaweicloud"),
        },
    )
    return [resource_rule(plain)]


def _about_style(clock: Callable[[], datetime]) -> list[Policy]:
    authoritative = Rule(
        "authoritative-required",
        "Backups must be shared by a BackupShare, which lists all recipients in one place.",
        checks.is_authoritative,
        clock,
        level=EnforcementLevel.DISABLED,
    )
    return [share_rule(authoritative)]


RULES = rules()
(
    allowed_recipients,
    denied_recipients,
    most_recipients,
    recipients_in_outputs,
    no_mixed_ownership,
    protected_share,
    pending_too_long,
    rejected_share,
    no_plain_secrets,
    authoritative_required,
) = RULES
