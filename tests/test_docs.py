"""README and guides: their programs run, they explain everything that is public, and the site of them builds."""

from __future__ import annotations

import ast
import inspect
import json
import re
import subprocess
import sys

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

import picture
import pulumi_cbr_sharing

from clouds import environment
from pulumi_cbr_sharing import cli, errors
from pulumi_cbr_sharing.http.codes import CODES
from pulumi_cbr_sharing.resources.lookups import LookupFailed
from pulumi_cbr_sharing.settings.sources import NAMES
from stack import TIMEOUT, Stack


if TYPE_CHECKING:
    from pulumi_cbr_sharing.emulator import Emulator


ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
PAGES = {page.name: page.read_text() for page in sorted((ROOT / "docs").glob("*.md"))}
TEXT = README + "".join(PAGES.values())
# A guide's commands run as they stand, in a shell, in a project with a stack `dev`; but not these, and why.
ELSEWHERE = {
    r"pip install .*": "tests/test_packaging.py",  # installs the wheel; the address is not public yet
    r"export HW_REGION_NAME=eu-de .*": "",  # a real account's
    r"cbr-sharing emulator": "tests/cli/test_emulator.py",  # runs until Ctrl-C
    r"make (demo|test)": "tests/tools/test_demo.py",
    r"PIP_FIND_LINKS=.* pulumi install": "tests/engine/test_examples.py",
    r"pulumi stack init dev": "tests/support/stack.py",
    r"terraform state pull .*|cbr-sharing move .*": "tests/engine/test_move.py",
    r"python3 examples/policy_pack/install.py|pulumi up --policy-pack .*": "tests/policies/test_policy_pack.py",
}
# Programs that another test runs, because they need another account, or are no program of Pulumi's.
RUN_BY = {
    "rolling-window.md": "tests/resources/test_vault_share.py",
    "worst-day.md": "tests/resources/test_received_backups.py",
    "testing.md": "tests/test_docs.py",
    "automation-api.md": "tests/test_docs.py",
    "doors.md": "tests/engine/test_native.py",
    "_index.md": "tests/engine/test_native.py",
}


def blocks(text: str, language: str) -> list[str]:
    """The code of a page in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def commands(text: str) -> list[str]:
    """What a reader of a page types."""
    lines = "\n".join(blocks(text, "console")).replace("\\\n", "").splitlines()
    return [line[2:].partition("  #")[0].strip() for line in lines if line.startswith("$ ")]


PROGRAM = blocks(README, "python")[0]
OUTPUT = re.findall(r"```console\n\$ pulumi up.*?\n(.*?)```", README, re.DOTALL)[0]
SOURCES = "".join(path.read_text() for path in Path(pulumi_cbr_sharing.__file__).parent.glob("[!e]*/*.py"))
ACTIONS = set(re.findall(r'"((?:cbr|iam):\w+:\w+)"', SOURCES))
REFERENCE = "".join(page.read_text() for page in (ROOT / "docs" / "reference").glob("*.md"))
ERRORS = [item for _, item in inspect.getmembers(errors, inspect.isclass) if issubclass(item, errors.CbrSharingError)]


@pytest.mark.engine
def test_the_first_program_prints_what_the_readme_shows(emulator: Emulator, tmp_path: Path) -> None:
    """Its ids are those of the emulated cloud, so it runs unchanged."""
    stack = Stack(tmp_path)
    stack.env.update(environment(emulator))
    stack.program(PROGRAM)

    printed = stack.up().output

    assert [line for line in timeless(OUTPUT) if line not in timeless(printed)] == []
    assert len(emulator.members(emulator.backup.id)) == 1


def timeless(text: str) -> list[str]:
    """The lines of an output without durations and trailing blanks."""
    return [re.sub(r"\([\d.]+m?s\)", "(…)", line).rstrip() for line in text.splitlines()]


def test_the_emulators_example_runs() -> None:
    """Its code is complete."""
    exec(compile(blocks(PAGES["testing.md"], "python")[0], "docs/testing.md", "exec"), {})


@pytest.mark.engine
def test_the_program_that_runs_pulumi_by_itself_shares(emulator: Emulator, tmp_path: Path) -> None:
    """With the automation API, in a process of its own."""
    stack = Stack(tmp_path)
    program = stack.file("automatic.py", blocks(PAGES["automation-api.md"], "python")[0])
    env = stack.env | environment(emulator)
    run = subprocess.run(
        [sys.executable, program], env=env, capture_output=True, text=True, check=False, timeout=TIMEOUT
    )
    assert (run.stdout, run.returncode) == ("pending\n", 0), run.stderr
    assert list(emulator.members(emulator.backup.id)) == [emulator.account("recipient").project_id]


@pytest.mark.parametrize("page", [name for name, text in PAGES.items() if blocks(text, "python")])
def test_every_program_runs_in_a_test(page: str) -> None:
    """It is the README's own, which one runs here, or that of an example, or a test that is named here runs it."""
    examples = {
        re.sub(r'^""".*?"""\n\n|(?<=\n)\n(?=\n)', "", path.read_text()) for path in ROOT.glob("examples/*/__main__.py")
    }
    assert page in RUN_BY or set(blocks(PAGES[page], "python")) <= {PROGRAM, *examples}
    assert page not in RUN_BY or (ROOT / RUN_BY[page]).exists()


