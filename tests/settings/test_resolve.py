from __future__ import annotations

import dataclasses
import json
import pickle

from typing import TYPE_CHECKING, Any

import dill
import pytest

from pulumi_cbr_sharing.errors import SettingsError
from pulumi_cbr_sharing.settings.connection import Agency, Connection
from pulumi_cbr_sharing.settings.credentials import AccessKey, Certificate, Password, Secret, Token, secrets_of
from pulumi_cbr_sharing.settings.resolve import DEFAULT_RETRIES, Settings, resolve


if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


PROJECT = "0605767b5780d5762fc5c0118072a564"
OTHER_PROJECT = "075e6035d300d48c2fd0c00b78b71ebf"
KEY = {"HW_ACCESS_KEY": "AK-env", "HW_SECRET_KEY": "planted-secret"}
PLACE = KEY | {"HW_REGION_NAME": "eu-de"}
CONFIG_KEY = {"huaweicloud:accessKey": "AK-config", "huaweicloud:secretKey": "planted-secret"}
PASSWORD = {"HW_USER_NAME": "u", "HW_USER_PASSWORD": "planted-secret", "HW_DOMAIN_NAME": "d"}
DR = Connection(namespace="dr")


def settings_of(
    environ: Mapping[str, str] | None = None,
    *,
    connection: Connection | None = None,
    config: Mapping[str, Any] | None = None,
) -> Settings:
    """Resolve settings from these sources."""
    return resolve(connection or Connection(), config=config or {}, environ=environ or {})


def trouble(environ: Mapping[str, str] | None = None, **others: Any) -> str:
    """The error message."""
    with pytest.raises(SettingsError) as caught:
        settings_of(environ, **others)
    text = str(caught.value)
    assert text.isprintable()
    assert "planted" not in text
    return text


def caller(settings: Settings) -> str:
    """The access key that is used."""
    assert isinstance(settings.credential, AccessKey)
    return settings.credential.access_key


def ca(settings: Settings) -> str | None:
    """The CA file."""
    return settings.ca.path if settings.ca else None


def write_profiles(home: Path, *, current: str = "mine", **more: str) -> None:
    """Write two profiles of the vendor's command line."""
    (home / ".hcloud").mkdir()
    rows = [
        {"name": name, "accessKeyId": f"AK-{name}", "secretAccessKey": "planted-secret", "projectId": project, **more}
        for name, project in (("mine", PROJECT), ("other", OTHER_PROJECT))
    ]
    (home / ".hcloud/config.json").write_text(
        json.dumps({"authEncrypt": "false", "current": current, "profiles": rows})
    )


def write_sdk_file(home: Path) -> None:
    """The SDK's file."""
    (home / ".huaweicloud").mkdir()
    text = f"[basic]\nak = AK-sdk\nsk = planted-secret\nproject_id = {OTHER_PROJECT}\niam_endpoint = https://iam.sdk.example"
    (home / ".huaweicloud/credentials").write_text(text)


# --- order -----------------------------------------------------------------------------------------------------------

ORDER: list[tuple[str, dict[str, Any]]] = [
    ("Connection", {"connection": Connection(region="eu-de")}),
    ("stack config", {"config": {"huaweicloud:region": "eu-nl"}}),
    ("HW", {"environ": {"HW_REGION_NAME": "tr-west-1"}}),
    ("OS", {"environ": {"OS_REGION_NAME": "eu-ch2"}}),
    ("profile", {}),
]


@pytest.mark.parametrize("first", range(len(ORDER)), ids=[name for name, _ in ORDER])
def test_the_region_comes_from_the_first_source_that_has_it(tmp_path: Path, first: int) -> None:
    """Connection, stack config, environment with HW_ before OS_, files: explicit over ambient."""
    write_profiles(tmp_path, region="eu-west-0")
    expected = ["eu-de", "eu-nl", "tr-west-1", "eu-ch2", "eu-west-0"][first]
    places: dict[str, Any] = {"connection": None, "config": {}, "environ": {}}
    for _, place in [*ORDER[:first:-1], ORDER[first]]:
        for name, value in place.items():
            places[name] = value if name == "connection" else places[name] | value
    assert settings_of(**places).region == expected


@pytest.mark.parametrize(
    ("config", "environ", "key"),
    [
        pytest.param(CONFIG_KEY, KEY, "AK-config", id="stack config before environment"),
        pytest.param({}, KEY | {"OS_ACCESS_KEY": "AK-os", "OS_SECRET_KEY": "s"}, "AK-env", id="HW_ before OS_"),
        pytest.param(
            {},
            {"OS_ACCESS_KEY": "AK-os", "OS_SECRET_KEY": "s", "HUAWEICLOUD_SDK_AK": "AK", "HUAWEICLOUD_SDK_SK": "s"},
            "AK-os",
            id="OS_ before the SDK's",
        ),
        pytest.param({}, {"HUAWEICLOUD_SDK_AK": "AK-sdk-env", "HUAWEICLOUD_SDK_SK": "s"}, "AK-sdk-env", id="the SDK's"),
        pytest.param({}, {}, "AK-mine", id="file"),
    ],
)
def test_the_credential_comes_whole_from_the_first_source_that_has_one(
    tmp_path: Path, config: dict[str, str], environ: dict[str, str], key: str
) -> None:
    """The order of precedence is that of all settings."""
    write_profiles(tmp_path)
    write_sdk_file(tmp_path)
    assert caller(settings_of({"HW_REGION_NAME": "eu-de", **environ}, config=config)) == key


