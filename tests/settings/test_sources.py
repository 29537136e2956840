from __future__ import annotations

import re

from typing import Any

import pytest

from pulumi_cbr_sharing.errors import SettingsError
from pulumi_cbr_sharing.settings.connection import Agency
from pulumi_cbr_sharing.settings.precedence import AMBIENT
from pulumi_cbr_sharing.settings.sources import NAMES, from_environment, from_stack_config


def value_in(environ: dict[str, str], name: str, namespace: str | None = None, region: str | None = None) -> str | None:
    """The first value of a field in the environment."""
    sources = from_environment(environ, namespace)
    found = (source.in_region(region).get(name) if region else source.get(name) for source in sources)
    return next(filter(None, found), None)


@pytest.mark.parametrize("namespace", ["dr", "My.DR"])
@pytest.mark.parametrize(
    ("name", "dotted"), [(name, key) for name, names in NAMES.items() for key in names["config"].split()]
)
def test_every_field_has_its_keys_in_the_stack_config(name: str, dotted: str, namespace: str) -> None:
    """The keys are those of the bridged provider, in either spelling, in the namespace of the connection."""
    for spelled in (dotted, re.sub("[A-Z]", lambda match: f"_{match[0].lower()}", dotted)):
        key, _, inner = spelled.partition(".")
        source = from_stack_config({f"{namespace}:{key}": {inner: " value "} if inner else " value "}, namespace)
        assert source.get(name) == "value"
        assert source.where(name) == f"stack config {namespace}:{dotted if inner else spelled}"


@pytest.mark.parametrize(
    ("name", "variable"),
    [(name, variable) for name, names in NAMES.items() for variable in names["environment"].split()],
)
@pytest.mark.parametrize(("namespace", "prefix"), [(None, ""), ("dr", "DR_")], ids=["plain", "prefixed"])
def test_every_field_has_its_names_in_the_environment(
    name: str, variable: str, namespace: str | None, prefix: str
) -> None:
    """Each known variable is read, with the prefix of the namespace."""
    value = "cloud.example" if name == "cloud" else "value"
    sources = list(from_environment({prefix + variable: f" {value} "}, namespace))
    found = [source.where(name) for source in sources if source.get(name)]
    assert found == [f"environment {prefix}{variable}"]
    assert value_in({variable: value}, name, "xx") is None


@pytest.mark.parametrize("name", NAMES)
def test_the_names_of_a_field_count_in_their_order(name: str) -> None:
    """HW_ takes precedence over OS_, and OS_ over the SDK's; a credential of a pipeline goes before."""
    variables = sorted(NAMES[name]["environment"].split(), key=lambda one: not re.match(".*(IDP?_|OIDC)", one))
    for i in range(len(variables)):
        environ = {variable: f"{variable}." if name == "cloud" else variable for variable in variables[i:]}
        assert str(value_in(environ, name)).rstrip(".") == variables[i]


@pytest.mark.parametrize("name", ["region", "access_key", "cbr"])
def test_a_blank_value_counts_as_not_set(name: str) -> None:
    """If a pipeline sets an empty variable, the next source counts."""
    assert value_in(dict.fromkeys(NAMES[name]["environment"].split(), "  "), name) is None
    assert from_stack_config({f"huaweicloud:{NAMES[name]['config']}": " "}, "huaweicloud").get(name) is None


def test_the_environment_is_one_source_for_each_family() -> None:
    """An access key of one family is never used with the secret key of another."""
    environ = {"HW_ACCESS_KEY": "AK1", "OS_SECRET_KEY": "planted-secret"}
    found = [(source.get("access_key"), source.get("secret_key")) for source in from_environment(environ)]
    assert [each for each in found if any(each)] == [("AK1", None), (None, "planted-secret")]


@pytest.mark.parametrize(
    ("region", "found"),
    [("eu-de", "https://eu-de.example"), ("eu-nl", None), (None, None)],
    ids=["the region", "another region", "no region"],
)
def test_the_sdks_endpoint_of_a_region_counts_for_that_region(region: str | None, found: str | None) -> None:
    """HUAWEICLOUD_SDK_REGION_CBR_EU_DE says nothing about eu-nl."""
    environ = {"HUAWEICLOUD_SDK_REGION_CBR_EU_DE": "https://eu-de.example"}
    assert value_in(environ, "cbr", region=region) == found


def test_the_sdks_endpoint_of_a_region_comes_after_our_own_name() -> None:
    """HW_CBR_ENDPOINT is more explicit."""
    environ = {"HUAWEICLOUD_SDK_REGION_CBR_EU_DE": "https://a.example", "HW_CBR_ENDPOINT": "https://b.example"}
    assert value_in(environ, "cbr", region="eu-de") == "https://b.example"


