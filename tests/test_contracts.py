"""The rules of this codebase, each with its test; CONTRIBUTING.md lists them."""

from __future__ import annotations

import ast
import pickletools
import subprocess
import sys

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pulumi.dynamic import Config, ConfigureRequest
from pulumi.dynamic.dynamic import serialize_provider

import pulumi_cbr_sharing

from plugin import unpickled
from pulumi_cbr_sharing import Agency, Connection
from pulumi_cbr_sharing.resources.accepter import BackupShareAccepter, BackupShareAccepterProvider
from pulumi_cbr_sharing.resources.dynamic import pickled
from pulumi_cbr_sharing.resources.share import BackupShare, BackupShareProvider
from pulumi_cbr_sharing.resources.share_member import BackupShareMember, BackupShareMemberProvider
from pulumi_cbr_sharing.sharing.kinds import COMPONENT, DYNAMIC, NATIVE


if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi.dynamic import Resource

    from pulumi_cbr_sharing.resources.dynamic import CbrProvider


PACKAGE = Path(pulumi_cbr_sharing.__file__).parent
FILES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))
MODULES = {
    ".".join(("pulumi_cbr_sharing", *file.removesuffix(".py").removesuffix("/__init__").split("/"))): file
    for file in FILES
}
PUBLIC: list[str] = vars(pulumi_cbr_sharing)["__all__"]  # type checkers see the names themselves
RESOURCE_FILES = {"share_member": "BackupShareMember", "share": "BackupShare", "accepter": "BackupShareAccepter"}

# Each room with the rooms that it may know, and why no more. These are the ground floor.
GROUND = {"errors", "ids", "timestamps", "lifeline"}
ARROWS = {
    "errors": (set(), "the error tree is the ground that everything else stands on"),
    "ids": ({"errors"}, "what an id looks like is one rule for programs, settings and answers"),
    "timestamps": (set(), "what a time is, and when a backup is too old, is one rule, whoever judges"),
    "lifeline": (set(), "every plugin ends together with its engine"),
    "settings": (GROUND, "who calls, and where to, is known before anything is sent"),
    "http": (GROUND | {"settings"}, "what is sent is the business of the rooms above"),
    "cbr": (GROUND | {"settings", "http"}, "the API knows no resource"),
    "sharing": (GROUND | {"settings", "http", "cbr"}, "what sharing means is the same behind every door"),
    "resources": (GROUND | {"settings", "http", "cbr", "sharing"}, "a door opens inwards"),
    "plugin": (
        GROUND | {"settings", "http", "cbr", "sharing", "lifeline"},
        "another door, and knows nothing of the first",
    ),
    "native": (
        {"plugin", "sharing", "cbr", "settings"},
        "what programs write for the plugin has the shapes of what it serves",
    ),
    "recipients_file": (GROUND, "audits and policies read the same file, and neither knows the other"),
    "audit": (
        GROUND | {"settings", "http", "cbr", "recipients_file"},
        "an audit is asked by a command or a program, and does not care by which",
    ),
    "cli": (
        GROUND | {"settings", "http", "cbr", "sharing", "audit", "recipients_file", "emulator", "plugin"},
        "a door opens inwards",
    ),
    "emulator": (set(), "an emulator that shared code with the provider would share its mistakes"),
    "pytest_plugin": ({"emulator"}, "a test of a program asks the emulated cloud, and runs the program as users do"),
    "policies": (
        {"errors", "timestamps", "recipients_file"},
        "rules judge what a program declares, by the list of the audit if told so; nothing can make them send anything",
    ),
}
# Libraries, and the only rooms that may know them.
OUTSIDE = {
    "pulumi": {"resources", "plugin", "native", "policies"},
    "pulumi_policy": {"policies"},
    "dill": set(),
    "grpc": {"lifeline", "plugin", "policies"},
    "requests": {"http"},
    "urllib3": {"http"},
    "http": {"emulator"},
    "flask": {"emulator"},
    "werkzeug": {"emulator"},
    "re2": {"emulator"},
    "pytest": {"pytest_plugin"},
    "click": {"cli"},
    "rich": {"cli"},
    "jinja2": {"audit"},
    "yaml": {"recipients_file", "settings"},
}


