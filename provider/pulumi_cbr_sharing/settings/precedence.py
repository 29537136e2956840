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
from pulumi_cbr_sharing.settings.endpoints import REGIONS, region_in_address, region_in_name
from pulumi_cbr_sharing.settings.files import from_entry, from_profile, from_sdk_file
from pulumi_cbr_sharing.settings.sources import (
    AMBIENT,
    NAMES,
    PROJECT,
    Source,
    environment_prefix,
    from_environment,
    from_stack_config,
    names_of,
)


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pulumi_cbr_sharing.settings.connection import Connection
    from pulumi_cbr_sharing.settings.sources import Config


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
    environment = [*from_environment(environ, environment_prefix(namespace))]
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
    sources, of_region = _with_region([*sources, *(source.only(AMBIENT) for source in ambient)])
    sources, of_project = _with_one_project(sources)
    notes = [*(signer.notes if signer else ()), *of_region, *of_project]
    return Ranking(sources, signer, [*map(_shown, signers[1:]), *outranked], notes)


def _named(*groups: list[Source]) -> tuple[list[list[Source]], list[str]]:
    """What each group names, and what is not read because another group names one of the same kind."""
    found: list[list[Source]] = [[] for _ in groups]
    lost, everywhere = [], [*chain(*groups)]
    for fields in (("profile", "profile_file"), ("entry",), ("ini_file",)):
        naming = [
            (number, source, next(filter(source.get, fields)))
            for number, group in enumerate(groups)
            for source in group
            if any(map(source.get, fields))
        ]
        for number, source, name in naming[:1]:
            asked = first(chain(*groups[: max(number, 1)]), "region")
            found[number].append(_read(fields[0], source.where(name), everywhere, asked))
        lost += [f"{source.where(name)}={source.get(name)}" for _, source, name in naming[1:]]
    return found, lost


def _read(kind: str, named_by: str, everywhere: list[Source], region: str | None) -> Source:
    profile, file, entry, clouds, secure, ini, usual = (
        first(everywhere, name)
        for name in ("profile", "profile_file", "entry", "entry_file", "secure_file", "ini_file", "region")
    )
    if kind == "entry":
        usual = first((source for source in everywhere if source.family == "OS_"), "region") or usual
        return from_entry(entry or "", named_by=named_by, regions=(region, usual), files=(clouds, secure))
    found = from_profile(file, profile, named_by) if kind == "profile" else from_sdk_file(ini, named_by)
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


def _with_region(sources: list[Source]) -> tuple[list[Source], list[str]]:
    """Let the names of projects and the address of IAM tell the region, if nothing else does."""
    region, notes = first(sources, "region"), []
    if region is None:
        ways = (("project_name", region_in_name), ("iam", region_in_address))
        told = [
            (way(text), name, each.label)
            for field, way in ways
            for each in sources
            for name, text in each.all(field).items()
        ]
        told.sort(key=lambda each: each[0] not in REGIONS)
        region, name, label = next((each for each in told if each[0]), (None, "", ""))
        if region:
            sources = [*sources, Source(label, {name: region}, {"region": name})]
            notes = [f"the region {region} is that of {name}, as nothing else names one"]
    return [source.in_region(region) for source in sources] if region else sources, notes


def _with_one_project(sources: list[Source]) -> tuple[list[Source], list[str]]:
    """Let one source name the project: an id or a name counts in the region of its own source only."""
    region, usual = first(sources, "region"), first(sources[1:], "region")
    used, notes, others = None, list[str](), NAMES.keys() - PROJECT
    for source in sources:
        if (name := next(filter(source.get, ("project_id", "project_name")), None)) and not used:
            own = region_in_name(source.get("project_name") or "")
            own = source.get("region") or (own if own in REGIONS else usual)
            if source is sources[0] or region is None or own in (None, region):
                used = source
            else:
                notes.append(f"{source.where(name)} is not used: it is in {own}, and that of {region} is looked up")
    for values in (used.all(field) for field in PROJECT if used):
        notes += [
            f"{next(iter(values))} is used, not {name}"
            for name in values
            if values[name] != next(iter(values.values()))
        ]
    given = [source for source in sources if any(map(source.get, PROJECT)) and source is not used]
    return [source.only(others) if source in given else source for source in sources], notes


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
