"""The engine's protocol: what it asks of a plugin, and what it is told. What the answers mean is in `sharing/`."""

from __future__ import annotations

import functools
import json
import threading

from typing import TYPE_CHECKING, Any

import grpc

from google.protobuf import empty_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from pulumi_cbr_sharing.errors import CbrSharingError, SettingsError
from pulumi_cbr_sharing.http.auth import Accounts
from pulumi_cbr_sharing.lifeline import connect, end_with
from pulumi_cbr_sharing.plugin import components, functions, settings
from pulumi_cbr_sharing.plugin.calls import Calls, Detailed, bug, invalid
from pulumi_cbr_sharing.plugin.construct import Component
from pulumi_cbr_sharing.plugin.semver import own_version
from pulumi_cbr_sharing.plugin.wire import in_every_language, outputs, plain, secrets_in, struct_of
from pulumi_cbr_sharing.settings.connection import ACCOUNT, RECORDED, other_account
from pulumi_cbr_sharing.sharing.inputs import NOT_KNOWN, Problem, camel, is_unknown
from pulumi_cbr_sharing.sharing.kinds import Kind, kind_of
from pulumi_cbr_sharing.sharing.ledger import Ledger
from pulumi_cbr_sharing.sharing.session import Session


if TYPE_CHECKING:
    from collections.abc import Callable


