"""The sources of settings: stack config, environment and files, each with the names that it has for the same fields.

The names are those of `pulumi-huaweicloud`, of the Terraform provider, of the SDK and of the vendor's command line.
"""

from __future__ import annotations

import json
import os.path
import re

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pulumi_cbr_sharing.errors import SettingsError, one_line
from pulumi_cbr_sharing.settings.connection import PLAIN_NAMESPACES


if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping


# field: keys in the stack config and environment variables, each in order of precedence, separated by blanks
NAMES: Mapping[str, tuple[str, str]] = {
    "region": ("region", "HW_REGION_NAME OS_REGION_NAME"),
    "project_id": ("projectId", "HW_PROJECT_ID OS_PROJECT_ID HUAWEICLOUD_SDK_PROJECT_ID"),
    "project_name": ("projectName", "HW_PROJECT_NAME OS_PROJECT_NAME"),
    "domain_id": ("domainId", "HW_DOMAIN_ID OS_DOMAIN_ID OS_USER_DOMAIN_ID"),
    "domain_name": ("domainName", "HW_DOMAIN_NAME OS_DOMAIN_NAME OS_USER_DOMAIN_NAME"),
    "user_id": ("userId", "HW_USER_ID OS_USER_ID"),
    "user_name": ("userName", "HW_USER_NAME OS_USERNAME"),
    "password": ("password", "HW_USER_PASSWORD OS_PASSWORD"),
    "token": ("token", "HW_AUTH_TOKEN OS_AUTH_TOKEN"),
    "access_key": ("accessKey", "HW_ACCESS_KEY OS_ACCESS_KEY HUAWEICLOUD_SDK_AK"),
    "secret_key": ("secretKey", "HW_SECRET_KEY OS_SECRET_KEY HUAWEICLOUD_SDK_SK"),
    "security_token": ("securityToken", "HW_SECURITY_TOKEN OS_SECURITY_TOKEN HUAWEICLOUD_SDK_SECURITY_TOKEN"),
    "cloud": ("cloud", "HW_CLOUD"),
    "cbr": ("endpoints.cbr", "HW_CBR_ENDPOINT HUAWEICLOUD_SDK_REGION_CBR_<REGION>"),
    "iam": ("endpoints.iam authUrl", "HW_IAM_ENDPOINT HW_AUTH_URL OS_AUTH_URL HUAWEICLOUD_SDK_REGION_IAM_<REGION>"),
    "insecure": ("insecure", "HW_INSECURE OS_INSECURE"),
    "ca_file": ("cacertFile", "HW_CACERT OS_CACERT REQUESTS_CA_BUNDLE CURL_CA_BUNDLE"),
    "max_retries": ("maxRetries", "HW_MAX_RETRIES"),
    "plan_checks": ("planChecks", "HW_PLAN_CHECKS"),
    "profile": ("profile", "HW_PROFILE"),
    "profile_file": ("sharedConfigFile", "HW_SHARED_CONFIG_FILE"),
    "agency_name": ("assumeRole.agencyName", "HW_ASSUME_ROLE_AGENCY_NAME"),
    "agency_domain_name": ("assumeRole.domainName", "HW_ASSUME_ROLE_DOMAIN_NAME"),
    "agency_domain_id": ("assumeRole.domainId", "HW_ASSUME_ROLE_DOMAIN_ID"),
}

# What a connection with its own namespace may take from the default names: where the cloud is, never whose credential.
AMBIENT = frozenset({"region", "cloud", "cbr", "iam", "insecure", "ca_file", "max_retries", "plan_checks"})

FAMILIES = ("HW_", "OS_", "HUAWEICLOUD_SDK_")


class Config(Protocol):
    """The stack's configuration: a map, or the object that Pulumi's SDK gives to providers."""

    def get(self, key: str, /) -> Any:
        """The value of a full key such as `huaweicloud:region`, secrets decrypted; None if it is not set."""


