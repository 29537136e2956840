"""The order in which sources are asked for a connection's settings, and the credential that one source holds."""

from __future__ import annotations

import re

from itertools import chain
from typing import TYPE_CHECKING

from pulumi_cbr_sharing.errors import SettingsError
from pulumi_cbr_sharing.settings.connection import DEFAULT_NAMESPACE
from pulumi_cbr_sharing.settings.credentials import AccessKey, Credential, Password, Secret, Token, trouble_with_key
from pulumi_cbr_sharing.settings.sources import (
    AMBIENT,
    Source,
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
    """All sources of a connection's settings, in order of precedence: explicit over ambient."""
    # Twice: the environment has names for single regions, and any of the sources may say which region it is.
    region = first(_sources_of(connection, config, environ, home, None), "region")
    return _sources_of(connection, config, environ, home, region)


def _sources_of(
    connection: Connection, config: Config, environ: Mapping[str, str], home: Path, region: str | None
) -> list[Source]:
    namespace = connection.namespace or DEFAULT_NAMESPACE
    named = namespace != DEFAULT_NAMESPACE
    prefix = re.sub(r"\W", "_", namespace).upper() + "_" if named else ""
    given = Source("Connection", _given(connection), {"region": "region", "project_id": "project_id"})
    stack = from_stack_config(config, namespace)
    groups = [[given], [stack], list(from_environment(environ, prefix, region))]
    sources = _with_profile(groups, home, default_files=not named)
    if connection.profile:  # the profile is the caller; what comes after it tells only where the cloud is
        sources = sources[:2] + [source.only(AMBIENT) for source in sources[2:]]
    if named:
        plain = [from_stack_config(config, DEFAULT_NAMESPACE), *from_environment(environ, "", region)]
        sources += [source.only(AMBIENT) for source in plain]
    return sources


def _given(connection: Connection) -> dict[str, str]:
    fields = {
        "region": connection.region,
        "project_id": connection.project_id,
        "cbr": connection.endpoint,
        "profile": connection.profile,
    }
    return {name: text for name, text in fields.items() if text}


def _with_profile(groups: list[list[Source]], home: Path, *, default_files: bool) -> list[Source]:
    """All groups; the first that names a profile is followed by it. If none does, the default files come last."""
    file, sources, named = first(chain(*groups), "profile_file"), list[Source](), False
    for group in groups:
        sources += group
        profile = first(group, "profile")
        if not named and (profile or first(group, "profile_file")):
            named = True
            sources += filter(None, [from_profile(home, file, profile)])
    if default_files and not named:
        sources += _default_files(home, needed=not any(map(_has_credential, sources)))
    return sources


def _default_files(home: Path, *, needed: bool) -> list[Source]:
    """Files that nobody named; a broken one is an error only if there is no other credential."""
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


def credential_in(source: Source) -> Credential | None:
    """The credential that one source holds: an access key, else a token, else a user with password.

    Raises:
        SettingsError: it holds half of one, or one that cannot be sent. That of another source is not taken instead: it
            could be another account's.
    """
    for name in ("access_key", "secret_key", "security_token", "token"):
        trouble = trouble_with_key(source.get(name) or "-")
        if trouble:
            raise SettingsError(f"{source.where(name)} {trouble}: give it in one line, as it was issued")
    if source.get("access_key") or source.get("secret_key"):
        return _access_key(source)
    if token := source.get("token"):
        return Token(Secret(token), source.where("token"))
    if password := source.get("password"):
        return _password(source, Secret(password))
    return None


def _access_key(source: Source) -> AccessKey:
    access, secret, token = (source.get(name) for name in ("access_key", "secret_key", "security_token"))
    if not access or not secret:
        have, lack = ("access_key", "secret_key") if access else ("secret_key", "access_key")
        raise SettingsError(f"{source.where(have)} is set without {source.where(lack)}; both come from one place")
    return AccessKey(access, Secret(secret), Secret(token) if token else None, source.where("access_key"))


def _password(source: Source, password: Secret) -> Password:
    user, user_id, domain, domain_id = (
        source.get(name) for name in ("user_name", "user_id", "domain_name", "domain_id")
    )
    if not user and not user_id:
        raise SettingsError(f"{source.where('password')} is set without {source.where('user_name')}")
    if not user_id and not domain and not domain_id:
        raise SettingsError(
            f"{source.where('user_name')} is set without {source.where('domain_name')}, the account's name"
        )
    return Password(user, user_id, domain, domain_id, password, source.where("password"))
