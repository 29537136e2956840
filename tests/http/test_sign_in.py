"""From a file or an environment, as a tool writes it, to the requests at the services; all values are made up.

Each test ends with who was asked what: nothing is sent with a credential that cannot be right.
"""

from __future__ import annotations

import json
import os
import re
import subprocess

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from inprocess import FakeTime
from pulumi_cbr_sharing import Connection
from pulumi_cbr_sharing.cbr.backups import list_backups
from pulumi_cbr_sharing.cbr.vaults import list_vaults
from pulumi_cbr_sharing.emulator import Fault
from pulumi_cbr_sharing.errors import CbrSharingError, CredentialRefused, PermissionDenied, SettingsError
from pulumi_cbr_sharing.http.client import Client
from pulumi_cbr_sharing.settings.resolve import resolve


if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_cbr_sharing.emulator import Emulator


REGION = "ap-southeast-1"
KEY_OF_PIPELINE, LIST = ("securitytokens", None), ("backups", "sharer")


@pytest.fixture(name="home", autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home and working folder."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return tmp_path


def cloud(emulator: Emulator) -> dict[str, str]:
    """Where the cloud is; the files of other tools do not say that of the emulated one."""
    return {
        "HW_CBR_ENDPOINT": emulator.url,
        "HW_IAM_ENDPOINT": emulator.iam_url,
        "HW_STS_ENDPOINT": emulator.url,
        "HW_METADATA_ENDPOINT": emulator.url,
    }


def client_of(
    emulator: Emulator,
    environ: Mapping[str, str],
    connection: Connection | None = None,
    config: dict[str, Any] | None = None,
    told: list[str] | None = None,
) -> Client:
    """A client with these settings."""
    settings = resolve(connection or Connection(), config=config or {}, environ={**cloud(emulator), **environ})
    return Client(settings, clock=FakeTime().clock, notify=(told if told is not None else []).append)


def requests(emulator: Emulator) -> list[tuple[str, str | None]]:
    """The last part of each path, and the account that asked."""
    return [(request.path.rpartition("/")[2], request.account) for request in emulator.requests]


def listed(emulator: Emulator, environ: Mapping[str, str], **others: Any) -> list[tuple[str, str | None]]:
    """Sign in and list the backups; what was asked for that."""
    assert list_backups(client_of(emulator, environ, **others))
    return requests(emulator)


def hcloud(home: Path, *profiles: dict[str, Any], **top: Any) -> None:
    """A file of the vendor's command line; the first profile is the current one."""
    (home / ".hcloud").mkdir(exist_ok=True)
    rows = [
        {"securityToken": "", "xAuthToken": "", "agencyName": "", "sourceProfile": "", "ssoAuth": None, **each}
        for each in profiles
    ]
    content = {"language": "en", "authEncrypt": "false", "current": profiles[0]["name"], **top, "profiles": rows}
    (home / ".hcloud/config.json").write_text(json.dumps(content))


def key(emulator: Emulator, account: str = "sharer") -> dict[str, Any]:
    """The access key of an account, as the command line writes it."""
    owner = emulator.account(account)
    return {
        "name": account,
        "mode": "AKSK",
        "accessKeyId": owner.access_key,
        "secretAccessKey": owner.secret_key,
        "region": REGION,
    }


def rc(emulator: Emulator, account: str = "sharer") -> dict[str, str]:
    """An rc file as Open Telekom Cloud hands it out: without a region."""
    owner = emulator.account(account)
    return {
        "OS_USERNAME": owner.user_name,
        "OS_PASSWORD": owner.password,
        "OS_USER_DOMAIN_NAME": owner.name,
        "OS_TENANT_NAME": REGION,
        "OS_PROJECT_NAME": REGION,
        "OS_AUTH_URL": emulator.iam_url,
        "OS_IDENTITY_API_VERSION": "3",
    }


# --- the vendor's command line ----------------------------------------------------------------------------------------


def test_a_profile_with_an_access_key(emulator: Emulator, home: Path) -> None:
    """The project is looked up by the region."""
    hcloud(home, key(emulator))
    assert listed(emulator, {}) == [("projects", "sharer"), LIST]


def test_a_profile_with_a_cached_sso_key(emulator: Emulator, home: Path) -> None:
    """Once it has ended, the refusal has the command for a new one."""
    temporary = emulator.temporary_key("sharer")
    sts = {
        "accessKeyId": temporary.access_key,
        "secretAccessKey": temporary.secret_key,
        "securityToken": temporary.security_token,
    }
    hcloud(home, {"name": "dr", "mode": "SSO", "region": REGION, "ssoAuth": {"stsToken": sts}})
    assert listed(emulator, {"HW_PROFILE": "dr"}) == [("projects", "sharer"), LIST]
    emulator.clear_requests()
    sts["securityToken"] = "ended"
    hcloud(home, {"name": "dr", "mode": "SSO", "region": REGION, "ssoAuth": {"stsToken": sts}})
    with pytest.raises(CredentialRefused, match="run `hcloud configure sso --cli-profile=dr`"):
        list_backups(client_of(emulator, {"HW_PROFILE": "dr"}))
    assert len(emulator.requests) == 1


@pytest.mark.parametrize("by", ["agencyDomainName", "agencyDomainId"])
def test_a_profile_with_an_agency_and_a_source_profile(emulator: Emulator, home: Path, by: str) -> None:
    """The key of the source profile only asks for the agency's key."""
    sharer = emulator.account("sharer")
    account = {by: sharer.name if by.endswith("Name") else sharer.domain_id}
    agency = {
        "mode": "AssumeRole",
        "agencyName": "backup-admin",
        "sourceProfile": "bystander",
        "region": REGION,
        **account,
    }
    hcloud(home, {"name": "dr", **agency}, key(emulator, "bystander"))
    assert listed(emulator, {}) == [("securitytokens", "bystander"), ("projects", "sharer"), LIST]


def test_a_profile_with_a_token(emulator: Emulator, home: Path) -> None:
    """Its project is asked for."""
    hcloud(home, {"name": "dr", "mode": "token", "xAuthToken": emulator.token("sharer"), "region": REGION})
    assert listed(emulator, {}) == [("tokens", "sharer"), LIST]


def test_a_profile_with_the_servers_agency(emulator: Emulator, home: Path) -> None:
    """The metadata service gives the key."""
    hcloud(home, {"name": "dr", "mode": "ecsAgency", "region": REGION})
    assert listed(emulator, {"HW_PROFILE": "dr"}) == [("securitykey", None), ("projects", "sharer"), LIST]


@pytest.mark.parametrize("flag", [{"authEncrypt": "true"}, {"authEncrypt": None}], ids=["flag", "shape"])
def test_nothing_is_sent_with_an_encrypted_key(emulator: Emulator, home: Path, flag: dict[str, Any]) -> None:
    """Neither if the profile was named nor if it is just there."""
    cipher = {"accessKeyId": "q2" * 22 + "q2hh", "secretAccessKey": "q2" * 38 + "q==="}
    hcloud(home, key(emulator) | cipher, crypter="q2" * 32, nonce="q2" * 16, **flag)
    for environ in ({}, {"HW_PROFILE": "sharer"}):
        with pytest.raises(SettingsError, match="hcloud configure set --cli-auth-encrypt=false"):
            listed(emulator, environ)
    assert requests(emulator) == []


# --- rc files and clouds.yaml -----------------------------------------------------------------------------------------


def test_an_rc_file_as_it_is_downloaded(emulator: Emulator) -> None:
    """The region is in the project's name; the token is bound to the project."""
    told: list[str] = []
    assert listed(emulator, rc(emulator), told=told) == [("tokens", None), LIST]
    assert told == [f"the region {REGION} is that of OS_PROJECT_NAME, as nothing else names one"]
    scope = emulator.requests[0].body["auth"]["scope"]["project"]
    assert scope == {"name": REGION, "domain": {"name": "sharer"}}


@pytest.mark.parametrize("by", ["name", "id"])
def test_a_sub_project(emulator: Emulator, by: str) -> None:
    """It is used, and the run says so where two names differ."""
    shop = emulator.add_project("sharer", f"{REGION}_shop")
    environ = rc(emulator) | ({"OS_PROJECT_NAME": f"{REGION}_shop"} if by == "name" else {"OS_TENANT_ID": shop})
    told: list[str] = []
    client = client_of(emulator, environ, told=told)
    assert client.project_id == shop
    list_backups(client)
    assert emulator.requests[-1].path == f"/v3/{shop}/backups"
    assert ("OS_PROJECT_NAME is used, not OS_TENANT_NAME" in " ".join(told)) == (by == "name")


def test_an_access_key_of_an_rc_file(emulator: Emulator) -> None:
    """The names are those of the Terraform provider."""
    owner = emulator.account("sharer")
    environ = {
        "OS_ACCESS_KEY": owner.access_key,
        "OS_SECRET_KEY": owner.secret_key,
        "OS_REGION": REGION,
        "OS_AUTH_URL": emulator.iam_url,
    }
    assert listed(emulator, environ) == [("projects", "sharer"), LIST]


def test_a_token_knows_its_project(emulator: Emulator) -> None:
    """One of another project is refused before a backup is asked for."""
    environ = {"OS_TOKEN": emulator.token("sharer"), "OS_AUTH_URL": emulator.iam_url, "OS_REGION_NAME": REGION}
    assert listed(emulator, environ) == [("tokens", "sharer"), LIST]
    emulator.clear_requests()
    with pytest.raises(SettingsError, match=f"it is bound to {REGION}, not to eu-de: issue one for eu-de"):
        list_backups(client_of(emulator, environ | {"OS_REGION_NAME": "eu-de"}))
    assert len(emulator.requests) == 1


@pytest.mark.parametrize("delegated", [None, f"{REGION}_shop"], ids=["main project", "delegated project"])
def test_an_agency_of_an_rc_file(emulator: Emulator, delegated: str | None) -> None:
    """The user signs in to the own project, and works in the delegated one."""
    shop = emulator.add_project("sharer", f"{REGION}_shop")
    environ = rc(emulator, "bystander") | {"OS_AGENCY_NAME": "backup-admin", "OS_AGENCY_DOMAIN_NAME": "sharer"}
    client = client_of(emulator, environ | ({"OS_DELEGATED_PROJECT": delegated} if delegated else {}))
    assert client.project_id == (shop if delegated else emulator.account("sharer").project_id)
    assert requests(emulator) == [("tokens", None), ("securitytokens", "bystander"), ("projects", "sharer")]


@pytest.mark.parametrize("named", ["variable", "connection"])
def test_an_entry_of_clouds_yaml(emulator: Emulator, home: Path, named: str) -> None:
    """It goes before keys that are just there."""
    environ = rc(emulator)
    auth = {"auth_url": emulator.iam_url, "username": environ["OS_USERNAME"], "password": environ["OS_PASSWORD"]}
    auth |= {"user_domain_name": "sharer", "project_name": REGION}
    (home / "clouds.yaml").write_text(yaml.safe_dump({"clouds": {"otc": {"auth": auth}}}))
    other = {"HW_ACCESS_KEY": "AKEXAMPLE00000000001", "HW_SECRET_KEY": "s" * 40, "OS_PASSWORD": "other"}
    connection = Connection(cloud="otc") if named == "connection" else None
    environ = other | ({"OS_CLOUD": "otc"} if named == "variable" else {})
    client = client_of(emulator, environ, connection)
    assert list_backups(client)
    assert requests(emulator) == [("tokens", None), LIST]
    assert client.settings.signing.endswith("; not used: environment HW_ACCESS_KEY, environment OS_PASSWORD")


# --- without keys -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["optional", "required", "unknown"])
def test_the_agency_of_the_server(emulator: Emulator, token: Any) -> None:
    """Whether the metadata service asks for a token of its own, or does not know one."""
    emulator.metadata_token = token
    keys = [("securitykey", None)]
    asked = [*keys, ("token", None), *keys] if token == "required" else keys
    assert listed(emulator, {"HW_REGION_NAME": REGION}) == [*asked, ("projects", "sharer"), LIST]


def test_the_server_is_asked_only_if_nothing_else_is_there(emulator: Emulator, home: Path) -> None:
    """It is the last source."""
    hcloud(home, key(emulator, "bystander"))
    client_of(emulator, {}).project_id  # noqa: B018 - it asks
    assert requests(emulator) == [("projects", "bystander")]


def test_the_key_of_a_server_is_renewed_after_a_refusal(emulator: Emulator) -> None:
    """And before it ends."""
    client = client_of(emulator, {"HW_REGION_NAME": REGION})
    assert list_backups(client)
    emulator.rotate_key("sharer")
    emulator.add_fault(Fault("GET", "/backups", 401, json.dumps({"error_code": "APIGW.0301", "error_msg": "x"})))
    assert list_backups(client)
    assert [name for name, _ in requests(emulator)] == [
        "securitykey",
        "projects",
        "backups",
        "backups",
        "securitykey",
        "backups",
    ]


def test_without_credentials_and_server_all_ways_are_told(emulator: Emulator) -> None:
    """In one line, after one try."""
    clock = FakeTime()
    environ = {**cloud(emulator), "HW_REGION_NAME": REGION, "HW_METADATA_ENDPOINT": "http://127.0.0.1:9"}
    client = Client(resolve(Connection(), config=None, environ=environ), clock=clock.clock)
    for _ in range(2):
        with pytest.raises(SettingsError) as caught:
            list_backups(client)
    text = str(caught.value)
    assert text.startswith(
        "there are no credentials, and this machine has no agency; set an access key (environment HW_ACCESS_KEY"
    )
    assert "stack config" not in text
    assert (clock.slept, requests(emulator)) == ([], [])


def test_a_server_without_an_agency_says_that_alone(emulator: Emulator) -> None:
    """It is asked once."""
    emulator.server_agency = None
    client = client_of(emulator, {"HW_REGION_NAME": REGION})
    for _ in range(3):
        with pytest.raises(SettingsError, match=r"^this server has no agency"):
            list_backups(client)
    assert requests(emulator) == [("securitykey", None)]


NAMES = {
    "SDK": {"HUAWEICLOUD_SDK_IDP_ID": "ci", "HUAWEICLOUD_SDK_ID_TOKEN_FILE": "{file}"},
    "Terraform provider": {"HW_ASSUME_ROLE_IDP_ID": "ci", "HW_ASSUME_ROLE_ID_TOKEN_FILE": "{file}"},
    "Terraform provider, variable": {"HW_ASSUME_ROLE_IDP_ID": "ci", "HW_ASSUME_ROLE_ID_TOKEN": "{token}"},
    "STS": {
        "HUAWEICLOUD_OIDC_PROVIDER_URN": "iam::{account}:oidcProvider:ci",
        "HUAWEICLOUD_OIDC_AGENCY_URN": "iam::{account}:agency:deploy",
        "HUAWEICLOUD_OIDC_TOKEN_FILE": "{file}",
    },
}


def pipeline(emulator: Emulator, home: Path, names: Mapping[str, str], **token: Any) -> dict[str, str]:
    """The environment of a pipeline that has an identity token and no key."""
    emulator.add_identity_provider("sharer", "ci")
    emulator.add_agency("sharer", "deploy")
    text, file = emulator.id_token("ci", **token), home / "token"
    file.write_text(f"{text}\n")
    given = {"file": str(file), "token": text, "account": emulator.account("sharer").domain_id}
    return {"HW_REGION_NAME": REGION, **{name: text.format(**given) for name, text in names.items()}}


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
def test_a_pipelines_identity_token(emulator: Emulator, home: Path, names: dict[str, str]) -> None:
    """By the names that the vendor's SDK and the Terraform provider use; a key that is just there is not used."""
    first = (
        [("assume-with-oidc", None)] if "HUAWEICLOUD_OIDC_AGENCY_URN" in names else [("tokens", None), KEY_OF_PIPELINE]
    )
    loose = {"HW_ACCESS_KEY": "AKEXAMPLE00000000001", "HW_SECRET_KEY": "s" * 40}
    assert listed(emulator, loose | pipeline(emulator, home, names)) == [*first, ("projects", "sharer"), LIST]


class _Tokens(BaseHTTPRequestHandler):
    """Where a job of GitHub asks for its identity token."""

    token, asked = "", list[tuple[str, str | None]]()

    def do_GET(self) -> None:
        """Give it."""
        self.asked.append((self.path, self.headers.get("Authorization")))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"value": self.token}).encode())

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