def test_a_token_of_the_stack_config_goes_before_a_key_of_the_environment() -> None:
    """The source decides first, then the kind of credential."""
    found = settings_of(PLACE, config={"huaweicloud:token": "t"})
    assert found.credential == Token(Secret("t"), "stack config huaweicloud:token")


def test_a_security_token_belongs_to_the_key_beside_it() -> None:
    """The security token of the environment is not sent with the key of the stack config."""
    found = settings_of(PLACE | {"HW_SECURITY_TOKEN": "t"}, config=CONFIG_KEY)
    assert found.credential == AccessKey(
        "AK-config", Secret("planted-secret"), None, "stack config huaweicloud:accessKey"
    )


@pytest.mark.parametrize(
    ("config", "environ", "text"),
    [
        pytest.param(
            {"huaweicloud:accessKey": "AK"},
            PLACE,
            "Settings: stack config huaweicloud:accessKey is set without stack config huaweicloud:secretKey",
            id="stack config and environment",
        ),
        pytest.param(
            {},
            {"HW_ACCESS_KEY": "AK", "OS_SECRET_KEY": "planted", "HW_REGION_NAME": "eu-de"},
            "Settings: environment HW_ACCESS_KEY is set without environment HW_SECRET_KEY",
            id="two families of the environment",
        ),
        pytest.param(
            {"huaweicloud:password": "planted"},
            PLACE | PASSWORD,
            "Settings: stack config huaweicloud:password is set without stack config huaweicloud:userName",
            id="password without user",
        ),
    ],
)
def test_half_a_credential_is_never_completed_from_elsewhere(
    tmp_path: Path, config: dict[str, str], environ: dict[str, str], text: str
) -> None:
    """The error names both settings; the credential of another source is not used."""
    write_profiles(tmp_path)
    assert trouble(environ, config=config) == text


def test_all_that_is_missing_comes_in_one_error_with_its_names() -> None:
    """Without any settings, the error lists all of them, and where each can be set."""
    assert trouble() == (
        "Settings: a credential is missing: an access key "
        "(stack config huaweicloud:accessKey, environment HW_ACCESS_KEY or OS_ACCESS_KEY or HUAWEICLOUD_SDK_AK, "
        "with its secret key), a token (stack config huaweicloud:token, environment HW_AUTH_TOKEN or OS_TOKEN), "
        "or a user with password "
        "(stack config huaweicloud:password, environment HW_USER_PASSWORD or OS_PASSWORD); "
        "or a profile of the vendor's command line, or an entry of clouds.yaml; the region is missing "
        "(Connection region, stack config huaweicloud:region, environment HW_REGION_NAME or OS_REGION_NAME)"
    )


def test_a_named_namespace_is_told_its_own_names() -> None:
    """For the credential only the namespace's names are suggested; for the region the default ones, too."""
    text = trouble(connection=DR)
    assert "stack config dr:accessKey, environment DR_HW_ACCESS_KEY or DR_OS_ACCESS_KEY" in text
    assert "huaweicloud:accessKey" not in text
    assert " HW_ACCESS_KEY" not in text
    assert "stack config dr:region or huaweicloud:region, environment DR_HW_REGION_NAME" in text
    assert " HW_REGION_NAME" in text


def test_everything_that_is_wrong_comes_in_one_error() -> None:
    """One run shows all mistakes."""
    text = trouble(
        {
            "HW_ACCESS_KEY": "AK",
            "HW_REGION_NAME": "EU_DE",
            "HW_PROJECT_ID": "p",
            "HW_INSECURE": "perhaps",
            "HW_MAX_RETRIES": "many",
            "HW_CBR_ENDPOINT": "http://cbr.example.com",
            "HW_ASSUME_ROLE_AGENCY_NAME": "admin",
        },
    )
    parts = [
        "environment HW_ACCESS_KEY is set without",
        "the region 'EU_DE' is not a valid region name (environment HW_REGION_NAME)",
        "the project id 'p' has another shape ('p'): give a project id of 32 hexadecimal digits",
        "insecure is 'perhaps', not true or false (environment HW_INSECURE)",
        "maxRetries is 'many', not a number from 0 to 999 (environment HW_MAX_RETRIES)",
        "the cbr endpoint 'http://cbr.example.com' is wrong: plain http would show the credentials on the way",
        "the agency 'admin' is set without the account that granted it (environment HW_ASSUME_ROLE_DOMAIN_NAME)",
    ]
    assert [part for part in parts if part not in text] == []
    assert "missing" not in text


