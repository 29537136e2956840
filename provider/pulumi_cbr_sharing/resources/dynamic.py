"""What the dynamic providers of this package have in common: the door between Pulumi and `sharing/`.

A provider holds a Connection, which is pickled into the state, and opens a session when it needs one. Each verb turns
properties into dataclasses and calls one function of `sharing/`. The marker for unknown values stays in this file.
"""

from __future__ import annotations

import base64
import pickle

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import pulumi

from pulumi import dynamic, runtime
from pulumi.output import Unknown
from pulumi.runtime import rpc

from pulumi_cbr_sharing.errors import CbrSharingError, SettingsError
from pulumi_cbr_sharing.resources.arguments import refuse_useless
from pulumi_cbr_sharing.resources.process import SAID, take_over_process
from pulumi_cbr_sharing.settings.connection import ACCOUNT, LOOKED_UP, Connection, other_account
from pulumi_cbr_sharing.sharing.inputs import UNKNOWN, AcceptanceInputs, MemberInputs, Problem, SetInputs, camel


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pulumi_cbr_sharing.settings.sources import Config
    from pulumi_cbr_sharing.sharing.session import Session

    OpenSession = Callable[[Connection, Config], Session]


I = TypeVar("I", MemberInputs, SetInputs, AcceptanceInputs)  # noqa: E741 - the inputs of a kind of resource
S = TypeVar("S")  # what the state records of it
D = TypeVar("D")
PROVIDER = "__provider"  # the property by which the SDK's plugin finds the provider
# The engine keeps properties with this prefix to itself. A program sets it in a preview, and check removes it.
PLANNING = "__preview"


class _Verbs(Protocol[I, S]):
    """A module of `sharing/` with what Pulumi's verbs mean for a kind of resource."""

    def declare(
        self, session: Session, inputs: I, recorded: I | None, *, planning: bool
    ) -> tuple[I, list[Problem]]: ...
    def create(self, session: Session, inputs: I) -> S: ...
    def read(self, session: Session, recorded: S) -> S | None: ...
    def is_changed(self, recorded: S, inputs: I) -> bool: ...
    def update(self, session: Session, recorded: S, inputs: I) -> S: ...
    def delete(self, session: Session, recorded: S) -> None: ...


class CbrResource(dynamic.Resource):
    """Base of the resources. A subclass keeps the type token, by which policies recognize a share.

    A `module` or `name` that the subclass gives is ignored.
    """

    def __init_subclass__(cls, **words: Any) -> None:
        super().__init_subclass__(**words)
        ours = [base for base in cls.__mro__[1:] if issubclass(base, CbrResource) and base is not CbrResource]
        if ours:
            cls._resource_type_name = ours[0]._resource_type_name  # noqa: SLF001 - the SDK has no other way

    def __init__(
        self,
        provider: CbrProvider[Any],
        resource_name: str,
        inputs: Mapping[str, Any],
        opts: pulumi.ResourceOptions | None,
    ) -> None:
        refuse_useless(f"{type(self).__name__} {resource_name}", provider.connection, opts)
        outputs = dict.fromkeys(field.name for field in fields(provider.state_type))  # the SDK sets no others
        own = {PROVIDER: pickled(provider)}
        preview = {PLANNING: True} if runtime.is_dry_run() else {}
        account = {ACCOUNT: LOOKED_UP[provider.connection]} if provider.connection in LOOKED_UP else {}
        # Not by `dynamic.Resource`: its `serialize_provider` wraps Python's pickler once more for each resource, which
        # gets slower with each, and ends in a RecursionError at about 950.
        pulumi.CustomResource.__init__(
            self,
            f"pulumi-python:{self._resource_type_name}",
            resource_name,
            {**outputs, **inputs, **own, **preview, **account},
            pulumi.ResourceOptions.merge(pulumi.ResourceOptions(aliases=[self._in_the_native_plugin()]), opts),
        )

    def _in_the_native_plugin(self) -> pulumi.Alias:
        """The type of a state that was made by the native plugin: a program goes on with it."""
        return pulumi.Alias(type_=f"cbr-sharing:index:{self._resource_type_name.rpartition(':')[2]}")


