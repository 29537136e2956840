"""Resolves a Connection, the stack config, the environment and files into one frozen `Settings`.

A credential is taken whole from one source. One error lists all that is missing, and where each can be set.
"""

from __future__ import annotations

import hashlib
import re

from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from pulumi_cbr_sharing.errors import SettingsError, one_line
from pulumi_cbr_sharing.ids import PROJECT
from pulumi_cbr_sharing.settings import credentials, endpoints
from pulumi_cbr_sharing.settings.precedence import Ranking, first, rank, where
from pulumi_cbr_sharing.settings.sources import environment_prefix


if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_cbr_sharing.settings.connection import Agency, Connection
    from pulumi_cbr_sharing.settings.credentials import Certificate, Credential
    from pulumi_cbr_sharing.settings.sources import Config


DEFAULT_RETRIES = 8
METADATA = "http://169.254.169.254"
DURATIONS = range(900, 86401)  # seconds, of a temporary key
_HOST_PART = r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?"
_TRUE, _FALSE = "(?i:true|1|yes|on)", "(?i:false|0|no|off)"
# field: what it must look like, and what to say of a text that does not
_FORMS = {
    "region": (_HOST_PART, "the region {!r} is not a valid region name"),
    "cloud": (_HOST_PART, "the cloud {!r} is not a valid cloud name"),
    "insecure": (f"{_TRUE}|{_FALSE}", "insecure is {!r}, not true or false"),
    "plan_checks": (f"{_TRUE}|{_FALSE}", "planChecks is {!r}, not true or false"),
    "max_retries": (r"[0-9]{1,3}(\.0)?", "maxRetries is {!r}, not a number from 0 to 999"),  # stack config has floats
    "enterprise_project": (r"[0-9a-zA-Z_-]{1,36}", "the enterprise project {!r} is not an id, 0 or all_granted_eps"),
    "id_seconds": (r"[0-9]{3,5}", "the duration {!r} is not a number of seconds"),
}


@dataclass(frozen=True)
class Settings:
    """Everything that the client needs, complete and checked.

    Attributes:
        cbr, iam: without version, with `/v3`; the latter is None if it is not needed and no region tells it.
        project_id: None if it is to be looked up, by `project_name`, else by the name of the region.
        agencies: assumed one after the other, the last one calls.
        own_project_id, own_project_name: those of the account that assumes the first agency, if they are known.
        sts, metadata: where temporary keys are asked for by a pipeline, and by a server for its agency.
        ca, cert, key: trusted instead of the usual certificates; identify this client.
        max_retries, plan_checks: after a fault (a 429 is no fault); whether a preview asks the cloud.
        enterprise_project: the lists are of this one; None lets the service choose.
        connect_timeout, read_timeout, deadline: seconds; the last is for one call with all its retries.
        outranked, notes: the sources of other credentials; what the user should know before anything is sent.
        names: what messages call the endpoint of each service and the project id, with where each is, or can be, set.
    """

    region: str | None
    cbr: str
    iam: str | None
    project_id: str | None
    project_name: str | None
    credential: Credential
    agencies: tuple[Agency, ...] = ()
    own_project_id: str | None = None
    own_project_name: str | None = None
    sts: str | None = None
    metadata: str = METADATA
    insecure: bool = False
    ca: Certificate | None = None
    cert: Certificate | None = None
    key: Certificate | None = None
    max_retries: int = DEFAULT_RETRIES
    plan_checks: bool = True
    enterprise_project: str | None = None
    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    deadline: float = 600.0
    outranked: tuple[str, ...] = field(default=(), compare=False)
    notes: tuple[str, ...] = field(default=(), compare=False)
    names: Mapping[str, str] = field(default_factory=endpoints.plain_names, compare=False)

    def within(self, seconds: float) -> Settings:
        """The same with time-outs of at most so many seconds."""
        connect, read = min(self.connect_timeout, seconds), min(self.read_timeout, seconds)
        return replace(self, connect_timeout=connect, read_timeout=read)

    @property
    def account(self) -> str:
        """Who calls, without secrets."""
        by = "".join(f", as agency {agency.name}" for agency in self.agencies)
        return f"{self.credential} from {self.credential.source}{by}"

    @property
    def fingerprint(self) -> str:
        """A few digits that are the same wherever the same credential calls the same cloud, and `account`."""
        token = self.credential.token.reveal() if isinstance(self.credential, credentials.Token) else ""
        who = repr((replace(self.credential, source=""), token, self.agencies, self.cbr))  # other secrets are masked
        return f"{hashlib.sha256(who.encode()).hexdigest()[:12]} {self.account}"

    @property
    def signing(self) -> str:
        """One line about which source signs, and which ones lost."""
        lost = f"; not used: {', '.join(self.outranked)}" if self.outranked else ""
        return f"signing in with {self.account}{lost}"


