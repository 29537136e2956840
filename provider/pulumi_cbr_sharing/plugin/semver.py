"""Versions as the engine reads them: semantic versions, where Python's own form is another one."""

from __future__ import annotations

import re

from functools import cache
from importlib.metadata import version


@cache
def own_version() -> str:
    """The version of this package."""
    return semver(version("pulumi-cbr-sharing"))


def semver(python: str) -> str:
    """A semantic version from a version of a Python package: `0.2.0rc1` is `0.2.0-rc.1`.

    Raises:
        ValueError: it is no version, or has an epoch or more than three numbers.
    """
    form = (
        r"(?P<release>\d+(?:\.\d+){0,2})(?:(?P<kind>a|b|rc)(?P<pre>\d+))?"
        r"(?:\.post(?P<post>\d+))?(?:\.dev(?P<dev>\d+))?(?:\+(?P<local>[a-z0-9.]+))?"
    )
    found = re.fullmatch(form, python)
    if not found:
        raise ValueError(f"{python!r} is not the version of a package")
    part = found.groupdict()
    release = ".".join([*map(str, map(int, part["release"].split("."))), "0", "0"][:3])
    kinds = {"a": "alpha", "b": "beta", "rc": "rc"}
    before = [kinds[part["kind"]], part["pre"]] if part["kind"] else []
    before += ["dev", part["dev"]] if part["dev"] else []
    after = [*(["post", part["post"]] if part["post"] else []), *([part["local"]] if part["local"] else [])]
    return release + (f"-{'.'.join(before)}" if before else "") + (f"+{'.'.join(after)}" if after else "")
