"""The sources of settings: stack config, environment and files, each read into the same field names.

A `Source` maps fields to texts, and knows the name that each field has in it, so that a message can say
`environment HW_REGION_NAME` or `stack config huaweicloud:region`. The names are those of `pulumi-huaweicloud`, of the
Terraform provider, of the SDK and of the vendor's command line.
"""

from __future__ import annotations

import json
import re

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pulumi_cbr_sharing.errors import SettingsError, one_line
from pulumi_cbr_sharing.settings.connection import DEFAULT_NAMESPACE


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


# field: key in the stack config, environment variables in order of precedence
NAMES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "region": ("region", ("HW_REGION_NAME", "OS_REGION_NAME")),
    "project_id": ("projectId", ("HW_PROJECT_ID", "OS_PROJECT_ID", "HUAWEICLOUD_SDK_PROJECT_ID")),
    "project_name": ("projectName", ("HW_PROJECT_NAME", "OS_PROJECT_NAME")),
    "domain_id": ("domainId", ("HW_DOMAIN_ID", "OS_DOMAIN_ID", "OS_USER_DOMAIN_ID")),
    "domain_name": ("domainName", ("HW_DOMAIN_NAME", "OS_DOMAIN_NAME", "OS_USER_DOMAIN_NAME")),
    "user_id": ("userId", ("HW_USER_ID", "OS_USER_ID")),
    "user_name": ("userName", ("HW_USER_NAME", "OS_USERNAME")),
    "password": ("password", ("HW_USER_PASSWORD", "OS_PASSWORD")),
    "token": ("token", ("HW_AUTH_TOKEN", "OS_AUTH_TOKEN")),
    "access_key": ("accessKey", ("HW_ACCESS_KEY", "OS_ACCESS_KEY", "HUAWEICLOUD_SDK_AK")),
    "secret_key": ("secretKey", ("HW_SECRET_KEY", "OS_SECRET_KEY", "HUAWEICLOUD_SDK_SK")),
    "security_token": ("securityToken", ("HW_SECURITY_TOKEN", "OS_SECURITY_TOKEN", "HUAWEICLOUD_SDK_SECURITY_TOKEN")),
    "cloud": ("cloud", ("HW_CLOUD",)),
    "cbr": ("endpoints.cbr", ("HW_CBR_ENDPOINT",)),
    "iam": ("endpoints.iam", ("HW_IAM_ENDPOINT",)),
    "auth_url": ("authUrl", ("HW_AUTH_URL", "OS_AUTH_URL")),
    "insecure": ("insecure", ("HW_INSECURE", "OS_INSECURE")),
    "ca_file": ("cacertFile", ("HW_CACERT", "OS_CACERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")),
    "max_retries": ("maxRetries", ("HW_MAX_RETRIES",)),
    "plan_checks": ("planChecks", ("HW_PLAN_CHECKS",)),
    "profile": ("profile", ("HW_PROFILE",)),
    "profile_file": ("sharedConfigFile", ("HW_SHARED_CONFIG_FILE",)),
    "agency_name": ("assumeRole.agencyName", ("HW_ASSUME_ROLE_AGENCY_NAME",)),
    "agency_domain_name": ("assumeRole.domainName", ("HW_ASSUME_ROLE_DOMAIN_NAME",)),
    "agency_domain_id": ("assumeRole.domainId", ("HW_ASSUME_ROLE_DOMAIN_ID",)),
}

# What a connection with its own namespace may take from the default names: where the cloud is, never whose credential.
AMBIENT = frozenset({"region", "cloud", "cbr", "iam", "auth_url", "insecure", "ca_file", "max_retries", "plan_checks"})

FAMILIES = ("HW_", "OS_", "HUAWEICLOUD_SDK_")


class Config(Protocol):
    """The stack's configuration: a map, or the object that Pulumi's SDK gives to providers."""

    def get(self, key: str, /) -> Any:
        """The value of a full key such as `huaweicloud:region`, secrets decrypted; None if it is not set."""


@dataclass(frozen=True)
class Source:
    """One source of settings.

    Attributes:
        label: its name in messages.
        values: text by field; a blank one counts as not set.
        names: the name of each field in this source.
    """

    label: str
    values: Mapping[str, str] = field(repr=False)
    names: Mapping[str, str] = field(default_factory=dict, repr=False)

    def get(self, name: str) -> str | None:
        """The value of a field, stripped; None if it is not set or blank."""
        return self.values.get(name, "").strip() or None

    @property
    def is_file(self) -> bool:
        """Whether it is a file."""
        return self.label.startswith(("profile ", "file "))

    def where(self, name: str) -> str:
        """The source and its name for a field, for a message."""
        return f"{self.label} {self.names[name]}" if name in self.names else self.label

    def only(self, fields: frozenset[str]) -> Source:
        """The same source with only these fields."""
        values, names = ({key: each[key] for key in each.keys() & fields} for each in (self.values, self.names))
        return Source(self.label, values, names)