def resolve(connection: Connection, *, config: Config | None, environ: Mapping[str, str]) -> Settings:
    """The settings of a connection.

    Args:
        connection: given by the program.
        config: the stack config by full key (`huaweicloud:region`), secrets decrypted; None where there is no stack.
        environ: the environment variables.

    Raises:
        SettingsError: something is missing or not valid; lists all of it, and where each can be set.
    """
    return _Draft(connection, rank(connection, config, environ)).settings()


class _Draft:
    """Settings in the making: collects all problems, so that one error can list them."""

    def __init__(self, connection: Connection, ranking: Ranking) -> None:
        self._connection, self._problems, self._names = connection, list[str](), endpoints.plain_names()
        self._sources, self._signer, self._outranked, self._notes = ranking
        self._names["project_id"] += f" ({self._where('project_id')})"
        self._own_project = False  # whether the sources name the project of the account that assumes an agency

    def settings(self) -> Settings:
        credential, agencies = self._credential(), self._agencies()
        self._check_forms()
        insecure = re.fullmatch(_TRUE, self._text("insecure") or "") is not None
        cbr, iam, sts = self._endpoints(insecure=insecure)
        self._need_region(signs_in=bool(agencies) or isinstance(credential, credentials.OF_IAM))
        ca, cert, key = (
            credentials.Certificate(credentials.Secret(text), self._where(name)) if (text := self._text(name)) else None
            for name in ("ca", "cert", "key")
        )
        if bool(cert) != bool(key):
            have, lack = ("cert", "key") if cert else ("key", "cert")
            self._problems.append(f"{self._where(have)} is set without {self._where(lack)}")
        if self._problems and isinstance(credential, credentials.ServerAgency) and (way := credential.otherwise):
            self._problems.insert(0, f"a credential is missing: {way}")
        if self._problems or credential is None or cbr is None:
            raise SettingsError("Settings: " + "; ".join(self._problems))
        self._tell_of_endpoints({"cbr": cbr, "iam": iam})
        return Settings(
            self._text("region"),
            cbr,
            iam,
            sts=sts,
            project_id=None if self._own_project else self._text("project_id"),
            project_name=self._text("delegated_project" if self._own_project else "project_name"),
            own_project_id=self._of_caller("project_id"),
            own_project_name=self._of_caller("project_name"),
            credential=credential,
            agencies=agencies,
            metadata=self._text("metadata") or METADATA,
            insecure=insecure,
            ca=ca,
            cert=cert,
            key=key,
            enterprise_project=self._text("enterprise_project"),
            max_retries=int(float(self._text("max_retries") or DEFAULT_RETRIES)),
            plan_checks=re.fullmatch(_FALSE, self._text("plan_checks") or "") is None,
            outranked=tuple(self._outranked),
            notes=tuple(self._notes),
            names=self._names,
        )

    def _credential(self) -> Credential | None:
        signer, key, token, password = self._signer, *map(self._where, ("access_key", "token", "password"))
        otherwise = (
            f"an access key ({key}, with its secret key), a token ({token}), or a user with password ({password}); "
            "or a profile of the vendor's command line, or an entry of clouds.yaml"
        )
        if signer and signer.kind == "server":
            return credentials.ServerAgency(signer.label, otherwise)
        trouble = f"a credential is missing: {otherwise}"
        try:
            if signer:
                trouble = f"{signer.label} has no credential ({signer.named_by})"
                if credential := credentials.credential_in(signer, environment_prefix(self._connection.namespace)):
                    return credential
        except SettingsError as error:
            trouble = str(error)
        self._problems.append(trouble)
        return None

    def _agencies(self) -> tuple[Agency, ...]:
        """The agency of the file that signs, and on top of it one that was given; else one of the environment."""
        signer, given = self._signer, self._connection.agency
        own = signer.agencies() if signer and signer.is_file else []
        stack = next((source.agencies() for source in self._sources if source.kind == "config"), [])
        loose = next((source for source in self._sources if source.kind == "environment" and source.agencies()), None)
        chain = own + ([(given, "Agency domain_name")] if given else stack)
        self._own_project = bool(signer and signer.kind == "entry" and own and chain == own)
        if loose and chain:
            self._outranked.append(loose.where("agency_name"))
        elif loose:
            chain, self._own_project = loose.agencies(), loose.family == "OS_"
        for agency, setting in chain:
            name = f"the agency {one_line(agency.name, 60)!r}"
            if not agency.name or not (agency.domain_name or agency.domain_id):
                self._problems.append(f"{name} is set without the account that granted it ({setting})")
            if agency.duration not in (None, *DURATIONS):
                self._problems.append(f"{name} has a duration that is not from 900 to 86400 seconds")
        return tuple(agency for agency, _ in chain)

    def _of_caller(self, field: str) -> str | None:
        """What the source that signs says of its own project, if an agency is assumed in another account."""
        return self._signer.get(field) if self._signer and (self._own_project or self._connection.agency) else None

    def _check_forms(self) -> None:
        for name, (form, trouble) in _FORMS.items():
            text = self._text(name)
            if text and not re.fullmatch(form, text):
                self._complain(trouble.format(one_line(text, 60)), name)
        region = self._text("region") or ""
        is_name = re.fullmatch(_HOST_PART, region) is not None
        if is_name and region not in endpoints.REGIONS and not first(self._sources, "cbr", "cloud"):
            like = " or ".join(get_close_matches(region, sorted(endpoints.REGIONS), 3, 0.5)) or "no other is like it"
            new = "if it is new, also set HW_CLOUD or HW_CBR_ENDPOINT"
            self._complain(f"the region {region!r} is not known; correct it ({like}), or, {new}", "region")
        project_id = self._text("project_id")
        if project_id and (wrong := PROJECT.trouble_with(project_id)):
            self._complain(f"the project id {one_line(project_id, 60)!r} {wrong}", "project_id")

    def _endpoints(self, *, insecure: bool) -> list[str | None]:
        region, found = self._text("region"), list[str | None]()
        regional = endpoints.endpoints_of(region, self._text("cloud")) if region else (None, None, None)
        for name, usual in zip(("cbr", "iam", "sts"), regional, strict=True):
            text, version = self._text(name), "/v3" if name == "iam" else ""
            address = endpoints.exact(text) + version if text else usual
            found.append(address)
            self._names[name] += f" ({self._where(name if text else 'region')})"  # which tells the usual one
            if text and address and (trouble := endpoints.trouble_with(address, insecure=insecure)):
                shown = one_line(address.rpartition("@")[2], 100)  # what stands before an @ may be a password
                self._complain(f"the {name} endpoint {shown!r} is wrong: {trouble}", name)
        return found

    def _tell_of_endpoints(self, addresses: Mapping[str, str | None]) -> None:
        """Tell if a credential leaves this machine for an address that somebody else may have written."""
        mine, signer = ("config", "connection"), self._signer
        for name, address in addresses.items():
            source = next((source for source in self._sources if source.get(name)), None)
            if not (source and address and signer) or signer.kind in mine or source.kind not in mine:
                continue
            if not endpoints.is_vendors(address):
                goes = f"goes to {endpoints.host_of(address)}, as {source.where(name)} says"
                self._notes.append(f"the credential of the {signer.label} {goes}: that is no address of a known cloud")

    def _need_region(self, *, signs_in: bool) -> None:
        """Complain about a missing region, if anything depends on it."""
        cbr, iam, project_id, name = map(self._text, ("cbr", "iam", "project_id", "project_name"))
        lacking = {
            "the region": not cbr,
            "the region, or the iam endpoint,": not iam and (signs_in or not project_id),
            "the project id, or the region to look it up by,": not project_id and not name,
            "the region, or the sts endpoint,": self._text("provider_urn") and not self._text("sts"),
        }
        what = next(filter(lacking.get, lacking), None)
        if what and not self._text("region"):
            self._complain(f"{what} is missing", "region")

    def _text(self, field: str) -> str | None:
        return first(self._sources, field)

    def _complain(self, trouble: str, field: str) -> None:
        self._problems.append(f"{trouble} ({self._where(field)})")

    def _where(self, field: str) -> str:
        return where(self._sources, field)
