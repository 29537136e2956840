"""The native plugin without the wire, asked as the dynamic one is, so that one set of tests serves both doors.

Inputs have Python's names, and so have problems; an error is the one that `sharing/` raised. `NativeProvider` stands
beside a dynamic provider, `NativePlugin` beside `plugin.Plugin`. A test with the fixture `door` goes through each.
"""

from __future__ import annotations

import sys
import threading

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn, cast
from uuid import uuid4

import pytest

from pulumi import dynamic
from pulumi.runtime.proto import provider_pb2
from typing_extensions import Self

from native import ACCEPTER, MEMBER, SET, Failed, about, struct, values
from plugin import Checked, Diffed, Made, Plugin, PluginError
from pulumi_cbr_sharing.errors import CbrSharingError
from pulumi_cbr_sharing.plugin.calls import Detailed
from pulumi_cbr_sharing.plugin.servicer import Servicer
from pulumi_cbr_sharing.plugin.wire import snake
from pulumi_cbr_sharing.resources.dynamic import PLANNING
from pulumi_cbr_sharing.settings.connection import NATIVE_NAMESPACE, Connection
from pulumi_cbr_sharing.settings.resolve import resolve
from pulumi_cbr_sharing.sharing.inputs import camel
from pulumi_cbr_sharing.sharing.ledger import Ledger
from pulumi_cbr_sharing.sharing.session import Session


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pulumi.dynamic import ResourceProvider


TOKENS = {"member": MEMBER, "share": SET, "accepter": ACCEPTER}
DOOR = ContextVar("DOOR", default="")  # through which tests go that say no other: "" or "@native"
# For tests of what differs, and for those with an engine, which takes seconds; see tests/test_doors.py.
DYNAMIC_ONLY = pytest.mark.parametrize("door", [""], indirect=True, ids=["dynamic"])
TOKEN = "__token"  # the type of a resource; the engine tells it with each call


class _Served(Servicer):
    """The plugin with a session of the test's."""

    def __init__(self, opened: Callable[[], Session]) -> None:
        super().__init__()
        self._opened = opened

    @property
    def session(self) -> Session:
        """The account."""
        return self._opened()


class _Call:
    """What gRPC gives to a servicer."""

    def __init__(self) -> None:
        self._metadata: Any = ()
        self._text = ""

    def set_trailing_metadata(self, metadata: Any) -> None:
        """Keep what the engine is told besides the text."""
        self._metadata = metadata

    def trailing_metadata(self) -> Any:
        """What the engine is told besides the text."""
        return self._metadata

    def details(self) -> str:
        """The text."""
        return self._text

    def abort(self, _: Any, text: str) -> NoReturn:
        """Raise the error of which the engine is told, with what it would see."""
        error: Any = sys.exc_info()[1]
        self._text = text
        if isinstance(error, Detailed) and isinstance(error.__context__, CbrSharingError):
            error = error.__context__
        error.seen = Failed(self)
        raise error


