"""What the dynamic providers of this package have in common: the door between Pulumi and `sharing/`.

Each verb turns properties into dataclasses and calls one function of `sharing/`, with a session that is opened when it
is needed. The SDK's own mark of an unknown value stays in this file.
"""

from __future__ import annotations

import base64
import pickle

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pulumi

from pulumi import dynamic, runtime
from pulumi.output import Unknown

from pulumi_cbr_sharing.errors import CbrSharingError, SettingsError
from pulumi_cbr_sharing.resources.arguments import from_the_native_plugin, refuse_useless
from pulumi_cbr_sharing.settings.connection import ACCOUNT, LOOKED_UP, RECORDED, Connection, other_account
from pulumi_cbr_sharing.sharing.inputs import NOT_KNOWN, Problem


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType

    from pulumi_cbr_sharing.settings.sources import Config
    from pulumi_cbr_sharing.sharing.kinds import Kind
    from pulumi_cbr_sharing.sharing.session import Session

    OpenSession = Callable[[Connection, Config], Session]


PROVIDER = "__provider"  # the property by which the SDK's plugin finds the provider
# The engine keeps properties with this prefix to itself. A program sets it in a preview, and check removes it.
PLANNING = "__preview"


class CbrResource(dynamic.Resource):
    """Base of the resources. A subclass keeps the type token, by which policies know a share, whatever it gives."""

    def __init_subclass__(cls, **words: Any) -> None:
        super().__init_subclass__(**words)
        ours = [base for base in cls.__mro__[1:] if issubclass(base, CbrResource) and base is not CbrResource]
        if ours:
            cls._resource_type_name = ours[0]._resource_type_name  # noqa: SLF001 - the SDK has no other way

    def _declare(
        self,
        provider: CbrProvider,
        resource_name: str,
        inputs: Mapping[str, Any],
        opts: pulumi.ResourceOptions | None,
    ) -> None:
        """Called by a subclass to begin. The SDK takes what is above the third `__init__` for the program's line."""
        refuse_useless(f"{type(self).__name__} {resource_name}", provider.connection, opts)
        outputs = dict.fromkeys(provider.kind.outputs)  # the SDK sets no others
        given = {name: value for name, value in inputs.items() if value is not None}
        own: dict[str, Any] = {PROVIDER: pickled(provider)}
        own |= {PLANNING: True} if runtime.is_dry_run() else {}
        own |= {ACCOUNT: LOOKED_UP[provider.connection]} if provider.connection in LOOKED_UP else {}
        # Not by `dynamic.Resource`: its `serialize_provider` wraps Python's pickler once more for each resource, which
        # gets slower with each, and ends in a RecursionError at about 950.
        pulumi.CustomResource.__init__(
            self,
            f"pulumi-python:{self._resource_type_name}",
            resource_name,
            {**outputs, **given, **own},
            from_the_native_plugin(self._resource_type_name.rpartition(":")[2], opts),
        )


