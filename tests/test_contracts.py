"""The laws of this codebase, each held by a test; CONTRIBUTING.md lists them."""

from __future__ import annotations

import ast
import pickletools
import subprocess
import sys

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import pulumi_cbr_sharing

from plugin import pickled, unpickled
from pulumi_cbr_sharing import Connection
from pulumi_cbr_sharing.accepter import BackupShareAccepter, BackupShareAccepterProvider
from pulumi_cbr_sharing.share import BackupShare, BackupShareProvider
from pulumi_cbr_sharing.share_member import BackupShareMember, BackupShareMemberProvider
from pulumi_cbr_sharing.vault_share import TYPE


if TYPE_CHECKING:
    from pulumi.dynamic import Resource

    from pulumi_cbr_sharing.lifecycle import CbrProvider


PACKAGE = Path(pulumi_cbr_sharing.__file__).parent
MODULES = sorted(path.stem for path in PACKAGE.glob("*.py") if path.stem != "__init__")
RESOURCE_FILES = {"share_member": "BackupShareMember", "share": "BackupShare", "accepter": "BackupShareAccepter"}

MAY_IMPORT_REQUESTS = {"transport", "timed_pools", "auth"}
POLICIES = sorted((PACKAGE / "policies").glob("*.py"))
MAY_IMPORT_PULUMI = {"lifecycle", "lookups", "vault_share", *RESOURCE_FILES}
NO_HTTP = {"requests", "urllib3", "http"}


