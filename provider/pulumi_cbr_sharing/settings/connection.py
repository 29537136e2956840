"""Which account and cloud a resource talks to, as a program says it: names of settings, never secrets."""

from __future__ import annotations

from dataclasses import dataclass


DEFAULT_NAMESPACE = "huaweicloud"


@dataclass(frozen=True)
class Agency:
    """A role in another account, assumed with the credential at hand.

    Attributes:
        name: the agency's name.
        domain_name, domain_id: the account that granted it; one of the two is needed.
    """

    name: str
    domain_name: str | None = None
    domain_id: str | None = None


@dataclass(frozen=True)
class Connection:
    """Which account and cloud a resource talks to: names of settings, never secrets, because it is kept in the state.

    Attributes:
        namespace: read `<namespace>:accessKey` and `<NAMESPACE>_HW_ACCESS_KEY` … instead of the plain names.
        profile: take the credential from this profile of the vendor's command line.
        region: such as `eu-de`.
        project_id: the project that the calls are made in, 32 hexadecimal digits.
        endpoint: the address of CBR, without version.
        agency: assume this role in another account, with the credential that is found.
    """

    namespace: str | None = None
    profile: str | None = None
    region: str | None = None
    project_id: str | None = None
    endpoint: str | None = None
    agency: Agency | None = None
