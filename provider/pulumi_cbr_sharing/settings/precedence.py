"""The order of precedence of a connection's sources."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from pulumi_cbr_sharing.errors import SettingsError
from pulumi_cbr_sharing.settings.connection import DEFAULT_NAMESPACE
from pulumi_cbr_sharing.settings.sources import (
    AMBIENT,
    Source,
    environment_prefix,
    from_environment,
    from_profile,
    from_sdk_file,
    from_stack_config,
)


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pulumi_cbr_sharing.settings.connection import Connection
    from pulumi_cbr_sharing.settings.sources import Config


def sources_of(connection: Connection, config: Config, environ: Mapping[str, str], home: Path) -> list[Source]:
    """All sources of a connection's settings, in order of precedence."""
    # Twice: some environment variables are for one region, and any source may say which region is used.
    region = first(_sources_of(connection, config, environ, home, None), "region")
    return _sources_of(connection, config, environ, home, region)


def _sources_of(
    connection: Connection, config: Config, environ: Mapping[str, str], home: Path, region: str | None
) -> list[Source]:
    namespace = connection.namespace or DEFAULT_NAMESPACE
    named = namespace != DEFAULT_NAMESPACE
    given = {
        "region": connection.region or "",
        "project_id": connection.project_id or "",
        "cbr": connection.endpoint or "",
        "profile": connection.profile or "",
    }
    groups = [
        [Source("Connection", given, {"region": "region", "project_id": "project_id"})],
        [from_stack_config(config, namespace)],
        list(from_environment(environ, environment_prefix(namespace), region)),
    ]
    sources = _with_profile(groups, home, default_files=not named)
    if connection.profile:  # its credential is used; the sources after it tell only where the cloud is
        sources = sources[:2] + [source.only(AMBIENT) for source in sources[2:]]
    if named:
        default = [from_stack_config(config, DEFAULT_NAMESPACE), *from_environment(environ, "", region)]
        sources += [source.only(AMBIENT) for source in default]
    return sources


def _with_profile(groups: list[list[Source]], home: Path, *, default_files: bool) -> list[Source]:
    """All groups, the first that names a profile followed by that profile. If none does, default files come last."""
    file = first(chain(*groups), "profile_file")
    naming = next((group for group in groups if first(group, "profile") or first(group, "profile_file")), None)
    if naming is not None:
        naming += filter(None, [from_profile(home, file, first(naming, "profile"))])
    sources = list(chain(*groups))
    if default_files and naming is None:
        sources += _default_files(home, needed=not any(map(_has_credential, sources)))
    return sources


def _default_files(home: Path, *, needed: bool) -> list[Source]:
    """The files that need not be named; a broken one is an error only if it is needed for a credential."""
    try:
        return [source for source in (from_profile(home, None, None), from_sdk_file(home)) if source]
    except SettingsError:
        if needed:
            raise
        return []


def _has_credential(source: Source) -> bool:
    return any(map(source.get, ("access_key", "token", "password")))


def first(sources: Iterable[Source], name: str) -> str | None:
    """The value of a field in the first source that has it."""
    return next(filter(None, (source.get(name) for source in sources)), None)
