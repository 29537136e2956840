"""Which account and cloud a resource uses, as a program gives it: names of settings, never secrets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


DEFAULT_NAMESPACE = "huaweicloud"
NATIVE_NAMESPACE = "cbr-sharing"  # the name of the native plugin, by which the engine gives it its configuration
PLAIN_NAMESPACES = (DEFAULT_NAMESPACE, NATIVE_NAMESPACE)  # their environment variables have no prefix
# Before the program runs, the engine configures providers from the state: also in `pulumi up --refresh`.
RECORDED = (
    "`pulumi refresh`, `pulumi destroy` and everything with --refresh use the stack config that the last `pulumi up` "
    "recorded: if it has changed since, add --run-program, or run a plain `pulumi up` first"
)


class _Pickled:
    """Pickled with the fields that are given, sorted: a field that a later version adds changes no state."""

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in sorted(vars(self).items()) if value is not None}


@dataclass(frozen=True)
class Agency(_Pickled):
    """An agency: a role in another account, which the connection's credential assumes.

    Attributes:
        name: its name.
        domain_name, domain_id: the account that granted it; one of them is required.
        duration: seconds that its temporary keys live, 900 to 86400; they are renewed in time. None means an hour.
    """

    name: str
    domain_name: str | None = None
    domain_id: str | None = None
    duration: int | None = None


@dataclass(frozen=True)
class Connection(_Pickled):
    """Which account and cloud a resource uses. It is kept in the state, so it holds names of settings, never secrets.

    Attributes:
        namespace: read `<namespace>:accessKey`, `<NAMESPACE>_HW_ACCESS_KEY` … instead of `huaweicloud:accessKey`,
            `HW_ACCESS_KEY` ….
        profile: use the credential in this profile of the vendor's command line.
        cloud: use the credential in this entry of `clouds.yaml`.
        region: such as `eu-de`.
        project_id: the project to work in, 32 hexadecimal digits.
        endpoint: the URL of CBR, without version.
        agency: assume this agency in another account.
    """

    namespace: str | None = None
    profile: str | None = None
    region: str | None = None
    project_id: str | None = None
    endpoint: str | None = None
    agency: Agency | None = None
    cloud: str | None = None


# The property by which a program says which account its look-ups ask; check removes it.
ACCOUNT = "__account"
LOOKED_UP: dict[Connection, str] = {}  # the accounts that the look-ups of this process have asked, without secrets


def other_account(looked_up: str, managed: str) -> str | None:
    """The error if the look-ups of a program ask another account than its resources are in, both by fingerprint."""
    (one, theirs), (other, ours) = looked_up.split(" ", 1), managed.split(" ", 1)
    differ = (
        f"the program's look-ups sign in with {theirs}, its resources with {ours}: give both the same; env_vars of a "
        "workspace of the Automation API reach an inline program's resources only: set them in os.environ, too, or in "
        "the stack's configuration"
    )
    return None if one == other else differ
