from __future__ import annotations

import json

from itertools import groupby
from typing import TYPE_CHECKING, Any

import pytest

from pulumi_cbr_sharing.errors import SettingsError
from pulumi_cbr_sharing.settings.connection import Connection
from pulumi_cbr_sharing.settings.credentials import AccessKey, Credential, Password, Secret, Token, credential_in
from pulumi_cbr_sharing.settings.precedence import first, rank
from pulumi_cbr_sharing.settings.sources import Source


if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(name="home", autouse=True)
def _home(tmp_path: Path) -> Path:
    """A home directory with both kinds of files."""
    (tmp_path / ".hcloud").mkdir()
    profiles = [
        {"name": name, "accessKeyId": f"AK-{name}", "secretAccessKey": "s", "region": f"xx-{name}-1"}
        for name in ("mine", "other")
    ]
    (tmp_path / ".hcloud/config.json").write_text(
        json.dumps({"authEncrypt": "false", "current": "mine", "profiles": profiles})
    )
    (tmp_path / ".huaweicloud").mkdir()
    (tmp_path / ".huaweicloud/credentials").write_text("[basic]\nak = AK-sdk\nsk = s\n")
    return tmp_path


def labels(home: Path, connection: Connection, config: dict[str, Any], environ: dict[str, str]) -> list[str]:
    """The labels of the sources in order, the environment once, without the directory."""
    sources = [source.label.replace(f"{home}/", "") for source in rank(connection, config, environ).sources]
    return [label for label, _ in groupby(sources)]


def source(**values: str) -> Source:
    """A source whose names are the fields in upper case."""
    names = {name: name.upper() for name in _FIELDS}
    return Source("environment", {names[name]: value for name, value in values.items()}, names)


_FIELDS = (
    *("access_key", "secret_key", "security_token", "token", "provider_urn", "agency_urn", "idp_id"),
    *("id_token", "id_token_file", "auth_type", "passcode"),
    *("password", "user_name", "user_id", "domain_name", "domain_id"),
)
_MINE, _OTHER = "profile mine of .hcloud/config.json", "profile other of .hcloud/config.json"
_SDK = "file .huaweicloud/credentials"


@pytest.mark.parametrize(
    ("connection", "config", "environ", "expected"),
    [
        pytest.param(
            Connection(), {}, {}, ["Connection", "stack config", "environment", _MINE, _SDK], id="nothing named"
        ),
        pytest.param(
            Connection(profile="other"),
            {},
            {},
            ["Connection", _OTHER, "stack config", "environment"],
            id="profile of the Connection",
        ),
        pytest.param(
            Connection(),
            {"huaweicloud:profile": "other"},
            {"HW_PROFILE": "mine"},
            ["Connection", _OTHER, "stack config", "environment"],
            id="profile of the stack config",
        ),
        pytest.param(
            Connection(),
            {},
            {"HW_PROFILE": "other"},
            ["Connection", "stack config", _OTHER, "environment"],
            id="profile of the environment",
        ),
        pytest.param(
            Connection(namespace="dr"),
            {"huaweicloud:profile": "other"},
            {"HW_PROFILE": "other"},
            ["Connection", "stack config", "environment", "stack config", "environment"],
            id="a namespace takes no file that it does not name",
        ),
        pytest.param(
            Connection(namespace="dr"),
            {"dr:profile": "other"},
            {},
            ["Connection", _OTHER, "stack config", "environment", "stack config", "environment"],
            id="profile of a namespace",
        ),
        pytest.param(
            Connection(namespace="huaweicloud"),
            {},
            {},
            ["Connection", "stack config", "environment", _MINE, _SDK],
            id="the plain namespace by name",
        ),
    ],
)
def test_sources_are_in_order_of_precedence(
    home: Path, connection: Connection, config: dict[str, Any], environ: dict[str, str], expected: list[str]
) -> None:
    """Connection, stack config, environment, files; a profile comes right before the source that names it."""
    assert labels(home, connection, config, environ) == expected


@pytest.mark.parametrize(
    ("namespace", "variable"),
    [("dr", "DR_HW_REGION_NAME"), ("my-dr", "MY_DR_HW_REGION_NAME"), ("My.DR", "MY_DR_HW_REGION_NAME")],
)
def test_a_namespace_is_the_prefix_of_its_environment_names(namespace: str, variable: str) -> None:
    """Characters that are not allowed in the name of a variable become underscores."""
    sources = rank(Connection(namespace=namespace), {}, {variable: "eu-nl"}).sources
    assert first(sources, "region") == "eu-nl"


