"""The order of precedence of a connection's sources, which of them signs, and what the others may give.

    1  what a Connection names, then the stack config: a profile or entry that it names, then its own keys
    2  what the environment names: a profile, an entry of clouds.yaml, an SDK file
    3  the environment's identity tokens, then its other credentials: HW_, OS_, HUAWEICLOUD_SDK_
    4  files that are just there: the current profile of the vendor's command line, the SDK's file
    5  the agency of the server

The first source with a credential signs, and if it was named and has none, that is an error. From the default names, a
connection with a namespace takes where the cloud is, never the credential or the project.
"""

from __future__ import annotations

from dataclasses import asdict
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from pulumi_cbr_sharing.settings.connection import DEFAULT_NAMESPACE, NATIVE_NAMESPACE, PLAIN_NAMESPACES
from pulumi_cbr_sharing.settings.credentials import MARKS, unknown_kind
from pulumi_cbr_sharing.settings.endpoints import REGIONS, region_in
from pulumi_cbr_sharing.settings.files import from_entry, from_profile, from_sdk_file
from pulumi_cbr_sharing.settings.sources import NAMES, Source, from_environment, from_stack_config, names_of


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pulumi_cbr_sharing.settings.connection import Connection
    from pulumi_cbr_sharing.settings.sources import Config


# What a connection with its own namespace may take from the default names: where the cloud is, never whose credential.
AMBIENT = {"region", "cloud", "cbr", "iam", "sts", "insecure", "ca", "cert", "key", "max_retries", "plan_checks"}
PROJECT = {"project_id", "project_name"}


class Ranking(NamedTuple):
    """The sources of a connection's settings.

    Attributes:
        sources: in order of precedence, each with the fields that it may give.
        signer: the one that has the credential; None if there is none.
        outranked: the other sources that have a credential, for messages.
        notes: what the user should know about what was chosen.
    """

    sources: list[Source]
    signer: Source | None
    outranked: list[str]
    notes: list[str]


def rank(connection: Connection, config: Config | None, environ: Mapping[str, str]) -> Ranking:
    """All sources of a connection's settings in order of precedence; no stack config is one of them if it is None."""
    namespace = connection.namespace or DEFAULT_NAMESPACE
    plain = namespace in PLAIN_NAMESPACES
    names = {} if namespace == NATIVE_NAMESPACE else names_of("connection")  # the plugin has explicit providers instead
    given = Source("Connection", asdict(connection), names, kind="connection")
    stack = from_stack_config(config, namespace)
    environment = [*from_environment(environ, namespace)]
    ambient = [] if plain else [from_stack_config(config, DEFAULT_NAMESPACE), *from_environment(environ)]
    named, outranked = _named([given], [stack], environment)
    candidates = [*named[0], *named[1], stack, *named[2], *environment]
    if plain and not any(named):
        candidates += filter(None, (from_profile(), from_sdk_file()))
    signers = list(filter(_has_credential, candidates))
    server = Source("this server", {"server": "yes"}, names_of("profile"), kind="server")
    signer = next(iter(signers), server if plain else None)
    # A plugin's configuration may be an explicit provider's.
    alone = signer is stack and namespace == NATIVE_NAMESPACE
    sources = [given, *(_narrowed(source, signer, connection, alone=alone) for source in candidates)]
    notes = [*signer.notes] if signer else []
    sources = _with_region([*sources, *(source.only(AMBIENT) for source in ambient)], notes)
    sources = _with_one_project(sources, notes)
    return Ranking(sources, signer, [*map(_shown, signers[1:]), *outranked], notes)


def _named(*groups: list[Source]) -> tuple[list[list[Source]], list[str]]:
    """What each group names, and what is not read because another group names one of the same kind."""
    found: list[list[Source]] = [[] for _ in groups]
    lost, numbered = [], [(number, source) for number, group in enumerate(groups) for source in group]
    for fields in (("profile", "profile_file"), ("entry",), ("ini_file",)):
        naming = [(*each, name) for each in numbered if (name := next(filter(each[1].get, fields), ""))]
        for number, source, name in naming[:1]:
            asked = first(chain(*groups[: max(number, 1)]), "region")
            found[number].append(_read(fields[0], source.where(name), [*chain(*groups)], asked))
        lost += [f"{source.where(name)}={source.get(name)}" for _, source, name in naming[1:]]
    return found, lost