# --- region, endpoints -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environ", "cbr", "iam"),
    [
        pytest.param(
            {"HW_REGION_NAME": "eu-de"},
            "https://cbr.eu-de.otc.t-systems.com",
            "https://iam.eu-de.otc.t-systems.com/v3",
            id="by region",
        ),
        pytest.param(
            {"HW_REGION_NAME": "r1", "HW_CLOUD": "cloud.example"},
            "https://cbr.r1.cloud.example",
            "https://iam.r1.cloud.example/v3",
            id="by cloud",
        ),
        pytest.param(
            {"HW_REGION_NAME": "r1", "HW_CBR_ENDPOINT": "https://a.example/v3/", "HW_IAM_ENDPOINT": "b.example"},
            "https://a.example",
            "https://b.example/v3",
            id="by address",
        ),
        pytest.param(
            {"HW_REGION_NAME": "r1", "HUAWEICLOUD_SDK_REGION_CBR_R1": "https://a.example"},
            "https://a.example",
            "https://iam.r1.myhuaweicloud.com/v3",
            id="by the SDK's name for the region",
        ),
        pytest.param(
            {"HW_REGION_NAME": "tr-west-1", "HW_AUTH_URL": "https://b.example:443/v3"},
            "https://cbr.tr-west-1.myhuaweicloud.com",
            "https://b.example:443/v3",
            id="by auth URL",
        ),
        pytest.param(
            {"HW_CBR_ENDPOINT": "http://127.0.0.1:5000", "HW_IAM_ENDPOINT": "http://127.0.0.1:5000/v3"}
            | {"HW_PROJECT_ID": PROJECT},
            "http://127.0.0.1:5000",
            "http://127.0.0.1:5000/v3",
            id="on this machine, without region",
        ),
    ],
)
def test_where_the_services_are(environ: dict[str, str], cbr: str, iam: str) -> None:
    """A region is enough, and each endpoint can be given in any form."""
    found = settings_of(KEY | environ)
    assert (found.cbr, found.iam) == (cbr, iam)


@pytest.mark.parametrize(
    "endpoints",
    [{"cbr": "https://a.example/v3"}, '{"cbr": "a.example/"}', [{"cbr": "a.example"}]],
    ids=["map", "JSON text", "list of one"],
)
def test_the_endpoints_of_the_stack_config_go_before_the_environment(endpoints: Any) -> None:
    """All forms of the bridged provider's map work."""
    environ = PLACE | {"HW_CBR_ENDPOINT": "https://env.example"}
    assert settings_of(environ, config={"huaweicloud:endpoints": endpoints}).cbr == "https://a.example"


def test_the_endpoint_of_the_connection_goes_before_all() -> None:
    """It is the most explicit one."""
    found = settings_of(
        PLACE | {"HW_CBR_ENDPOINT": "https://env.example"},
        connection=Connection(endpoint="mine.example"),
        config={"huaweicloud:endpoints": {"cbr": "https://config.example"}},
    )
    assert found.cbr == "https://mine.example"
    text = trouble(PLACE, connection=Connection(endpoint="http://mine.example"))
    assert text.endswith("(Connection endpoint)")


@pytest.mark.parametrize(
    ("config", "environ", "iam"),
    [
        pytest.param(
            {"huaweicloud:authUrl": "https://config.example"},
            {"HW_IAM_ENDPOINT": "https://env.example"},
            "https://config.example/v3",
            id="auth URL of the stack config before an endpoint of the environment",
        ),
        pytest.param(
            {},
            {"HW_AUTH_URL": "https://url.example", "HW_IAM_ENDPOINT": "https://env.example"},
            "https://env.example/v3",
            id="within one place the endpoint",
        ),
        pytest.param(
            {}, {"HW_AUTH_URL": "https://url.example"}, "https://url.example/v3", id="environment before file"
        ),
        pytest.param({}, {}, "https://iam.eu-de.otc.t-systems.com/v3", id="a file's not without its key"),
    ],
)
def test_the_endpoint_of_iam_follows_the_order_of_precedence(
    tmp_path: Path, config: dict[str, str], environ: dict[str, str], iam: str
) -> None:
    """A password is not sent to an endpoint from a file with another key."""
    write_sdk_file(tmp_path)
    assert settings_of(PLACE | environ, config=config).iam == iam


@pytest.mark.parametrize(
    "region", ["EU-DE", "eu de", "eu_de", "eu-de/", "a@b", "a:80", "eu-de.", "-", "é", "a#b", "x\ny"]
)
@pytest.mark.parametrize("name", ["region", "cloud"])
def test_what_becomes_part_of_a_host_name_is_a_host_name(name: str, region: str) -> None:
    """A wrong region cannot send a credential to another host; it is reported once."""
    config = {"huaweicloud:region": "eu-de"} | {f"huaweicloud:{name}": region}
    text = trouble(KEY, config=config)
    assert text.startswith(f"Settings: the {name} ")
    assert text.endswith(f" is not a valid {name} name (stack config huaweicloud:{name})")