def examples() -> list[Any]:
    """The pipelines in the guide."""
    guide = (Path(__file__).parents[2] / "docs/signing-in.md").read_text()
    return [yaml.safe_load(block) for block in re.findall("```yaml\n(.*?)```", guide, re.DOTALL)]


def test_the_example_of_github(emulator: Emulator, home: Path) -> None:
    """Its step runs, and the job signs in without a stored key."""
    job, _ = examples()
    pipeline(emulator, home, {})
    _Tokens.token = (home / "token").read_text().strip()
    with ThreadingHTTPServer(("127.0.0.1", 0), _Tokens) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        given = {
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "planted",
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"http://127.0.0.1:{server.server_port}/?api-version=2.0",
            "RUNNER_TEMP": str(home),
            "GITHUB_ENV": str(home / "env"),
            "PATH": os.environ["PATH"],
        }
        subprocess.run(["bash", "-e", "-c", job["steps"][0]["run"]], env=given, check=True, timeout=60)
        server.shutdown()
    assert _Tokens.asked == [("/?api-version=2.0&audience=cbr-sharing", "Bearer planted")]
    name, _, path = (home / "env").read_text().strip().partition("=")
    assert Path(path).stat().st_mode & 0o077 == 0
    environ = job["env"] | {name: path, "HW_REGION_NAME": REGION}
    assert listed(emulator, environ) == [("tokens", None), KEY_OF_PIPELINE, ("projects", "sharer"), LIST]


