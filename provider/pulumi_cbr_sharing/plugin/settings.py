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


def problems_with(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Names that are no settings, with what is wrong with them; the engine hands on whatever a stack has."""
    known = schema()["config"]["variables"]
    yield from unknown_names(config.keys() - _OF_THE_ENGINE, known, "setting")


def unknown_names(given: Iterable[str], known: Iterable[str], what: str) -> Iterator[tuple[str, str]]:
    """Names that are none of those known, with a sentence."""
    for name in sorted(set(given) - set(known)):
        if not name.startswith("__"):  # the engine's own
            yield name, f"there is no {what} {name}: the names are {', '.join(sorted(known))}"


def settings_of(config: Mapping[str, Any]) -> Settings:
    """The settings of a configuration, completed from the environment and from files.

    Raises:
        SettingsError: something is missing or not valid.
    """
    named = {f"{NATIVE_NAMESPACE}:{name}": value for name, value in config.items()}
    return resolve(Connection(namespace=NATIVE_NAMESPACE), config=named, environ=os.environ)
