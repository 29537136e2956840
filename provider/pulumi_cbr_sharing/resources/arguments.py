"""What a program may give to a resource besides its inputs: a Connection, Pulumi's options, time-outs.

The SDK accepts options that have no effect on a dynamic resource. Here they are refused, in one line.
"""

from __future__ import annotations

import re

from dataclasses import fields
from typing import Any

import pulumi

from pulumi import runtime

from pulumi_cbr_sharing.settings.connection import DEFAULT_NAMESPACE, Agency, Connection
from pulumi_cbr_sharing.settings.sources import environment_prefix
from pulumi_cbr_sharing.sharing.kinds import NATIVE


_WAYS_OUT = {
    "provider": "has no effect on this resource: for another account, give connection=Connection(namespace=…)",
    "import_": "does not work with dynamic providers: declare the resource, and what exists is adopted",
    "id": "does not work with dynamic providers: declare the resource, or look it up with get_share_members",
}
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")  # of Go, as in `1h30m`
_WARNED: set[str] = set()
_NAMESPACES: dict[tuple[str, str], str] = {}  # by stack and what the variables begin with


def refuse_useless(what: str, connection: Any, opts: pulumi.ResourceOptions | None = None) -> None:
    """Refuse a Connection or an option that would not do what it says.

    Raises:
        pulumi.RunError: Pulumi shows its text without a traceback.
    """
    for name, way_out in _WAYS_OUT.items():
        if getattr(opts, name, None) is not None:
            raise pulumi.RunError(f"{what}: the option {name.rstrip('_')} {way_out}")
    if connection is not None:
        if trouble := _trouble_with(connection, Connection, "connection"):
            raise pulumi.RunError(f"{what}: {trouble}")
        _refuse_same_variables(what, connection.namespace or DEFAULT_NAMESPACE)
    _warn_of_plain_secrets(getattr(connection, "namespace", None) or DEFAULT_NAMESPACE)


def from_the_native_plugin(kind: str, opts: pulumi.ResourceOptions | None) -> pulumi.ResourceOptions:
    """Options by which a program goes on with a state that was made by the native plugin."""
    alias = pulumi.Alias(type_=f"{NATIVE}{kind}")
    return pulumi.ResourceOptions.merge(pulumi.ResourceOptions(aliases=[alias]), opts)


def waiting(seconds: pulumi.Input[float] | None, opts: pulumi.ResourceOptions | None) -> pulumi.Input[float] | None:
    """How long to wait: at most as long as `custom_timeouts`, of which the engine tells a dynamic provider nothing."""
    limit = _seconds(getattr(opts and opts.custom_timeouts, "create", None))
    if limit is None or seconds is None:
        return seconds if limit is None else limit
    if isinstance(seconds, pulumi.Output):
        return seconds.apply(lambda known: min(known, limit))
    return min(seconds, limit) if isinstance(seconds, (int, float)) else seconds


def _seconds(duration: str | None) -> float | None:
    """A duration in seconds; None for what is none, which the engine refuses."""
    parts = _DURATION.findall(duration or "")
    whole = bool(parts) and "".join(map("".join, parts)) == duration
    return sum(float(number) * _UNITS[unit] for number, unit in parts) if whole else None


def _trouble_with(given: Any, kind: type[Connection | Agency], name: str) -> str | None:
    """What is wrong with a Connection or its Agency."""
    if not isinstance(given, kind):
        example = 'Connection(namespace="dr")' if kind is Connection else 'Agency("name", domain_name="account")'
        return f"{name} is {_kind(given)}: give plain values, such as {example}"
    for field in fields(kind):
        value = getattr(given, field.name)
        if field.name == "agency" and value is not None:
            return _trouble_with(value, Agency, f"{name}.agency")
        kind_of_value, wanted = (int, "number") if field.name == "duration" else (str, "text")
        if value is not None and not isinstance(value, kind_of_value):
            return (
                f"{name}.{field.name} is {_kind(value)}: give a {wanted}; it is needed before the program's resources "
                "are made, so it may come from the stack's configuration, but from no resource and no stack reference"
            )
    return None


def _kind(value: Any) -> str:
    return "an Output" if isinstance(value, pulumi.Output) else f"of type {type(value).__name__}"


def _refuse_same_variables(what: str, namespace: str) -> None:
    prefix = environment_prefix(namespace)
    other = _NAMESPACES.setdefault((pulumi.get_stack(), prefix), namespace)
    if other != namespace:
        raise pulumi.RunError(
            f"{what}: the namespaces {other} and {namespace} both read the variables {prefix}HW_…: rename one of them"
        )


def _warn_of_plain_secrets(namespace: str) -> None:
    """Warn, in the user's program, of secrets in the stack's configuration that are not encrypted; once each."""
    for name in ("secretKey", "secret_key", "securityToken", "security_token", "password", "token"):
        key = f"{namespace}:{name}"
        if key not in _WARNED and runtime.get_config(key) and not runtime.is_config_secret(key):
            _WARNED.add(key)
            pulumi.log.warn(
                f"{key} is in the stack's configuration in plain text: set it with `pulumi config set --secret`"
            )