def from_stack_config(config: Config, namespace: str) -> Source:
    """The stack's configuration under one namespace.

    Args:
        config: values by full key such as `huaweicloud:region`; objects are maps or JSON texts.
        namespace: `huaweicloud`, or that of a Connection.
    """
    names = {name: f"{namespace}:{key}" for name, (key, _) in NAMES.items()}
    return Source("stack config", {name: _config_text(config, key) for name, key in names.items()}, names)


def _config_text(config: Config, dotted: str) -> str:
    key, _, inner = dotted.partition(".")
    value = config.get(key)
    if inner and value is not None:
        value = _as_map(key, value).get(inner)
    return "" if value is None else str(value)


def _as_map(key: str, value: Any) -> Mapping[str, Any]:
    """An object of the stack config: JSON from the engine, a map from a test or a tool."""
    if isinstance(value, str):
        try:
            value = json.loads(value) if value.strip() else {}
        except ValueError:
            value = None
    if isinstance(value, list) and len(value) == 1:  # the bridged provider writes a single block so
        value = value[0]
    if not isinstance(value, dict):
        raise SettingsError(
            f"stack config {key} is not a map: set it with `pulumi config set --path '{key}.name' value`"
        )
    return value


def environment_prefix(namespace: str) -> str:
    """What the environment variables of a namespace begin with: `DR_` for `dr`, nothing for the default one."""
    return "" if namespace == DEFAULT_NAMESPACE else re.sub(r"\W", "_", namespace).upper() + "_"


def from_environment(environ: Mapping[str, str], prefix: str = "", region: str | None = None) -> Iterator[Source]:
    """The environment: one source for each family of names, so that no credential is mixed from two of them.

    Args:
        environ: the environment variables.
        prefix: what every name begins with, such as `DR_`.
        region: the region whose `HUAWEICLOUD_SDK_REGION_CBR_<REGION>` is read, if it is known.
    """
    for family in FAMILIES:
        names = {}
        for field_name, (_, every) in NAMES.items():
            if variables := [prefix + variable for variable in _in_family(family, field_name, every, region)]:
                is_set = (variable for variable in variables if environ.get(variable, "").strip())
                names[field_name] = next(is_set, variables[0])
        yield Source("environment", {name: environ.get(variable, "") for name, variable in names.items()}, names)


def _in_family(family: str, field_name: str, every: tuple[str, ...], region: str | None) -> Iterator[str]:
    yield from (variable for variable in every if variable.startswith(family))
    if family == FAMILIES[-1]:
        # REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE belong to no family: they come last.
        yield from (variable for variable in every if not variable.startswith(FAMILIES))
        if field_name in ("cbr", "iam") and region:
            yield f"{family}REGION_{field_name.upper()}_{region.upper().replace('-', '_')}"


_PROFILE_KEYS = {
    "region": "region",
    "project_id": "projectId",
    "access_key": "accessKeyId",
    "secret_key": "secretAccessKey",
    "security_token": "securityToken",
    "domain_id": "domainId",
    "agency_name": "agencyName",
    "agency_domain_name": "agencyDomainName",
}


def from_profile(home: Path, file: str | None, profile: str | None) -> Source | None:
    """A profile of the vendor's command line; None if there is none, and neither file nor profile was named.

    Args:
        home: the user's home directory.
        file: the path; None means `~/.hcloud/config.json`.
        profile: the name of the profile; None means the current one.

    Raises:
        SettingsError: what was named does not exist, or the file has another format.
    """
    path = Path(file) if file else home / ".hcloud" / "config.json"
    if path.parts[:1] == ("~",):
        path = home.joinpath(*path.parts[1:])
    if not _is_file(path):
        if file or profile:
            raise SettingsError(f"profile {profile or 'current'}: there is no file {path}")
        return None
    content = _json_object(path)
    wanted = profile or content.get("current") or "default"
    rows = content.get("profiles")
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict) and row.get("name") == wanted:
            values = {name: str(row.get(key) or "") for name, key in _PROFILE_KEYS.items()}
            return Source(f"profile {one_line(wanted)} of {path}", values, _PROFILE_KEYS)
    if file or profile:
        raise SettingsError(f"profile {one_line(wanted)}: {path} has no profile of that name")
    return None


def _json_object(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path} cannot be read as JSON: {type(error).__name__}") from None
    return content if isinstance(content, dict) else {}


_SDK_KEYS = {
    "access_key": "ak",
    "secret_key": "sk",
    "project_id": "project_id",
    "security_token": "security_token",
    "iam": "iam_endpoint",
}


def from_sdk_file(home: Path) -> Source | None:
    """The section `[basic]` of the SDK's `~/.huaweicloud/credentials`; None if there is none."""
    path = home / ".huaweicloud" / "credentials"
    if not _is_file(path):
        return None
    import configparser  # noqa: PLC0415 - few users have this file

    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, configparser.Error) as error:
        raise SettingsError(f"{path} cannot be read as INI: {type(error).__name__}") from None
    if not parser.has_section("basic"):
        return None
    section = parser["basic"]
    return Source(f"file {path}", {name: section.get(key, "") for name, key in _SDK_KEYS.items()}, _SDK_KEYS)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # no permission to look into the home directory, as in a container with another user id
        return False