@pytest.mark.parametrize("insecure", [None, "false"])
@pytest.mark.parametrize(
    ("variable", "name", "address"),
    [
        ("HW_CBR_ENDPOINT", "cbr", "http://cbr.example.com"),
        ("HW_IAM_ENDPOINT", "iam", "http://iam.example.com/v3"),
        ("HW_AUTH_URL", "iam", "http://iam.example.com/v3"),
    ],
)
def test_plain_http_is_refused_where_it_was_set(variable: str, name: str, address: str, insecure: str | None) -> None:
    """The error names the variable that has the endpoint."""
    environ = PLACE | {variable: address} | ({"HW_INSECURE": insecure} if insecure else {})
    assert trouble(environ) == (
        f"Settings: the {name} endpoint '{address}' is wrong: plain http would show the credentials on the way: "
        f"use https, or set HW_INSECURE (environment {variable})"
    )


def test_plain_http_is_taken_with_insecure() -> None:
    """`insecure` allows it."""
    found = settings_of(PLACE | {"HW_CBR_ENDPOINT": "http://cbr.example.com", "HW_INSECURE": "true"})
    assert (found.cbr, found.insecure) == ("http://cbr.example.com", True)


@pytest.mark.parametrize("name", ["HW_ACCESS_KEY", "HW_SECRET_KEY", "HW_SECURITY_TOKEN", "HW_AUTH_TOKEN"])
@pytest.mark.parametrize("broken", ["planted\nsecret", "planted\r\nsecret", "planted secret", "plantéd", "plant\x00ed"])
def test_a_key_that_cannot_be_sent_is_named_and_not_shown(name: str, broken: str) -> None:
    """For example, a token with a line break; the error of `requests` would print it."""
    key = {} if name == "HW_AUTH_TOKEN" else {"HW_ACCESS_KEY": "AK", "HW_SECRET_KEY": "SK"}
    text = trouble({"HW_REGION_NAME": "eu-de"} | key | {name: broken})
    assert f"environment {name} has a line break, a blank or another character that cannot be sent" in text
    assert "plant" not in text


def test_a_password_in_an_address_is_refused_and_not_shown() -> None:
    """A URL with a user would appear in every error."""
    text = trouble(PLACE | {"HW_CBR_ENDPOINT": "https://:planted@cbr.example.com"})
    assert text == (
        "Settings: the cbr endpoint 'cbr.example.com' is wrong: "
        "it may not contain a user or password: give the address only (environment HW_CBR_ENDPOINT)"
    )


@pytest.mark.parametrize(
    ("environ", "missing"),
    [
        pytest.param(KEY, "the region is missing", id="nothing"),
        pytest.param(KEY | {"HW_CBR_ENDPOINT": "a.example", "HW_PROJECT_ID": PROJECT}, None, id="all without region"),
        pytest.param(
            KEY | {"HW_CBR_ENDPOINT": "a.example"}, "the region, or the iam endpoint, is missing", id="no project"
        ),
        pytest.param(
            KEY | {"HW_CBR_ENDPOINT": "a.example", "HW_IAM_ENDPOINT": "b.example"},
            "the project id, or the region to look it up by, is missing",
            id="nothing to look the project up by",
        ),
        pytest.param(
            KEY | {"HW_CBR_ENDPOINT": "a.example", "HW_IAM_ENDPOINT": "b.example", "HW_PROJECT_NAME": "x"},
            None,
            id="project by name",
        ),
        pytest.param(
            PASSWORD | {"HW_CBR_ENDPOINT": "a.example", "HW_PROJECT_ID": PROJECT},
            "the region, or the iam endpoint, is missing",
            id="password without a place to sign in",
        ),
        pytest.param(
            PASSWORD | {"HW_CBR_ENDPOINT": "a.example", "HW_IAM_ENDPOINT": "b.example", "HW_PROJECT_ID": PROJECT},
            None,
            id="password with all",
        ),
    ],
)
def test_a_region_is_asked_for_only_where_it_is_needed(environ: dict[str, str], missing: str | None) -> None:
    """With endpoints and project no region is needed; the error says what else would do."""
    if missing is None:
        assert settings_of(environ).region is None
    else:
        assert trouble(environ).startswith(f"Settings: {missing} (Connection region, ")


# --- project ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("connection", "environ", "project"),
    [
        pytest.param(Connection(project_id=PROJECT), {"HW_PROJECT_ID": OTHER_PROJECT}, PROJECT, id="Connection"),
        pytest.param(Connection(), {"HUAWEICLOUD_SDK_PROJECT_ID": PROJECT}, PROJECT, id="the SDK's name"),
        pytest.param(Connection(), {}, None, id="not set"),
    ],
)
def test_the_project_is_set_or_left_to_be_looked_up(
    connection: Connection, environ: dict[str, str], project: str | None
) -> None:
    """It follows the order of precedence of all settings."""
    assert settings_of(PLACE | environ, connection=connection).project_id == project


