"""Tells secrets from plain text in what a policy sees.

The engine sends policies a mark with every secret, and the policy SDK takes it off before a rule runs. So the one
function of the SDK that takes it off is wrapped, in the process of the policy pack, which is nobody else's.
A version of the SDK without that function is noticed: the rule then says that it cannot check.
"""

from __future__ import annotations

from typing import Any

from pulumi_policy import deserialize

from pulumi_cbr_sharing.policies.shares import Secret


_TAKES_MARKS_OFF = "_deserialize_property"


def keep_marks() -> bool:
    """Let secret texts arrive as `Secret`, from now on; False if this version of the SDK does not let us."""
    if not _marks_arrive() and hasattr(deserialize, _TAKES_MARKS_OFF):
        setattr(deserialize, _TAKES_MARKS_OFF, _keeping(getattr(deserialize, _TAKES_MARKS_OFF)))
    return _marks_arrive()


def _keeping(original: Any) -> Any:
    def deserialize_property(prop: Any, *args: Any, **kwargs: Any) -> Any:
        value = original(prop, *args, **kwargs)
        marked = isinstance(prop, dict) and prop.get(deserialize.SPECIAL_SIG_KEY) == deserialize.SPECIAL_SECRET_SIG
        return Secret(value) if marked and isinstance(value, str) else value

    return deserialize_property


def _marks_arrive() -> bool:
    secret = {deserialize.SPECIAL_SIG_KEY: deserialize.SPECIAL_SECRET_SIG, "value": "planted"}
    return isinstance(deserialize.deserialize_properties({"x": secret})["x"], Secret)