class CbrProvider(dynamic.ResourceProvider, Generic[I]):
    """Base of the providers.

    Args:
        connection: which account and cloud; it is kept in the state, readable.
        open_session: opens a session for a connection and the stack's configuration.

    Attributes:
        verbs: a module of `sharing/`.
        inputs_type, state_type: the dataclasses of what a program gives and of what the state records.
        id_parts: the outputs that make the resource's id.
        replaced_by: the inputs whose change replaces the resource.
    """

    serialize_as_secret_always = False  # nothing in the pickle is secret, so the state stays readable
    verbs: _Verbs[I, Any]
    inputs_type: type[I]
    state_type: type[Any]
    id_parts: Sequence[str]
    replaced_by: Sequence[str]

    def __init__(self, connection: Connection | None = None, open_session: OpenSession | None = None) -> None:
        super().__init__()
        self.connection = Connection() if connection is None else connection
        self._open_session = open_session or _open_session
        self._config: Config = {}
        self._session: Session | None = None

    def __reduce__(self) -> tuple[Callable[..., CbrProvider[I]], tuple[Connection]]:
        return type(self), (self.connection,)

    def configure(self, req: dynamic.ConfigureRequest) -> None:
        """Keep the stack's configuration. It is read when it is needed, so that its errors come without a traceback."""
        take_over_process()
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
        """The same, for verbs that may run with the settings that the last update recorded."""
        try:
            return self.session
        except SettingsError as error:
            from pulumi_cbr_sharing.settings.resolve import RECORDED  # noqa: PLC0415 - see `_open_session`

            way_out = f"; {RECORDED}" if "stack config" in str(error) else ""
            raise SettingsError(f"{error}{way_out}") from None

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.CheckResult:
        """Refuse wrong shapes and settings, and in a preview also what the cloud would refuse."""
        planning, looked_up = bool(news.pop(PLANNING, False)), news.pop(ACCOUNT, None)
        SAID.update([looked_up] if looked_up else [])
        inputs = declared = known(self.inputs_type, news)
        problems = list(inputs.problems())
        try:
            session = self.session
            if looked_up and (trouble := other_account(looked_up, session.settings.fingerprint)):
                problems.append(Problem("", trouble))
            if not problems:
                recorded = known(self.inputs_type, olds) if olds else None
                declared, problems = self.verbs.declare(session, inputs, recorded, planning=planning)
        except CbrSharingError as error:  # no property's fault, such as a refused credential
            problems.append(Problem("", error.told))
        for name, value in vars(declared).items():
            if value != getattr(inputs, name):  # such as the project of an account
                news[name] = rpc.UNKNOWN if value is UNKNOWN else value
        return dynamic.CheckResult(news, [dynamic.CheckFailure(*problem) for problem in problems])

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.DiffResult:
        """What has changed between the state and the program; another connection is an update."""
        recorded, inputs = known(self.state_type, olds), known(self.inputs_type, news)
        replaces = [name for name in self.replaced_by if getattr(recorded, name) != getattr(inputs, name)]
        changed = self.verbs.is_changed(recorded, inputs)
        # A state of the native plugin has no provider in it, and its outputs have other names.
        moved = olds.get("connection") != _given(self.connection) or PROVIDER not in olds
        return dynamic.DiffResult(changes=bool(replaces) or changed or moved, replaces=replaces)

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        """Create the resource, or take over what is there."""
        made = self.verbs.create(self.session, known(self.inputs_type, props))
        return dynamic.CreateResult("/".join(getattr(made, name) for name in self.id_parts), self._recorded(made))

    def read(self, id_: str, props: dict[str, Any]) -> dynamic.ReadResult:
        """The resource as it is now; gone only if the service says so beyond doubt."""
        live = self.verbs.read(self.recorded_session, known(self.state_type, props))
        return dynamic.ReadResult(id_, self._recorded(live)) if live else dynamic.ReadResult("", {})

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.UpdateResult:
        """Change the resource to what the program says."""
        recorded, inputs = known(self.state_type, olds), known(self.inputs_type, news)
        return dynamic.UpdateResult(self._recorded(self.verbs.update(self.recorded_session, recorded, inputs)))

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        """Delete the resource; success if it is gone already."""
        self.verbs.delete(self.recorded_session, known(self.state_type, props))

    def _recorded(self, made: Any) -> dict[str, Any]:
        """What the state records: also the connection, by which a change of it is noticed."""
        return {**asdict(made), "connection": _given(self.connection)}


def pickled(provider: CbrProvider[Any]) -> str:
    """A provider as the SDK writes it into the state: by reference, so it is short, and the same text in every run."""
    # The protocol is fixed, or another version of Python would write another text.
    return base64.b64encode(pickle.dumps(provider, protocol=4)).decode()


def _open_session(connection: Connection, config: Config) -> Session:
    # Slow to import, and a program that only declares resources opens no session.
    from pulumi_cbr_sharing.resources.sessions import open_session  # noqa: PLC0415

    return open_session(connection, config)


def known(kind: type[D], properties: Mapping[str, Any]) -> D:
    """A dataclass from properties. Null becomes the field's default, an unknown value becomes `UNKNOWN`.

    A state of the native plugin has the names of other languages.
    """
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    given = {name: properties.get(name, properties.get(camel(name))) for name in names}
    return kind(**{name: _known(value) for name, value in given.items() if value is not None})


def _known(value: Any) -> Any:
    if isinstance(value, list):
        return [_known(one) for one in value]
    # The SDK's class, and the wire's marker.
    return UNKNOWN if isinstance(value, Unknown) or value == rpc.UNKNOWN else value


def _given(connection: Connection) -> dict[str, Any] | None:
    """What the program gives of a Connection; None for the default one."""
    return asdict(connection, dict_factory=lambda items: {name: text for name, text in items if text}) or None