def test_the_example_of_gitlab(emulator: Emulator, home: Path) -> None:
    """GitLab fills the variable."""
    _, pipelines = examples()
    ((name, _),) = pipelines["up"]["id_tokens"].items()
    token = pipeline(emulator, home, {name: "{token}"})[name]
    environ = pipelines["up"]["variables"] | {name: token, "HW_REGION_NAME": REGION}
    assert listed(emulator, environ) == [("tokens", None), KEY_OF_PIPELINE, ("projects", "sharer"), LIST]


def test_an_iam_that_knows_the_federation_of_openstack_only(emulator: Emulator, home: Path) -> None:
    """Then the token is bound to the project."""
    emulator.add_fault(Fault("POST", "/id-token/tokens", 404, "{}", times=9))
    environ = pipeline(emulator, home, NAMES["SDK"])
    assert listed(emulator, environ) == [("tokens", None), ("auth", None), ("tokens", None), LIST]


def test_the_file_of_an_identity_token_is_read_for_each_renewal(emulator: Emulator, home: Path) -> None:
    """The token in it lives for minutes."""
    emulator.temporary_key_seconds = 0.5
    client = client_of(emulator, pipeline(emulator, home, NAMES["SDK"], seconds=1))
    assert list_backups(client)
    (home / "token").write_text(emulator.id_token("ci"))
    emulator.pause(1.2)
    emulator.clear_requests()
    assert list_backups(client)
    assert requests(emulator)[-3:] == [("tokens", None), KEY_OF_PIPELINE, LIST]


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (
            {"HW_ASSUME_ROLE_IDP_ID": "ci"},
            "HW_ASSUME_ROLE_IDP_ID is set without environment HW_ASSUME_ROLE_ID_TOKEN_FILE",
        ),
        (
            {"HUAWEICLOUD_OIDC_AGENCY_URN": "a", "HUAWEICLOUD_OIDC_ID_TOKEN": "t"},
            "HUAWEICLOUD_OIDC_AGENCY_URN is set without environment HUAWEICLOUD_OIDC_PROVIDER_URN",
        ),
        (
            {"HUAWEICLOUD_SDK_IDP_ID": "ci", "HUAWEICLOUD_SDK_ID_TOKEN_FILE": "/gone"},
            "cannot be read from /gone: FileNotFoundError",
        ),
        ({"HUAWEICLOUD_SDK_IDP_ID": "ci", "HUAWEICLOUD_SDK_ID_TOKEN_FILE": "/dev/null"}, "in /dev/null is empty"),
    ],
    ids=["no token", "no provider", "no file", "empty file"],
)
def test_half_an_identity_token_is_told_and_not_sent(emulator: Emulator, names: dict[str, str], text: str) -> None:
    """The error names what is missing."""
    with pytest.raises(SettingsError, match=text):
        listed(emulator, {"HW_REGION_NAME": REGION, **names})
    assert requests(emulator) == []


