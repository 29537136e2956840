"""The one door between Pulumi and the API: what every provider of this package shares.

* `CbrResource`: the type token of a resource, which its subclasses keep.
* `CbrProvider`: from a pickled Connection to settings and the `Cloud` of this process; check; the guard against the
  credentials of another project.
* errors without a traceback, for this package's own exceptions alone.

What is particular to dynamic providers (pickles, the traceback, the marker for unknown values) stays in here.
"""

from __future__ import annotations

import base64
import os
import pickle
import sys
import traceback

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import pulumi

from pulumi import runtime
from pulumi.dynamic import CheckFailure, CheckResult, Resource, ResourceProvider
from pulumi.output import Unknown
from pulumi.runtime import rpc

from pulumi_cbr_sharing.cloud import Cloud, cloud_for
from pulumi_cbr_sharing.errors import CbrSharingError, SettingsError, WrongProject
from pulumi_cbr_sharing.ids import trouble_with_backup_id
from pulumi_cbr_sharing.places import DEFAULT_NAMESPACE
from pulumi_cbr_sharing.settings import RECORDED, Connection, Settings, resolve


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pulumi.dynamic import ConfigureRequest

    from pulumi_cbr_sharing.sources import Config


UNKNOWN: str = rpc.UNKNOWN  # what the wire says of a value that is not known yet
DEFAULT_WAIT = 600.0  # seconds for a backup that is still being made
LONGEST_WAIT = 86400

_WARNED: set[str] = set()


def is_unknown(value: Any) -> bool:
    """Whether a value is not known before another resource is made."""
    return isinstance(value, Unknown) or bool(value == UNKNOWN)  # the SDK's class, and the wire's marker


def warn_of_plain_secrets(connection: Connection | None) -> None:
    """Warn, in the user's program, of secrets in the stack's configuration that are not encrypted; once each."""
    namespace = (connection and connection.namespace) or DEFAULT_NAMESPACE
    for name in ("secretKey", "securityToken", "password", "token"):
        key = f"{namespace}:{name}"
        if key not in _WARNED and runtime.get_config(key) and not runtime.is_config_secret(key):
            _WARNED.add(key)
            pulumi.log.warn(
                f"{key} is in the stack's configuration in plain text: set it with `pulumi config set --secret`"
            )


def trouble_with_wait(seconds: Any) -> str | None:
    """What is wrong with a `wait_for_backup`; None if nothing is, or if it is not known yet."""
    if seconds is None or is_unknown(seconds):
        return None
    if isinstance(seconds, (int, float)) and not isinstance(seconds, bool) and 0 <= seconds <= LONGEST_WAIT:
        return None
    return f"is no number of seconds from 0 to {LONGEST_WAIT}: give {DEFAULT_WAIT:g}, or 0 not to wait"


class CbrResource(Resource):
    """Base of the resources: a subclass keeps the type token, by which policies know a share.

    A `module` or `name` that the subclass gives is ignored.
    """

    def __init_subclass__(cls, **words: Any) -> None:
        super().__init_subclass__(**words)
        ours = [base for base in cls.__mro__[1:] if issubclass(base, CbrResource) and base is not CbrResource]
        if ours:
            cls._resource_type_name = ours[0]._resource_type_name  # noqa: SLF001 - the SDK has no other way


