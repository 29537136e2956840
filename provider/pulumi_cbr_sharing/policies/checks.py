"""What each rule finds in a share or a provider, before levels and exceptions.

Each function yields a `Violation` for a violation, and `Unchecked` for what is not known yet.
"""

from __future__ import annotations

import re
import threading

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.policies.policy import Unchecked, Violation
from pulumi_cbr_sharing.policies.properties import SecretText, UnknownValue, Unmarked, inputs_of, properties_of, shown
from pulumi_cbr_sharing.policies.sharing_resources import DYNAMIC_PROVIDER, Role, SharingResource, recipients_in
from pulumi_cbr_sharing.timestamps import moment


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pulumi_policy import ResourceValidationArgs

    from pulumi_cbr_sharing.policies.policy import Judge

    Config = Mapping[str, Any]
    Said = Iterator[Violation | Unchecked]


MOST = 10  # the service's limit of recipients of a backup
DAYS = 7  # how long a recipient may take to answer
A_PROJECT = re.compile("[0-9a-f]{32}")
# The configuration of dynamic providers is that of the whole stack, with namespaces.
PROVIDERS = tuple(f"pulumi:providers:{name}" for name in ("cbr-sharing", "huaweicloud", "opentelekomcloud"))
SECRETS = ("secretKey", "securityToken", "password", "token")  # the id of an access key is not secret


class SharesSoFar:
    """The shares that a deployment has declared so far."""

    def __init__(self) -> None:
        self._shares: dict[tuple[str, Any], SharingResource] = {}
        self._lock = threading.Lock()

    def beside(self, share: SharingResource) -> list[SharingResource]:
        """Add a share; returns the others of the same backup."""
        with self._lock:
            self._shares[share.urn, share.backup] = share
            others = [other for other in self._shares.values() if other.urn != share.urn]
        return [other for other in others if other.backup == share.backup and isinstance(share.backup, str)]


def only_allowed(share: SharingResource, config: Config) -> Said:
    """Recipients that are not allowed."""
    if "recipients_file" in config:  # `run_pack` reads it; a plain pack of the SDK does not
        yield Violation(f"recipients_file was not read, so {share.label} may not share: run the rule with `run_pack`")
        return
    if "recipients" not in config:
        yield Violation(
            f"no recipients are configured, so {share.label} may not share: list the allowed ones, or "
            "set the rule to disabled"
        )
        return
    allowed = {entry["project_id"]: entry["note"] for entry in config["recipients"]}
    named = ", ".join(f"{project} ({note})" for project, note in allowed.items()) or "nobody"
    for project in share.recipients:
        if project not in allowed:
            yield Violation(
                f"{_shares(share, project)}, which is not among the allowed recipients: share with one that is "
                f"({named}), or ask those who keep the policy to add it, or an exception",
                (project,),
            )
    yield from _unseen_recipients(share)


def none_denied(share: SharingResource, config: Config) -> Said:
    """Recipients that are denied."""
    denied = {entry["project_id"]: entry.get("note") for entry in config.get("recipients", ())}
    if not denied:
        return
    for project in share.recipients:
        if project in denied:
            why = f" ({denied[project]})" if denied[project] else ""
            yield Violation(f"{_shares(share, project)}, which is denied{why}: remove this recipient", (project,))
        elif not A_PROJECT.fullmatch(project):
            yield Violation(
                f"{_shares(share, project)}, which is not a project id and cannot be compared with the denied ones: "
                "give the 32 hexadecimal digits",
                (project,),
            )
    yield from _unseen_recipients(share)


def _shares(share: SharingResource, project: str) -> str:
    return f"{share.label} shares {share.backup_named} with project {shown(project)}"


def _unseen_recipients(share: SharingResource) -> Said:
    if share.hidden:
        yield Violation(
            f"{share.label} shares {share.backup_named} and names no recipient that a policy could see: give "
            "dest_project_id or dest_project_ids"
        )
    if share.unknown_recipients:
        yield _later(share, "a recipient")


def _later(share: SharingResource, what: str) -> Unchecked:
    return Unchecked(
        f"cannot be checked yet: {what} of {share.label} ({share.backup_named}) is known only after another resource "
        "is created; the update checks it, before it sends anything for this resource"
    )


def at_most(declared: SharesSoFar) -> Judge[SharingResource]:
    """Backups with too many recipients in all resources that share them."""

    def judge(share: SharingResource, config: Config) -> Said:
        most, beside = int(config.get("most", MOST)), declared.beside(share)
        known = not isinstance(share.backup, UnknownValue)
        together = [share, *beside] if known else [share]
        recipients = {project for each in together for project in each.recipients}
        if len(recipients) > most:
            named = ", ".join(sorted(map(shown, recipients)))
            yield Violation(
                f"{share.backup_named} must have at most {most} recipients; with {share.label} it has "
                f"{len(recipients)} ({named}): remove {len(recipients) - most} of them",
                share.recipients,
                unsure=bool(share.unknown_recipients),
            )
        elif not known:
            yield _later(share, "the backup")
        elif len(recipients) + sum(each.unknown_recipients for each in together) > most:
            yield _later(share, "the number of recipients")

    return judge