@pytest.mark.parametrize("names", [NAMES["Terraform provider, variable"], NAMES["STS"]], ids=["IAM", "STS"])
def test_an_identity_token_for_another_audience_is_refused_once(
    emulator: Emulator, home: Path, names: dict[str, str]
) -> None:
    """The error says what to check."""
    client = client_of(emulator, pipeline(emulator, home, names, audience="other"))
    for _ in range(3):
        with pytest.raises(CbrSharingError, match=r"audience|trust"):
            list_backups(client)
    assert len(emulator.requests) == 1


def test_a_chain_of_agencies(emulator: Emulator) -> None:
    """Each link is signed with the key of the one before; a refused one is renewed from the first on."""
    emulator.add_agency("recipient", "middle", trusts="bystander")
    emulator.add_agency("sharer", "last", trusts="recipient")
    links = [
        {"agencyName": "middle", "domainName": "recipient", "duration": 900},
        {"agencyName": "last", "domainName": "sharer"},
    ]
    owner = emulator.account("bystander")
    environ = {"HW_ACCESS_KEY": owner.access_key, "HW_SECRET_KEY": owner.secret_key, "HW_REGION_NAME": REGION}
    config = {"huaweicloud:assumeRole": json.dumps(links)}
    chain = [("securitytokens", "bystander"), ("securitytokens", "recipient")]
    assert listed(emulator, environ, config=config) == [*chain, ("projects", "sharer"), LIST]
    asked = [request.body["auth"]["identity"]["assume_role"]["duration_seconds"] for request in emulator.requests[:2]]
    assert asked == [900, 3600]


