"""A dynamic provider of somebody else, which lives in the same process as ours."""

from __future__ import annotations

from typing import Any

from pulumi.dynamic import CreateResult, ResourceProvider


class ForeignProvider(ResourceProvider):
    """Fails with a bug."""

    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Raise what a bug raises."""
        raise ZeroDivisionError(f"a bug at {props['place']}")