def imports_of(path: Path) -> set[str]:
    """Every module that a file imports, at any depth, with its full name."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def roots(names: set[str]) -> set[str]:
    """The top-level packages of module names."""
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("module", MODULES)
def test_only_transport_with_its_pools_and_auth_know_http(module: str) -> None:
    """HTTP is sent in one place, so that time-outs, retries and secrets are looked after in one place."""
    imported = roots(imports_of(PACKAGE / f"{module}.py")) & NO_HTTP
    assert module in MAY_IMPORT_REQUESTS or not imported


@pytest.mark.parametrize("module", MODULES)
def test_only_lifecycle_lookups_and_resources_know_pulumi(module: str) -> None:
    """The API can be used, and served to another engine, without Pulumi."""
    imported = roots(imports_of(PACKAGE / f"{module}.py")) & {"pulumi", "pulumi_policy", "dill", "grpc"}
    assert module in MAY_IMPORT_PULUMI or not imported


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_policies_know_no_account(path: Path) -> None:
    """Rules judge what a program declares: they stand on themselves, and nothing can make them send anything."""
    imported = imports_of(path)
    ours = {name for name in imported if name.startswith("pulumi_cbr_sharing.")}
    assert all(name.startswith("pulumi_cbr_sharing.policies") for name in ours)
    assert not roots(imported) & NO_HTTP


def test_the_package_needs_no_policy_sdk() -> None:
    """`pulumi-policy` is an extra: a program that shares does not import it."""
    program = "import pulumi_cbr_sharing, sys; sys.exit('pulumi_policy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_errors_imports_nothing_of_ours() -> None:
    """The error tree is the root that everything else may stand on."""
    assert "pulumi_cbr_sharing" not in roots(imports_of(PACKAGE / "errors.py"))


@pytest.mark.parametrize("path", sorted((PACKAGE / "emulator").glob("*.py")), ids=lambda path: path.stem)
def test_the_emulator_knows_nothing_of_the_package(path: Path) -> None:
    """An emulator that shared code with the provider would share its mistakes."""
    ours = {name for name in imports_of(path) if name.startswith("pulumi_cbr_sharing")}
    assert all(name.startswith("pulumi_cbr_sharing.emulator") for name in ours)


@pytest.mark.parametrize(("module", "name"), RESOURCE_FILES.items())
def test_a_resource_file_reads_in_one_order(module: str, name: str) -> None:
    """Docstring, then what the user writes, then the provider, whose verbs stand in the order of the engine."""
    tree = ast.parse((PACKAGE / f"{module}.py").read_text())
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    verbs = ["troubles", "diff", "create", "read", "update", "delete"]
    provider = next(node for node in classes if node.name == f"{name}Provider")
    found = [node.name for node in provider.body if isinstance(node, ast.FunctionDef) and node.name in verbs]
    assert ast.get_docstring(tree)
    assert [node.name for node in classes[:2]] == [name, f"{name}Provider"]
    assert found == [verb for verb in verbs if verb in found]


@pytest.mark.parametrize("resource", [BackupShareMember, BackupShare, BackupShareAccepter])
def test_type_tokens_are_frozen(resource: type[Resource]) -> None:
    """Tokens are in the URNs of every stack and in policies."""
    assert resource._resource_type_name == f"dynamic/huaweicloud/cbr:{resource.__name__}"


@pytest.mark.parametrize("resource", [BackupShareMember, BackupShare, BackupShareAccepter])
def test_subclasses_keep_the_type_token(resource: type[Resource]) -> None:
    """A policy finds a share by its token, whatever the program derives from the resource."""

    class Mixin:
        pass

    plain = type("DrShare", (resource,), {})
    renamed = type("DrShare", (resource,), {}, module="dr", name="Share")
    further = type("DrShare", (Mixin, plain), {}, name="Other")
    painted = type("DrShare", (resource,), {"_resource_type_name": "dynamic/dr:Share"})
    for derived in (plain, renamed, further, painted):
        assert derived._resource_type_name == resource._resource_type_name  # type: ignore[attr-defined]


def test_the_token_of_the_component_is_frozen() -> None:
    """It is in the URNs of its children, too; the engine is asked in test_vault_share.py."""
    assert TYPE == "huaweicloud:cbr:VaultShare"


@pytest.mark.parametrize(
    ("provider", "module", "name"),
    [
        (BackupShareMemberProvider, "pulumi_cbr_sharing.share_member", "BackupShareMemberProvider"),
        (BackupShareAccepterProvider, "pulumi_cbr_sharing.accepter", "BackupShareAccepterProvider"),
        (BackupShareProvider, "pulumi_cbr_sharing.share", "BackupShareProvider"),
    ],
)
def test_providers_are_pickled_by_a_frozen_reference(provider: type[CbrProvider], module: str, name: str) -> None:
    """A stack can only be destroyed while the names in its state can be imported."""
    strings = {arg for _, arg, _ in pickletools.genops(raw_pickle(provider())) if isinstance(arg, str)}
    assert {module, name, "pulumi_cbr_sharing.settings", "Connection"} <= strings


def test_the_pickle_of_a_provider_is_the_same_at_each_run_and_small() -> None:
    """A changing pickle would show as a change of every resource."""
    first, second = (pickled(BackupShareMemberProvider(Connection(namespace="dr"))) for _ in range(2))
    assert first == second
    assert len(first) < 600


def test_the_pickle_of_a_provider_holds_its_connection_and_nothing_else() -> None:
    """What was configured in one process (credentials among it) never travels."""
    provider = BackupShareMemberProvider(Connection(region="eu-de"))
    provider._config = {"huaweicloud:secretKey": "planted-secret"}
    copy = unpickled(pickled(provider))
    assert b"planted-secret" not in raw_pickle(provider)
    assert copy.connection == Connection(region="eu-de")
    assert copy._config is None


def test_public_names_are_these() -> None:
    """What can be imported from the package is a promise."""
    assert pulumi_cbr_sharing.__all__ == [
        "Agency",
        "Backup",
        "BackupShare",
        "BackupShareAccepter",
        "BackupShareMember",
        "Connection",
        "LookupFailed",
        "Member",
        "Project",
        "Vault",
        "VaultShare",
        "get_backup",
        "get_backup_output",
        "get_backups",
        "get_backups_output",
        "get_projects",
        "get_projects_output",
        "get_share_members",
        "get_share_members_output",
        "get_vaults",
        "get_vaults_output",
    ]


def test_no_module_is_hard_to_hold_in_the_head() -> None:
    """A file of more than 300 lines wants a wall."""
    long = {path.name: len(path.read_text().splitlines()) for path in PACKAGE.rglob("*.py")}
    assert {name: lines for name, lines in long.items() if lines > 300} == {}


def raw_pickle(provider: CbrProvider) -> bytes:
    """The bytes of a pickled provider."""
    import base64  # noqa: PLC0415

    return base64.b64decode(pickled(provider))