def test_a_wrong_project_id_is_refused_where_it_was_set() -> None:
    """The error says what is wrong, and in which setting."""
    assert trouble(PLACE | {"OS_PROJECT_ID": PROJECT.upper()}) == (
        f"Settings: the project id '{PROJECT.upper()}' has upper-case letters, which the service does not accept: give "
        f"a project id of 32 hexadecimal digits such as {PROJECT} (environment OS_PROJECT_ID)"
    )


def test_a_file_that_does_not_sign_does_not_tell_the_region(tmp_path: Path) -> None:
    """The project's name of the rc file does."""
    write_profiles(tmp_path, region="eu-nl")
    rc = {"OS_USERNAME": "u", "OS_PASSWORD": "planted", "OS_USER_DOMAIN_NAME": "d", "OS_TENANT_NAME": "eu-de_shop"}
    found = settings_of(rc)
    assert (found.region, found.project_name) == ("eu-de", "eu-de_shop")


@pytest.mark.parametrize(
    ("region", "known"), [("eu-dee", "eu-de"), ("ap-southeast1", "ap-southeast-1"), ("cn-nort-4", "cn-north-4")]
)
def test_a_mistyped_region_is_told_with_the_nearest_ones(region: str, known: str) -> None:
    """Before anything is sent; with an endpoint or a domain it may be a new one."""
    text = trouble(KEY | {"HW_REGION_NAME": region})
    assert text.startswith(f"Settings: the region {region!r} is not known; correct it ({known}")
    for also in ({"HW_CBR_ENDPOINT": "https://a.example"}, {"HW_CLOUD": "cloud.example"}):
        assert settings_of(KEY | {"HW_REGION_NAME": region} | also).region == region


@pytest.mark.parametrize("write", [write_profiles, write_sdk_file], ids=["profile", "SDK's file"])
def test_a_files_project_counts_only_with_the_files_key(tmp_path: Path, write: Any) -> None:
    """The project in a file is not used with the key in the environment."""
    write(tmp_path)
    assert settings_of({"HW_REGION_NAME": "eu-de"}).project_id in (PROJECT, OTHER_PROJECT)
    assert settings_of(PLACE).project_id is None


# --- files -----------------------------------------------------------------------------------------------------------


def test_the_profile_of_a_connection_gives_credential_and_project(tmp_path: Path) -> None:
    """Whatever stack config and environment have, credential and project are the profile's."""
    write_profiles(tmp_path)
    environ = PLACE | {"HW_PROJECT_ID": PROJECT, "HW_ASSUME_ROLE_AGENCY_NAME": "admin", "HW_PROJECT_NAME": "x"}
    found = settings_of(environ, connection=Connection(profile="other"), config=CONFIG_KEY)
    assert (caller(found), found.project_id, found.region) == ("AK-other", OTHER_PROJECT, "eu-de")
    assert (found.agencies, found.project_name) == ((), None)


def test_half_a_profile_of_a_connection_is_not_completed_by_the_environment(tmp_path: Path) -> None:
    """If the profile has no key, another account's is not used instead."""
    write_profiles(tmp_path, accessKeyId="", secretAccessKey="")
    text = trouble(PLACE, connection=Connection(profile="other"))
    assert text.endswith("has no credential (Connection profile)")


def test_the_region_of_the_connections_profile_goes_before_the_stack_config(tmp_path: Path) -> None:
    """The Connection names the profile, so the profile is as explicit as the Connection."""
    write_profiles(tmp_path, region="eu-nl")
    found = settings_of(PLACE, connection=Connection(profile="mine"), config={"huaweicloud:region": "eu-de"})
    assert found.region == "eu-nl"


@pytest.mark.parametrize(
    ("config", "environ", "key"),
    [
        ({"huaweicloud:profile": "other"}, KEY | {"HW_PROFILE": "mine"}, "AK-other"),
        ({}, {"HW_PROFILE": "other"}, "AK-other"),
        ({}, KEY | {"HW_PROFILE": "other"}, "AK-other"),
        (CONFIG_KEY | {"huaweicloud:profile": "other"}, {}, "AK-other"),
        (CONFIG_KEY, {"HW_PROFILE": "other"}, "AK-config"),
    ],
    ids=["stack config", "environment", "a key beside it", "a key beside it in the stack config", "a key before it"],
)
def test_a_profile_comes_right_before_the_source_that_names_it(
    tmp_path: Path, config: dict[str, str], environ: dict[str, str], key: str
) -> None:
    """What was named goes before a key that is just there, as in the Terraform provider."""
    write_profiles(tmp_path)
    assert caller(settings_of({"HW_REGION_NAME": "eu-de", **environ}, config=config)) == key


def test_a_named_profile_is_looked_for_in_the_named_file(tmp_path: Path) -> None:
    """Profile and file may be set in different sources."""
    write_profiles(tmp_path)
    (tmp_path / ".hcloud/config.json").rename(tmp_path / "mine.json")
    environ = {"HW_SHARED_CONFIG_FILE": "~/mine.json", "HW_REGION_NAME": "eu-de"}
    assert caller(settings_of(environ, connection=Connection(profile="other"))) == "AK-other"
    assert caller(settings_of(environ)) == "AK-mine"