@pytest.mark.engine
@pytest.mark.parametrize("page", ["README.md", *(name for name, text in PAGES.items() if commands(text))])
def test_every_command_of_a_guide_runs(page: str, emulator: Emulator, tmp_path: Path) -> None:
    """One after the other, as they stand; audits find things, so they may end with 2 or 3."""
    typed = commands(README if page == "README.md" else PAGES[page])
    here = [command for command in typed if not any(re.fullmatch(pattern, command) for pattern in ELSEWHERE)]
    stack = Stack(tmp_path)
    stack.env |= environment(emulator) | environment(emulator, "recipient", "RECIPIENT_")
    stack.env["PULUMI_SKIP_CONFIRMATIONS"] = "true"
    stack.program(PROGRAM)
    for command in here:
        run = subprocess.run(
            ["bash", "-c", command],
            cwd=stack.folder,
            env=stack.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT,
        )
        assert run.returncode in ({0, 2, 3} if "audit" in command else {0}), f"{command}\n{run.stdout}{run.stderr}"


def test_what_is_not_run_here_is_run_elsewhere() -> None:
    """Each exception is met, and names a test, or a reason beside it."""
    typed = {command for text in (README, *PAGES.values()) for command in commands(text)}
    assert [pattern for pattern in ELSEWHERE if not any(re.fullmatch(pattern, command) for command in typed)] == []
    assert [file for file in ELSEWHERE.values() if not (ROOT / file).exists()] == []


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_every_permission_is_in_a_policy(action: str) -> None:
    """Of all calls, and no others, in policies of JSON that IAM takes."""
    policies = [json.loads(text) for text in blocks(PAGES["permissions.md"], "json")]
    allowed = {name for policy in policies for statement in policy["Statement"] for name in statement["Action"]}
    assert action in allowed
    assert allowed <= ACTIONS
    assert {policy["Version"] for policy in policies} == {"1.1"}


@pytest.mark.parametrize("name", vars(pulumi_cbr_sharing)["__all__"])
def test_every_public_name_is_explained(name: str) -> None:
    """README or a guide has it."""
    assert name in TEXT


@pytest.mark.parametrize("name", [name for name in vars(pulumi_cbr_sharing)["__all__"] if not name.endswith("_output")])
def test_every_public_name_is_in_the_reference(name: str) -> None:
    """Where its docstring is shown; the forms for Outputs are those of the plain ones."""
    assert re.search(rf"^\.\. auto\w+:: {name}$", REFERENCE, re.MULTILINE)


@pytest.mark.parametrize("name", sorted(cli.COMMANDS))
def test_every_command_is_explained(name: str) -> None:
    """README or a guide has it, and its help."""
    assert f"cbr-sharing {name}" in TEXT
    assert cli.load(name).help


@pytest.mark.parametrize(
    "name", ["BackupShareMember", "BackupShare", "BackupShareAccepter", "VaultShare", "ReceivedBackups"]
)
def test_every_input_and_output_is_in_its_table(name: str) -> None:
    """In the order of the code, with what is required."""
    resource = getattr(pulumi_cbr_sharing, name)
    section = PAGES["resources.md"].partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    inputs, _, outputs = section.partition("| output |")
    given = dict(list(inspect.signature(resource).parameters.items())[1:-1])  # without its name and its options
    assert re.findall(r"^\| `(\w+)` \|", inputs, re.MULTILINE) == list(given)
    required = [key for key, parameter in given.items() if parameter.default is parameter.empty]
    assert re.findall(r"^\| `(\w+)` \| [^|]* \| required \|", inputs, re.MULTILINE) == required
    declared = annotated(resource)
    assert declared
    assert [key for key in declared if f"`{key}`" not in outputs] == []


def annotated(resource: type) -> list[str]:
    """The attributes of a class that have a type, be it for type checkers only."""
    (defined,) = ast.parse(inspect.getsource(resource)).body
    assert isinstance(defined, ast.ClassDef)
    lines = [one for part in defined.body for one in (part.body if isinstance(part, ast.If) else [part])]
    return [one.target.id for one in lines if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)]


def test_every_exit_code_is_in_the_table() -> None:
    """Those that the help of the commands names."""
    helped = [*cli.main.help.splitlines(), *str(cli.load("audit").help).splitlines()] if cli.main.help else []
    codes = set(re.findall(r"(?:^ *|with )(\d+)(?= |,|$)", "\n".join(helped), re.MULTILINE))
    assert codes == set(re.findall(r"^\| (\d+) \|", PAGES["commands.md"], re.MULTILINE))


