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

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

from flask import Flask, jsonify, request

from pulumi_cbr_sharing.emulator.behaviours import Behaviour, Switches, ledger
from pulumi_cbr_sharing.emulator.cloud import Emulator
from pulumi_cbr_sharing.emulator.faults import Fault
from pulumi_cbr_sharing.emulator.records import Backup, Dialect, Vault, parsed
from pulumi_cbr_sharing.emulator.request import Recorded
from pulumi_cbr_sharing.emulator.routes import ROUTES


if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Response


PREFIX = "/_emulator/"
THIS_MACHINE = ("127.0.0.1", "[::1]", "localhost")
# Errors in the fields of a control endpoint, and in what they name.
MISUSED = (TypeError, KeyError, ValueError, StopIteration, RecursionError, OverflowError)
LARGEST = {int: 10**9, float: 10**6}
_NAMES = {"Dialect": Dialect, "Mapping": Mapping, "Recorded": Recorded}  # that annotations use without importing them
_INTERNAL = ("members", "ready_at", "gone_at", "project_id", "settings", "policies", "tags")
_HEADER_NAME, _HEADER_TEXT = re.compile(r"[A-Za-z0-9-]{1,100}"), re.compile(r"[\x20-\x7e]{0,2000}")


class Endpoint(NamedTuple):
    """A control endpoint: what it calls, with the parameters of that and the attributes of `record` as fields."""

    method: str
    name: str
    act: Callable[..., Any]
    record: type | None = None

    @property
    def fields(self) -> dict[str, Any]:
        """The fields with their types."""
        return _fields_of(self.act, self.record)


@cache
def _fields_of(act: Callable[..., Any], record: type | None) -> dict[str, Any]:
    hints = get_type_hints(act, localns=_NAMES)
    named = [one for one in inspect.signature(act).parameters.values() if one.kind is not one.VAR_KEYWORD][1:]
    further = get_type_hints(record, localns=_NAMES) if record else {}
    own = {name: hint for name, hint in further.items() if name not in _INTERNAL}
    return {**own, **{one.name: hints[one.name] for one in named}}


def cloud_asked() -> Emulator:
    """The cloud of the current request."""
    cloud: Emulator = request.environ["emulator.cloud"]
    return cloud


def add_control(app: Flask) -> None:
    """Add the control endpoints to an application."""
    for endpoint in ENDPOINTS:
        view = _view(endpoint)
        app.add_url_rule(PREFIX + endpoint.name, f"{endpoint.method} {endpoint.name}", view, methods=[endpoint.method])


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
            fields = checked(json.loads(body) if body.strip() else {}, endpoint.fields)
            return jsonify(_plain(endpoint.act(cloud_asked(), **fields))), 200
        except MISUSED as error:
            return jsonify({"error": f"{type(error).__name__}: {str(error).encode(errors='replace').decode()}"}), 400

    return view


def checked(fields: Any, types: Mapping[str, Any]) -> dict[str, Any]:
    """Check the fields of a control request.

    Raises:
        TypeError: they are not an object.
        ValueError: a field is unknown, or of another type.
    """
    if not isinstance(fields, dict):
        raise TypeError("the body must be a JSON object")
    for name, value in fields.items():
        if name not in types:
            raise ValueError(f"there is no field {name!a}; there are: {', '.join(sorted(types)) or 'none'}")
        if not _fits(value, types[name]):
            raise ValueError(f"{name} must be {words(types[name])}")
    return fields


def _fits(value: Any, hint: Any) -> bool:
    if get_origin(hint) is Literal:
        return value in get_args(hint)
    if type(None) in get_args(hint):
        return value is None or _fits(value, get_args(hint)[0])
    if hint in LARGEST:
        number = isinstance(value, int) or (hint is float and isinstance(value, float))
        return number and not isinstance(value, bool) and 0 <= value <= LARGEST[hint]
    return _KINDS[hint][1](value)


def words(hint: Any) -> str:
    """The type of a field in words."""
    if get_origin(hint) is Literal:
        return " or ".join(get_args(hint))
    if type(None) in get_args(hint):
        return f"{words(get_args(hint)[0])} or null"
    return f"a number from 0 to {LARGEST[hint]}" if hint in LARGEST else _KINDS[hint][0]


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and not any("\ud800" <= letter <= "\udfff" for letter in value)


def _is_moment(value: Any) -> bool:
    try:
        parsed(value)
    except (AttributeError, TypeError, ValueError):
        return False
    return True


def _are_headers(value: Any) -> bool:
    return isinstance(value, dict) and all(
        _HEADER_NAME.fullmatch(name) and isinstance(text, str) and _HEADER_TEXT.fullmatch(text)
        for name, text in value.items()
    )


def _are_resources(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_resource, value))


def _is_resource(one: Any) -> bool:
    if not isinstance(one, dict) or not {"id", "type"} <= set(one) <= {"id", "type", "name", "size"}:
        return False
    return all(_fits(value, int if key == "size" else str) for key, value in one.items())


_KINDS: dict[Any, tuple[str, Callable[[Any], bool]]] = {
    str: ("a text that can be sent", _is_text),
    bool: ("true or false", lambda value: isinstance(value, bool)),
    datetime: ("a moment in ISO 8601", _is_moment),
    Mapping[str, str]: ("headers: an object of texts", _are_headers),
    list[dict[str, Any]]: (
        "resources: a list of objects with id, type, and name and size if they matter",
        _are_resources,
    ),
}


def _state(cloud: Emulator) -> dict[str, Any]:
    """Show all accounts, vaults and backups with their members, and the switches."""
    with cloud.lock:
        cloud.state.settle()
        return {
            "url": cloud.url,
            "iam_url": cloud.iam_url,
            "switches": {name: getattr(cloud, name) for name in get_type_hints(Switches, localns=_NAMES)},
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
            "fields": {name: words(hint) for name, hint in one.fields.items()},
        }
        for one in ENDPOINTS
    ]


ENDPOINTS = (
    Endpoint("GET", "endpoints", _endpoints),
    Endpoint("GET", "behaviours", _behaviours),
    Endpoint("POST", "reset", Emulator.reset),
    Endpoint("GET", "state", _state),
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
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return _plain(value._asdict())
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    return value.isoformat() if hasattr(value, "isoformat") else value