@pytest.mark.parametrize(
    ("connection", "config", "environ"),
    [
        pytest.param(Connection(region="eu-nl"), {}, {"HW_REGION_NAME": "eu-de"}, id="Connection"),
        pytest.param(Connection(), {"huaweicloud:region": "eu-nl"}, {"HW_REGION_NAME": "eu-de"}, id="stack config"),
        pytest.param(Connection(), {}, {"HW_REGION_NAME": "eu-nl", "OS_REGION_NAME": "eu-de"}, id="environment"),
        pytest.param(Connection(namespace="dr"), {}, {"HW_REGION_NAME": "eu-nl"}, id="plain name of the environment"),
        pytest.param(
            Connection(namespace="dr"),
            {"huaweicloud:region": "eu-nl"},
            {"HW_REGION_NAME": "eu-de"},
            id="plain name of the stack config",
        ),
    ],
)
def test_the_sdks_endpoint_is_that_of_the_selected_region(
    connection: Connection, config: dict[str, Any], environ: dict[str, str]
) -> None:
    """Whatever the source of the region, the SDK's variable for that region is used."""
    sdk = {f"HUAWEICLOUD_SDK_REGION_CBR_{region}": region for region in ("EU_DE", "EU_NL")}
    assert first(rank(connection, config, environ | sdk).sources, "cbr") == "EU_NL"


def test_the_sdks_endpoint_is_that_of_the_profiles_region() -> None:
    """A profile's region is not combined with the endpoint of the region in the environment."""
    sdk = {f"HUAWEICLOUD_SDK_REGION_CBR_{region}": region for region in ("EU_DE", "XX_OTHER_1")}
    sources = rank(Connection(profile="other"), {}, {"HW_REGION_NAME": "eu-de", **sdk}).sources
    assert (first(sources, "region"), first(sources, "cbr")) == ("xx-other-1", "XX_OTHER_1")


@pytest.mark.parametrize(
    ("source", "credential"),
    [
        pytest.param(source(), None, id="nothing"),
        pytest.param(source(user_name="u", domain_name="d"), None, id="names alone"),
        pytest.param(source(security_token="t"), None, id="security token alone"),
        pytest.param(
            source(access_key="a", secret_key="s"),
            AccessKey("a", Secret("s"), None, "environment ACCESS_KEY"),
            id="access key",
        ),
        pytest.param(
            source(access_key="a", secret_key="s", security_token="t"),
            AccessKey("a", Secret("s"), Secret("t"), "environment ACCESS_KEY"),
            id="temporary key",
        ),
        pytest.param(source(token="t"), Token(Secret("t"), "environment TOKEN"), id="token"),
        pytest.param(
            source(user_name="u", domain_name="d", password="p"),
            Password("u", None, "d", None, Secret("p"), "environment PASSWORD"),
            id="user by name",
        ),
        pytest.param(
            source(user_name="u", domain_id="d", password="p"),
            Password("u", None, None, "d", Secret("p"), "environment PASSWORD"),
            id="user by name in an account by id",
        ),
        pytest.param(
            source(user_id="u", password="p"),
            Password(None, "u", None, None, Secret("p"), "environment PASSWORD"),
            id="user by id",
        ),
        pytest.param(
            source(access_key="a", secret_key="s", user_id="u", password="p"),
            AccessKey("a", Secret("s"), None, "environment ACCESS_KEY"),
            id="an access key goes before a password",
        ),
        pytest.param(
            source(access_key="a", secret_key="s", token="t", user_id="u", password="p"),
            Token(Secret("t"), "environment TOKEN"),
            id="a token goes before both",
        ),
    ],
)
def test_the_credential_of_one_source(source: Source, credential: Credential | None) -> None:
    """An access key, else a token, else a user with password; with its source."""
    assert credential_in(source) == credential


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (
            source(access_key="a", password="p"),
            "environment ACCESS_KEY is set without environment SECRET_KEY",
        ),
        (
            source(secret_key="s"),
            "environment SECRET_KEY is set without environment ACCESS_KEY",
        ),
        (source(password="p"), "environment PASSWORD is set without environment USER_NAME"),
        (
            source(password="p", user_name="u"),
            "environment USER_NAME is set without environment DOMAIN_NAME",
        ),
    ],
    ids=["key without secret", "secret without key", "password without user", "user without account"],
)
def test_half_a_credential_names_both_halves(source: Source, text: str) -> None:
    """Another kind or source is not used instead: it could be another account's."""
    with pytest.raises(SettingsError) as caught:
        credential_in(source)
    assert str(caught.value) == text
