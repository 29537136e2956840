"""The door between Pulumi's dynamic providers and `sharing/`: what the providers of this package have in common.

A provider holds a Connection, which is pickled into the state, and opens a session when it is needed. Its verbs turn
properties into dataclasses and call one function of `sharing/` each. What is particular to dynamic providers (pickles,
the marker for unknown values, the traceback in errors) stays in this file.
"""

from __future__ import annotations

import base64
import os
import pickle
import sys
import traceback

from abc import abstractmethod
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import pulumi

from pulumi import runtime
from pulumi.dynamic import CheckFailure, CheckResult, Resource, ResourceProvider
from pulumi.output import Unknown
from pulumi.runtime import rpc

from pulumi_cbr_sharing.errors import CbrSharingError, SettingsError
from pulumi_cbr_sharing.settings.connection import DEFAULT_NAMESPACE, Connection
from pulumi_cbr_sharing.settings.resolve import RECORDED, resolve
from pulumi_cbr_sharing.sharing.inputs import UNKNOWN, AcceptanceInputs, MemberInputs, Problem, SetInputs
from pulumi_cbr_sharing.sharing.session import Sessions


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pulumi.dynamic import ConfigureRequest

    from pulumi_cbr_sharing.settings.sources import Config
    from pulumi_cbr_sharing.sharing.session import Session

    OpenSession = Callable[[Connection, Config], Session]


I = TypeVar("I", MemberInputs, SetInputs, AcceptanceInputs)  # noqa: E741 - the inputs of a kind of resource
D = TypeVar("D")
# The engine keeps a property with this prefix to itself. A program sets it in a preview, and check takes it out.
PLANNING = "__preview"
UNKNOWN_ON_THE_WIRE: str = rpc.UNKNOWN
_WARNED: set[str] = set()


def say(text: str) -> None:
    """Show the user a line while the provider runs: the engine makes diagnostics of its output."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


SESSIONS = Sessions(say)


def open_session(connection: Connection, config: Config) -> Session:
    """The session of this process for a connection.

    Raises:
        SettingsError: settings are missing or wrong.
    """
    return SESSIONS.of(resolve(connection, config=config, environ=os.environ))


class CbrResource(Resource):
    """Base of the resources: a subclass keeps the type token, by which policies know a share.

    A `module` or `name` that the subclass gives is ignored.
    """

    def __init_subclass__(cls, **words: Any) -> None:
        super().__init_subclass__(**words)
        ours = [base for base in cls.__mro__[1:] if issubclass(base, CbrResource) and base is not CbrResource]
        if ours:
            cls._resource_type_name = ours[0]._resource_type_name  # noqa: SLF001 - the SDK has no other way


class CbrProvider(ResourceProvider, Generic[I]):
    """Base of the providers.

    Args:
        connection: names of settings; it ends in the state, readable.
        open_session: from a connection and the stack's configuration to a session.
    """

    serialize_as_secret_always = False  # nothing in the pickle is secret, so the state stays readable
    inputs_type: type[I]

    def __init__(self, connection: Connection | None = None, open_session: OpenSession = open_session) -> None:
        super().__init__()
        self.connection = connection or Connection()
        self._open_session = open_session
        self._config: Config = {}
        self._session: Session | None = None

    def __reduce__(self) -> tuple[Callable[..., CbrProvider[I]], tuple[Connection]]:
        return type(self), (self.connection,)

    def configure(self, req: ConfigureRequest) -> None:
        """Keep the stack's configuration; it is looked at when it is needed, so that its errors come out clean."""
        install_clean_errors()
        self._config, self._session = req.config, None

    @property
    def session(self) -> Session:
        """The account that this provider's resources are in.

        Raises:
            SettingsError: settings are missing or wrong.
        """
        if self._session is None:
            self._session = self._open_session(self.connection, self._config)
        return self._session

    @property
    def recorded_session(self) -> Session:
        """The same, for what the state records; then the settings may be those of an earlier run."""
        try:
            return self.session
        except SettingsError as error:
            way_out = f"; {RECORDED}" if "stack config" in str(error) else ""
            raise SettingsError(f"{error}{way_out}") from None

    @abstractmethod
    def declare(self, inputs: I, recorded: I | None, *, planning: bool) -> tuple[I, list[Problem]]:
        """Declare the resource in this run; its inputs as they are now, and what is wrong with them."""

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Refuse what can be told to be wrong: shapes, settings, and in a preview what the cloud would refuse."""
        planning = bool(news.pop(PLANNING, False))
        inputs, recorded = known(self.inputs_type, news), known(self.inputs_type, olds) if olds else None
        found = list(inputs.problems())
        try:
            _ = self.session
            if not found:
                inputs, found = self.declare(inputs, recorded, planning=planning)
        except CbrSharingError as error:  # such as a refused credential: no property's fault
            found.append(Problem("", str(error)))
        return CheckResult(self.checked(news, inputs), [CheckFailure(*problem) for problem in found])

    def checked(self, news: dict[str, Any], inputs: I) -> dict[str, Any]:  # noqa: ARG002 - for a subclass
        """The inputs for the engine, where check has found out more."""
        return news

    def is_reconnected(self, olds: Mapping[str, Any], news: Mapping[str, Any]) -> bool:
        """Whether the program now names another connection than the state records."""
        recorded = olds.get("__provider")
        if recorded is None or recorded == news.get("__provider"):
            return False
        return recorded_connection(recorded) != self.connection


def props(inputs: Mapping[str, Any], outputs: type[Any]) -> dict[str, Any]:
    """The properties of a new resource: its inputs, and its outputs, because the SDK gives only those it is told of."""
    names = dict.fromkeys(field.name for field in fields(outputs))
    return {**names, **inputs, **({PLANNING: True} if runtime.is_dry_run() else {})}


def known(kind: type[D], properties: Mapping[str, Any]) -> D:
    """A dataclass from properties: what is null has its default, and what is not known yet is `UNKNOWN`."""
    given = {field.name: properties.get(field.name) for field in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: _known(value) for name, value in given.items() if value is not None})


def _known(value: Any) -> Any:
    if isinstance(value, list):
        return [_known(one) for one in value]
    # The SDK's class, and the wire's marker.
    return UNKNOWN if isinstance(value, Unknown) or value == rpc.UNKNOWN else value


def recorded_connection(pickled: str) -> Connection | None:
    """The Connection in a provider as the state keeps it; None if it cannot be read any more."""
    try:
        provider = pickle.loads(base64.b64decode(pickled))  # noqa: S301 - the engine runs this very pickle
    except Exception:  # noqa: BLE001 - whatever it is, it is not this connection
        return None
    connection = getattr(provider, "connection", None)
    return connection if isinstance(connection, Connection) else None


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
