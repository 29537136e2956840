"""The properties of a resource as a rule reads them: what is unknown and what is secret keep their marks.

The engine sends both marks. The policy SDK raises on what is unknown and takes the mark off a secret, so `pack.py`
keeps the properties as they came while the rules run, and `properties_of` reads those. Where the rules run in a pack
of the SDK's own making, nobody kept them: every text then is an `Unmarked` one, which may be a secret.
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


class Unknown:
    """A value that another resource will only have after it was made."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = Unknown()


class Secret(str):
    """A text that the program or the configuration keeps secret; it is never printed."""

    __slots__ = ()


class Unmarked(str):
    """A text of which nobody can tell whether it is secret; it is not printed either."""

    __slots__ = ()


_UNKNOWN_MARKS = {text for name, text in vars(proxy).items() if name.startswith("UNKNOWN_")}
_AS_SENT: ContextVar[Mapping[str, dict[str, Any]]] = ContextVar("_AS_SENT")


@contextmanager
def as_sent(properties: Mapping[str, Any]) -> Iterator[None]:
    """Keep the properties of resources as the engine sent them, by URN, while rules run in this thread."""
    token = _AS_SENT.set({urn: from_wire(sent) for urn, sent in properties.items()})
    try:
        yield
    finally:
        _AS_SENT.reset(token)


def properties_of(resource: ResourceValidationArgs | PolicyResource) -> dict[str, Any]:
    """All properties of a resource, in plain containers."""
    kept = _AS_SENT.get({}).get(resource.urn)
    return dict(_from_sdk(resource.props)) if kept is None else kept


def from_wire(value: Any) -> Any:
    """A value from its form on the wire, which is JSON with marks."""
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
    """A value from the views of the policy SDK, which raise where something is unknown."""
    if isinstance(value, str):
        return Unmarked(value)
    try:
        if hasattr(value, "keys"):
            return {Unmarked(key): _step(value, key) for key in value}
        return [_step(value, index) for index in range(len(value))]
    except TypeError:  # a number, a truth value, an asset
        return value


def _step(container: Any, key: Any) -> Any:
    try:
        return _from_sdk(container[key])
    except UnknownValueError:
        return UNKNOWN


def _secret(value: Any) -> Any:
    """A value, every text and number in it marked as secret."""
    if isinstance(value, dict):
        return {Secret(key): _secret(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_secret(each) for each in value]
    return value if value is None or isinstance(value, Unknown) else Secret(value)


def normal(text: str) -> str:
    """An id as the service writes it, so that no spelling passes a rule; its mark stays."""
    return type(text)(text.strip().lower())


def shown(value: Any) -> str:
    """A value in a message: no secret, and nothing that a terminal would obey."""
    if isinstance(value, Secret):
        return "[secret]"
    if isinstance(value, Unmarked):
        return "[not shown]"
    return "".join(letter if letter.isprintable() else "?" for letter in str(value))
