"""The schema, of which the SDKs of all languages are made, says what the code does."""

from __future__ import annotations

import json
import re

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pulumi_cbr_sharing import native
from pulumi_cbr_sharing.cbr.backups import Backup
from pulumi_cbr_sharing.cbr.members import Member
from pulumi_cbr_sharing.cbr.projects import Project
from pulumi_cbr_sharing.cbr.vaults import Vault
from pulumi_cbr_sharing.plugin.components import COMPONENTS
from pulumi_cbr_sharing.plugin.functions import LOOKUPS
from pulumi_cbr_sharing.plugin.settings import schema
from pulumi_cbr_sharing.settings.sources import NAMES
from pulumi_cbr_sharing.sharing.inputs import camel
from pulumi_cbr_sharing.sharing.kinds import COMPONENT, DYNAMIC, NATIVE
from pulumi_cbr_sharing.sharing.kinds import KINDS as BY_NAME
from pulumi_cbr_sharing.sharing.window import Window


if TYPE_CHECKING:
    from collections.abc import Iterator


SCHEMA = schema()
RESOURCES, FUNCTIONS, TYPES = SCHEMA["resources"], SCHEMA["functions"], SCHEMA["types"]
KINDS = {f"{NATIVE}{name}": kind for name, kind in BY_NAME.items()}
LANGUAGES = ("typescript", "python", "go", "csharp", "java", "yaml")
PARTS = {**RESOURCES, **FUNCTIONS}


def names(kind: type[Any]) -> set[str]:
    """The fields of a dataclass, as they are on the wire."""
    return {camel(field.name) for field in fields(kind) if field.repr}


def described(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """All properties, with their paths."""
    if isinstance(node, dict):
        for key in ("properties", "inputProperties", "variables"):
            for name, one in node.get(key, {}).items():
                yield f"{path}/{name}", one
        for key, one in node.items():
            yield from described(one, f"{path}/{key}")


def test_everything_has_a_description() -> None:
    """Every property, type, value of an enum, resource and function."""
    lacking = [path for path, one in described(SCHEMA) if not one.get("description")]
    lacking += [name for name, one in {**PARTS, **TYPES}.items() if not one.get("description")]
    lacking += [
        f"{name}.{value['name']}"
        for name, one in TYPES.items()
        for value in one.get("enum", ())
        if not value.get("description")
    ]
    assert lacking == []


def test_nothing_has_a_default() -> None:
    """With one, the first `up` after an import would show changes."""
    assert [path for path, one in described(SCHEMA) if "default" in one or "defaultInfo" in one] == []


def test_no_number_may_have_a_fraction() -> None:
    """An import would write one that has none as `600.0`."""
    assert [path for path, one in described(SCHEMA) if one.get("type") == "number"] == []


@pytest.mark.parametrize("token", PARTS)
def test_every_resource_and_function_has_an_example_in_each_language(token: str) -> None:
    """Each names it."""
    text, short = PARTS[token]["description"], token.rpartition(":")[2]
    for language in LANGUAGES:
        (code,) = re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)
        assert re.search(short, code, re.IGNORECASE) or re.search(
            re.sub(r"([A-Z])", r"_\1", short), code, re.IGNORECASE
        )


@pytest.mark.parametrize("token", RESOURCES)
def test_every_resource_says_how_it_is_imported(token: str) -> None:
    """With the form of the id, or that there is none."""
    text = RESOURCES[token]["description"].partition("## Import")[2]
    if token in KINDS:
        form = "/".join(f"{{{camel(name)}}}" for name in KINDS[token].id_parts)
        assert f"`{form}`" in text
        assert f"pulumi import {token}" in text
    else:
        assert "has no id" in text


@pytest.mark.parametrize("token", KINDS)
def test_properties_are_those_of_the_dataclasses(token: str) -> None:
    """Inputs, outputs, and what replaces the resource."""
    kind, resource = KINDS[token], RESOURCES[token]
    inputs = resource["inputProperties"]
    assert set(inputs) == names(kind.inputs_type)
    assert set(resource["properties"]) == names(kind.state_type)
    replacing = {name for name, one in inputs.items() if one.get("willReplaceOnChanges")}
    assert replacing == {camel(name) for name in kind.replaced_by}
    assert set(resource["required"]) <= set(resource["properties"])
    assert set(resource["requiredInputs"]) <= set(inputs)


@pytest.mark.parametrize("token", COMPONENTS)
def test_arguments_of_components_are_the_rules_of_a_window(token: str) -> None:
    """And where it looks."""
    resource = RESOURCES[token]
    rules = names(Window) - {"now"}
    assert rules <= set(resource["inputProperties"])
    assert set(resource["inputProperties"]) - rules == {*resource["requiredInputs"], "resourceIds"}
    assert resource["isComponent"]


@pytest.mark.parametrize(
    ("name", "kind"), [("Backup", Backup), ("Vault", Vault), ("Project", Project), ("Member", Member)]
)
def test_types_are_the_dataclasses_of_the_api(name: str, kind: type[Any]) -> None:
    """What functions return."""
    assert set(TYPES[f"cbr-sharing:index:{name}"]["properties"]) == names(kind)


def test_nothing_is_left_out() -> None:
    """What is served is in the schema, and nothing else."""
    assert set(RESOURCES) == {*KINDS, *COMPONENTS}
    assert set(FUNCTIONS) == {f"cbr-sharing:index:{name}" for name in LOOKUPS}


def test_settings_are_those_that_are_read() -> None:
    """The plugin's configuration is that of the other door; secrets are marked."""
    keys = [key.split(".") for row in NAMES.values() for key in row["config"].split()]
    inner = {"endpoints": "Endpoints", "assumeRole": "AssumeRole"}
    for name, kind in inner.items():
        wanted = {key[1] for key in keys if key[0] == name}
        assert set(TYPES[f"cbr-sharing:index:{kind}"]["properties"]) == wanted
    wanted = {key[0] for key in keys}
    variables = SCHEMA["config"]["variables"]
    assert set(variables) == wanted
    assert SCHEMA["provider"]["inputProperties"] == variables
    assert {name for name, one in variables.items() if one.get("secret")} >= {"secretKey", "password", "token"}


@pytest.mark.parametrize("token", RESOURCES)
def test_aliases_lead_from_the_other_door(token: str) -> None:
    """By them a stack moves, in every language; the classes for Python have the same."""
    short = token.rpartition(":")[2]
    other = f"{DYNAMIC if token in KINDS else COMPONENT}{short}"
    assert RESOURCES[token]["aliases"] == [{"type": other}]
    assert hasattr(native, short)


def test_the_version_is_that_of_the_package() -> None:
    """SDKs carry it, because the schema is respected."""
    text = (Path(native.__file__).parents[2] / "pyproject.toml").read_text()
    stored = json.loads((Path(native.__file__).parent / "plugin" / "schema.json").read_text())["version"]
    assert f'version = "{stored}"' in text
    assert all(SCHEMA["language"][name]["respectSchemaVersion"] for name in ("nodejs", "go", "python", "csharp"))


def test_names_of_sdks_do_not_collide_with_the_wheel() -> None:
    """By default the SDK for Python would be called as the wheel, and overwrite it."""
    assert SCHEMA["language"]["python"]["packageName"] == "pulumi_cbr_sharing_native"