@pytest.mark.parametrize(
    "endpoints",
    [
        pytest.param({"cbr": "https://cbr.example.com"}, id="map"),
        pytest.param('{"cbr": "https://cbr.example.com"}', id="JSON text"),
        pytest.param([{"cbr": "https://cbr.example.com"}], id="list of one"),
        pytest.param('[{"cbr": "https://cbr.example.com"}]', id="JSON text of a list of one"),
    ],
)
def test_a_map_of_the_stack_config_comes_in_any_form(endpoints: Any) -> None:
    """The engine sends JSON, a test gives a map, the bridged provider writes a list with one block."""
    source = from_stack_config({"huaweicloud:endpoints": endpoints}, "huaweicloud")
    assert source.get("cbr") == "https://cbr.example.com"
    assert source.get("iam") is None


@pytest.mark.parametrize("endpoints", [None, "", " ", {}, "{}"], ids=repr)
def test_an_empty_map_of_the_stack_config_sets_nothing(endpoints: Any) -> None:
    """An empty object counts as not set."""
    assert from_stack_config({"huaweicloud:endpoints": endpoints}, "huaweicloud").get("cbr") is None


@pytest.mark.parametrize("endpoints", ["https://cbr.example.com", "{", "[]", [{}, {}], 5, "null", "[1]"], ids=repr)
def test_what_is_no_map_is_refused_with_the_way_to_set_one(endpoints: Any) -> None:
    """If a URL is set instead of the map, the error gives the right command."""
    with pytest.raises(SettingsError) as caught:
        from_stack_config({"huaweicloud:endpoints": endpoints}, "huaweicloud")
    assert str(caught.value) == (
        "stack config huaweicloud:endpoints is not a map: "
        "set it with `pulumi config set --path 'huaweicloud:endpoints.name' value`"
    )


@pytest.mark.parametrize(
    ("value", "text"), [(True, "True"), (5.0, "5.0"), (7, "7"), ("x", "x"), (None, None)], ids=repr
)
def test_values_of_the_stack_config_become_texts(value: Any, text: str | None) -> None:
    """Numbers are floats, switches are booleans; the reader of a field parses its text."""
    assert from_stack_config({"huaweicloud:maxRetries": value}, "huaweicloud").get("max_retries") == text


def test_a_source_shows_no_value() -> None:
    """A source in a traceback shows no secret."""
    source = from_stack_config({"huaweicloud:secretKey": "planted-secret"}, "huaweicloud")
    assert "planted-secret" not in f"{source} {source!r}"


def test_a_narrowed_source_knows_only_what_is_left() -> None:
    """Messages only suggest names that are read."""
    source = from_stack_config({"huaweicloud:region": "eu-de", "huaweicloud:accessKey": "AK"}, "huaweicloud")
    narrow = source.only(AMBIENT)
    assert narrow.get("region") == "eu-de"
    assert narrow.get("access_key") is None
    assert set(narrow.names) <= AMBIENT


def test_nothing_that_tells_who_calls_is_ambient() -> None:
    """From the default names a named connection takes at most where the cloud is."""
    assert {
        *("region", "cloud", "cbr", "iam", "sts", "insecure", "ca", "cert", "key", "max_retries", "plan_checks")
    } == AMBIENT


@pytest.mark.parametrize(
    ("value", "field", "other"),
    [("otc", "entry", "cloud"), ("cloud.example", "cloud", "entry")],
    ids=["name", "domain"],
)
def test_os_cloud_is_an_entry_or_a_domain(value: str, field: str, other: str) -> None:
    """Flexible Engine's Terraform provider means the domain of the endpoints, all other tools the entry."""
    environ = {"OS_CLOUD": value}
    assert (value_in(environ, field), value_in(environ, other)) == (value, None)


@pytest.mark.parametrize(
    ("amazon", "token"), [("AK1", "planted-token"), ("AK2", None)], ids=["the same key", "another key"]
)
def test_a_token_under_amazons_name_counts_with_the_same_key_only(amazon: str, token: str | None) -> None:
    """`otc-auth` writes the token of a temporary key as AWS_SESSION_TOKEN only."""
    environ = {"OS_ACCESS_KEY": "AK1", "AWS_ACCESS_KEY_ID": amazon, "AWS_SESSION_TOKEN": "planted-token"}
    assert value_in(environ, "security_token") == token


def test_a_list_of_agencies_is_a_chain() -> None:
    """Each link has its own account and duration."""
    links = [{"agencyName": "a", "domainName": "A"}, {"agency_name": "b", "domainId": "B", "duration": 900.0}]
    source = from_stack_config({"huaweicloud:assumeRole": links}, "huaweicloud")
    assert [agency for agency, _ in source.agencies()] == [Agency("a", "A"), Agency("b", None, "B", 900)]