@pytest.mark.parametrize("field", NAMES)
def test_every_setting_is_explained(field: str) -> None:
    """Each key of the stack's configuration and each variable is in the table."""
    keys, variables = NAMES[field]["config"], NAMES[field]["environment"]
    assert all(re.search(rf"[:`]{key.partition('.')[0]}`", TEXT) for key in keys.split())
    assert [variable for variable in variables.split() if f"`{variable}`" not in TEXT] == []


@pytest.mark.parametrize("kind", [*ERRORS, LookupFailed], ids=lambda kind: kind.__name__)
def test_every_error_has_an_entry(kind: type[errors.CbrSharingError]) -> None:
    """A heading, whose anchor is the name in small letters."""
    assert f"\n### {kind.__name__}\n" in PAGES["troubleshooting.md"]


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_an_entry(code: str) -> None:
    """The address in its line leads to its row, which says what the line says."""
    meaning = CODES[code]
    (row,) = [line for line in PAGES["troubleshooting.md"].splitlines() if f"`{code}`" in line and "<a id" in line]
    remedy = meaning.remedy.format(endpoint="the endpoint, by the setting that the error names")
    assert row.endswith(f"| {meaning.reason} | {remedy or '—'} |")
    assert f'<a id="{meaning.error("sharing", "no", code=code).told.partition("#")[2]}'.rstrip(")") in row


def test_every_message_in_the_guide_is_one_of_ours() -> None:
    """Those of Pulumi and of policies are marked as such."""
    rows = re.findall(r"^\| (.*) \| (.*) \|$", PAGES["troubleshooting.md"].partition("## By message")[2], re.MULTILINE)
    ours = [row for row, meaning in rows[2:] if "Pulumi's" not in meaning and "policy" not in meaning]
    assert [words for row in ours for words in re.findall(r"`([^`]+)`", row) if words not in SOURCES] == []


def test_an_error_without_a_code_of_the_api_is_found_by_its_class() -> None:
    """Codes of other services, and of none."""
    assert errors.SettingsError("no region").told == f"no region ({errors.GUIDE}#settingserror)"
    assert errors.Throttled("sharing", "no", code="Other.1").told.endswith("#throttled)")


def test_the_address_in_errors_is_the_projects() -> None:
    """It stands in pyproject.toml, too, for the index."""
    site = re.findall(r'^Documentation = "(.*)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert [f"{site[0]}/troubleshooting.html"] == [errors.GUIDE]


def test_the_readme_is_short_and_its_first_code_comes_early() -> None:
    """It is read in a minute; the first program is on the first screen."""
    lines = README.splitlines()
    assert len(lines) <= 150
    assert lines.index("```python") < 20


@pytest.mark.parametrize("folder", [ROOT, ROOT / "docs"], ids=["README", "docs"])
def test_every_link_to_a_file_leads_somewhere(folder: Path) -> None:
    """README's links and those of the guides are paths in the repository."""
    text = {page: page.read_text() for page in folder.glob("*.md")}
    links = {(page.name, link) for page in text for link in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text[page])}
    assert links
    assert {(page, link) for page, link in links if not (folder / link).exists()} == set()


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    """Each link and reference leads somewhere, and each page can be found."""
    command = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet", "-b", "html"]
    built = subprocess.run(
        [*command, ROOT / "docs", tmp_path / "site"], capture_output=True, text=True, check=False, timeout=300
    )
    assert built.returncode == 0, built.stderr
    assert (tmp_path / "site" / "index.html").exists()


def test_the_picture_is_what_its_script_draws() -> None:
    """`make record` draws it anew."""
    assert (ROOT / "docs" / "picture.svg").read_text() == picture.drawing()


@pytest.mark.parametrize("page", ["_index.md", "installation-configuration.md"])
def test_the_pages_for_the_registry_have_its_form(page: str) -> None:
    """Front matter with what the registry requires."""
    front = yaml.safe_load(PAGES[page].split("---\n")[1])
    assert {*front} == {"title", "meta_desc", "layout"}
    assert front["layout"] == "package"


def test_the_registrys_page_has_every_key_of_the_plugin() -> None:
    """In the order of its schema, and what is secret."""
    schema = json.loads((Path(pulumi_cbr_sharing.__file__).parent / "plugin" / "schema.json").read_text())
    page, variables = PAGES["installation-configuration.md"], schema["config"]["variables"]
    assert re.findall(r"^\| `cbr-sharing:(\w+)` \|", page, re.MULTILINE) == list(variables)
    secret = [key for key, variable in variables.items() if variable.get("secret")]
    assert re.findall(r"^\| `cbr-sharing:(\w+)` \|.*--secret", page, re.MULTILINE) == secret


def test_every_law_names_a_test_that_exists() -> None:
    """CONTRIBUTING.md promises tests by file."""
    named = set(re.findall(r"`(tests/[\w/]+\.py)`", (ROOT / "CONTRIBUTING.md").read_text()))
    assert named
    assert {name for name in named if not (ROOT / name).exists()} == set()
