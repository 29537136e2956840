from __future__ import annotations

import json

from typing import TYPE_CHECKING, Any

import pytest

from pulumi_cbr_sharing.errors import SettingsError
from pulumi_cbr_sharing.settings.sources import (
    AMBIENT,
    NAMES,
    from_environment,
    from_profile,
    from_sdk_file,
    from_stack_config,
)


if TYPE_CHECKING:
    from pathlib import Path


PROFILE = {
    "name": "work",
    "mode": "AKSK",
    "accessKeyId": "AK1",
    "secretAccessKey": "planted-secret",
    "securityToken": "",
    "region": "eu-de",
    "projectId": "0605767b5780d5762fc5c0118072a564",
}


def profiles_file(home: Path, content: Any, name: str = ".hcloud/config.json") -> Path:
    """A file of the vendor's command line."""
    path = home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def credentials_file(home: Path, content: str) -> Path:
    """A file of the vendor's SDK."""
    path = home / ".huaweicloud" / "credentials"
    path.parent.mkdir()
    path.write_text(content)
    return path


def value_in(environ: dict[str, str], name: str, prefix: str = "", region: str | None = None) -> str | None:
    """The first value of a field in the environment."""
    sources = from_environment(environ, prefix)
    found = (source.in_region(region).get(name) if region else source.get(name) for source in sources)
    return next(filter(None, found), None)


@pytest.mark.parametrize("namespace", ["dr", "My.DR"])
@pytest.mark.parametrize(("name", "dotted"), [(name, key) for name, (keys, _) in NAMES.items() for key in keys.split()])
def test_every_field_has_its_keys_in_the_stack_config(name: str, dotted: str, namespace: str) -> None:
    """The keys are those of the bridged provider, in the namespace of the connection."""
    key, _, inner = dotted.partition(".")
    source = from_stack_config({f"{namespace}:{key}": {inner: " value "} if inner else " value "}, namespace)
    assert source.get(name) == "value"
    assert source.where(name) == f"stack config {namespace}:{dotted}"


@pytest.mark.parametrize(
    ("name", "variable"), [(name, variable) for name, (_, variables) in NAMES.items() for variable in variables.split()]
)
@pytest.mark.parametrize("prefix", ["", "DR_"], ids=["plain", "prefixed"])
def test_every_field_has_its_names_in_the_environment(name: str, variable: str, prefix: str) -> None:
    """Each known variable is read, with the prefix of the namespace."""
    sources = list(from_environment({prefix + variable: " value "}, prefix))
    found = [source.where(name) for source in sources if source.get(name)]
    assert found == [f"environment {prefix}{variable}"]
    assert value_in({variable: "value"}, name, "XX_") is None


@pytest.mark.parametrize("name", NAMES)
def test_the_names_of_a_field_count_in_their_order(name: str) -> None:
    """HW_ takes precedence over OS_, and OS_ over the SDK's."""
    variables = NAMES[name][1].split()
    for i in range(len(variables)):
        environ = {variable: variable for variable in variables[i:]}
        assert value_in(environ, name) == variables[i]


@pytest.mark.parametrize("name", ["region", "access_key", "cbr"])
def test_a_blank_value_counts_as_not_set(name: str) -> None:
    """If a pipeline sets an empty variable, the next source counts."""
    key, variables = NAMES[name]
    assert value_in(dict.fromkeys(variables.split(), "  "), name) is None
    assert from_stack_config({f"huaweicloud:{key}": " "}, "huaweicloud").get(name) is None


def test_the_environment_is_one_source_for_each_family() -> None:
    """An access key of one family is never used with the secret key of another."""
    environ = {"HW_ACCESS_KEY": "AK1", "OS_SECRET_KEY": "planted-secret"}
    found = [(source.get("access_key"), source.get("secret_key")) for source in from_environment(environ)]
    assert found[:2] == [("AK1", None), (None, "planted-secret")]
    assert set(found[2:]) == {(None, None)}


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
    who = "access_key secret_key security_token token user_id user_name password domain_id domain_name"
    who += " project_id project_name profile profile_file agency_name agency_domain_name agency_domain_id"
    assert set(NAMES) - set(who.split()) == AMBIENT


@pytest.mark.parametrize("profile", [None, "work"], ids=["current", "named"])
def test_a_profile_is_read_from_the_command_lines_file(tmp_path: Path, profile: str | None) -> None:
    """The current profile, or the named one."""
    path = profiles_file(tmp_path, {"current": "work", "profiles": [{"name": "other"}, PROFILE]})
    (source,) = from_profile(None, profile)
    assert source.label == f"profile work of {path}"
    assert (source.get("access_key"), source.get("secret_key")) == ("AK1", "planted-secret")
    assert source.where("access_key") == f"profile work of {path} accessKeyId"
    assert source.get("security_token") is None


def test_a_file_without_a_current_profile_means_the_one_named_default(tmp_path: Path) -> None:
    """The command line itself does the same."""
    profiles_file(tmp_path, {"profiles": [PROFILE | {"name": "default"}]})
    assert from_profile()