class CbrProvider(ResourceProvider):
    """Base of the providers: holds a Connection, and nothing else that is pickled.

    Args:
        connection: names of settings; it ends in the state, readable.
    """

    serialize_as_secret_always = False  # nothing in the pickle is secret, so the state stays readable
    _config: Config | None = None
    _settings: Settings | None = None
    _cloud: Cloud | None = None

    def __init__(self, connection: Connection | None = None) -> None:
        super().__init__()
        self.connection = connection or Connection()

    def __reduce__(self) -> tuple[Callable[..., CbrProvider], tuple[Connection]]:
        return type(self), (self.connection,)

    def configure(self, req: ConfigureRequest) -> None:
        """Keep the stack's configuration; it is looked at when it is needed, so that its errors come out clean."""
        install_clean_errors()
        self._config, self._settings = req.config, None

    @property
    def settings(self) -> Settings:
        """What the connection, the stack's configuration, the environment and files say.

        Raises:
            SettingsError: something is missing or wrong.
        """
        if self._settings is None:
            self._settings = resolve(self.connection, config=self._config or {}, environ=os.environ)
        return self._settings

    @property
    def cloud(self) -> Cloud:
        """The account that this provider's resources are in."""
        if self._cloud is None:
            self._cloud = cloud_for(self.settings)
        return self._cloud

    @abstractmethod
    def troubles(self, news: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """What is wrong with the inputs: pairs of property and reason; unknown values are not judged."""

    @abstractmethod
    def refusals(self, news: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """What the live cloud would refuse of a new resource, likewise; asked only of inputs without troubles."""

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Refuse at preview what can be told to be wrong: settings, shapes, and for new resources the live cloud."""
        # The engine says "property … has a problem:" before it.
        failures = [CheckFailure(name, f"it {reason}") for name, reason in self.troubles(news)]
        try:
            _ = self.settings
        except SettingsError as error:
            failures.append(CheckFailure("", str(error)))
        if not failures and not olds:  # a replacement is checked once more, as new
            failures = self._refused(news)
        return CheckResult(news, failures)

    def _refused(self, news: Mapping[str, Any]) -> list[CheckFailure]:
        try:
            return [CheckFailure(name, f"it {reason}") for name, reason in self.refusals(news)]
        except CbrSharingError as error:  # such as a refused credential: no property's fault
            return [CheckFailure("", str(error))]

    def trouble_with_shared(self, backup_id: Any, owner: str) -> str | None:
        """What is wrong with a backup as what a kind of resource shares: its id, or another kind that shares it too.

        Every resource of a program is checked in the same process, so two kinds meet here, at preview already.
        """
        if is_unknown(backup_id):
            return None
        return trouble_with_backup_id(backup_id) or self._claim(backup_id, owner)

    def _claim(self, backup_id: str, owner: str) -> str | None:
        try:
            first = self.cloud.claims.setdefault(backup_id, owner)
        except SettingsError:  # which is told by itself
            return None
        if first == owner:
            return None
        return (
            f"is shared by a {first} in the same program, too, and one would undo the other's work: "
            "declare all its recipients by BackupShare, or each by BackupShareMember"
        )

    def own_project(self) -> str | None:
        """The project of the credentials, as far as it is known without asking anyone."""
        try:
            return self.cloud.client.known_project_id
        except SettingsError:
            return None

    def guard(self, doing: str, props: Mapping[str, Any]) -> None:
        """Make sure that the state and the credentials speak of the same project.

        To another project a live share looks gone: it would be dropped from the state, or "deleted" and left alive.

        Raises:
            WrongProject: they do not.
            SettingsError: the settings are no good; here they may be those of an earlier run.
        """
        try:
            client = self.cloud.client
        except SettingsError as error:
            way_out = f"; {RECORDED}" if "stack config" in str(error) else ""
            raise SettingsError(f"{error}{way_out}") from None
        for what, recorded, present in (
            ("region", props.get("region"), client.settings.region),
            ("project", props.get("owner_project_id"), client.project_id),
        ):
            if recorded and present and recorded != present:
                raise WrongProject(
                    f"{doing}: the state records {what} {recorded}, but the settings are of {what} {present}: "
                    f"use the credentials and settings of {what} {recorded}; nothing was sent and the state is kept"
                )

    def reconnected(self, olds: Mapping[str, Any], news: Mapping[str, Any]) -> bool:
        """Whether the program now names another connection than the state records."""
        recorded = olds.get("__provider")
        if recorded is None or recorded == news.get("__provider"):
            return False
        return recorded_connection(recorded) != self.connection


def recorded_connection(pickled: str) -> Connection | None:
    """The Connection in a provider as the state keeps it; None if it cannot be read any more."""
    try:
        provider = pickle.loads(base64.b64decode(pickled))  # noqa: S301 - the engine runs this very pickle
    except Exception:  # noqa: BLE001 - whatever it is, it is not this connection
        return None
    connection = getattr(provider, "connection", None)
    return connection if isinstance(connection, Connection) else None


class _CleanTraceback:
    """Stands in for the module `traceback` where the plugin formats what a provider raised."""

    def __init__(self, original: Any) -> None:
        self._original = original

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)

    def format_exc(self, *args: Any, **kwargs: Any) -> str:
        """The message alone of this package's own errors; everything else as it always was."""
        error = sys.exc_info()[1]
        return str(error) if isinstance(error, CbrSharingError) else self._original.format_exc(*args, **kwargs)


def install_clean_errors() -> None:
    """Let the plugin show this package's errors without a traceback.

    The plugin aborts a call with `traceback.format_exc()`, so the name `traceback` of its main module is what is
    replaced, and nothing else: other providers live in the same process.
    """
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    if main and spec and spec.name == "pulumi.dynamic.__main__":
        present = getattr(main, "traceback", traceback)
        if not isinstance(present, _CleanTraceback):
            main.traceback = _CleanTraceback(present)  # type: ignore[attr-defined]
