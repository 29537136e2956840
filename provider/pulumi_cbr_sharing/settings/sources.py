"""The sources of settings: stack config, environment and files, each with the names that it has for the same fields.

The names are those of `pulumi-huaweicloud`, of the Terraform providers, of the SDK, of the vendor's command line and of
the OpenStack tools.
"""

from __future__ import annotations

import json
import re

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from pulumi_cbr_sharing.errors import SettingsError
from pulumi_cbr_sharing.settings.connection import PLAIN_NAMESPACES, Agency


if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping


# The names of each field in each kind of source, in order of precedence, separated by blanks. Keys of the stack config
# may also be written with underscores, `access_key`. = is the field's own name, ~ is HUAWEICLOUD_,
# ^ is HW_ASSUME_ROLE_.
_KINDS = ("config", "environment", "profile", "entry", "ini", "connection")
_TABLE = """
region | = | HW_REGION_NAME OS_REGION_NAME OS_REGION | = | region_name |  | =
project_id | projectId | HW_PROJECT_ID OS_PROJECT_ID OS_TENANT_ID ~SDK_PROJECT_ID | projectId | = tenant_id | = | =
project_name | projectName | HW_PROJECT_NAME OS_PROJECT_NAME OS_TENANT_NAME |  | = tenant_name
project_domain_name |  | OS_PROJECT_DOMAIN_NAME |  | =
delegated_project | delegatedProject | OS_DELEGATED_PROJECT |  | target_project_name
domain_id | domainId | HW_DOMAIN_ID OS_USER_DOMAIN_ID OS_DOMAIN_ID |  | user_domain_id =
domain_name | domainName | HW_DOMAIN_NAME OS_USER_DOMAIN_NAME OS_DOMAIN_NAME OS_DEFAULT_DOMAIN |  | user_domain_name =
user_id | userId | HW_USER_ID OS_USER_ID |  | =
user_name | userName | HW_USER_NAME OS_USERNAME OS_USER_NAME |  | username =
password | = | HW_USER_PASSWORD OS_PASSWORD |  | =
passcode |  | OS_PASSCODE |  | =
auth_type |  | OS_AUTH_TYPE |  | =
token | = | HW_AUTH_TOKEN OS_TOKEN OS_AUTH_TOKEN | xAuthToken | = auth_token
access_key | accessKey | HW_ACCESS_KEY OS_ACCESS_KEY ~SDK_AK | accessKeyId | ak = | ak
secret_key | secretKey | HW_SECRET_KEY OS_SECRET_KEY ~SDK_SK | secretAccessKey | sk = | sk
security_token | securityToken | HW_SECURITY_TOKEN OS_SECURITY_TOKEN ~SDK_SECURITY_TOKEN | securityToken | = | =
server |  |  | =
remedy |  |  | =
provider_urn |  | ~OIDC_PROVIDER_URN
agency_urn |  | ~OIDC_AGENCY_URN
session_name |  | ~OIDC_SESSION_NAME
id_seconds |  | ~OIDC_DURATION_SECONDS
idp_id |  | ~SDK_IDP_ID ^IDP_ID
id_token |  | ~OIDC_ID_TOKEN ^ID_TOKEN
id_token_file |  | ~OIDC_TOKEN_FILE ~SDK_ID_TOKEN_FILE ^ID_TOKEN_FILE
cloud | = | HW_CLOUD OS_CLOUD
cbr | endpoints.cbr | HW_CBR_ENDPOINT ~SDK_REGION_CBR_<REGION> |  |  |  | endpoint
iam|endpoints.iam authUrl|HW_IAM_ENDPOINT HW_AUTH_URL OS_AUTH_URL ~SDK_REGION_IAM_<REGION>||auth_url|iam_endpoint
sts | endpoints.sts | HW_STS_ENDPOINT ~SDK_STS_ENDPOINT
metadata |  | HW_METADATA_ENDPOINT
insecure | = | HW_INSECURE OS_INSECURE |  | =
ca | cacertFile | HW_CACERT OS_CACERT REQUESTS_CA_BUNDLE CURL_CA_BUNDLE SSL_CERT_FILE |  | cacert
cert | = | HW_CERT OS_CERT |  | =
key | = | HW_KEY OS_KEY |  | =
max_retries | maxRetries | HW_MAX_RETRIES
plan_checks | planChecks | HW_PLAN_CHECKS
enterprise_project | enterpriseProjectId | HW_ENTERPRISE_PROJECT_ID
profile | = | HW_PROFILE |  |  |  | =
profile_file | sharedConfigFile | HW_SHARED_CONFIG_FILE
entry |  | OS_CLOUD |  |  |  | cloud
entry_file |  | OS_CLIENT_CONFIG_FILE
secure_file |  | OS_CLIENT_SECURE_FILE
ini_file |  | ~SDK_CREDENTIALS_FILE
agency_name | assumeRole.agencyName agencyName | ^AGENCY_NAME OS_AGENCY_NAME | agencyName | target_agency_name
grantor|assumeRole.domainName agencyDomainName|^DOMAIN_NAME OS_AGENCY_DOMAIN_NAME|agencyDomainName|target_domain_name
grantor_id | assumeRole.domainId | ^DOMAIN_ID | agencyDomainId | target_domain_id
agency_duration | assumeRole.duration | ^DURATION
"""
_LONG = str.maketrans({"=": "{}", "~": "HUAWEICLOUD_", "^": "HW_ASSUME_ROLE_"})
NAMES: Mapping[str, Mapping[str, str]] = {
    name.strip(): dict.fromkeys(_KINDS, "")
    | dict(zip(_KINDS, (cell.format(name).strip() for cell in cells), strict=False))
    for name, *cells in (row.split("|") for row in _TABLE.translate(_LONG).strip().splitlines())
}

