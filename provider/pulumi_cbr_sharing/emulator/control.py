"""The control endpoints of the emulator, under `/_emulator/`: JSON, without credentials.

Each is a method of `cloud.Emulator`, so everything that a test can do can be done from outside. A web page that is open
on this machine must not reach them: only requests to a name of this machine are answered, which a page of another host
cannot send, and changes must be JSON, which a page cannot send without CORS.
"""

from __future__ import annotations

import dataclasses
import json

from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Flask, jsonify, request

from pulumi_cbr_sharing.emulator.cloud import Emulator
from pulumi_cbr_sharing.emulator.faults import Fault
from pulumi_cbr_sharing.emulator.fields import FIELDS, OF_FAULTS, checked


if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Response


PREFIX = "/_emulator/"
THIS_MACHINE = ("127.0.0.1", "[::1]", "localhost")
NULLABLE = frozenset(
    {"method", "offer_shown", "retry_after", "status", "temporary_key_seconds", "truncate", "vault_id"}
)
# Errors in the fields of a control endpoint, and in what they name.
MISUSED = (TypeError, KeyError, ValueError, StopIteration, RecursionError, OverflowError)
SWITCHES = (
    "dialect",
    "latency",
    "quirk_malformed_url",
    "quirk_wrong_project",
    "offer_shown",
    "ignores_member_status",
    "checkpoint_seconds",
    "delete_seconds",
    "token_seconds",
    "temporary_key_seconds",
)


def cloud_asked() -> Emulator:
    """The cloud of the current request."""
    cloud: Emulator = request.environ["emulator.cloud"]
    return cloud


def add_control(app: Flask) -> None:
    """Add the control endpoints to an application."""
    handles: dict[tuple[str, str], Callable[..., Any]] = {
        ("POST", "reset"): Emulator.reset,
        ("GET", "state"): _state,
        ("POST", "accounts"): Emulator.add_account,
        ("POST", "backups"): Emulator.add_backup,
        ("POST", "vaults"): Emulator.add_vault,
        ("POST", "backup-status"): Emulator.set_backup_status,
        ("POST", "remove-backup"): Emulator.remove_backup,
        ("POST", "complete-checkpoints"): Emulator.complete_checkpoints,
        ("POST", "back-up"): Emulator.back_up,
        ("POST", "pass-time"): Emulator.pass_time,
        ("POST", "add-member"): Emulator.add_member,
        ("POST", "remove-member"): Emulator.remove_member,
        ("POST", "answer"): Emulator.answer,
        ("POST", "register-image"): Emulator.register_image,
        ("POST", "rotate-key"): Emulator.rotate_key,
        ("POST", "revoke-tokens"): Emulator.revoke_tokens,
        ("POST", "deny"): Emulator.deny,
        ("POST", "allow"): Emulator.allow,
        ("POST", "throttle"): Emulator.throttle,
        ("POST", "switches"): _switch,
        ("GET", "requests"): lambda cloud: cloud.requests,
        ("DELETE", "requests"): Emulator.clear_requests,
        ("POST", "faults"): lambda cloud, **fields: cloud.add_fault(Fault(**fields)),
        ("GET", "faults"): lambda cloud: cloud.unused_faults,
        ("POST", "refusals"): lambda cloud, **fields: cloud.add_fault(Fault.refusal(**fields)),
        ("DELETE", "faults"): Emulator.clear_faults,
    }
    for (method, name), handle in handles.items():
        app.add_url_rule(f"{PREFIX}{name}", f"{method} {name}", partial(_handled, handle), methods=[method])


def refusal(cloud: Emulator) -> tuple[Response, int] | None:
    """The answer to a control request that may come from a web page; None for all others."""
    port = urlsplit(cloud.url).port
    if request.headers.get("Host", "").lower() not in {f"{name}:{port}" for name in THIS_MACHINE}:
        return jsonify({"error": f"ask for it by a name of this machine: {', '.join(THIS_MACHINE)}, and its port"}), 403
    if request.method not in ("GET", "HEAD") and request.mimetype != "application/json":
        return jsonify({"error": "changes are made in JSON: send Content-Type: application/json"}), 415
    return None


def _handled(handle: Callable[..., Any]) -> tuple[Response, int]:
    try:
        result = handle(cloud_asked(), **_fields())
    except MISUSED as error:
        return jsonify({"error": f"{type(error).__name__}: {str(error).encode(errors='replace').decode()}"}), 400
    return jsonify(_plain(result)), 200


def _fields() -> dict[str, Any]:
    body = b"" if request.method == "GET" else request.get_data()
    kinds = OF_FAULTS if request.path.endswith(("/faults", "/refusals")) else FIELDS
    return checked(json.loads(body) if body.strip() else {}, kinds, NULLABLE)


def _state(cloud: Emulator) -> dict[str, Any]:
    with cloud.lock:
        cloud.state.settle()
        return {
            "url": cloud.url,
            "iam_url": cloud.iam_url,
            "switches": {name: getattr(cloud, name) for name in SWITCHES},
            "accounts": _plain(cloud.accounts.all()),
            "vaults": _plain(list(cloud.state.vaults.values())),
            "backups": _plain(list(cloud.state.backups.values())),
        }


def _switch(cloud: Emulator, **switches: Any) -> None:
    if unknown := sorted(set(switches) - set(SWITCHES)):
        raise KeyError(", ".join(unknown))
    for name, value in switches.items():
        setattr(cloud, name, value)


def _plain(value: Any) -> Any:
    """A value as JSON can hold it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    return value.isoformat() if hasattr(value, "isoformat") else value
