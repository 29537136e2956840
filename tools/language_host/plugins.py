"""Which Pulumi plugins the packages of an environment ask for."""

from __future__ import annotations

import inspect
import json
import re

from pathlib import Path
from typing import TYPE_CHECKING, Any

from language_host import here
from language_host.commands import output
from language_host.messages import plugin_pb2
from language_host.options import Refused


if TYPE_CHECKING:
    from language_host.environments import Package
    from language_host.toolchains import Toolchain


WITHOUT_PLUGIN = ("pulumi-policy", "pulumi-esc-sdk")

# Run by the program's own Python.
FIND = f"""
import json, os, re, sys
from importlib.metadata import distribution
from importlib.util import find_spec
{inspect.getsource(here.plugin_file)}
print(json.dumps({{name: plugin_file(name) for name in sys.argv[1:]}}))
"""
PEP_440 = re.compile(
    r"(?P<numbers>\d+(\.\d+)*)((?P<stage>a|b|rc)(?P<pre>\d*))?(\.post(?P<post>\d*))?(\.dev(?P<dev>\d*))?"
)
STAGES = {"a": "alpha", "b": "beta", "rc": "rc"}


def required(toolchain: Toolchain) -> list[Any]:
    """The plugins that the engine has to have before the program runs."""
    packages = [package for package in toolchain.packages(transitive=True) if package.name not in WITHOUT_PLUGIN]
    files = _plugin_files(toolchain, packages)
    asked = (_plugin(package, files.get(package.name)) for package in packages)
    return [plugin for plugin in asked if plugin]


def _plugin_files(toolchain: Toolchain, packages: list[Package]) -> dict[str, dict[str, Any]]:
    """What each pulumi-plugin.json says, by the distribution's name."""
    if not packages:
        return {}
    names = [package.name for package in packages]
    return {name: _read(name, Path(file)) for name, file in _files(toolchain, names).items() if file}


def _files(toolchain: Toolchain, names: list[str]) -> dict[str, str]:
    find = toolchain.command("-c", FIND, *names)
    if here.runs(find):
        return {name: here.plugin_file(name) for name in names}
    try:
        return dict(json.loads(output(find, "looking for plugins")))
    except Refused:  # the host that this stands in for goes by the names alone then
        return {}


def _read(name: str, file: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(file.read_text()))
    except ValueError as error:
        raise Refused(f"failed to parse pulumi-plugin.json for {name}: {error}") from None


def _plugin(package: Package, said: dict[str, Any] | None) -> Any:
    """What to ask for; None for a package that has no plugin, or none whose version can be told."""
    if said is None and not package.name.startswith("pulumi-"):
        return None
    if said is not None and not said.get("resource"):
        return None
    said = said or {}
    version = said.get("version") or plugin_version(package.version)
    if not version:
        return None
    return plugin_pb2.PackageDependency(
        name=said.get("name") or package.name.removeprefix("pulumi-"),
        version=version if version.startswith("v") else f"v{version}",
        kind="resource",
        server=said.get("server", ""),
    )


def plugin_version(version: str) -> str:
    """A distribution's version as a plugin's (1.2a3: 1.2.0-alpha.3); empty where there is no telling."""
    match = PEP_440.fullmatch(version)
    if not match:
        return ""
    numbers = match["numbers"].split(".")
    text = ".".join([*numbers, *["0"] * (3 - len(numbers))])
    text += f"-{STAGES[match['stage']]}.{match['pre']}" if match["stage"] else ""
    built = "".join(f"{word}{match[word]}" for word in ("post", "dev") if match[word] is not None)
    return f"{text}+{built}" if built else text
