"""The handles of the emulator itself, under `/_emulator/`: apart from the API, without credentials, in JSON.

Every handle is a method of `cloud.Emulator`, so what can be done from a test can be done from outside.
"""

from __future__ import annotations

import dataclasses

from functools import partial
from typing import TYPE_CHECKING, Any

from flask import Flask, jsonify, request

from pulumi_cbr_sharing.emulator.faults import Fault


if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Response

    from pulumi_cbr_sharing.emulator.cloud import Emulator


SWITCHES = (
    "dialect",
    "latency",
    "quirk_malformed_url",
    "quirk_wrong_project",
    "checkpoint_seconds",
    "delete_seconds",
    "token_seconds",
    "temporary_key_seconds",
)


def add_control(app: Flask, cloud: Emulator) -> None:
    """Add the handles to an application."""
    handles: dict[tuple[str, str], Callable[..., Any]] = {
        ("POST", "reset"): cloud.reset,
        ("GET", "state"): partial(_state, cloud),
        ("POST", "accounts"): cloud.add_account,
        ("POST", "backups"): cloud.add_backup,
        ("POST", "vaults"): cloud.add_vault,
        ("POST", "backup-status"): cloud.set_backup_status,
        ("POST", "remove-backup"): cloud.remove_backup,
        ("POST", "complete-checkpoints"): cloud.complete_checkpoints,
        ("POST", "back-up"): cloud.back_up,
        ("POST", "pass-time"): cloud.pass_time,
        ("POST", "add-member"): cloud.add_member,
        ("POST", "remove-member"): cloud.remove_member,
        ("POST", "answer"): cloud.answer,
        ("POST", "register-image"): cloud.register_image,
        ("POST", "rotate-key"): cloud.rotate_key,
        ("POST", "revoke-tokens"): cloud.revoke_tokens,
        ("POST", "deny"): cloud.deny,
        ("POST", "allow"): cloud.allow,
        ("POST", "throttle"): cloud.throttle,
        ("POST", "switches"): partial(_switch, cloud),
        ("GET", "requests"): lambda: cloud.requests,
        ("DELETE", "requests"): cloud.clear_requests,
        ("POST", "faults"): lambda **fields: cloud.add_fault(Fault(**fields)),
        ("GET", "faults"): lambda: cloud.unused_faults,
        ("POST", "refusals"): lambda **fields: cloud.add_fault(Fault.refusal(**fields)),
        ("DELETE", "faults"): cloud.clear_faults,
    }
    for (method, name), handle in handles.items():
        app.add_url_rule(f"/_emulator/{name}", f"{method} {name}", partial(_handled, handle), methods=[method])


def _handled(handle: Callable[..., Any]) -> tuple[Response, int]:
    try:
        result = handle(**(request.get_json(silent=True) or {}))
    except (TypeError, KeyError, ValueError, StopIteration) as error:
        return jsonify({"error": f"{type(error).__name__}: {error}"}), 400
    return jsonify(_plain(result)), 200


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
    """Records as JSON can hold them."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    return value.isoformat() if hasattr(value, "isoformat") else value
