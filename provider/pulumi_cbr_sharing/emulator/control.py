"""The control endpoints of the emulator, under `/_emulator/`: JSON, without credentials.

Each is a method of `cloud.Emulator`, so everything that a test can do can be done from outside; its fields are the
method's parameters, and `GET /_emulator/endpoints` lists them. A web page that is open on this machine must not reach
them: only requests to a name of this machine are answered, which a page of another host cannot send, and changes must
be JSON, which a page cannot send without CORS.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import re

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

from flask import Flask, Response, jsonify, request

from pulumi_cbr_sharing.emulator.behaviours import Behaviour, Switches, ledger, switch_rows
from pulumi_cbr_sharing.emulator.cloud import Emulator
from pulumi_cbr_sharing.emulator.records import Backup, Dialect, Vault
from pulumi_cbr_sharing.emulator.request import Fault
from pulumi_cbr_sharing.emulator.routes import ROUTES


if TYPE_CHECKING:
    from pulumi_cbr_sharing.emulator.app import Recorded


PREFIX = "/_emulator/"
SHOWN_REQUESTS = 30
THIS_MACHINE = ("127.0.0.1", "[::1]", "localhost")
# Errors in the fields of a control endpoint, and in what they name.
MISUSED = (TypeError, KeyError, ValueError, StopIteration, RecursionError, OverflowError)


class Endpoint(NamedTuple):
    """A control endpoint with what it calls; its fields are the parameters of that, and the attributes of `record`."""

    method: str
    name: str
    act: Callable[..., Any]
    record: type | None = None

    @property
    def fields(self) -> dict[str, FieldType]:
        """What each field may be."""
        hints, further = (get_type_hints(one, localns=_TYPES) if one else {} for one in (self.act, self.record))
        taken = [one for one in inspect.signature(self.act).parameters.values() if one.kind is not one.VAR_KEYWORD][1:]
        own = {name: _kind(hint) for name, hint in further.items() if name not in _INTERNAL}
        return {**own, **{one.name: _kind(hints[one.name]) for one in taken}}


def cloud_asked() -> Emulator:
    """The cloud of the current request."""
    cloud: Emulator = request.environ["emulator.cloud"]
    return cloud


def add_control(app: Flask) -> None:
    """Add the control endpoints to an application."""
    for endpoint in ENDPOINTS:
        view = _view(endpoint)
        app.add_url_rule(PREFIX + endpoint.name, f"{endpoint.method} {endpoint.name}", view, methods=[endpoint.method])
    app.add_url_rule(PREFIX, "page", _page)


def refusal(cloud: Emulator) -> tuple[Response, int] | None:
    """The answer to a control request that may come from a web page; None for all others."""
    port = urlsplit(cloud.url).port
    if request.headers.get("Host", "").lower() not in {f"{name}:{port}" for name in THIS_MACHINE}:
        return jsonify({"error": f"ask for it by a name of this machine: {', '.join(THIS_MACHINE)}, and its port"}), 403
    if request.method not in ("GET", "HEAD") and request.mimetype != "application/json":
        return jsonify({"error": "changes are made in JSON: send Content-Type: application/json"}), 415
    return None


def _view(endpoint: Endpoint) -> Callable[[], tuple[Response, int]]:
    def view() -> tuple[Response, int]:
        body = b"" if request.method == "GET" else request.get_data()
        try:
            fields = _checked(json.loads(body) if body.strip() else {}, endpoint.fields)
            return jsonify(_plain(endpoint.act(cloud_asked(), **fields))), 200
        except MISUSED as error:
            return jsonify({"error": f"{type(error).__name__}: {str(error).encode(errors='replace').decode()}"}), 400

    return view


def _page() -> Response:
    """The page for people: it has what is to be seen now, and looks again each second; nothing from elsewhere."""
    first = json.dumps(_plain(_watch(cloud_asked()))).replace("<", "\\u003c")
    page = (Path(__file__).parent / "page.html").read_text().replace("FIRST", first, 1)
    own = "default-src 'none'; connect-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
    return Response(page, headers={"Content-Security-Policy": own, "Referrer-Policy": "no-referrer"})


def _watch(cloud: Emulator) -> dict[str, Any]:
    """Show what the page shows: who has what, the last requests, faults and set switches; no secrets."""
    with cloud.lock:
        cloud.state.settle()
        return {
            "url": cloud.url,
            "dialect": cloud.dialect,
            "accounts": [{"name": one.name, "projects": one.projects} for one in cloud.accounts.all()],
            "vaults": [{**_plain(vault), "used": cloud.state.used(vault)} for vault in cloud.state.vaults.values()],
            "backups": list(cloud.state.backups.values()),
            "switches": [
                {"name": one.what, "value": getattr(cloud, one.what), "does": one.does}
                for one in switch_rows()
                if one.what != "dialect" and getattr(cloud, one.what) != getattr(Switches, one.what)
            ],
            "faults": cloud.unused_faults,
            "requests": cloud.log[: -SHOWN_REQUESTS - 1 : -1],
        }


def _state(cloud: Emulator) -> dict[str, Any]:
    """Show all accounts, vaults and backups with their members, and the switches."""
    with cloud.lock:
        cloud.state.settle()
        return {
            "url": cloud.url,
            "iam_url": cloud.iam_url,
            "switches": {row.what: getattr(cloud, row.what) for row in switch_rows()},
            "accounts": _plain(cloud.accounts.all()),
            "vaults": _plain(list(cloud.state.vaults.values())),
            "backups": _plain(list(cloud.state.backups.values())),
        }


def _switch(cloud: Emulator, **switches: Any) -> None:
    """Set switches."""
    for name, value in switches.items():
        setattr(cloud, name, value)


def _add_fault(cloud: Emulator, **fields: Any) -> None:
    """Script a fault."""
    cloud.add_fault(Fault(**fields))


def _add_refusal(cloud: Emulator, code: str, **fields: Any) -> None:
    """Script an error of the service by its code, such as `BackupService.6711`."""
    cloud.add_fault(Fault.refusal(code, **fields))


def _faults(cloud: Emulator) -> list[Fault]:
    """List the faults that have not hit all their requests yet."""
    return cloud.unused_faults


def _requests(cloud: Emulator) -> list[Recorded]:
    """List the requests so far, secrets masked."""
    return cloud.requests


def _behaviours(_: Emulator) -> list[Behaviour]:
    """List what the cloud does, each with its source, and what the service may do instead."""
    return ledger(ROUTES)


def _endpoints(_: Emulator) -> list[dict[str, Any]]:
    """List the control endpoints with their fields."""
    return [
        {
            "method": one.method,
            "path": PREFIX + one.name,
            "does": inspect.getdoc(one.act),
            "fields": {name: kind.words for name, kind in one.fields.items()},
        }
        for one in ENDPOINTS
    ]


ENDPOINTS = (
    Endpoint("GET", "endpoints", _endpoints),
    Endpoint("GET", "behaviours", _behaviours),
    Endpoint("POST", "reset", Emulator.reset),
    Endpoint("GET", "state", _state),
    Endpoint("GET", "watch", _watch),
    Endpoint("POST", "accounts", Emulator.add_account),
    Endpoint("POST", "projects", Emulator.add_project),
    Endpoint("POST", "backups", Emulator.add_backup, Backup),
    Endpoint("POST", "vaults", Emulator.add_vault, Vault),
    Endpoint("POST", "backup-status", Emulator.set_backup_status),
    Endpoint("POST", "remove-backup", Emulator.remove_backup),
    Endpoint("POST", "complete-checkpoints", Emulator.complete_checkpoints),
    Endpoint("POST", "back-up", Emulator.back_up),
    Endpoint("POST", "pass-time", Emulator.pass_time),
    Endpoint("POST", "add-member", Emulator.add_member),
    Endpoint("POST", "remove-member", Emulator.remove_member),
    Endpoint("POST", "answer", Emulator.answer),
    Endpoint("POST", "register-image", Emulator.register_image),
    Endpoint("POST", "rotate-key", Emulator.rotate_key),
    Endpoint("POST", "revoke-tokens", Emulator.revoke_tokens),
    Endpoint("POST", "token", Emulator.token),
    Endpoint("POST", "temporary-key", Emulator.temporary_key),
    Endpoint("POST", "agencies", Emulator.add_agency),
    Endpoint("POST", "identity-providers", Emulator.add_identity_provider),
    Endpoint("POST", "id-token", Emulator.id_token),
    Endpoint("POST", "passcodes", Emulator.add_passcode),
    Endpoint("POST", "confine", Emulator.confine),
    Endpoint("POST", "deny", Emulator.deny),
    Endpoint("POST", "allow", Emulator.allow),
    Endpoint("POST", "throttle", Emulator.throttle),
    Endpoint("POST", "switches", _switch, Switches),
    Endpoint("GET", "requests", _requests),
    Endpoint("DELETE", "requests", Emulator.clear_requests),
    Endpoint("POST", "faults", _add_fault, Fault),
    Endpoint("GET", "faults", _faults),
    Endpoint("POST", "refusals", _add_refusal, Fault),
    Endpoint("DELETE", "faults", Emulator.clear_faults),
)


def _plain(value: Any) -> Any:
    """A value as JSON can hold it."""
    value = vars(value) if dataclasses.is_dataclass(value) else value
    value = value._asdict() if hasattr(value, "_asdict") else value
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


# -- The fields of endpoints: their types are those of the parameters and records that they stand for ------------------


class FieldType(NamedTuple):
    """What a field may be: in words, and as a check."""

    words: str
    fits: Callable[[Any], bool]


LARGEST = 10**6
_TYPES = {"Behaviour": Behaviour, "Dialect": Dialect, "Mapping": Mapping, "Recorded": Any}  # imported for types alone
_INTERNAL = ("members", "ready_at", "gone_at", "project_id", "settings", "policies", "tags")
_HEADER = re.compile(r"[A-Za-z0-9-]{1,100}: [\x20-\x7e]{0,2000}")
_RESOURCE: dict[str, Any] = {"id": str, "type": str, "name": str, "size": int}


def _checked(fields: Any, kinds: Mapping[str, FieldType]) -> dict[str, Any]:
    if not isinstance(fields, dict):
        raise TypeError("the body must be a JSON object")
    for name, value in fields.items():
        if name not in kinds:
            raise ValueError(f"there is no field {name!a}; there are: {', '.join(sorted(kinds)) or 'none'}")
        if not kinds[name].fits(value):
            raise ValueError(f"{name} must be {kinds[name].words}")
    return fields


def _kind(hint: Any) -> FieldType:
    choices = get_args(hint)
    if get_origin(hint) is Literal:
        return FieldType(" or ".join(choices), lambda value: value in choices)
    if type(None) in choices:
        words, fits = _kind(choices[0])
        return FieldType(f"{words} or null", lambda value: value is None or fits(value))
    return _KINDS[hint]


def _is_resource(one: Any) -> bool:
    has_fields = isinstance(one, dict) and {"id", "type"} <= one.keys() <= _RESOURCE.keys()
    return has_fields and all(_KINDS[_RESOURCE[name]].fits(value) for name, value in one.items())


def _is_number(types: tuple[type, ...], value: Any) -> bool:
    return type(value) in types and 0 <= value <= LARGEST


_KINDS: dict[Any, FieldType] = {
    str: FieldType(
        "a text that can be sent",
        lambda value: isinstance(value, str) and value == value.encode(errors="ignore").decode(),
    ),
    bool: FieldType("true or false", lambda value: isinstance(value, bool)),
    int: FieldType(f"a whole number from 0 to {LARGEST}", partial(_is_number, (int,))),
    float: FieldType(f"a number from 0 to {LARGEST}", partial(_is_number, (int, float))),
    datetime: FieldType("a moment in ISO 8601", lambda value: isinstance(value, str)),  # parsing it raises ValueError
    Mapping[str, str]: FieldType(
        "headers: an object of texts",
        lambda value: isinstance(value, dict) and all(_HEADER.fullmatch(f"{name}: {value[name]}") for name in value),
    ),
    list[dict[str, Any]]: FieldType(
        "resources: a list of objects with id, type, and name and size if they matter",
        lambda value: isinstance(value, list) and all(map(_is_resource, value)),
    ),
}
