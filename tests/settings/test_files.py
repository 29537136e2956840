"""The files of other tools, as these write them; all keys, ids and names are made up."""

from __future__ import annotations

import json
import time

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from openstack.config.loader import OpenStackConfig

from pulumi_cbr_sharing.errors import SettingsError
from pulumi_cbr_sharing.settings.connection import Agency
from pulumi_cbr_sharing.settings.credentials import AccessKey, Password, ServerAgency, Token, credential_in
from pulumi_cbr_sharing.settings.files import from_entry, from_profile, from_sdk_file


if TYPE_CHECKING:
    from pathlib import Path

    from pulumi_cbr_sharing.settings.sources import Source


ACCESS, SECRET = "AKEXAMPLE00000000001", "plantedSecretKey000000000000000000000001"
CIPHER_ACCESS = "q2hhY2hhMjAtcG9seTEzMDUtZXhhbXBsZS0wMDAwMDAwMQ=="
CIPHER_SECRET = "q2hhY2hhMjAtcG9seTEzMDUtZXhhbXBsZS0wMDAwMDAwMS1hbmQtc29tZXdoYXQtbW9yZS0xMjM0NQ=="
PROJECT = "0605767b5780d5762fc5c0118072a564"
# Every field that the command line writes, empty where its mode does not use it.
EMPTY = {
    "name": "dr",
    "mode": "AKSK",
    **dict.fromkeys(("accessKeyId", "secretAccessKey", "securityToken", "region", "projectId", "domainId"), ""),
    **dict.fromkeys(("xAuthToken", "expiresAt", "agencyName", "agencyDomainId", "agencyDomainName"), ""),
    "sourceProfile": "",
    "skipSecureVerify": "false",
    "readTimeout": "10",
    "connectTimeout": "5",
    "retryCount": "0",
    "custom": None,
    "ssoParam": None,
    "ssoAuth": None,
}
KEY = {"accessKeyId": ACCESS, "secretAccessKey": SECRET}
PLACE = {"region": "eu-de", "projectId": PROJECT}


def hcloud(
    home: Path, *profiles: dict[str, Any], current: str = "dr", name: str = ".hcloud/config.json", **top: Any
) -> Path:
    """A file of the vendor's command line."""
    path = home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"language": "en", "offline": "false", "agreePrivacy": "true", "current": current}
    rows = [EMPTY | profile for profile in profiles]
    path.write_text(json.dumps(content | top | {"profiles": rows}))
    return path


def used(profile: str | None = "dr") -> Source:
    """The source of a named profile."""
    source = from_profile(None, profile, "environment HW_PROFILE")
    assert source
    return source


def trouble(source: Source | None) -> str:
    """Why it cannot be used, in one line without secrets."""
    assert source
    with pytest.raises(SettingsError) as caught:
        credential_in(source)
    text = str(caught.value)
    assert text.isprintable()
    assert not any(secret in text for secret in (ACCESS, SECRET, CIPHER_ACCESS, CIPHER_SECRET, "planted"))
    return text


# --- the vendor's command line ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("plain", ["false", False, None], ids=repr)
@pytest.mark.parametrize("token", ["", "planted-token"], ids=["permanent", "temporary"])
def test_an_access_key(tmp_path: Path, plain: Any, token: str) -> None:
    """With region and project; files of old releases have no flag."""
    path = hcloud(tmp_path, KEY | PLACE | {"securityToken": token}, authEncrypt=plain)
    source, found = used(), credential_in(used())
    assert isinstance(found, AccessKey)
    assert (found.access_key, found.secret_key.reveal()) == (ACCESS, SECRET)
    assert (found.security_token.reveal() if found.security_token else "") == token
    assert found.source == f"profile dr of {path} accessKeyId"
    assert (source.get("region"), source.get("project_id"), source.agencies()) == ("eu-de", PROJECT, [])