def _read(kind: str, named_by: str, everywhere: list[Source], region: str | None) -> Source:
    def given(name: str) -> str | None:
        return first(everywhere, name)

    if kind == "entry":
        usual = first((source for source in everywhere if source.family == "OS_"), "region") or given("region")
        files = (given("entry_file"), given("secure_file"))
        return from_entry(given("entry") or "", named_by=named_by, regions=(region, usual), files=files)
    of_profile = (given("profile_file"), given("profile"))
    found = from_profile(*of_profile, named_by) if kind == "profile" else from_sdk_file(given("ini_file"), named_by)
    assert found  # noqa: S101 - what was named is a source, even if it cannot be used
    return found


def _has_credential(source: Source) -> bool:
    """Whether a source has a credential, or should have."""
    return bool(source.named_by or source.trouble or any(map(source.get, MARKS)) or unknown_kind(source))


def _shown(source: Source) -> str:
    mark = next(filter(source.get, MARKS), "auth_type")
    named = f" ({source.named_by})" if source.named_by else ""
    return f"{source.label}{named}" if source.is_file else source.where(mark)


def _narrowed(source: Source, signer: Source | None, connection: Connection, *, alone: bool) -> Source:
    """A source with what it may give beside the one that signs; at most where the cloud is, if that stands alone."""
    # Beside an agency in the Connection, the other sources name the project of the user's own account.
    fields = NAMES.keys() - PROJECT if connection.agency else set(NAMES)
    if signer and source is not signer:
        if source.is_file:  # what a file says is about its own credential
            fields = set()
        elif alone or signer.named_by.startswith("Connection "):
            fields &= AMBIENT
        if source.family == "OS_" != signer.family:  # OS_AUTH_URL is often that of another cloud
            # The OpenStack tools take nothing from the environment beside an entry.
            fields &= (AMBIENT if signer.kind == "entry" else NAMES.keys()) - {"iam"}
    return source.only(fields)


def _with_region(sources: list[Source], notes: list[str]) -> list[Source]:
    """Let the names of projects and the address of IAM tell the region, if nothing else does."""
    region = first(sources, "region")
    if region is None:
        each = ((source.label, source.all(field)) for field in ("project_name", "iam") for source in sources)
        told = [(region_in(text), name, label) for label, names in each for name, text in names.items()]
        told.sort(key=lambda one: one[0] not in REGIONS)
        region, name, label = next((one for one in told if one[0]), (None, "", ""))
        if region is None:
            return sources
        sources = [*sources, Source(label, {name: region}, {"region": name})]
        notes.append(f"the region {region} is that of {name}, as nothing else names one")
    return [source.in_region(region) for source in sources]


def _with_one_project(sources: list[Source], notes: list[str]) -> list[Source]:
    """Let one source name the project: an id or a name counts in the region of its own source only."""
    region, usual, used = first(sources, "region"), first(sources[1:], "region"), None
    for source in sources:
        if (name := next(filter(source.get, ("project_id", "project_name")), None)) and not used:
            own = region_in(source.get("project_name") or "")
            own = source.get("region") or (own if own in REGIONS else usual)
            if source is sources[0] or region is None or own in (None, region):
                used = source
            else:
                notes.append(f"{source.where(name)} is not used: it is in {own}, and that of {region} is looked up")
    for values in (used.all(field) for field in PROJECT if used):
        first_name = next(iter(values), "")
        notes += [f"{first_name} is used, not {name}" for name in values if values[name] != values[first_name]]
    losers = [source is not used and any(map(source.get, PROJECT)) for source in sources]
    return [each.only(NAMES.keys() - PROJECT) if lost else each for each, lost in zip(sources, losers, strict=True)]


def first(sources: Iterable[Source], *fields: str) -> str | None:
    """The value of a field, or of the first of some, in the first source that has it."""
    return next(filter(None, (source.get(field) for source in sources for field in fields)), None)


def where(sources: Iterable[Source], field: str) -> str:
    """Where a field was set, or can be set: `stack config huaweicloud:region, environment HW_REGION_NAME`."""
    if has := next((source for source in sources if source.get(field)), None):
        return has.where(field)
    seen: dict[str, list[str]] = {}
    for source in sources:
        if (name := source.name_of(field)) and not source.is_file:
            seen.setdefault(source.label, []).append(name)
    return ", ".join(f"{label} {' or '.join(names)}" for label, names in seen.items())