# One source each, so that no credential is mixed from two. Those of identity tokens come first, as they were named.
FAMILIES = ("HUAWEICLOUD_OIDC_", "HUAWEICLOUD_SDK_I", "HW_ASSUME_ROLE_I", "HW_", "OS_", "HUAWEICLOUD_SDK_")
_BY_FAMILY: dict[str, dict[str, str]] = {family: {} for family in (*FAMILIES, "REQUESTS_", "CURL_", "SSL_")}
for _name, _names in NAMES.items():
    for _variable in _names["environment"].split():
        _own = _BY_FAMILY[next(filter(_variable.startswith, _BY_FAMILY))]
        _own[_name] = f"{_own[_name]} {_variable}" if _name in _own else _variable


def names_of(kind: str) -> dict[str, str]:
    """The names of all fields in one kind of source."""
    return {name: names[kind] for name, names in NAMES.items() if names[kind]}


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
        kind: `config`, `environment`, `profile`, `entry`, `ini`, `connection` or `server`.
        family: what the names of this part of the environment begin with.
        named_by: the setting that names it, such as `environment HW_PROFILE`; "" if it is just there.
        trouble: why its credential cannot be used, as an error; "" if it can.
        further: the further agencies of a chain.
        notes: what the user is told if it is used.
    """

    label: str
    values: Mapping[str, Any]
    names: Mapping[str, str]
    prefix: str = ""
    kind: str = "environment"
    family: str = ""
    named_by: str = ""
    trouble: str = ""
    further: tuple[Source, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_file(self) -> bool:
        """Whether it is a file."""
        return self.kind in ("profile", "entry", "ini")

    def get(self, field: str) -> str | None:
        """The value of a field, stripped; None if it is not set or blank."""
        return next(iter(self.all(field).values()), None)

    def all(self, field: str) -> dict[str, str]:
        """All names of a field that are set, with their values."""
        names = [self.prefix + name for name in self.names.get(field, "").split()]
        values = {name: self.values.get(name) for name in names}
        return {name: str(value).strip() for name, value in values.items() if value is not None and str(value).strip()}

    def name_of(self, field: str) -> str:
        """The name of a field: the one that is set, else the first; "" if the source has none."""
        return next(iter(self.all(field)), self.prefix + self.names[field].split()[0] if field in self.names else "")

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

    def agencies(self) -> list[tuple[Agency, str]]:
        """The chain of agencies that it names, each with the name of the setting for its account."""
        found = []
        for source in (self, *self.further):
            fields = ("agency_name", "grantor", "grantor_id", "agency_duration")
            name, domain, domain_id, seconds = map(source.get, fields)
            duration = int(float(seconds)) if seconds and re.fullmatch(r"\d+(\.0)?", seconds) else 0
            agency = Agency(name or "", domain, domain_id, duration if seconds else None)
            found += [(agency, source.where("grantor"))] if name or source is not self else []
        return found


def from_stack_config(config: Config | None, namespace: str) -> Source:
    """The stack's configuration under one namespace: objects are maps or JSON texts; None has no names."""
    prefix = f"{namespace}:"
    if config is None:
        return Source("stack config", {}, {}, prefix, "config")
    names = {name: " ".join((keys, *map(_snake, keys.split()))) for name, keys in names_of("config").items()}
    flat = {prefix + key: config.get(prefix + key) for keys in names.values() for key in keys.split() if "." not in key}
    (endpoints,), links = _maps(config, prefix, "endpoints"), _maps(config, prefix, "assumeRole")
    first = Source("stack config", flat | endpoints | links[0], names, prefix, "config")
    return replace(first, further=tuple(replace(first, values=link) for link in links[1:]))