@pytest.mark.parametrize("encrypted", ["true", True, None], ids=repr)
@pytest.mark.parametrize(
    "profile",
    [
        {"accessKeyId": CIPHER_ACCESS, "secretAccessKey": CIPHER_SECRET},
        {"accessKeyId": "5f" * 34, "secretAccessKey": "5f" * 54},
        {"mode": "SSO", "ssoAuth": {"stsToken": {"accessKeyId": CIPHER_ACCESS, "secretAccessKey": CIPHER_SECRET}}},
        {"mode": "AssumeRole", "sourceProfile": "base", "agencyName": "a", "agencyDomainName": "b"},
        {"mode": "token", "xAuthToken": CIPHER_SECRET},
    ],
    ids=["base64", "hex", "SSO", "source profile", "token"],
)
def test_an_encrypted_profile_is_never_used(tmp_path: Path, profile: dict[str, Any], encrypted: Any) -> None:
    """Its flag tells, or, without one, the shape of its values; the error has the command that switches it off."""
    base = {"name": "base", "accessKeyId": CIPHER_ACCESS, "secretAccessKey": CIPHER_SECRET}
    path = hcloud(tmp_path, profile, base, crypter="q2" * 32, nonce="q2" * 16, authEncrypt=encrypted)
    assert trouble(used()) == (
        f"profile dr of {path} is encrypted, and only the command line itself can decrypt it: "
        "run `hcloud configure set --cli-auth-encrypt=false`"
    )
    assert trouble(from_profile()).endswith("=false`, or set HW_ACCESS_KEY and HW_SECRET_KEY")


def test_a_flag_counts_even_if_the_keys_look_plain(tmp_path: Path) -> None:
    """The shape of cipher texts is inferred, the flag is not."""
    hcloud(tmp_path, KEY, authEncrypt="true")
    assert "is encrypted" in trouble(used())


def test_an_sso_profile_signs_with_its_cached_key(tmp_path: Path) -> None:
    """The portal is not called; before the first login and after the last one, the error has the command."""
    sts = KEY | {"securityToken": "planted-token"}
    sso = {"accountId": "d1", "agencyUrn": "iam::d1:agency:a", "clientIdAndSecret": None, "accessTokenResult": None}
    leftovers = {"accessKeyId": "OLD", "secretAccessKey": "OLD"}
    path = hcloud(tmp_path, leftovers | {"mode": "SSO", "ssoAuth": sso | {"stsToken": sts}}, authEncrypt="false")
    found = credential_in(used())
    assert isinstance(found, AccessKey)
    assert (found.access_key, found.remedy) == (ACCESS, "run `hcloud configure sso --cli-profile=dr`")
    for none in ({"ssoAuth": sso | {"stsToken": None}}, {"ssoAuth": None}):
        hcloud(tmp_path, {"mode": "SSO"} | none, authEncrypt="false")
        assert trouble(used()) == f"profile dr of {path} is not signed in: run `hcloud configure sso --cli-profile=dr`"


@pytest.mark.parametrize("mode", ["AssumeRole", "agency"])
@pytest.mark.parametrize(
    ("account", "agency"),
    [
        ({"agencyDomainName": "other"}, Agency("admin", "other")),
        ({"agencyDomainId": "d2"}, Agency("admin", domain_id="d2")),
    ],
    ids=["by name", "by id"],
)
def test_an_agency_is_assumed_with_the_key_of_another_profile(
    tmp_path: Path, mode: str, account: dict[str, str], agency: Agency
) -> None:
    """Its own key, a leftover of another mode, is not used."""
    own = {"mode": mode, "agencyName": "admin", "sourceProfile": "base", "accessKeyId": "OLD", **account}
    hcloud(tmp_path, own, KEY | {"name": "base"}, authEncrypt="false")
    found = credential_in(used())
    assert isinstance(found, AccessKey)
    assert found.access_key == ACCESS
    assert [each for each, _ in used().agencies()] == [agency]


@pytest.mark.parametrize("source", ["", "gone", "dr", "token"], ids=["none", "missing", "itself", "another mode"])
def test_a_source_profile_has_an_access_key(tmp_path: Path, source: str) -> None:
    """The error names it."""
    own = {"mode": "AssumeRole", "agencyName": "admin", "agencyDomainName": "other", "sourceProfile": source}
    hcloud(tmp_path, own, {"name": "token", "mode": "token", "xAuthToken": "planted"}, authEncrypt="false")
    assert f"has the source profile '{source}', which is not one of mode AKSK in the same file" in trouble(used())


def test_an_agency_beside_an_access_key_is_assumed_and_told(tmp_path: Path) -> None:
    """The Terraform provider does so, the command line of today does not."""
    hcloud(tmp_path, KEY | {"agencyName": "admin", "agencyDomainName": "other"}, authEncrypt="false")
    assert [each for each, _ in used().agencies()] == [Agency("admin", "other")]
    assert "which is assumed as the Terraform provider does it" in used().notes[0]
    hcloud(tmp_path, KEY | {"agencyName": "admin"}, authEncrypt="false")
    assert (used().agencies(), used().notes) == ([], ())