def imports_of(path: Path) -> set[str]:
    """The full names of all modules that a file imports at run time, at any depth; a name for types alone is none."""
    found = set()
    for node in _at_run_time(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def files_needed_by(path: Path) -> set[str]:
    """The files of the package that a file imports at run time, in a function, too."""
    found: set[str] = set()
    for node in _at_run_time(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            below = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= below & MODULES.keys() or {node.module}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {MODULES[name] for name in found & MODULES.keys()}


def _at_run_time(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            yield node
            yield from _at_run_time(node)


def roots(names: set[str]) -> set[str]:
    """The top-level packages of module names."""
    return {name.partition(".")[0] for name in names}


def room_of(file: str) -> str:
    """The folder of a file, or the file if it is in none."""
    return file.partition("/")[0].removesuffix(".py")


@pytest.mark.parametrize("file", [file for file in FILES if file != "__init__.py"])
def test_arrows_run_down(file: str) -> None:
    """A folder only imports those below it, for the reason in its row."""
    allowed, why = ARROWS[room_of(file)]
    named = {name.split(".")[1] for name in imports_of(PACKAGE / file) if name.startswith("pulumi_cbr_sharing.")}
    assert named - {room_of(file)} <= allowed, why


def test_folders_have_no_import_cycle() -> None:
    """The table has no cycle: level by level, all folders are reached."""
    reached: set[str] = set()
    while floor := {room for room, (below, _) in ARROWS.items() if room not in reached and below <= reached}:
        reached |= floor
    assert reached == set(ARROWS)


def test_files_have_no_import_cycle() -> None:
    """Files have no import cycles, in a folder either."""
    needs = {file: files_needed_by(PACKAGE / file) for file in FILES}
    reached: set[str] = set()
    while floor := {file for file, below in needs.items() if file not in reached and below <= reached}:
        reached |= floor
    assert set(FILES) - reached == set()


@pytest.mark.parametrize("file", FILES)
def test_libraries_are_imported_in_their_folders_only(file: str) -> None:
    """For example, only `http/` sends HTTP, and only `resources/` and `policies/` use Pulumi."""
    imported = roots(imports_of(PACKAGE / file))
    assert {name for name in imported if name in OUTSIDE and room_of(file) not in OUTSIDE[name]} == set()


def test_the_package_needs_no_policy_sdk() -> None:
    """`pulumi-policy` is an extra: a program that shares does not import it."""
    program = "import pulumi_cbr_sharing, sys; sys.exit('pulumi_policy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize(("module", "name"), RESOURCE_FILES.items())
def test_a_resource_file_reads_in_one_order(module: str, name: str) -> None:
    """Docstring, then the resource, then the provider."""
    tree = ast.parse((PACKAGE / "resources" / f"{module}.py").read_text())
    classes = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    assert ast.get_docstring(tree)
    assert classes == [name, f"{name}Provider"]


@pytest.mark.parametrize("module", ["member", "recipient_set", "acceptance"])
def test_the_verbs_of_a_resource_stand_in_the_order_of_the_engine(module: str) -> None:
    """The same order in all of these modules; their helper functions come after the verbs."""
    tree = ast.parse((PACKAGE / "sharing" / f"{module}.py").read_text())
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    public = [name for name in functions if not name.startswith("_")]
    assert public == ["declare", "create", "read", "is_changed", "update", "delete"]


@pytest.mark.parametrize("resource", [BackupShareMember, BackupShare, BackupShareAccepter])
def test_type_tokens_are_frozen(resource: type[Resource]) -> None:
    """Type tokens are in the URNs of every stack, and in policies."""
    assert resource._resource_type_name == f"dynamic/huaweicloud/cbr:{resource.__name__}"


@pytest.mark.parametrize("resource", [BackupShareMember, BackupShare, BackupShareAccepter])
def test_subclasses_keep_the_type_token(resource: type[Resource]) -> None:
    """A policy recognises a share by its type token, also for subclasses."""

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
    assert (COMPONENT, NATIVE) == ("huaweicloud:cbr:", "cbr-sharing:index:")
    assert DYNAMIC == "pulumi-python:dynamic/huaweicloud/cbr:"


@pytest.mark.parametrize(
    ("provider", "module", "name"),
    [
        (BackupShareMemberProvider, "pulumi_cbr_sharing.resources.share_member", "BackupShareMemberProvider"),
        (BackupShareAccepterProvider, "pulumi_cbr_sharing.resources.accepter", "BackupShareAccepterProvider"),
        (BackupShareProvider, "pulumi_cbr_sharing.resources.share", "BackupShareProvider"),
    ],
)
def test_providers_are_pickled_by_a_frozen_reference(provider: type[CbrProvider], module: str, name: str) -> None:
    """A stack can only be destroyed while the names in its state can be imported."""
    strings = {arg for _, arg, _ in pickletools.genops(raw_pickle(provider())) if isinstance(arg, str)}
    assert {module, name, "pulumi_cbr_sharing.settings.connection", "Connection"} <= strings


def test_the_pickle_of_a_provider_is_the_same_at_each_run_and_small() -> None:
    """A changing pickle would show as a change of every resource."""
    first, second = (pickled(BackupShareMemberProvider(Connection(namespace="dr"))) for _ in range(2))
    assert first == second
    assert len(first) < 600


@pytest.mark.parametrize("connection", [Connection(), Connection(region="eu-de", agency=Agency("dr", domain_id="1"))])
def test_a_provider_stands_in_the_state_as_the_sdk_would_write_it(connection: Connection) -> None:
    """Its own way breaks at 950 resources, so it is not used; a state reads the same in both."""
    provider = BackupShareMemberProvider(connection)
    assert pickled(provider) == serialize_provider(provider)


def test_the_pickle_of_a_provider_holds_its_connection_and_nothing_else() -> None:
    """The configuration of a process, such as credentials, is not pickled."""
    provider = BackupShareMemberProvider(Connection(region="eu-de"))
    provider.configure(ConfigureRequest(Config({"huaweicloud:secretKey": "planted-secret"}, "test")))
    copy = unpickled(pickled(provider))
    assert b"planted-secret" not in raw_pickle(provider)
    assert copy.connection == Connection(region="eu-de")
    assert set(vars(copy)) == set(vars(BackupShareMemberProvider()))
    assert vars(copy) == vars(BackupShareMemberProvider(Connection(region="eu-de")))


def test_public_names_are_these() -> None:
    """The public names of the package are stable."""
    assert sorted(PUBLIC) == [
        "Agency",
        "Backup",
        "BackupShare",
        "BackupShareAccepter",
        "BackupShareMember",
        "Connection",
        "LookupFailed",
        "Member",
        "Project",
        "ReceivedBackups",
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


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_is_found_where_it_is_said_to_be(name: str) -> None:
    """Names are imported lazily, so a wrong table would be noticed late."""
    assert getattr(pulumi_cbr_sharing, name).__name__ == name
    assert name in dir(pulumi_cbr_sharing)


def test_the_command_line_starts_without_pulumi_and_without_http() -> None:
    """They are slow to import, and completion would be slow."""
    program = "import pulumi_cbr_sharing.cli, sys; sys.exit(bool({'pulumi', 'requests', 'rich'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_program_that_declares_shares_loads_no_client() -> None:
    """Sessions, the client and `requests` are loaded when something is sent: in the provider, or by a lookup."""
    program = (
        "import sys; from pulumi_cbr_sharing import BackupShare, BackupShareAccepter, BackupShareMember; "
        "sys.exit(bool({'requests', 'pulumi_cbr_sharing.http.client'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_no_module_is_too_long() -> None:
    """A module of more than 300 lines should be split."""
    long = {path.name: len(path.read_text().splitlines()) for path in PACKAGE.rglob("*.py")}
    assert {name: lines for name, lines in long.items() if lines > 300} == {}


def raw_pickle(provider: CbrProvider) -> bytes:
    """The bytes of a pickled provider."""
    import base64  # noqa: PLC0415

    return base64.b64decode(pickled(provider))