def _snake(key: str) -> str:
    return re.sub(r"[A-Z]", lambda match: "_" + match[0].lower(), key)


def _maps(config: Config, prefix: str, key: str) -> list[dict[str, Any]]:
    """An object of the stack config by full and dotted key, or a list of them: JSON from the engine, else plain."""
    value = config.get(prefix + key) or config.get(prefix + _snake(key)) or {}
    if isinstance(value, str):
        try:
            value = json.loads(value.strip() or "{}")
        except ValueError:
            value = []
    listed = value if isinstance(value, list) else [value]  # the bridged provider writes a single block as a list, too
    if not listed or (key == "endpoints" and len(listed) > 1) or not all(isinstance(each, dict) for each in listed):
        way = f"pulumi config set --path '{prefix}{key}{'[0].agencyName' if key == 'assumeRole' else '.name'}' value"
        raise SettingsError(f"stack config {prefix}{key} is not a map: set it with `{way}`")
    camel = partial(re.sub, "_([a-z])", lambda match: match[1].upper())
    return [{f"{prefix}{key}.{camel(str(name))}": value for name, value in each.items()} for each in listed]


def environment_prefix(namespace: str | None) -> str:
    """What the environment variables of a namespace begin with: `DR_` for `dr`, nothing for none or that of a door."""
    return "" if namespace in (None, *PLAIN_NAMESPACES) else re.sub(r"\W", "_", namespace).upper() + "_"


def from_environment(environ: Mapping[str, str], namespace: str | None = None) -> Iterator[Source]:
    """The environment: one source for each family of names, so that no credential is mixed from two of them."""
    prefix = environment_prefix(namespace)
    for family, columns in _BY_FAMILY.items():
        names = dict(columns)
        if family == "OS_":
            # For Flexible Engine's Terraform provider, OS_CLOUD is the domain of the endpoints; elsewhere an entry.
            del names["entry" if "." in environ.get(f"{prefix}OS_CLOUD", "") else "cloud"]
            # `otc-auth` writes the token of a temporary key under Amazon's name only.
            if not prefix and environ.get("OS_ACCESS_KEY", "-") == environ.get("AWS_ACCESS_KEY_ID"):
                names["security_token"] += " AWS_SESSION_TOKEN"
        yield Source("environment", environ, names, prefix, family=family)
