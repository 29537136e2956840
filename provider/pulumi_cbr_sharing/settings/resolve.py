"""Resolves a Connection, the stack config, the environment and files into one frozen `Settings`.

Explicit sources take precedence: fields of the Connection, stack config, environment, files. A credential is taken
whole from the first source that has one: the access key of one source is never used with the secret key of another. One
error lists everything that is missing, and where each can be set.

A connection with a namespace reads `dr:accessKey` and `DR_HW_ACCESS_KEY` instead of `huaweicloud:accessKey` and
`HW_ACCESS_KEY`. From the default names it takes where the cloud is, never the credential or the project.
"""

from __future__ import annotations

import re

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pulumi_cbr_sharing.errors import SettingsError, one_line
from pulumi_cbr_sharing.ids import trouble_with_project_id
from pulumi_cbr_sharing.settings.connection import Agency, Connection
from pulumi_cbr_sharing.settings.credentials import Credential, Password, credential_in
from pulumi_cbr_sharing.settings.endpoints import endpoints_of, exact_cbr, exact_iam, trouble_with
from pulumi_cbr_sharing.settings.precedence import first, sources_of
from pulumi_cbr_sharing.settings.sources import NAMES, Source


if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_cbr_sharing.settings.sources import Config


DEFAULT_RETRIES = 8
INSECURE = "warning: insecure is set, so TLS certificates are not verified: others may read along"
# Before the program runs, the engine configures providers from the state: also in `pulumi up --refresh`.
RECORDED = (
    "`pulumi refresh`, `pulumi destroy` and everything with --refresh use the stack config that the last `pulumi up` "
    "recorded: if it has changed since, add --run-program, or run a plain `pulumi up` first"
)


@dataclass(frozen=True)
class Settings:
    """Everything that the client needs, complete and checked.

    Attributes:
        cbr: CBR's endpoint without version.
        iam: IAM's endpoint with `/v3`; None if it is not needed and no region tells it.
        project_id: None if it is to be looked up, by `project_name`, else by the name of the region.
        max_retries: retries after a fault; throttling is limited by `deadline` only.
        plan_checks: whether a preview asks the cloud.
        connect_timeout, read_timeout: seconds.
        deadline: seconds for one call with all its retries.
    """

    region: str | None
    cbr: str
    iam: str | None
    project_id: str | None
    project_name: str | None
    credential: Credential
    agency: Agency | None = None
    insecure: bool = False
    ca_file: str | None = None
    max_retries: int = DEFAULT_RETRIES
    plan_checks: bool = True
    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    deadline: float = 600.0


def resolve(
    connection: Connection, *, config: Config, environ: Mapping[str, str], home: Path | None = None
) -> Settings:
    """The settings of a connection.

    Args:
        connection: given by the program.
        config: the stack config by full key (`huaweicloud:region`), secrets decrypted.
        environ: the environment variables.
        home: the home directory; None asks the system.

    Raises:
        SettingsError: something is missing or not valid; lists all of it, and where each can be set.
    """
    return _Draft(connection, sources_of(connection, config, environ, home or _home())).settings()


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:  # a user without a name, as in a container: no home, no files
        return Path("/nonexistent")