# --- regions, projects, endpoints -------------------------------------------------------------------------------------


def test_another_region_has_another_project(emulator: Emulator) -> None:
    """The id counts in its own region; elsewhere the project is looked up by the region's name."""
    owner, other = emulator.account("sharer"), emulator.add_project("sharer", "eu-de")
    environ = {
        "HW_ACCESS_KEY": owner.access_key,
        "HW_SECRET_KEY": owner.secret_key,
        "HW_REGION_NAME": REGION,
        "HW_PROJECT_ID": owner.project_id,
    }
    told: list[str] = []
    assert client_of(emulator, environ).project_id == owner.project_id
    assert client_of(emulator, environ, Connection(region="eu-de"), told=told).project_id == other
    assert told == [f"environment HW_PROJECT_ID is not used: it is in {REGION}, and that of eu-de is looked up"]
    assert emulator.requests[-1].query == "name=eu-de"


def test_a_refused_look_up_of_the_project_says_what_makes_it_unnecessary(emulator: Emulator, home: Path) -> None:
    """A key may lack the permission."""
    emulator.deny("sharer", "iam:projects:list")
    hcloud(home, key(emulator))
    with pytest.raises(
        PermissionDenied, match=r"set the project id .*HW_PROJECT_ID .*\), which makes this unnecessary"
    ):
        listed(emulator, {})