def test_a_token_is_used_until_it_expires(tmp_path: Path) -> None:
    """The file has seconds since 1970."""
    now = int(time.time())
    hcloud(tmp_path, {"mode": "token", "xAuthToken": "planted", "expiresAt": str(now + 60)}, authEncrypt="false")
    assert isinstance(credential_in(used()), Token)
    hcloud(tmp_path, {"mode": "token", "xAuthToken": "planted", "expiresAt": str(now - 60)}, authEncrypt="false")
    assert trouble(used()).endswith("has a token that has expired: sign in again with the command line")


def test_the_servers_agency_and_what_is_not_known(tmp_path: Path) -> None:
    """A mode that came later is named."""
    path = hcloud(tmp_path, KEY | {"mode": "ecsAgency"}, authEncrypt="true")
    assert credential_in(used()) == ServerAgency(f"profile dr of {path}")
    hcloud(tmp_path, KEY | {"mode": "Passkey"})
    assert "has the mode passkey, which is not known here" in trouble(used())


@pytest.mark.parametrize(
    ("profile", "kind"),
    [
        (KEY, AccessKey),
        ({"xAuthToken": "planted"}, Token),
        ({"ssoAuth": {"stsToken": KEY}}, AccessKey),
        ({"sourceProfile": "base", "agencyName": "a", "agencyDomainName": "b"}, AccessKey),
    ],
    ids=["access key", "token", "SSO", "agency"],
)
def test_without_a_mode_the_fields_tell(tmp_path: Path, profile: dict[str, Any], kind: type) -> None:
    """As in a file that was written by hand."""
    hcloud(tmp_path, {"mode": None} | profile, KEY | {"name": "base"}, authEncrypt="false")
    assert isinstance(credential_in(used()), kind)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_files_from_windows_are_read(tmp_path: Path, encoding: str) -> None:
    """With or without a mark in front."""
    path = hcloud(tmp_path, KEY, authEncrypt="false")
    path.write_text(path.read_text(), encoding=encoding)
    assert used().get("access_key") == ACCESS


@pytest.mark.parametrize("current", ["dr", None, ""], ids=repr)
def test_the_current_profile_or_the_one_named_default(tmp_path: Path, current: Any) -> None:
    """As the command line itself does."""
    hcloud(tmp_path, KEY, KEY | {"name": "default", "region": "eu-nl"}, current=current, authEncrypt="false")
    source = from_profile()
    assert source
    assert source.get("region") == (None if current else "eu-nl")


@pytest.mark.parametrize(
    "content", [[], {}, {"current": "gone", "profiles": [EMPTY]}, {"profiles": {"a": 1}}, {"profiles": [1]}]
)
def test_nothing_named_and_nothing_there_is_no_profile(tmp_path: Path, content: Any) -> None:
    """Files that were not named are optional."""
    assert from_profile() is None
    hcloud(tmp_path).write_text(json.dumps(content))
    assert from_profile() is None


@pytest.mark.parametrize(
    ("file", "profile", "text"),
    [
        (None, "work", "profile work: {home}/.hcloud/config.json has no profile of that name; there are: dr, night"),
        ("~/mine.json", "work", "profile work: there is no file {home}/mine.json"),
        ("~/mine.json", None, "profile current: there is no file {home}/mine.json"),
    ],
    ids=["profile", "profile and file", "file"],
)
def test_what_was_named_must_be_there(tmp_path: Path, file: str | None, profile: str | None, text: str) -> None:
    """Another account's credential is not used instead; the error lists what is there."""
    hcloud(tmp_path, KEY, KEY | {"name": "night"})
    assert trouble(from_profile(file, profile, "environment HW_PROFILE")) == text.format(home=tmp_path)


@pytest.mark.parametrize("given", [{"ssoAuth": "planted", "mode": "SSO"}, {"mode": ["other"]}], ids=["SSO", "mode"])
def test_a_profile_of_another_form_is_named(tmp_path: Path, given: dict[str, Any]) -> None:
    """Not a traceback."""
    path = hcloud(tmp_path, KEY | given, authEncrypt="false")
    assert trouble(used()).startswith(f"profile dr of {path} has ")


