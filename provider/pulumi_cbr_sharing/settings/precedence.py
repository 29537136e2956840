"""The order of precedence of a connection's sources, and what each of them may give.

Explicit sources come first: fields of the Connection, stack config, environment, files. From the default names, a
connection with a namespace takes where the cloud is, never the credential or the project.
"""

from __future__ import annotations

from dataclasses import asdict
from itertools import chain
from typing import TYPE_CHECKING

from pulumi_cbr_sharing.errors import SettingsError
from pulumi_cbr_sharing.settings.connection import DEFAULT_NAMESPACE, NATIVE_NAMESPACE, PLAIN_NAMESPACES
from pulumi_cbr_sharing.settings.sources import (
    AMBIENT,
    NAMES,
    Source,
    environment_prefix,
    from_environment,
    from_profile,
    from_sdk_file,
    from_stack_config,
)


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pulumi_cbr_sharing.settings.connection import Connection
    from pulumi_cbr_sharing.settings.sources import Config


_CONNECTION = {"region": "region", "project_id": "project_id", "cbr": "endpoint", "profile": "profile"}
_CREDENTIAL = ("access_key", "secret_key", "token", "password")
_PROJECT = {"project_id", "project_name"}


def sources_of(connection: Connection, config: Config, environ: Mapping[str, str]) -> list[Source]:
    """All sources of a connection's settings, in order of precedence, each with the fields that it may give."""
    namespace = connection.namespace or DEFAULT_NAMESPACE
    groups = [
        [Source("Connection", asdict(connection), _CONNECTION)],
        [from_stack_config(config, namespace)],
        [*from_environment(environ, environment_prefix(namespace))],
    ]
    sources = _with_files(groups, default_files=namespace in PLAIN_NAMESPACES)
    # The sources after the profile of a Connection, after the credential of a plugin's configuration, which may be an
    # explicit provider's, or those of the default names, tell only where the cloud is.
    explicit = connection.profile or (namespace == NATIVE_NAMESPACE and _has_credential(sources[1]))
    own = 2 if explicit else len(sources)
    if namespace not in PLAIN_NAMESPACES:
        sources += [from_stack_config(config, DEFAULT_NAMESPACE), *from_environment(environ)]
    sources[own:] = [source.only(AMBIENT) for source in sources[own:]]
    if connection.agency:  # the other sources name the project of the user's own account
        sources[1:] = [source.only(NAMES.keys() - _PROJECT) for source in sources[1:]]
    # What a file says of the caller is about its own credential.
    used = next(filter(_has_credential, sources), None)
    unused = {"region", *_CREDENTIAL}
    sources = [source.only(unused) if source.is_file and source is not used else source for source in sources]
    region = first(sources, "region")
    return [source.in_region(region) for source in sources] if region else sources


def _with_files(groups: list[list[Source]], *, default_files: bool) -> list[Source]:
    """All groups, the first that names a profile followed by that profile. If none does, default files come last."""
    for group in groups:
        profile = first(group, "profile")
        if profile or first(group, "profile_file"):
            group.extend(from_profile(first(chain(*groups), "profile_file"), profile))
            return [*chain(*groups)]
    sources = [*chain(*groups)]
    try:
        return [*sources, *from_profile(), *from_sdk_file()] if default_files else sources
    except SettingsError:  # a broken file that nobody named is only an error if its credential is needed
        if any(map(_has_credential, sources)):
            return sources
        raise


def _has_credential(source: Source) -> bool:
    return any(map(source.get, _CREDENTIAL))


def first(sources: Iterable[Source], field: str) -> str | None:
    """The value of a field in the first source that has it."""
    return next(filter(None, (source.get(field) for source in sources)), None)