class _Draft:
    """Settings in the making: collects all problems, so that one error can list them."""

    def __init__(self, connection: Connection, sources: list[Source]) -> None:
        self._connection, self._sources, self._problems = connection, sources, list[str]()
        self._credential, origin = self._find_credential()
        # All sources but files whose credential is not used: what those say of the caller is about another account.
        self._callers = [source for source in sources if source is origin or not source.is_file]
        # With an agency of the Connection, the other sources name the project of the user's own account.
        self._naming_project = self._callers[:1] if connection.agency else self._callers

    def settings(self) -> Settings:
        agency = self._agency()
        region, cloud = self._host_part("region"), self._host_part("cloud")
        project_id, project_name = self._project_id(), first(self._naming_project, "project_name")
        insecure, plan_checks = self._flag("insecure"), self._flag("plan_checks", default="true")
        cbr, iam = self._endpoints(region, cloud, insecure=insecure)
        retries = self._retries()
        if not first(self._sources, "region"):
            self._need_region(cbr, iam, project_id, signs_in=bool(agency) or isinstance(self._credential, Password))
        if self._problems or self._credential is None or cbr is None:
            raise SettingsError("Settings: " + "; ".join(self._problems))
        return Settings(
            region=region,
            cbr=cbr,
            iam=iam,
            project_id=project_id,
            project_name=project_name,
            credential=self._credential,
            agency=agency,
            insecure=insecure,
            ca_file=first(self._sources, "ca_file"),
            max_retries=retries,
            plan_checks=plan_checks,
        )

    def _find_credential(self) -> tuple[Credential | None, Source | None]:
        for source in self._sources:
            try:
                credential = credential_in(source)
            except SettingsError as error:
                self._problems.append(str(error))
                return None, source
            if credential:
                return credential, source
        self._problems.append(
            f"a credential is missing: an access key ({self._where('access_key')}, with its secret key), "
            f"a token ({self._where('token')}), or a user with password ({self._where('password')}); "
            "or a profile of the vendor's command line"
        )
        return None, None

    def _agency(self) -> Agency | None:
        agency, where = self._connection.agency, "Agency domain_name"
        source = next((source for source in self._callers if source.get("agency_name")), None)
        if not agency and source:
            name, domain, domain_id = (source.get(f"agency_{key}") for key in ("name", "domain_name", "domain_id"))
            agency, where = Agency(name or "", domain, domain_id), source.where("agency_domain_name")
        if agency and not (agency.domain_name or agency.domain_id):
            name = one_line(agency.name, 60)
            self._problems.append(f"the agency {name!r} is set without the account that granted it ({where})")
        return agency

    def _project_id(self) -> str | None:
        value = first(self._naming_project, "project_id")
        if value and (trouble := trouble_with_project_id(value)):
            self._complain(f"the project id {one_line(value, 60)!r} {trouble}", "project_id")
        return value

    def _endpoints(self, region: str | None, cloud: str | None, *, insecure: bool) -> tuple[str | None, str | None]:
        cbr = first(self._sources, "cbr")
        iam_name = next((name for source in self._callers for name in ("iam", "auth_url") if source.get(name)), "iam")
        iam = first(self._callers, iam_name)
        table = endpoints_of(region, cloud) if region else (None, None)
        found = exact_cbr(cbr) if cbr else table[0], exact_iam(iam) if iam else table[1]
        for name, key, address in zip(("cbr", "iam"), ("cbr", iam_name), found, strict=True):
            if address and (trouble := trouble_with(address, insecure=insecure)):
                shown = one_line(address.rpartition("@")[2], 100)  # what stands before an @ may be a password
                self._complain(f"the {name} endpoint {shown!r} is wrong: {trouble}", key)
        return found

    def _need_region(self, cbr: str | None, iam: str | None, project: str | None, *, signs_in: bool) -> None:
        """Complain about a missing region, if anything depends on it."""
        if cbr is None:
            self._complain("the region is missing", "region")
        elif iam is None and (signs_in or project is None):
            self._complain("the region, or the iam endpoint, is missing", "region")
        elif project is None and not first(self._sources, "project_name"):
            self._complain("the project id, or the region to look it up by, is missing", "region")

    def _host_part(self, name: str) -> str | None:
        """A value that becomes part of a host name."""
        value = first(self._sources, name)
        if value and not re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", value):
            self._complain(f"the {name} {one_line(value, 60)!r} is not a valid {name} name", name)
            return None
        return value

    def _flag(self, name: str, default: str = "false") -> bool:
        value = (first(self._sources, name) or default).lower()
        if value not in ("true", "1", "yes", "on", "false", "0", "no", "off"):
            self._complain(f"{NAMES[name][0]} is {one_line(value, 30)!r}, not true or false", name)
        return value in ("true", "1", "yes", "on")

    def _retries(self) -> int:
        value = (first(self._sources, "max_retries") or str(DEFAULT_RETRIES)).removesuffix(".0")  # config has floats
        if value.isascii() and value.isdigit() and len(value) < 4:  # noqa: PLR2004
            return int(value)
        self._complain(f"maxRetries is {one_line(value, 30)!r}, not a number from 0 to 999", "max_retries")
        return DEFAULT_RETRIES

    def _complain(self, trouble: str, name: str) -> None:
        self._problems.append(f"{trouble} ({self._where(name)})")

    def _where(self, name: str) -> str:
        """Where a field was set, or can be set: `stack config huaweicloud:region, environment HW_REGION_NAME`."""
        if has := next((source for source in self._sources if source.get(name)), None):
            return has.where(name)
        seen: dict[str, list[str]] = {}
        for source in self._sources:
            if name in source.names:
                seen.setdefault(source.label, []).append(source.names[name])
        return ", ".join(f"{label} {' or '.join(dict.fromkeys(names))}" for label, names in seen.items())