@pytest.mark.parametrize("kind", ["password", "token"])
def test_a_refused_secret_says_where_it_was_sent(emulator: Emulator, kind: str) -> None:
    """The host, too."""
    environ = (
        rc(emulator) | {"OS_PASSWORD": "wrong"}
        if kind == "password"
        else {"OS_TOKEN": "wrong", "OS_PROJECT_ID": "0" * 32}
    )
    with pytest.raises(CredentialRefused, match=f"from environment OS_{kind.upper()} and was sent to 127.0.0.1:"):
        listed(emulator, {"OS_REGION_NAME": REGION, **environ})
    assert len(emulator.requests) == 1


def test_a_stranger_in_the_stacks_configuration_is_told_before_anything_is_sent(emulator: Emulator) -> None:
    """The password is the environment's, the address is not."""
    environ, told = rc(emulator), list[str]()
    config = {"huaweicloud:endpoints": {"iam": "https://iam.example.com", "cbr": emulator.url}}
    client_of(emulator, environ | {"OS_REGION_NAME": REGION}, config=config, told=told)
    assert told == [
        f"the credential of the environment goes to {host}, as stack config huaweicloud:endpoints.{name} says: "
        "that is no address of a known cloud"
        for name, host in (("cbr", emulator.url.partition("//")[2]), ("iam", "iam.example.com"))
    ]
    assert requests(emulator) == []


def test_lists_are_of_the_chosen_enterprise_project(emulator: Emulator, home: Path) -> None:
    """A user who is limited to one sees it only so."""
    hcloud(home, key(emulator))
    client = client_of(emulator, {"HW_ENTERPRISE_PROJECT_ID": "0"})
    list_backups(client)
    list_vaults(client)
    asked = [request.query for request in emulator.requests[1:]]
    assert len(asked) == 2
    assert all("enterprise_project_id=0" in query for query in asked)


def test_the_metadata_service_is_never_asked_through_a_proxy(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy cannot reach it."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    assert client_of(emulator, {"HW_REGION_NAME": REGION}).project_id