def one_owner(declared: SharesSoFar) -> Judge[SharingResource]:
    """Backups whose recipients a BackupShare and another resource own."""

    def judge(share: SharingResource, _: Config) -> Said:
        beside = declared.beside(share)
        if isinstance(share.backup, UnknownValue):
            yield _later(share, "the backup")
            return
        for other in beside:
            if Role.SET in (share.role, other.role):
                yield Violation(
                    f"{share.label} and {other.label} both own recipients of {share.backup_named}, and one undoes the "
                    "other's work: name all of its recipients in one BackupShare, or each in a BackupShareMember",
                    share.recipients,
                    unsure=bool(share.unknown_recipients),
                )

    return judge


def is_protected(share: SharingResource, config: Config) -> Said:
    """Shares without `protect`, except in the stacks where it is not required."""
    if share.protected or share.in_stack_of(config.get("stacks", ())):
        return
    yield Violation(
        f"{_named(share)} must be protected, and stack {share.stack} is not among those that need not: "
        "give it opts=pulumi.ResourceOptions(protect=True)",
        share.recipients,
        unsure=bool(share.unknown_recipients),
    )


def _named(share: SharingResource) -> str:
    to = f" for project {', '.join(map(shown, share.recipients))}" if share.recipients else ""
    return f"{share.label} ({share.backup_named}{to})"


def is_authoritative(share: SharingResource, _: Config) -> Said:
    """Shares that declare a single recipient."""
    if share.role is Role.MEMBER:
        yield Violation(
            f"{_named(share)} adds one recipient, whoever else has the backup: name all of them in one BackupShare",
            share.recipients,
            unsure=bool(share.unknown_recipients),
        )


def answered(clock: Callable[[], datetime]) -> Judge[SharingResource]:
    """Offers that have not been answered in time."""

    def judge(share: SharingResource, config: Config) -> Said:
        days = int(config.get("days", DAYS))
        for project, status, since in share.standings:
            if isinstance(status, UnknownValue):
                yield _later(share, "the status")
            elif status == "pending" and _older(since, timedelta(days=days), clock()):
                yield Violation(
                    f"{_shares(share, project)}, which has not answered since {since or 'an unknown time'} "
                    f"(allowed: {days} days): ask its owner to accept, or cancel the share",
                    (project,),
                )

    return judge


def _older(since: Any, age: timedelta, now: datetime) -> bool:
    """Whether a time is longer ago; an unknown one is not."""
    at = moment(since)
    return not age if at is None else now - at > age


def not_rejected(share: SharingResource, _: Config) -> Said:
    """Shares that the recipient has rejected."""
    for project, status, _since in share.standings:
        if isinstance(status, UnknownValue):
            yield _later(share, "the status")
        elif status == "rejected":
            yield Violation(
                f"{_shares(share, project)}, which rejected it: agree with its owner and run `pulumi up --refresh`, "
                "which offers it again, or remove this recipient",
                (project,),
            )


def as_declared(share: SharingResource, _: Config) -> Said:
    """Recipients that a provider reports in its outputs, and the inputs did not name."""
    inputs = inputs_of(share.urn)
    declared = recipients_in(inputs or {})
    if inputs is None or not all(isinstance(each, str) for each in declared):
        return  # the inputs are not known, or the update knows more
    for project in share.recipients:
        if project not in declared:
            yield Violation(
                f"{_shares(share, project)} in its outputs, and does not name it in its inputs: name it there, where "
                "the rules about recipients judge it, or find out why its provider reports it",
                (project,),
            )


def is_encrypted(provider: ResourceValidationArgs, config: Config) -> Said:
    """Secrets of a provider that are plain text."""
    keys = _secret_keys(provider.resource_type, config)
    props = properties_of(provider) if keys else {}
    for key in keys:
        value = props.get(key)
        if isinstance(value, UnknownValue):
            yield Unchecked(
                f"cannot be checked yet: {key} of provider '{provider.name}' is known only after another resource is "
                "created; the update checks it"
            )
        elif isinstance(value, Unmarked):
            yield Violation(
                f"it is not known whether {key} of provider '{provider.name}' is encrypted: run the rules with "
                "pulumi_cbr_sharing.policies.run_pack, which keeps the marks of secrets"
            )
        elif value not in (None, "") and not isinstance(value, SecretText):
            yield Violation(
                f"{key} of provider '{provider.name}' ({provider.resource_type}) is plain text, and can be read in the "
                "state: set it with `pulumi config set --secret`, wrap it in pulumi.Output.secret(), or set it in "
                "the environment"
            )


def _secret_keys(token: str, config: Config) -> list[str]:
    names = [*SECRETS, *config.get("names", ())]
    if token == DYNAMIC_PROVIDER:
        return [f"{namespace}:{name}" for namespace in config.get("namespaces", ("huaweicloud",)) for name in names]
    return names if token in PROVIDERS else []