@pytest.mark.parametrize("content", ["", "{", '{"secretAccessKey": "planted-secret"', b"\xff\xfe\xfa"], ids=repr)
def test_a_broken_file_is_named_but_not_shown(tmp_path: Path, content: str | bytes) -> None:
    """The error shows nothing of its content."""
    path = hcloud(tmp_path)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert trouble(from_profile()).startswith(f"profile current: {path} cannot be read as JSON: ")


# --- clouds.yaml ------------------------------------------------------------------------------------------------------

AUTH = {
    "auth_url": "https://iam.eu-de.otc.t-systems.com/v3",
    "username": "planted-user",
    "password": "planted-password",
    "project_name": "eu-de_shop",
    "user_domain_name": "OTC00000000001000000099",
}
OTC = {"auth": AUTH, "region_name": "eu-de", "interface": "public", "identity_api_version": 3}


@pytest.fixture(name="folder")
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home and a working folder that are empty."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return work


def write(folder: Path, entry: Any, stem: str = "clouds", top: str = "clouds") -> Path:
    """A file with one entry, `otc`."""
    path = folder / f"{stem}.yaml"
    path.write_text(yaml.safe_dump({top: {"otc": entry}}))
    return path


def entry(region: str | None = None, usual: str | None = None) -> Source:
    """The entry `otc`."""
    return from_entry("otc", named_by="environment OS_CLOUD", regions=(region, usual))


ORACLE = {
    "username": "user_name",
    "password": "password",
    "user_domain_name": "domain_name",
    "project_id": "project_id",
    "project_name": "project_name",
    "auth_url": "iam",
    "token": "token",
}
ENTRIES: dict[str, dict[str, Any]] = {
    "as documented": OTC,
    "hyphens": {"auth": {key.replace("_", "-") if "domain" in key else key: text for key, text in AUTH.items()}},
    "tenant": {"auth": {**AUTH, "tenant_name": "eu-de"} | {"project_name": "eu-de"}},
    "project at the top": {**OTC, "project_name": "eu-de_other"},
    "domain name for both": {"auth": {**AUTH, "domain_name": "OTC2"} | {"user_domain_name": "OTC2"}},
    "template": {**OTC, "auth": {**AUTH, "auth_url": "https://iam.{region_name}.otc.t-systems.com/v3"}},
    "built-in profile": {"profile": "otc", "auth": {key: text for key, text in AUTH.items() if key != "auth_url"}},
    "old name of the profile": {"cloud": "otc", "auth": {key: text for key, text in AUTH.items() if key != "auth_url"}},
    "regions": {"auth": AUTH, "regions": ["eu-nl", "eu-de"]},
    "regions with values": {
        "auth": AUTH,
        "regions": [{"name": "eu-nl", "values": {"auth": {"project_name": "eu-nl_shop"}}}, "eu-de"],
    },
    "token": {"auth_type": "token", "auth": {"auth_url": AUTH["auth_url"], "token": "planted", "project_id": PROJECT}},
}


@pytest.mark.filterwarnings("ignore::Warning")  # the loader\'s own
@pytest.mark.parametrize("region", [None, "eu-de"])
@pytest.mark.parametrize("given", ENTRIES.values(), ids=ENTRIES)
def test_an_entry_means_what_the_openstack_tools_take_it_for(
    folder: Path, given: dict[str, Any], region: str | None
) -> None:
    """Their own loader is the oracle."""
    path = write(folder, given)
    loader = OpenStackConfig(config_files=[str(path)], secure_files=[], vendor_files=[], load_envvars=False)
    expected = loader.get_one("otc", region_name=region or "", validate=False)
    source = entry(region)
    assert source.trouble == ""
    assert source.get("region") == (expected.config["region_name"] or None)
    auth = expected.config["auth"]
    assert {ours: source.get(ours) for ours in ORACLE.values()} == {
        ours: auth.get(name) for name, ours in ORACLE.items()
    }


@pytest.mark.filterwarnings("ignore::Warning")  # the loader's own
def test_a_secret_file_lies_over_an_entry(folder: Path) -> None:
    """Key by key, as the loader does it."""
    write(folder, {**OTC, "auth": {**AUTH, "password": "other"}})
    write(folder, {"auth": {"password": "planted-secret"}}, "secure")
    loader = OpenStackConfig(load_envvars=False, config_files=["clouds.yaml"], secure_files=["secure.yaml"])
    assert (
        entry().get("password") == loader.get_one("otc", validate=False).config["auth"]["password"] == "planted-secret"
    )