@pytest.mark.parametrize("absolute", [True, False], ids=["absolute", "with ~"])
def test_the_file_of_profiles_may_be_named(tmp_path: Path, absolute: bool) -> None:
    """A path with `~` starts in the home directory."""
    path = profiles_file(tmp_path, {"current": "work", "profiles": [PROFILE]}, "mine.json")
    (source,) = from_profile(str(path) if absolute else "~/mine.json")
    assert source.get("region") == "eu-de"


@pytest.mark.parametrize(
    "content",
    [
        [],
        {},
        {"current": "gone", "profiles": [PROFILE]},
        {"current": "work"},
        {"profiles": {"a": 1}},
        {"profiles": [1]},
    ],
    ids=json.dumps,
)
def test_nothing_named_and_nothing_there_is_no_profile(tmp_path: Path, content: Any) -> None:
    """Files that were not named are optional."""
    assert from_profile() == []
    profiles_file(tmp_path, content)
    assert from_profile() == []


@pytest.mark.parametrize(
    ("file", "profile", "text"),
    [
        (None, "work", "profile work: there is no file {home}/.hcloud/config.json"),
        ("~/mine.json", "work", "profile work: there is no file {home}/mine.json"),
        ("~/mine.json", None, "profile current: there is no file {home}/mine.json"),
    ],
    ids=["profile", "profile and file", "file"],
)
def test_a_file_that_was_asked_for_must_be_there(
    tmp_path: Path, file: str | None, profile: str | None, text: str
) -> None:
    """If a path is wrong, another account's credential is not used."""
    with pytest.raises(SettingsError) as caught:
        from_profile(file, profile)
    assert str(caught.value) == text.format(home=tmp_path)


@pytest.mark.parametrize(
    ("file", "profile", "name"),
    [(None, "gone", "gone"), ("~/.hcloud/config.json", "gone", "gone"), ("~/.hcloud/config.json", None, "default")],
    ids=["profile", "profile and file", "file"],
)
def test_a_profile_that_was_asked_for_must_be_there(
    tmp_path: Path, file: str | None, profile: str | None, name: str
) -> None:
    """If a profile does not exist, another account's credential is not used."""
    path = profiles_file(tmp_path, {"profiles": [PROFILE]})
    with pytest.raises(SettingsError) as caught:
        from_profile(file, profile)
    assert str(caught.value) == f"profile {name}: {path} has no profile of that name"


@pytest.mark.parametrize("content", ["", "{", '{"secretAccessKey": "planted-secret"'], ids=["empty", "half", "cut"])
def test_a_broken_file_of_profiles_is_named_but_not_shown(tmp_path: Path, content: str) -> None:
    """The error names the file, and shows nothing of its content."""
    path = profiles_file(tmp_path, content)
    with pytest.raises(SettingsError) as caught:
        from_profile(None, "work")
    assert str(caught.value) == f"{path} cannot be read as JSON: JSONDecodeError"


def test_a_file_of_profiles_that_is_no_text_is_named(tmp_path: Path) -> None:
    """A binary file is an error, not a traceback."""
    path = profiles_file(tmp_path, {})
    path.write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(SettingsError, match=r"config\.json cannot be read as JSON: UnicodeDecodeError"):
        from_profile()


def test_the_file_of_the_sdk_is_read(tmp_path: Path) -> None:
    """The section `basic` has a key, its project and the IAM endpoint; `%` is not special."""
    path = credentials_file(
        tmp_path, "[basic]\nak = AK1\nsk = 50%secret\nproject_id = p\niam_endpoint = https://iam.example\n"
    )
    (source,) = from_sdk_file()
    assert (source.get("access_key"), source.get("secret_key")) == ("AK1", "50%secret")
    assert (source.get("project_id"), source.get("iam")) == ("p", "https://iam.example")
    assert source.get("security_token") is None
    assert source.where("access_key") == f"file {path} ak"


@pytest.mark.parametrize("content", ["", "[global]\nak = AK1\n"], ids=["empty", "another section"])
def test_a_file_of_the_sdk_without_basic_credentials_is_none(tmp_path: Path, content: str) -> None:
    """Other sections are for other kinds of credentials."""
    assert from_sdk_file() == []
    credentials_file(tmp_path, content)
    assert from_sdk_file() == []


@pytest.mark.parametrize("content", ["sk = planted-secret", "[basic]\nsk planted-secret"], ids=["no section", "no ="])
def test_a_broken_file_of_the_sdk_is_named_but_not_shown(tmp_path: Path, content: str) -> None:
    """The error names the file, and shows nothing of its content."""
    path = credentials_file(tmp_path, content)
    with pytest.raises(SettingsError) as caught:
        from_sdk_file()
    assert str(caught.value).startswith(f"{path} cannot be read as INI: ")
    assert "planted-secret" not in str(caught.value)


@pytest.mark.parametrize("home", ["/" + "x" * 300, None], ids=["cannot be looked into", "none"])
def test_a_home_that_cannot_be_looked_into_holds_no_files(home: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container with another user id, files are not an error."""
    if home:  # asking for anything in here is an OSError, for every user
        monkeypatch.setenv("HOME", home)
    else:
        monkeypatch.delenv("HOME")
        monkeypatch.setattr("os.getuid", lambda: 2**31 - 2)
    assert from_profile() == []
    assert from_sdk_file() == []
