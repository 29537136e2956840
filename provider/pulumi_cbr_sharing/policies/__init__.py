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

from pulumi_cbr_sharing.policies import judgements as judge
from pulumi_cbr_sharing.policies.config import PATH, number, projects, texts
from pulumi_cbr_sharing.policies.pack import run_pack
from pulumi_cbr_sharing.policies.plain_secrets import encrypted
from pulumi_cbr_sharing.policies.rules import Rule, resource_rule, share_rule, stack_rule
from pulumi_cbr_sharing.policies.shares import Role, shares_of
from pulumi_cbr_sharing.policies.windows import recent, windows_of


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
    "recovery_point_too_old",
    "rejected_share",
    "rules",
    "run_pack",
]


MOST_HOURS = 87600  # ten years


def rules(clock: Callable[[], datetime] = lambda: datetime.now(timezone.utc)) -> list[Policy]:
    """Create all rules; some of them remember the resources that they have seen.

    Args:
        clock: the current time, for exceptions that expire and offers that are not answered.
    """
    return [
        *_about_recipients(clock),
        *_about_ownership(clock),
        *_about_answers(clock),
        *_about_windows(clock),
        *_about_providers(clock),
        *_about_style(clock),
    ]


def _about_recipients(clock: Callable[[], datetime]) -> list[Policy]:
    allowed = Rule(
        "allowed-recipients",
        "Backups may only be shared with allowed recipients.",
        judge.only_allowed,
        clock,
        properties={"recipients": projects("note"), "recipients_file": PATH},
        level=EnforcementLevel.REMEDIATE,  # mandatory; without a list, see `whole.in_force`
        about_recipients=True,
    )
    denied = Rule(
        "denied-recipients",
        "Backups must not be shared with denied recipients.",
        judge.none_denied,
        clock,
        properties={"recipients": projects()},
        level=EnforcementLevel.MANDATORY,
        about_recipients=True,
    )
    most = Rule(
        "most-recipients",
        "A backup must not have more recipients than the policy allows.",
        judge.at_most(judge.Ledger()),
        clock,
        properties={"most": number(judge.MOST)},
    )
    return [share_rule(allowed), share_rule(denied), share_rule(most)]


def _about_ownership(clock: Callable[[], datetime]) -> list[Policy]:
    mixed = Rule(
        "no-mixed-ownership",
        "The recipients of a backup must have one owner: one BackupShare, or BackupShareMembers only.",
        judge.one_owner(judge.Ledger()),
        clock,
    )
    protected = Rule(
        "protected-share",
        "Shares must be protected from deletion, except in the stacks that the policy names.",
        judge.is_protected,
        clock,
        properties={"stacks": texts("a list of stacks, as `stack` or `project/stack`")},
    )
    return [share_rule(mixed), share_rule(protected, *Role)]


def _about_answers(clock: Callable[[], datetime]) -> list[Policy]:
    pending = Rule(
        "pending-too-long",
        "Recipients must answer an offer in time.",
        judge.answered(clock),
        clock,
        properties={"days": number(3650)},
    )
    rejected = Rule("rejected-share", "No share may stay rejected.", judge.not_rejected, clock)
    return [stack_rule(pending, shares_of), stack_rule(rejected, shares_of)]


def _about_windows(clock: Callable[[], datetime]) -> list[Policy]:
    old = Rule(
        "recovery-point-too-old",
        "The newest backup of each server or disk in a VaultShare or a ReceivedBackups must be young enough.",
        recent(clock),
        clock,
        properties={"max_age_hours": number(MOST_HOURS)},
    )
    return [stack_rule(old, windows_of)]


def _about_providers(clock: Callable[[], datetime]) -> list[Policy]:
    plain = Rule(
        "no-plain-secrets",
        "Secrets in the configuration of a provider must be encrypted.",
        encrypted,
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
        judge.is_authoritative,
        clock,
        level=EnforcementLevel.DISABLED,
    )
    return [share_rule(authoritative)]


RULES = rules()
(
    allowed_recipients,
    denied_recipients,
    most_recipients,
    no_mixed_ownership,
    protected_share,
    pending_too_long,
    rejected_share,
    recovery_point_too_old,
    no_plain_secrets,
    authoritative_required,
) = RULES