def test_a_missing_profile_is_an_error_whatever_else_is_set(tmp_path: Path) -> None:
    """Another account is not a substitute for the one that was named."""
    write_profiles(tmp_path)
    text = trouble(PLACE, connection=Connection(profile="gone"))
    path = f"{tmp_path}/.hcloud/config.json"
    assert text == f"Settings: profile gone: {path} has no profile of that name; there are: mine, other"


def test_the_sdks_file_is_the_last_source(tmp_path: Path) -> None:
    """It is used if nothing else is set, with its project and its IAM endpoint."""
    write_sdk_file(tmp_path)
    found = settings_of({"HW_REGION_NAME": "eu-de"})
    assert (caller(found), found.project_id, found.iam) == ("AK-sdk", OTHER_PROJECT, "https://iam.sdk.example/v3")
    assert found.credential.source == f"file {tmp_path}/.huaweicloud/credentials ak"


def test_a_broken_file_that_nobody_named_is_an_error_only_if_its_key_is_needed(tmp_path: Path) -> None:
    """A key of the environment goes before it anyway."""
    write_profiles(tmp_path)
    (tmp_path / ".hcloud/config.json").write_text("{")
    assert caller(settings_of(PLACE)) == "AK-env"
    assert f"{tmp_path}/.hcloud/config.json cannot be read as JSON: " in trouble()


# --- namespaces ------------------------------------------------------------------------------------------------------

DR_KEY = {"DR_HW_ACCESS_KEY": "AK-dr", "DR_HW_SECRET_KEY": "planted-secret"}


@pytest.mark.parametrize(
    ("config", "environ"),
    [
        pytest.param({"dr:accessKey": "AK-dr", "dr:secretKey": "planted-secret"}, {}, id="stack config"),
        pytest.param({}, DR_KEY, id="environment"),
        pytest.param({}, {"DR_HUAWEICLOUD_SDK_AK": "AK-dr", "DR_HUAWEICLOUD_SDK_SK": "planted-secret"}, id="SDK"),
    ],
)
def test_a_namespace_has_its_own_credential_and_project(config: dict[str, str], environ: dict[str, str]) -> None:
    """The default names are another account's, whatever they have."""
    plain = PLACE | PASSWORD | {"HW_PROJECT_ID": PROJECT, "HW_PROJECT_NAME": "x", "HW_SECURITY_TOKEN": "t"}
    plain_config = CONFIG_KEY | {"huaweicloud:projectId": PROJECT, "huaweicloud:assumeRole": {"agencyName": "admin"}}
    found = settings_of(plain | environ, connection=DR, config=plain_config | config)
    assert (caller(found), found.project_id, found.project_name) == ("AK-dr", None, None)
    assert secrets_of(found.credential) == ["planted-secret"]
    assert found.agencies == ()


def test_a_namespace_without_credential_takes_no_plain_one(tmp_path: Path) -> None:
    """The default environment, stack config and files are not used for a second account."""
    write_profiles(tmp_path)
    write_sdk_file(tmp_path)
    text = trouble(PLACE | PASSWORD, connection=DR, config=CONFIG_KEY)
    assert text.startswith("Settings: a credential is missing: ")


def test_a_namespace_without_region_and_endpoints_takes_the_plain_ones() -> None:
    """Both accounts are mostly in the same cloud."""
    plain = PLACE | {"HW_CBR_ENDPOINT": "a.example", "HW_MAX_RETRIES": "3", "HW_CACERT": "/ca.pem"}
    config = {"huaweicloud:endpoints": {"iam": "b.example"}}
    found = settings_of(plain | DR_KEY, connection=DR, config=config)
    assert (found.region, found.cbr, found.iam) == ("eu-de", "https://a.example", "https://b.example/v3")
    assert (found.max_retries, found.ca) == (3, Certificate(Secret("/ca.pem"), "environment HW_CACERT"))


def test_a_namespaces_own_region_goes_before_the_plain_one() -> None:
    """The default names come last."""
    environ = PLACE | DR_KEY | {"DR_HW_REGION_NAME": "eu-nl"}
    assert settings_of(environ, connection=DR, config={"huaweicloud:region": "x"}).region == "eu-nl"


def test_the_plain_connection_takes_nothing_of_a_namespace() -> None:
    """The settings of a second account are not used for the first."""
    text = trouble(DR_KEY | {"DR_HW_REGION_NAME": "eu-nl"}, config={"dr:token": "t", "dr:region": "x"})
    assert "a credential is missing" in text
    assert "the region is missing" in text


# --- agency ----------------------------------------------------------------------------------------------------------

AGENCY = Agency("admin", domain_name="other-account")


