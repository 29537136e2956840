"""The configuration of the plugin: `cbr-sharing:region` … of a stack, or the properties of an explicit provider."""

from __future__ import annotations

import json
import os

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.plugin.semver import own_version
from pulumi_cbr_sharing.settings.connection import NATIVE_NAMESPACE, Connection
from pulumi_cbr_sharing.settings.resolve import resolve
from pulumi_cbr_sharing.sharing.inputs import Problem


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pulumi_cbr_sharing.settings.resolve import Settings


# What the engine itself puts among a provider's properties.
_OF_THE_ENGINE = {"version", "pluginDownloadURL"}


@cache
def schema() -> dict[str, Any]:
    """The schema, with the version of this package."""
    text = files("pulumi_cbr_sharing.plugin").joinpath("schema.json").read_text(encoding="utf-8")
    return {**json.loads(text), "version": own_version()}


def problems_with(config: Mapping[str, Any]) -> Iterator[Problem]:
    """Names that are no settings, with what is wrong with them; the engine hands on whatever a stack has."""
    given = {name: value for name, value in config.items() if name not in _OF_THE_ENGINE}
    yield from wrong_names(given, schema()["config"]["variables"], "setting")


def wrong_names(
    given: Mapping[str, Any], known: Iterable[str], what: str, required: Iterable[str] = ()
) -> Iterator[Problem]:
    """Names that are none of those known, and those that are missing."""
    for name in sorted(set(given) - set(known)):
        if not name.startswith("__"):  # the engine's own
            yield Problem(name, f"there is no {what} {name}: the names are {', '.join(sorted(known))}")
    for name in required:
        if given.get(name) is None:
            yield Problem(name, "it is missing")


def settings_of(config: Mapping[str, Any]) -> Settings:
    """The settings of a configuration, completed from the environment and from files.

    Raises:
        SettingsError: something is missing or not valid.
    """
    named = {f"{NATIVE_NAMESPACE}:{name}": value for name, value in config.items()}
    return resolve(Connection(namespace=NATIVE_NAMESPACE), config=named, environ=os.environ)