class NativeProvider:
    """A kind of resource of the native plugin, used like a dynamic provider. Its states have the names of the wire.

    Args:
        token: the type.
        opened: opens the session.
    """

    def __init__(self, token: str, opened: Callable[[], Session]) -> None:
        self._token, self._servicer = token, _Served(opened)

    def check(self, olds: Mapping[str, Any], news: Mapping[str, Any]) -> dynamic.CheckResult:
        """Check; in a preview also what a new resource's create is for."""
        given = wire(news)
        planning = given.pop(PLANNING, False)
        answer = self._ask("Check", olds=struct(wire(olds)), news=struct(given))
        wrong = {one.property: one.reason for one in answer.failures}
        if planning and not olds and not wrong:
            try:
                self._ask("Create", properties=answer.inputs, preview=True)
            except CbrSharingError as error:
                wrong = seen(error).problems or {"": str(seen(error))}
        failures = [dynamic.CheckFailure(snake(name), reason) for name, reason in wrong.items()]
        return dynamic.CheckResult(pythonic(values(answer.inputs)), failures)

    def diff(self, id_: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> dynamic.DiffResult:
        """Compare."""
        answer = self._ask("Diff", id=id_, olds=struct(olds), news=struct(wire(news)))
        some = answer.changes == provider_pb2.DiffResponse.DIFF_SOME
        return dynamic.DiffResult(changes=some, replaces=[snake(name) for name in answer.replaces])

    def create(self, props: Mapping[str, Any]) -> dynamic.CreateResult:
        """Create."""
        answer = self._ask("Create", properties=struct(wire(props)))
        return dynamic.CreateResult(answer.id, values(answer.properties))

    def read(self, id_: str, props: Mapping[str, Any]) -> dynamic.ReadResult:
        """Read."""
        answer = self._ask("Read", id=id_, properties=struct(props))
        return dynamic.ReadResult(answer.id, values(answer.properties))

    def update(self, id_: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> dynamic.UpdateResult:
        """Update."""
        answer = self._ask("Update", id=id_, olds=struct(olds), news=struct(wire(news)))
        return dynamic.UpdateResult(values(answer.properties))

    def delete(self, id_: str, props: Mapping[str, Any]) -> None:
        """Delete."""
        self._ask("Delete", id=id_, properties=struct(props))

    def _ask(self, verb: str, **words: Any) -> Any:
        return getattr(self._servicer, verb)(about(verb, self._token, **words), _Call())


@dataclass
class NativePlugin:
    """One process of the native plugin, used like a `Plugin`; its configuration is that of an explicit provider."""

    config: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    engine: str = field(default_factory=lambda: uuid4().hex)

    def __enter__(self) -> Self:
        self._said: list[str] = []
        self._ledger = Ledger(self.engine)
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._providers = {token: NativeProvider(token, self._opened) for token in TOKENS.values()}
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> str:
        """End it; returns what it told the user."""
        self._ledger.close()
        return "\n".join(self._said)

    def check(
        self,
        provider: ResourceProvider,
        news: Mapping[str, Any],
        olds: Mapping[str, Any] | None = None,
        *,
        preview: bool = True,
    ) -> Checked:
        """Check the inputs of a resource of the kind of this provider, as a preview does, or an update."""
        try:
            found = self._of(provider).check(olds or {}, {**news, PLANNING: True} if preview else news)
        except CbrSharingError as error:
            return Checked({}, {"": error.told})
        return Checked(found.inputs, {one.property: one.reason for one in found.failures or ()})

    def diff(self, provider: ResourceProvider, made: Made, news: Mapping[str, Any]) -> Diffed:
        """Compare a resource with new inputs."""
        found = self._of(provider).diff(made.id, wire(made.outs), news)
        return Diffed(bool(found.changes), tuple(found.replaces or ()), bool(found.delete_before_replace))

    def create(self, provider: ResourceProvider, news: Mapping[str, Any]) -> Made:
        """Check, then create."""
        checked = self.check(provider, news, preview=False)
        if checked.failures:
            raise PluginError(str(checked.failures))
        with _shown():
            made = self._of(provider).create(checked.inputs)
        return Made(made.id, {TOKEN: self._token(provider), **pythonic(made.outs)})

    def read(self, made: Made) -> Made | None:
        """Refresh a resource; None if it is gone."""
        with _shown():
            live = self._providers[made.outs[TOKEN]].read(made.id, wire(made.outs))
        return Made(live.id, {TOKEN: made.outs[TOKEN], **pythonic(live.outs)}) if live.id else None

    def update(self, provider: ResourceProvider, made: Made, news: Mapping[str, Any]) -> Made:
        """Update a resource in place."""
        with _shown():
            updated = self._of(provider).update(made.id, wire(made.outs), news)
        return Made(made.id, {TOKEN: made.outs[TOKEN], **pythonic(updated.outs)})

    def delete(self, made: Made) -> None:
        """Delete a resource."""
        with _shown():
            self._providers[made.outs[TOKEN]].delete(made.id, wire(made.outs))

    def _opened(self) -> Session:
        named = {f"{NATIVE_NAMESPACE}:{key.rpartition(':')[2]}": value for key, value in self.config.items()}
        environ = {"HOME": "/nonexistent", **self.env}
        with self._lock:
            if self._session is None:
                settings = resolve(Connection(namespace=NATIVE_NAMESPACE), config=named, environ=environ)
                self._session = Session(settings, say=self._said.append, ledger=self._ledger, records_half_done=True)
            return self._session

    def _of(self, provider: ResourceProvider) -> NativeProvider:
        return self._providers[self._token(provider)]

    @staticmethod
    def _token(provider: ResourceProvider) -> str:
        return f"cbr-sharing:index:{type(provider).__name__.removesuffix('Provider')}"


def module() -> str:
    """Where a program imports the resources of the present door from."""
    return "pulumi_cbr_sharing.native" if DOOR.get() else "pulumi_cbr_sharing"


def process(**words: Any) -> Plugin:
    """One process of the plugin, of the present door."""
    if not DOOR.get():
        return Plugin(**words)
    words.pop("forked", None)  # this process serves it
    return cast("Plugin", NativePlugin(**words))


@contextmanager
def _shown() -> Iterator[None]:
    """Errors are what the engine would print, but for the names in them."""
    try:
        yield
    except CbrSharingError as error:
        raise PluginError(error.told) from None


def seen(error: Any) -> Failed:
    """What the engine is told of an error."""
    return cast("Failed", error.seen)


def wire(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Properties by the names of the wire."""
    return {name if name.startswith("__") else camel(name): value for name, value in properties.items()}


def pythonic(properties: Mapping[str, Any] | None) -> dict[str, Any]:
    """Properties by Python's names."""
    return {snake(name): value for name, value in (properties or {}).items()}