def test_a_role_in_another_account_takes_no_project_of_the_source_account(tmp_path: Path) -> None:
    """The project of the user's own account would be refused there, or worse."""
    write_profiles(tmp_path)
    places = {"config": {"huaweicloud:projectId": PROJECT}, "environ": PLACE | {"HW_PROJECT_ID": PROJECT}}
    found = settings_of(connection=Connection(agency=AGENCY), **places)
    assert (found.agencies, found.project_id) == ((AGENCY,), None)
    own = settings_of(connection=Connection(agency=AGENCY, project_id=OTHER_PROJECT), **places)
    assert own.project_id == OTHER_PROJECT


def test_a_role_in_another_account_needs_a_project_there_or_a_region_to_look_it_up_by() -> None:
    """The name of the user's own project does not tell the project there."""
    environ = KEY | {"HW_CBR_ENDPOINT": "a.example", "HW_IAM_ENDPOINT": "b.example", "HW_PROJECT_NAME": "eu-de_x"}
    text = trouble(environ, connection=Connection(agency=AGENCY))
    assert text.startswith("Settings: the project id, or the region to look it up by, is missing (Connection region, ")


@pytest.mark.parametrize(
    ("config", "environ"),
    [
        ({"huaweicloud:assumeRole": {"agencyName": "admin", "domainName": "other-account"}}, {}),
        ({"huaweicloud:assumeRole": '[{"agencyName": "admin", "domainName": "other-account"}]'}, {}),
        ({}, {"HW_ASSUME_ROLE_AGENCY_NAME": "admin", "HW_ASSUME_ROLE_DOMAIN_NAME": "other-account"}),
    ],
    ids=["map", "list of one", "environment"],
)
def test_a_role_is_named_like_for_the_bridged_provider(config: dict[str, Any], environ: dict[str, str]) -> None:
    """The same settings work for both providers; the project beside them is the one to work in."""
    found = settings_of(PLACE | environ | {"HW_PROJECT_ID": PROJECT}, config=config)
    assert (found.agencies, found.project_id) == ((AGENCY,), PROJECT)


def test_a_files_role_counts_only_with_the_files_key(tmp_path: Path) -> None:
    """An agency in a file that nobody named is not assumed with the key in the environment."""
    write_profiles(tmp_path, agencyName="admin", agencyDomainName="other-account")
    assert settings_of(PLACE).agencies == ()
    assert settings_of({"HW_REGION_NAME": "eu-de"}).agencies == (AGENCY,)


@pytest.mark.parametrize(
    ("connection", "environ", "where"),
    [
        (Connection(agency=Agency("admin")), {}, "Agency domain_name"),
        (
            Connection(),
            {"HW_ASSUME_ROLE_AGENCY_NAME": "admin"},
            "environment HW_ASSUME_ROLE_DOMAIN_NAME",
        ),
    ],
    ids=["Connection", "environment"],
)
def test_a_role_needs_the_account_that_granted_it(connection: Connection, environ: dict[str, str], where: str) -> None:
    """An agency without its account is an error before anything is sent."""
    config = {"huaweicloud:assumeRole": {"domainName": "somewhere"}}
    assert trouble(PLACE | environ, connection=connection, config=config) == (
        f"Settings: the agency 'admin' is set without the account that granted it ({where})"
    )


# --- numbers and switches --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "number"),
    [(5.0, 5), (5, 5), ("5", 5), ("0", 0), (0.0, 0), ("999", 999), (" 7 ", 7), (None, DEFAULT_RETRIES), ("", 8)],
    ids=repr,
)
def test_the_number_of_retries(value: Any, number: int) -> None:
    """Numbers in the stack config are floats, or texts if set by `pulumi config set`."""
    assert settings_of(PLACE, config={"huaweicloud:maxRetries": value}).max_retries == number


@pytest.mark.parametrize("value", [-1, 1.5, "1000", "many", "1e3", "٣", "²", True], ids=repr)
def test_no_number_of_retries(value: Any) -> None:
    """A wrong number is an error, not the default."""
    assert trouble(PLACE, config={"huaweicloud:maxRetries": value}) == (
        f"Settings: maxRetries is '{value}', not a number from 0 to 999 (stack config huaweicloud:maxRetries)"
    )


@pytest.mark.parametrize(
    ("value", "insecure"),
    [(True, True), (False, False), (None, False)]
    + [(text, True) for text in ("true", "True", "TRUE", "1", "yes", "on")]
    + [(text, False) for text in ("false", "False", "0", "no", "off", "", " ")],
    ids=repr,
)
def test_the_switch_insecure(value: Any, insecure: bool) -> None:
    """Booleans in the stack config are booleans or texts."""
    assert settings_of(PLACE, config={"huaweicloud:insecure": value}).insecure is insecure


@pytest.mark.parametrize("value", ["maybe", "2", "truee", {}], ids=repr)
def test_no_switch(value: Any) -> None:
    """Anything else than true or false is an error."""
    assert trouble(PLACE, config={"huaweicloud:insecure": value}) == (
        f"Settings: insecure is '{value}', not true or false (stack config huaweicloud:insecure)"
    )


