"""Which places are asked for a connection's settings, and in which order; and the credential that one place holds."""

from __future__ import annotations

import re

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


def places_of(connection: Connection, config: Config, environ: Mapping[str, str], home: Path) -> list[Source]:
    """All sources in order of precedence."""
    # Twice: the environment has names for single regions, and which region it is, any of the places may tell.
    region = first(_places_of(connection, config, environ, home, None), "region")
    return _places_of(connection, config, environ, home, region)


def _places_of(
    connection: Connection, config: Config, environ: Mapping[str, str], home: Path, region: str | None
) -> list[Source]:
    namespace = connection.namespace or DEFAULT_NAMESPACE
    named = namespace != DEFAULT_NAMESPACE
    prefix = re.sub(r"\W", "_", namespace).upper() + "_" if named else ""
    given = Source("Connection", _given(connection), {"region": "region", "project_id": "project_id"})
    stack = from_stack_config(config, namespace)
    groups = [[given], [stack], list(from_environment(environ, prefix, region))]
    places = _with_profile(groups, home, default_file=not named)
    if connection.profile:  # who calls is settled by the profile; the rest tells only where the cloud is
        places = places[:2] + [source.only(AMBIENT) for source in places[2:]]
    if named:
        plain = [from_stack_config(config, DEFAULT_NAMESPACE), *from_environment(environ, "", region)]
        return places + [source.only(AMBIENT) for source in plain]
    return places


def _given(connection: Connection) -> dict[str, str]:
    fields = {
        "region": connection.region,
        "project_id": connection.project_id,
        "cbr": connection.endpoint,
        "profile": connection.profile,
    }
    return {name: text for name, text in fields.items() if text}


def _with_profile(groups: list[list[Source]], home: Path, *, default_file: bool) -> list[Source]:
    """The groups in a row, each followed by the profile that it names; the default files last."""
    everything = [source for group in groups for source in group]
    file, places, named = first(everything, "profile_file"), list[Source](), False
    for group in groups:
        places += group
        profile = first(group, "profile")
        if not named and (profile or first(group, "profile_file")):
            named = True
            places += filter(None, [from_profile(home, file, profile)])
    if default_file and not named:
        places += _default_files(home, needed=not any(_has_credential(place) for place in places))
    return places


def _default_files(home: Path, *, needed: bool) -> list[Source]:
    """Files that nobody named; a broken one is trouble only for who has no other credential."""
    try:
        return [place for place in (from_profile(home, None, None), from_sdk_file(home)) if place]
    except SettingsError:
        if needed:
            raise
        return []


def _has_credential(place: Source) -> bool:
    return any(place.get(name) for name in ("access_key", "token", "password"))


def first(places: Iterable[Source], name: str) -> str | None:
    """The value of a field in the first place that has it."""
    return next(filter(None, (place.get(name) for place in places)), None)


def is_file(place: Source) -> bool:
    """Whether a source is a file, not this run's own configuration."""
    return place.label.startswith(("profile ", "file "))


def credential_in(place: Source) -> Credential | None:
    """The credential that one source holds: an access key, else a token, else a user with password.

    Raises:
        SettingsError: it holds half of one, or one that cannot be sent. Another place's is not taken instead: it could
            be another account's.
    """
    for name in ("access_key", "secret_key", "security_token", "token"):
        trouble = trouble_with_key(place.get(name) or "-")
        if trouble:
            raise SettingsError(f"{place.where(name)} {trouble}: give it in one line, as it was issued")
    if place.get("access_key") or place.get("secret_key"):
        return _access_key(place)
    if token := place.get("token"):
        return Token(Secret(token), place.where("token"))
    if password := place.get("password"):
        return _password(place, Secret(password))
    return None


def _access_key(place: Source) -> AccessKey:
    access, secret, token = (place.get(name) for name in ("access_key", "secret_key", "security_token"))
    if not access or not secret:
        have, lack = ("access_key", "secret_key") if access else ("secret_key", "access_key")
        raise SettingsError(f"{place.where(have)} is set without {place.where(lack)}; both come from one place")
    return AccessKey(access, Secret(secret), Secret(token) if token else None, place.where("access_key"))


def _password(place: Source, password: Secret) -> Password:
    user, user_id, domain, domain_id = (
        place.get(name) for name in ("user_name", "user_id", "domain_name", "domain_id")
    )
    if not user and not user_id:
        raise SettingsError(f"{place.where('password')} is set without {place.where('user_name')}")
    if not user_id and not domain and not domain_id:
        raise SettingsError(
            f"{place.where('user_name')} is set without {place.where('domain_name')}, the account's name"
        )
    return Password(user, user_id, domain, domain_id, password, place.where("password"))