class CbrProvider(dynamic.ResourceProvider):
    """Base of the providers.

    Args:
        connection: which account and cloud; it is kept in the state, readable.
        open_session: opens a session for a connection and the stack's configuration.

    Attributes:
        kind: what the resource is, and what Pulumi's verbs do with it.
    """

    serialize_as_secret_always = False  # nothing in the pickle is secret, so the state stays readable
    kind: Kind

    def __init__(self, connection: Connection | None = None, open_session: OpenSession | None = None) -> None:
        super().__init__()
        self.connection = Connection() if connection is None else connection
        self._open_session = open_session
        self._config: Config = {}
        self._session: Session | None = None

    def __reduce__(self) -> tuple[Callable[..., CbrProvider], tuple[Connection]]:
        return type(self), (self.connection,)

    def configure(self, req: dynamic.ConfigureRequest) -> None:
        """Keep the stack's configuration. It is read when it is needed, so that its errors come without a traceback."""
        _process().take_over_process()
        self._config, self._session = req.config, None

    @property
    def session(self) -> Session:
        """The account that this provider's resources are in; SettingsError if settings are missing or wrong."""
        if self._session is None:
            open_session = self._open_session or _process().open_session
            self._session = open_session(self.connection, self._config)
        return self._session

    @property
    def recorded_session(self) -> Session:
        """The same, for verbs that may run with the settings that the last update recorded."""
        try:
            return self.session
        except SettingsError as error:
            way_out = f"; {RECORDED}" if "stack config" in str(error) else ""
            raise SettingsError(f"{error}{way_out}") from None

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.CheckResult:
        """Refuse wrong shapes and settings, and in a preview also what the cloud would refuse."""
        planning, looked_up = bool(news.pop(PLANNING, False)), news.pop(ACCOUNT, None)
        if looked_up:
            LOOKED_UP[self.connection] = looked_up  # so the user has been told which account it is
        inputs = declared = self.kind.given(_marked(news))
        problems = list(inputs.problems())
        try:
            session = self.session
            if looked_up and (trouble := other_account(looked_up, session.settings.fingerprint)):
                problems.append(Problem("", trouble))
            if not problems:
                recorded = self.kind.given(olds) if olds else None
                declared, problems = self.kind.verbs.declare(session, inputs, recorded, planning=planning)
        except CbrSharingError as error:  # no property's fault, such as a refused credential
            problems.append(Problem("", error.told))
        found = {name: value for name, value in vars(declared).items() if value != getattr(inputs, name)}
        return dynamic.CheckResult({**news, **found}, [dynamic.CheckFailure(*problem) for problem in problems])

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.DiffResult:
        """What has changed between the state and the program; another connection is an update."""
        recorded, inputs = self.kind.recorded(olds), self.kind.given(_marked(news))
        replaces = self.kind.replaces(recorded, inputs)
        changed = self.kind.verbs.is_changed(recorded, inputs)
        # A state of the native plugin has no provider in it, and its outputs have other names.
        moved = olds.get("connection") != _given(self.connection) or PROVIDER not in olds
        return dynamic.DiffResult(changes=bool(replaces) or changed or moved, replaces=replaces)

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        """Create the resource, or take over what is there."""
        made = self.kind.verbs.create(self.session, self.kind.given(props))
        return dynamic.CreateResult(self.kind.id_of(made), self._recorded(made))

    def read(self, id_: str, props: dict[str, Any]) -> dynamic.ReadResult:
        """The resource as it is now; gone only if the service says so beyond doubt."""
        live = self.kind.verbs.read(self.recorded_session, self.kind.recorded(props))
        return dynamic.ReadResult(id_, self._recorded(live)) if live else dynamic.ReadResult("", {})

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.UpdateResult:
        """Change the resource to what the program says."""
        recorded, inputs = self.kind.recorded(olds), self.kind.given(news)
        return dynamic.UpdateResult(self._recorded(self.kind.verbs.update(self.recorded_session, recorded, inputs)))

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        """Delete the resource; success if it is gone already."""
        self.kind.verbs.delete(self.recorded_session, self.kind.recorded(props))

    def _recorded(self, made: Any) -> dict[str, Any]:
        """What the state records: also the connection, by which a change of it is noticed."""
        return {**asdict(made), "connection": _given(self.connection)}


def pickled(provider: dynamic.ResourceProvider) -> str:
    """A provider as the SDK writes it into the state: by reference, so it is short, and the same text in every run."""
    # The protocol is fixed, or another version of Python would write another text.
    return base64.b64encode(pickle.dumps(provider, protocol=4)).decode()


def _process() -> ModuleType:
    # Slow to import, and a program that only declares resources does not need it.
    from pulumi_cbr_sharing.resources import process  # noqa: PLC0415

    return process


def _marked(value: Any) -> Any:
    """Properties with the engine's mark for what the SDK shows as an object of its own."""
    if isinstance(value, dict):
        return {name: _marked(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_marked(one) for one in value]
    return NOT_KNOWN if isinstance(value, Unknown) else value


def _given(connection: Connection) -> dict[str, Any] | None:
    """What the program gives of a Connection; None for the default one."""
    return asdict(connection, dict_factory=lambda items: {name: text for name, text in items if text}) or None