def verb(answer: Callable[..., Any]) -> Callable[..., Any]:
    """One call of the engine. Its errors are one line each."""

    @functools.wraps(answer)
    def called(servicer: Servicer, request: Any, context: Any) -> Any:
        with servicer.calls.begun(answer.__name__.lower(), request, context):
            try:
                return answer(servicer, request, context)
            except SettingsError as error:
                recorded = answer.__name__ in ("Read", "Update", "Delete") and "stack config" in str(error)
                raise SettingsError(f"{error}; {RECORDED}" if recorded else str(error)) from None
            except (CbrSharingError, grpc.RpcError):
                raise
            except Exception as error:  # noqa: BLE001 - the engine shows nothing of what it does not get as an answer
                raise bug(error) from None

    return called


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """Answers one engine; it is configured once in a run.

    Args:
        engine: the address of the engine that has started this process, and that it ends with; "" if somebody else did.
    """

    def __init__(self, engine: str = "") -> None:
        self.calls = Calls(end_with(engine) if engine else None)
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._ledger, self._is_started = Ledger(engine), bool(engine)
        self._reference = ""
        self._begin({})

    def _meet(self, engine: str) -> None:
        """Begin a run of the engine at this address, which all processes of the run are given."""
        if not self._is_started:
            self._ledger.close()
            self._ledger = Ledger(engine)
            self.calls.begin(connect(engine, self._ledger.close))

    def _begin(self, config: dict[str, Any]) -> None:
        self._config, self._session, self._new = config, None, set[str]()

    @property
    def session(self) -> Session:
        """The account of this provider.

        Raises:
            SettingsError: settings are missing or wrong.
        """
        with self._lock:
            if self._session is None:
                found, say, clock = settings.settings_of(self._config), self.calls.say, self.calls.clock
                how = {"clock": clock, "accounts": Accounts(clock)}
                self._session = Session(found, say=say, ledger=self._ledger, records_half_done=True, **how)
                self.calls.say(found.signing)
            return self._session

    # How the engine and a plugin meet.

    def Handshake(self, request: Any, _: Any) -> Any:
        """Begin a run; a plugin that somebody else started serves many."""
        self._meet(request.engine_address)
        self._begin({})
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    def Attach(self, request: Any, _: Any) -> Any:
        """Get to know the engine's address, if somebody else started this plugin."""
        self._meet(request.address)
        return empty_pb2.Empty()

    def GetPluginInfo(self, *_: Any) -> Any:
        """Name the version, a semantic one: the engine knows no others."""
        return plugin_pb2.PluginInfo(version=own_version())

    def GetSchema(self, *_: Any) -> Any:
        """Give the schema, of which the SDKs of other languages are made."""
        return provider_pb2.GetSchemaResponse(schema=json.dumps(settings.schema()))

    def Cancel(self, *_: Any) -> Any:
        """End all waits; this comes at the end of every run, too."""
        self.calls.cancel()
        return empty_pb2.Empty()

    # The configuration.

    @verb
    def CheckConfig(self, request: Any, _: Any) -> Any:
        """Refuse settings that do not exist."""
        failures = [_failure(*problem) for problem in settings.problems_with(plain(request.news))]
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    def DiffConfig(self, *_: Any) -> Any:
        """Never replace a provider: the engine would replace all of its shares with it."""
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, request: Any, _: Any) -> Any:
        """Keep the configuration. It is read when it is needed, so that its errors are shown at a resource."""
        self._begin(plain(request.args))
        self._reference = f"{request.urn}::{request.id or NOT_KNOWN}"
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    # The resources.

    @verb
    def Check(self, request: Any, _: Any) -> Any:
        """Refuse wrong names, shapes and settings, and declare the resource in the ledger."""
        kind, news, olds = kind_of(request.type), plain(request.news), plain(request.olds)
        if not olds:
            self._new.add(request.urn)
        given = inputs = kind.given(news)
        problems = [*settings.wrong_names(news, kind.names, "property")]
        problems += [Problem(camel(one.property), one.sentence) for one in given.problems()]
        session, looked_up = self.session, news.pop(ACCOUNT, None)
        request.news.fields.pop(ACCOUNT, None)
        if looked_up and (trouble := other_account(looked_up, session.settings.fingerprint)):
            problems.append(Problem("", trouble))
        if not problems:
            # Whether this is a preview is not told. It need not be known: with something recorded, even if it is
            # nothing, no look is made, and what cannot be looked up now is looked up by an update's create.
            recorded = kind.given(olds)
            inputs, problems = kind.verbs.declare(session, given, recorded, planning=True)
        found = {camel(name): value for name, value in vars(inputs).items() if value != getattr(given, name)}
        request.news.update({name: value for name, value in found.items() if not is_unknown(value)})
        failures = [_failure(camel(one.property), one.sentence) for one in problems]
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    @verb
    def Diff(self, request: Any, _: Any) -> Any:
        """What has changed between the state and the program, property by property."""
        kind, olds = kind_of(request.type), plain(request.olds)
        recorded, inputs = kind.recorded(olds), kind.given(plain(request.news))
        replaces = kind.replaces(recorded, inputs)
        changed = [*self._moved(kind, recorded), *kind.changed(recorded, inputs)]
        kinds = provider_pb2.PropertyDiff
        detailed = {camel(name): kinds(kind=kinds.UPDATE) for name in changed}
        detailed |= {camel(name): kinds(kind=kinds.UPDATE_REPLACE) for name in replaces}
        if "__provider" in olds:  # a state of the dynamic door: its outputs have other names
            detailed["__provider"] = kinds(kind=kinds.DELETE)
        answer = provider_pb2.DiffResponse
        return answer(
            changes=answer.DIFF_SOME if detailed else answer.DIFF_NONE,
            replaces=map(camel, replaces),
            diffs=detailed,
            detailedDiff=detailed,
            hasDetailedDiff=True,
            stables=map(camel, (kind.owner, "region")),
        )

    @verb
    def Create(self, request: Any, _: Any) -> Any:
        """Create the resource, or take over what is there; in a preview, ask what the cloud would refuse."""
        kind = kind_of(request.type)
        inputs, secrets = kind.given(plain(request.properties)), secrets_in(request.properties)
        if request.preview:
            if request.urn in self._new:
                self._declared(kind, inputs, planning=True)
            return provider_pb2.CreateResponse(properties=struct_of(_foreseen(kind, inputs), secrets))
        if getattr(inputs, "dest_project_id", "") is None:
            inputs = self._declared(kind, inputs, planning=False)
        try:
            made = kind.verbs.create(self.session, inputs)
        except CbrSharingError as error:
            raise _half_done(kind, request.properties, error) from None
        return provider_pb2.CreateResponse(id=kind.id_of(made), properties=struct_of(outputs(made), secrets))

    @verb
    def Read(self, request: Any, _: Any) -> Any:
        """The resource as it is now; by its id alone if it is imported."""
        kind, olds = kind_of(request.type), plain(request.properties)
        recorded = kind.recorded(olds) if olds else kind.at(request.id)
        live = kind.verbs.read(self.session, recorded)
        if live is None or not all(getattr(live, name) for name in kind.id_parts):
            return provider_pb2.ReadResponse()
        secrets, inputs = secrets_in(request.properties, request.inputs), request.inputs
        if not olds:
            found = outputs(live)
            inputs = struct_of({camel(name): found[camel(name)] for name in kind.imported})
        return provider_pb2.ReadResponse(id=request.id, properties=struct_of(outputs(live), secrets), inputs=inputs)

    @verb
    def Update(self, request: Any, _: Any) -> Any:
        """Change the resource to what the program says."""
        kind = kind_of(request.type)
        recorded, inputs = kind.recorded(plain(request.olds)), kind.given(plain(request.news))
        secrets = secrets_in(request.olds, request.news)
        if request.preview:
            same = {camel(name): getattr(recorded, name) for name in (*kind.id_parts, kind.owner, "region")}
            return provider_pb2.UpdateResponse(properties=struct_of({**_foreseen(kind, inputs), **same}, secrets))
        try:
            made = kind.verbs.update(self.session, recorded, inputs)
        except CbrSharingError as error:
            raise _half_done(kind, request.news, error) from None
        return provider_pb2.UpdateResponse(properties=struct_of(outputs(made), secrets))

    @verb
    def Delete(self, request: Any, _: Any) -> Any:
        """Delete the resource; success if it is gone already."""
        kind = kind_of(request.type)
        kind.verbs.delete(self.session, kind.recorded(plain(request.properties)))
        return empty_pb2.Empty()

    @verb
    def Invoke(self, request: Any, _: Any) -> Any:
        """Look something up."""
        given = plain(request.args)
        if failures := [_failure(*problem) for problem in functions.problems_with(request.tok, given)]:
            return provider_pb2.InvokeResponse(failures=failures)
        found = functions.called(self.session.client, request.tok, given)
        return provider_pb2.InvokeResponse(**{"return": struct_of(found, secrets_in(request.args))})

    @verb
    def Construct(self, request: Any, _: Any) -> Any:
        """Declare a component, look up what it is about, and declare its children."""
        given = plain(request.inputs)
        if problems := [*components.problems_with(request.type, given)]:
            raise invalid(problems)
        with Component(request, self._reference) as component:
            self.calls.about(component.urn)
            return components.constructed(self.session, component, request.type, request.name)

    def _declared(self, kind: Kind, inputs: Any, *, planning: bool) -> Any:
        """The inputs of a new resource, complete; in a preview, also what the cloud would refuse is asked.

        Creates come side by side, also in a preview, and checks one after the other.
        """
        inputs, problems = kind.verbs.declare(self.session, inputs, None, planning=planning)
        if problems:
            raise invalid(problems)
        return inputs

    def _moved(self, kind: Kind, recorded: Any) -> list[str]:
        """The outputs that other settings than the recorded ones would change; an update makes sure of the account."""
        session = self.session
        now = {"region": session.settings.region, kind.owner: session.client.known_project_id}
        now["endpoint"] = session.settings.cbr
        was = {name: getattr(recorded, name) for name in now}
        return [name for name, value in now.items() if value and was[name] and value != was[name]]


def _half_done(kind: Kind, given: Any, error: CbrSharingError) -> CbrSharingError:
    """The error, with what was made all the same: the state records it, and the next `up` goes on from there."""
    if error.made is None:
        return error
    details = provider_pb2.ErrorResourceInitFailed(
        id=kind.id_of(error.made),
        properties=struct_of(outputs(error.made), secrets_in(given)),
        inputs=given,
        reasons=[in_every_language(error.told)],
    )
    return Detailed(error.told, details)


def _foreseen(kind: Kind, inputs: Any) -> dict[str, Any]:
    """What a preview knows of the outputs."""
    blank = {camel(name): NOT_KNOWN for name in kind.outputs}
    given = {camel(name): value for name, value in vars(inputs).items() if camel(name) in blank and value is not None}
    return {**blank, **given}


def _failure(name: str, sentence: str) -> Any:
    return provider_pb2.CheckFailure(property=name, reason=in_every_language(sentence))