@dataclass(frozen=True, repr=False)  # a repr would show secrets
class Source:
    """One source of settings.

    Attributes:
        label: what it is called in messages.
        values: its values by name, such as `HW_REGION_NAME`; a blank one counts as not set.
        names: the names that it has for each field, in order of precedence, separated by blanks.
        prefix: what all names begin with.
        is_file: whether it is a file.
    """

    label: str
    values: Mapping[str, Any]
    names: Mapping[str, str]
    prefix: str = ""
    is_file: bool = False

    def get(self, field: str) -> str | None:
        """The value of a field, stripped; None if it is not set or blank."""
        return self._text(self.name_of(field)) or None

    def name_of(self, field: str) -> str:
        """The name of a field: the one that is set, else the first; "" if the source has none."""
        names = [self.prefix + name for name in self.names.get(field, "").split()]
        return next(filter(self._text, names), names[0] if names else "")

    def where(self, field: str) -> str:
        """The source and its name for a field, for a message."""
        return f"{self.label} {self.name_of(field)}"

    def only(self, fields: Container[str]) -> Source:
        """The same source with only these fields."""
        return replace(self, names={field: names for field, names in self.names.items() if field in fields})

    def in_region(self, region: str) -> Source:
        """The same source with the names that count in one region, such as `HUAWEICLOUD_SDK_REGION_CBR_EU_DE`."""
        part = region.upper().replace("-", "_")
        return replace(self, names={field: names.replace("<REGION>", part) for field, names in self.names.items()})

    def _text(self, name: str) -> str:
        value = self.values.get(name)
        return "" if value is None else str(value).strip()


def from_stack_config(config: Config, namespace: str) -> Source:
    """The stack's configuration under one namespace.

    Args:
        config: values by full key such as `huaweicloud:region`; objects are maps or JSON texts.
        namespace: `huaweicloud`, or that of a Connection.
    """
    names = {field: keys for field, (keys, _) in NAMES.items()}
    values = {f"{namespace}:{key}": _config_value(config, namespace, key) for key in " ".join(names.values()).split()}
    return Source("stack config", values, names, f"{namespace}:")


def _config_value(config: Config, namespace: str, dotted: str) -> Any:
    outer, _, inner = dotted.partition(".")
    key = f"{namespace}:{outer}"
    value = config.get(key)
    return _as_map(key, value).get(inner) if inner and value is not None else value


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
    """What the environment variables of a namespace begin with: `DR_` for `dr`, nothing for those of a door."""
    return "" if namespace in PLAIN_NAMESPACES else re.sub(r"\W", "_", namespace).upper() + "_"


def from_environment(environ: Mapping[str, str], prefix: str = "") -> Iterator[Source]:
    """The environment: one source for each family of names, so that no credential is mixed from two of them.

    Args:
        environ: the environment variables.
        prefix: what every name begins with, such as `DR_`.
    """
    for family in (*FAMILIES, "REQUESTS_", "CURL_"):  # the last two have the CA bundle only
        names = {
            field: " ".join(variable for variable in variables.split() if variable.startswith(family))
            for field, (_, variables) in NAMES.items()
        }
        yield Source("environment", environ, names, prefix)


_PROFILE_KEYS = {
    "region": "region",
    "project_id": "projectId",
    "access_key": "accessKeyId",
    "secret_key": "secretAccessKey",
    "security_token": "securityToken",
    "agency_name": "agencyName",
    "agency_domain_name": "agencyDomainName",
}


def from_profile(file: str | None = None, profile: str | None = None) -> list[Source]:
    """A profile of the vendor's command line; nothing if there is none, and neither file nor profile was named.

    Args:
        file: the path; None means `~/.hcloud/config.json`.
        profile: the name of the profile; None means the current one.

    Raises:
        SettingsError: what was named does not exist, or the file has another format.
    """
    path = _in_home(file or "~/.hcloud/config.json")
    if not os.path.isfile(path):  # noqa: PTH113 - see `_in_home`
        if file or profile:
            raise SettingsError(f"profile {profile or 'current'}: there is no file {path}")
        return []
    content = _json_object(path)
    wanted = profile or content.get("current") or "default"
    rows = content.get("profiles")
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict) and row.get("name") == wanted:
            return [Source(f"profile {one_line(wanted)} of {path}", row, _PROFILE_KEYS, is_file=True)]
    if file or profile:
        raise SettingsError(f"profile {one_line(wanted)}: {path} has no profile of that name")
    return []


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


def from_sdk_file() -> list[Source]:
    """The section `[basic]` of the SDK's `~/.huaweicloud/credentials`; nothing if there is none."""
    path = _in_home("~/.huaweicloud/credentials")
    if not os.path.isfile(path):  # noqa: PTH113 - see `_in_home`
        return []
    import configparser  # noqa: PLC0415 - few users have this file

    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, configparser.Error) as error:
        raise SettingsError(f"{path} cannot be read as INI: {type(error).__name__}") from None
    return [Source(f"file {path}", parser["basic"], _SDK_KEYS, is_file=True)] if "basic" in parser else []


def _in_home(file: str) -> Path:
    # In a container, a user may have no home, or may not look into it: then `Path.expanduser` or `Path.is_file` raises.
    return Path(os.path.expanduser(file))  # noqa: PTH111