def test_the_ca_file_has_its_own_names_and_that_of_the_http_library() -> None:
    """REQUESTS_CA_BUNDLE is used if nothing more explicit is set."""
    bundle = {"REQUESTS_CA_BUNDLE": "/bundle.pem"}
    assert ca(settings_of(PLACE | bundle)) == "/bundle.pem"
    assert ca(settings_of(PLACE | bundle | {"OS_CACERT": "/os.pem"})) == "/os.pem"


# --- values ----------------------------------------------------------------------------------------------------------

CALLERS = {
    "key": KEY | {"HW_SECURITY_TOKEN": "planted-token"},
    "token": {"HW_AUTH_TOKEN": "planted-token"},
    "password": PASSWORD,
}


@pytest.mark.parametrize("environ", CALLERS.values(), ids=CALLERS)
def test_settings_show_no_secret(environ: dict[str, str]) -> None:
    """Settings in a log or a traceback show no secret."""
    found = settings_of({"HW_REGION_NAME": "eu-de", **environ})
    assert "planted" not in f"{found} {found!r}"


@pytest.mark.parametrize("environ", CALLERS.values(), ids=CALLERS)
def test_settings_are_never_pickled(environ: dict[str, str]) -> None:
    """They would end up in the state of a stack."""
    found = settings_of({"HW_REGION_NAME": "eu-de", **environ})
    with pytest.raises(TypeError, match="never pickled"):
        dill.dumps(found)


def test_settings_are_equal_by_value_and_can_be_a_key() -> None:
    """Connections with the same settings share one client."""
    one, same = (settings_of(PLACE, connection=Connection(agency=AGENCY)) for _ in range(2))
    other = settings_of(PLACE | {"HW_SECRET_KEY": "another"}, connection=Connection(agency=AGENCY))
    assert {one: 1}[same] == 1
    assert one != other


def test_settings_of_a_user_by_password() -> None:
    """Account, user and password come from one source."""
    found = settings_of(PASSWORD | {"HW_REGION_NAME": "eu-de"})
    password = Secret("planted-secret")
    assert found.credential == Password("u", None, "d", None, password, "environment HW_USER_PASSWORD")


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Connection)])
def test_a_connection_is_frozen(field: str) -> None:
    """It is kept in the state, and used in keys."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(Connection(), field, "x")


def test_a_connection_is_pickled_by_reference_and_small() -> None:
    """Every resource in the state has one."""
    connection = Connection(namespace="dr", agency=AGENCY)
    raw = dill.dumps(connection)
    assert dill.loads(raw) == connection
    assert len(raw) < 350
    assert b"pulumi_cbr_sharing.settings.connection" in raw
    assert b"resolve" not in raw


@pytest.mark.parametrize("missing", [field.name for field in dataclasses.fields(Connection)])
def test_a_connection_of_an_older_version_still_unpickles(missing: str) -> None:
    """A field that did not exist when the state was written has its default."""
    old = Connection(**{field.name: "x" for field in dataclasses.fields(Connection) if field.name != missing})  # type: ignore[arg-type]
    del old.__dict__[missing]
    loaded = pickle.loads(pickle.dumps(old))
    assert missing not in loaded.__dict__
    assert getattr(loaded, missing) is None
    assert loaded == dataclasses.replace(loaded, **{missing: None})
    assert hash(loaded) == hash(dataclasses.replace(loaded, **{missing: None}))


def test_every_field_of_a_connection_has_a_default() -> None:
    """This allows to add fields later."""
    assert all(field.default is None for field in dataclasses.fields(Connection))


def test_a_sign_in_that_is_not_supported_names_the_variable_of_its_connection() -> None:
    """Another account's names have a prefix, so OS_TOKEN would not be read for it."""
    environ = {"OS_AUTH_TYPE": "v3oidcpassword"}
    assert "and set OS_TOKEN" in trouble(environ)
    prefixed = {f"DR_{name}": text for name, text in environ.items()}
    assert "and set DR_OS_TOKEN" in trouble(prefixed, connection=Connection(namespace="dr"))


def test_an_endpoint_is_called_by_what_gives_it() -> None:
    """That is its own setting, or else the region's, which may itself come from the name of the project."""
    own = settings_of(PLACE | {"HW_CBR_ENDPOINT": "https://a.example"})
    assert own.names["cbr"] == "the endpoint (environment HW_CBR_ENDPOINT)"
    assert own.names["iam"] == "the endpoint (environment HW_REGION_NAME)"
    told = settings_of(KEY, config={"huaweicloud:projectName": "eu-de_shop"})
    assert told.names["cbr"] == "the endpoint (stack config huaweicloud:projectName)"


@pytest.mark.parametrize("namespace", [None, "dr", "cbr-sharing"])
def test_a_connection_is_named_where_there_is_one(namespace: str | None) -> None:
    """The native plugin has none: its programs have explicit providers."""
    text = trouble(connection=Connection(namespace=namespace))
    assert ("Connection region" in text) == (namespace != "cbr-sharing")
    assert f"stack config {namespace or 'huaweicloud'}:region" in text
