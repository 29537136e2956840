"""The properties of a resource for rules: unknown and secret values keep their marks.

The engine sends both marks. The policy SDK raises on unknown values and removes the marks of secrets, so `pack.py`
keeps the properties as they were sent while the rules run, and `properties_of` reads those. In a plain pack of the SDK
they are not kept: every text is then `Unmarked`, and may be a secret.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from pulumi_policy import deserialize, proxy
from pulumi_policy.proxy import UnknownValueError


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pulumi_policy import PolicyResource, ResourceValidationArgs


class UnknownValue:
    """A value that is only known after another resource is created."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = UnknownValue()


class SecretText(str):
    """A secret text; it is never printed."""

    __slots__ = ()


class Unmarked(str):
    """A text that may be secret or not; it is not printed either."""

    __slots__ = ()


_UNKNOWN_MARKS = {text for name, text in vars(proxy).items() if name.startswith("UNKNOWN_")}
_AS_SENT: ContextVar[Mapping[str, dict[str, Any]]] = ContextVar("_AS_SENT")
_INPUTS: ContextVar[Mapping[str, dict[str, Any]]] = ContextVar("_INPUTS")


@contextmanager
def as_sent(properties: Mapping[str, Any], inputs: Mapping[str, dict[str, Any]] | None = None) -> Iterator[None]:
    """Keep the properties of resources, by URN, while rules run in this thread.

    Args:
        properties: as the engine sent them.
        inputs: what `from_wire` made of the inputs, while `properties` are outputs.
    """
    tokens = _AS_SENT.set({urn: from_wire(sent) for urn, sent in properties.items()}), _INPUTS.set(inputs or {})
    try:
        yield
    finally:
        _AS_SENT.reset(tokens[0])
        _INPUTS.reset(tokens[1])


def properties_of(resource: ResourceValidationArgs | PolicyResource) -> dict[str, Any]:
    """All properties of a resource, in plain containers."""
    kept = _AS_SENT.get({}).get(resource.urn)
    return dict(_from_sdk(resource.props)) if kept is None else kept


def inputs_of(urn: str) -> dict[str, Any] | None:
    """The inputs of a resource, for a rule that judges its outputs; None if they are not known."""
    return _INPUTS.get({}).get(urn)


def from_wire(value: Any) -> Any:
    """Convert a value from JSON with marks, as the engine sends it."""
    if isinstance(value, str):
        return UNKNOWN if value in _UNKNOWN_MARKS else value
    if isinstance(value, list):
        return [from_wire(each) for each in value]
    if not isinstance(value, dict):
        return value
    if value.get(deserialize.SPECIAL_SIG_KEY) == deserialize.SPECIAL_SECRET_SIG:
        return _secret(from_wire(value.get("value")))
    return {key: from_wire(each) for key, each in value.items()}


def _from_sdk(value: Any) -> Any:
    """Convert a value from the proxies of the policy SDK, which raise on unknown values."""
    if isinstance(value, str):
        return Unmarked(value)
    try:
        if hasattr(value, "keys"):
            return {Unmarked(key): _step(value, key) for key in value}
        return [_step(value, index) for index in range(len(value))]
    except TypeError:  # a number, a boolean, an asset
        return value


def _step(container: Any, key: Any) -> Any:
    try:
        return _from_sdk(container[key])
    except UnknownValueError:
        return UNKNOWN


def _secret(value: Any) -> Any:
    """Mark every text and number in a value as secret."""
    if isinstance(value, dict):
        return {SecretText(key): _secret(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_secret(each) for each in value]
    return value if value is None or isinstance(value, UnknownValue) else SecretText(value)


def normal(text: str) -> str:
    """An id in the service's spelling, so that no other spelling evades a rule; its mark stays."""
    return type(text)(text.strip().lower())


def shown(value: Any) -> str:
    """A value for a message: without secrets and control characters."""
    if isinstance(value, SecretText):
        return "[secret]"
    if isinstance(value, Unmarked):
        return "[not shown]"
    return "".join(letter if letter.isprintable() else "?" for letter in str(value))
