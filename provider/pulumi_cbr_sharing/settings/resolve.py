"""Resolves a Connection, the stack config, the environment and files into one frozen `Settings`.

A credential is taken whole from the first source that has one: the access key of one source is never used with the
secret key of another. One error lists everything that is missing, and where each can be set.
"""

from __future__ import annotations

import re

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pulumi_cbr_sharing.errors import SettingsError, one_line
from pulumi_cbr_sharing.ids import PROJECT
from pulumi_cbr_sharing.settings.connection import Agency, Connection
from pulumi_cbr_sharing.settings.credentials import Credential, Password, credential_in
from pulumi_cbr_sharing.settings.endpoints import endpoints_of, exact_cbr, exact_iam, trouble_with
from pulumi_cbr_sharing.settings.precedence import first, sources_of


if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_cbr_sharing.settings.sources import Config, Source


DEFAULT_RETRIES = 8
_HOST_PART = r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?"
_TRUE, _FALSE = "(?i:true|1|yes|on)", "(?i:false|0|no|off)"
_SWITCH = f"{_TRUE}|{_FALSE}"
# field: what it must look like, and what to say of a text that does not
_FORMS = {
    "region": (_HOST_PART, "the region {!r} is not a valid region name"),
    "cloud": (_HOST_PART, "the cloud {!r} is not a valid cloud name"),
    "insecure": (_SWITCH, "insecure is {!r}, not true or false"),
    "plan_checks": (_SWITCH, "planChecks is {!r}, not true or false"),
    "max_retries": (r"[0-9]{1,3}(\.0)?", "maxRetries is {!r}, not a number from 0 to 999"),  # stack config has floats
}
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


def resolve(connection: Connection, *, config: Config, environ: Mapping[str, str]) -> Settings:
    """The settings of a connection.

    Args:
        connection: given by the program.
        config: the stack config by full key (`huaweicloud:region`), secrets decrypted.
        environ: the environment variables.

    Raises:
        SettingsError: something is missing or not valid; lists all of it, and where each can be set.
    """
    return _Draft(connection, sources_of(connection, config, environ)).settings()


class _Draft:
    """Settings in the making: collects all problems, so that one error can list them."""

    def __init__(self, connection: Connection, sources: list[Source]) -> None:
        self._connection, self._sources, self._problems = connection, sources, list[str]()

    def settings(self) -> Settings:
        credential, agency = self._credential(), self._agency()
        self._check_forms()
        insecure = re.fullmatch(_TRUE, self._text("insecure") or "") is not None
        cbr, iam = self._endpoints(insecure=insecure)
        self._need_region(signs_in=bool(agency) or isinstance(credential, Password))
        if self._problems or credential is None or cbr is None:
            raise SettingsError("Settings: " + "; ".join(self._problems))
        return Settings(
            region=self._text("region"),
            cbr=cbr,
            iam=iam,
            project_id=self._text("project_id"),
            project_name=self._text("project_name"),
            credential=credential,
            agency=agency,
            insecure=insecure,
            ca_file=self._text("ca_file"),
            max_retries=int(float(self._text("max_retries") or DEFAULT_RETRIES)),
            plan_checks=re.fullmatch(_FALSE, self._text("plan_checks") or "") is None,
        )

    def _credential(self) -> Credential | None:
        try:
            for source in self._sources:
                if credential := credential_in(source):
                    return credential
            self._problems.append(
                f"a credential is missing: an access key ({self._where('access_key')}, with its secret key), "
                f"a token ({self._where('token')}), or a user with password ({self._where('password')}); "
                "or a profile of the vendor's command line"
            )
        except SettingsError as error:
            self._problems.append(str(error))
        return None

    def _agency(self) -> Agency | None:
        agency, where = self._connection.agency, "Agency domain_name"
        source = next((source for source in self._sources if source.get("agency_name")), None)
        if not agency and source:
            name, domain, domain_id = (source.get(f"agency_{key}") for key in ("name", "domain_name", "domain_id"))
            agency, where = Agency(name or "", domain, domain_id), source.where("agency_domain_name")
        if agency and not (agency.domain_name or agency.domain_id):
            name = one_line(agency.name, 60)
            self._problems.append(f"the agency {name!r} is set without the account that granted it ({where})")
        return agency

    def _check_forms(self) -> None:
        for field, (form, trouble) in _FORMS.items():
            text = self._text(field)
            if text and not re.fullmatch(form, text):
                self._complain(trouble.format(one_line(text, 60)), field)
        project_id = self._text("project_id")
        if project_id and (wrong := PROJECT.trouble_with(project_id)):
            self._complain(f"the project id {one_line(project_id, 60)!r} {wrong}", "project_id")

    def _endpoints(self, *, insecure: bool) -> tuple[str | None, str | None]:
        region, cbr, iam = map(self._text, ("region", "cbr", "iam"))
        given = {"cbr": exact_cbr(cbr) if cbr else None, "iam": exact_iam(iam) if iam else None}
        for name, address in given.items():
            if address and (trouble := trouble_with(address, insecure=insecure)):
                shown = one_line(address.rpartition("@")[2], 100)  # what stands before an @ may be a password
                self._complain(f"the {name} endpoint {shown!r} is wrong: {trouble}", name)
        regional = endpoints_of(region, self._text("cloud")) if region else (None, None)
        return given["cbr"] or regional[0], given["iam"] or regional[1]

    def _need_region(self, *, signs_in: bool) -> None:
        """Complain about a missing region, if anything depends on it."""
        region, cbr, iam, project_id, name = map(self._text, ("region", "cbr", "iam", "project_id", "project_name"))
        if region:
            return
        if not cbr:
            self._complain("the region is missing", "region")
        elif not iam and (signs_in or not project_id):
            self._complain("the region, or the iam endpoint, is missing", "region")
        elif not project_id and not name:
            self._complain("the project id, or the region to look it up by, is missing", "region")

    def _text(self, field: str) -> str | None:
        return first(self._sources, field)

    def _complain(self, trouble: str, field: str) -> None:
        self._problems.append(f"{trouble} ({self._where(field)})")

    def _where(self, field: str) -> str:
        """Where a field was set, or can be set: `stack config huaweicloud:region, environment HW_REGION_NAME`."""
        if has := next((source for source in self._sources if source.get(field)), None):
            return has.where(field)
        seen: dict[str, list[str]] = {}
        for source in self._sources:
            if name := source.name_of(field):
                seen.setdefault(source.label, []).append(name)
        return ", ".join(f"{label} {' or '.join(names)}" for label, names in seen.items())