def test_a_public_profile_is_the_base_of_an_entry(folder: Path) -> None:
    """The entry wins."""
    write(
        folder,
        {"auth_url": "https://iam.x.example/v3", "auth": {"auth_url": "https://iam.y.example/v3"}},
        "clouds-public",
        "public-clouds",
    )
    auth = {key: text for key, text in AUTH.items() if key != "auth_url"}
    write(folder, {"profile": "otc", "region_name": "eu-de", "auth": auth})
    assert entry().get("iam") == "https://iam.y.example/v3"


def test_the_first_file_counts_alone(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are not merged with one another."""
    config = tmp_path / ".config/openstack"
    config.mkdir(parents=True)
    write(config, {**OTC, "region_name": "eu-nl"})
    assert entry().get("region") == "eu-nl"
    (tmp_path / "xdg/openstack").mkdir(parents=True)
    write(tmp_path / "xdg/openstack", {**OTC, "region_name": "eu-ch2"})
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    assert entry().get("region") == "eu-ch2"
    write(folder, OTC)
    assert entry().get("region") == "eu-de"


def test_a_missing_entry_or_file_is_told_with_what_is_there(folder: Path, tmp_path: Path) -> None:
    """Nothing falls through to another file."""
    assert trouble(entry()).startswith(f"there is no clouds.yaml; looked in {folder}, {tmp_path}/.config/openstack, ")
    path = write(folder, OTC)
    assert trouble(from_entry("two", named_by="environment OS_CLOUD")) == (
        f"{path} has no entry two; there are: otc (environment OS_CLOUD)"
    )
    named = from_entry("otc", named_by="environment OS_CLOUD", files=("~/gone.yaml", None))
    assert trouble(named) == "there is no clouds.yaml; looked in ~/gone.yaml (environment OS_CLOUD)"
    path.write_text("clouds: [planted")
    assert trouble(entry()).startswith(f"{path} cannot be read as YAML: ")


def test_a_region_that_an_entry_does_not_have_is_told(folder: Path) -> None:
    """The loader refuses it, too."""
    path = write(folder, ENTRIES["regions"])
    assert trouble(entry("eu-ch2")) == (
        f"entry otc of {path} has no region eu-ch2; there are: eu-nl, eu-de (environment OS_CLOUD)"
    )
    assert entry(None, "eu-de").get("region") == "eu-de"


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"auth_type": "aksk", "auth": {"auth_url": AUTH["auth_url"], "ak": ACCESS, "sk": SECRET}}, AccessKey),
        ({"auth": {"auth_url": AUTH["auth_url"]}, "ak": ACCESS, "sk": SECRET}, AccessKey),
        ({"auth": {"auth_url": AUTH["auth_url"]}, "access_key": ACCESS, "secret_key": SECRET}, AccessKey),
        ({**OTC, "ak": ACCESS, "sk": SECRET}, Password),
        ({"auth_type": "v3token", "auth": {**AUTH, "token": "planted"}}, Token),
        ({"auth_type": "v3password", "auth": {**AUTH, "token": "planted"}}, Password),
    ],
    ids=["aksk", "keys at the top", "keys by other names", "keys for object storage", "token", "password"],
)
def test_an_entry_signs_as_its_type_says(folder: Path, given: dict[str, Any], kind: type) -> None:
    """Keys beside a password are for object storage."""
    write(folder, given)
    assert isinstance(credential_in(entry()), kind)


@pytest.mark.parametrize(
    "given",
    [
        {"auth": "planted"},
        {"auth": AUTH, "regions": [{"values": {}}]},
        {"auth": AUTH, "regions": 5},
        {"profile": ["otc"]},
    ],
    ids=["text", "region without name", "number", "list"],
)
def test_an_entry_of_another_form_is_named(folder: Path, given: dict[str, Any]) -> None:
    """Not a traceback."""
    path = write(folder, given)
    assert trouble(entry()) == f"entry otc of {path} has not the form of an entry (environment OS_CLOUD)"


def test_an_entry_may_assume_an_agency(folder: Path) -> None:
    """As the extensions for Open Telekom Cloud write it."""
    target = {"target_agency_name": "admin", "target_domain_name": "OTC2", "target_project_name": "eu-de_x"}
    write(folder, {**OTC, "auth_type": "agency", "auth": {**AUTH, **target}})
    assert [each for each, _ in entry().agencies()] == [Agency("admin", "OTC2")]
    assert isinstance(credential_in(entry()), Password)


@pytest.mark.parametrize(
    "kind", ["v3totp", "v3multifactor", "v3oidcpassword", "v3samlpassword", "v3applicationcredential"]
)
def test_other_types_of_sign_in_are_refused_by_name(folder: Path, kind: str) -> None:
    """With what works instead."""
    path = write(folder, {**OTC, "auth_type": kind})
    assert trouble(entry()) == (
        f"entry otc of {path} auth_type is {kind}, which is not supported here: issue a token "
        "(`openstack token issue -f value -c id`) and set OS_TOKEN, without environment OS_CLOUD"
    )


def test_a_one_time_password_is_refused(folder: Path) -> None:
    """It works once, but a run signs in more than once."""
    write(folder, {**OTC, "auth": {**AUTH, "passcode": "123456"}})
    assert "is a one-time password" in trouble(entry())


@pytest.mark.parametrize(
    ("given", "field", "value"),
    [
        ({"verify": False}, "insecure", "True"),
        ({"cacert": "~/ca.pem"}, "ca", "~/ca.pem"),
        ({"cert": "c", "key": "k"}, "key", "k"),
    ],
    ids=["verify", "cacert", "key"],
)
def test_an_entry_has_its_own_tls(folder: Path, given: dict[str, Any], field: str, value: str) -> None:
    """By the names of the OpenStack tools."""
    write(folder, {**OTC, **given})
    assert entry().get(field) == value


# --- the vendor's SDK -------------------------------------------------------------------------------------------------


def sdk(home: Path, content: str) -> Path:
    """A file of the vendor's SDK."""
    path = home / ".huaweicloud" / "credentials"
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    return path


def test_the_file_of_the_sdk_is_read(tmp_path: Path) -> None:
    """The section `basic` has a key, its project and the IAM endpoint; `%` is not special."""
    path = sdk(tmp_path, "[basic]\nak = AK1\nsk = 50%secret\nproject_id = p\niam_endpoint = https://iam.example\n")
    source = from_sdk_file()
    assert source
    assert (source.get("access_key"), source.get("secret_key")) == ("AK1", "50%secret")
    assert (source.get("project_id"), source.get("iam")) == ("p", "https://iam.example")
    assert source.where("access_key") == f"file {path} ak"


@pytest.mark.parametrize("content", ["", "[global]\nak = AK1\n"], ids=["empty", "another section"])
def test_a_file_of_the_sdk_without_basic_credentials_is_none(tmp_path: Path, content: str) -> None:
    """Other sections are for other kinds of credentials."""
    assert from_sdk_file() is None
    sdk(tmp_path, content)
    assert from_sdk_file() is None


@pytest.mark.parametrize("content", ["sk = planted-secret", "[basic]\nsk planted-secret"], ids=["no section", "no ="])
def test_a_broken_file_of_the_sdk_is_named_but_not_shown(tmp_path: Path, content: str) -> None:
    """The error names the file, and shows nothing of its content."""
    path = sdk(tmp_path, content)
    assert trouble(from_sdk_file()).startswith(f"{path} cannot be read as INI: ")


def test_a_named_file_of_the_sdk_must_be_there(tmp_path: Path) -> None:
    """As all that was named."""
    named_by = "environment HUAWEICLOUD_SDK_CREDENTIALS_FILE"
    assert trouble(from_sdk_file("~/gone", named_by)) == f"there is no file {tmp_path}/gone ({named_by})"


@pytest.mark.parametrize("home", ["/" + "x" * 300, None], ids=["cannot be looked into", "none"])
def test_a_home_that_cannot_be_looked_into_holds_no_files(home: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container with another user id, files are not an error."""
    if home:  # asking for anything in here is an OSError, for every user
        monkeypatch.setenv("HOME", home)
    else:
        monkeypatch.delenv("HOME")
        monkeypatch.setattr("os.getuid", lambda: 2**31 - 2)
    assert from_profile() is None
    assert from_sdk_file() is None
