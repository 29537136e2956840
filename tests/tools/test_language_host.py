"""The stand-in host on the engine: put first on PATH, so that it is tested with a Pulumi release installed too."""

from __future__ import annotations

import fcntl
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import time
import venv

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from pulumi.runtime.proto import language_pb2, language_pb2_grpc

import engine_build
import engine_setup

from stack import Run, Stack


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


pytestmark = pytest.mark.engine

NOTES = """
from pulumi.dynamic import CreateResult, ReadResult, Resource, ResourceProvider


class NoteProvider(ResourceProvider):
    serialize_as_secret_always = False

    def create(self, props):
        return CreateResult("n1", {"text": props["text"].upper()})

    def read(self, id_, props):
        return ReadResult(id_, props)


class Note(Resource):
    def __init__(self, name, text):
        super().__init__(NoteProvider(), name, {"text": text})
"""

UV_LOCK = """
version = 1
requires-python = ">=3.10"

[[package]]
name = "pulumi-something"
version = "1.2"
source = { registry = "https://registry.example/simple" }
"""

POLICY = """
from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy


def no_shouting(args, report):
    if "!" in args.props.get("text", ""):
        report("Notes do not shout.")


PolicyPack("notes", [ResourceValidationPolicy("quiet", "Quiet notes.", no_shouting, EnforcementLevel.MANDATORY)])
"""


@pytest.fixture(name="stack")
def _stack(tmp_path: Path) -> Stack:
    stack = Stack(tmp_path, plain=True)
    folder = tmp_path / "stand-in"
    folder.mkdir()
    engine_build.install_launcher(folder)
    # Of a release, only `pulumi` itself may be linked into PATH; the stand-in needs what lies beside it.
    release = Path(str(shutil.which("pulumi", path=stack.env["PATH"]))).resolve().parent
    stack.env["PATH"] = os.pathsep.join([str(folder), str(engine_setup.STAND_IN), stack.env["PATH"], str(release)])
    return stack


def test_a_stack_lives_from_preview_to_destroy(stack: Stack) -> None:
    """A program sees its configuration, shows its prints, and its outputs land in the state."""
    stack.config_set("word", "hidden", secret=True)
    stack.program("import pulumi\nprint('a print')\npulumi.export('word', pulumi.Config().require_secret('word'))")
    assert "a print" in stack.preview().output
    stack.up()
    assert stack.outputs() == {"word": "[secret]"}
    assert stack.outputs(show_secrets=True) == {"word": "hidden"}
    assert "hidden" not in stack.state_text()
    assert stack.refresh("--preview-only", "--expect-no-changes").ok
    stack.destroy()
    assert stack.resources() == []


def test_the_stand_in_is_what_ran(stack: Stack) -> None:
    """The tests of this file do test the stand-in, whatever engine is installed."""
    assert "0.0.0-stand-in" in stack.pulumi("about").output


def test_a_program_knows_where_it_is(stack: Stack) -> None:
    """A program learns its stack and project, runs in its folder, and knows a preview from an update."""
    stack.program(
        "import os, pulumi\n"
        "place = [pulumi.get_stack(), pulumi.get_project(), os.path.basename(os.getcwd())]\n"
        "print([*place, pulumi.runtime.is_dry_run()])"
    )
    assert "['dev', 'shares', 'project', True]" in stack.preview().output
    assert "['dev', 'shares', 'project', False]" in stack.up().output


def test_an_exception_is_shown_once(stack: Stack) -> None:
    """What a program raises is reported once, with the user's part of the traceback, and nothing else."""
    stack.program("def share():\n    raise ValueError('no such backup')\n\nshare()")
    run = stack.up(check=False)
    diagnostics = run.output.partition("Diagnostics:")[2]
    assert not run.ok
    assert diagnostics.count("no such backup") == 2  # the source line and the message
    assert diagnostics.count("Traceback") == 1
    assert "in share" in diagnostics
    assert "exit code" not in diagnostics


def test_an_exit_is_an_error(stack: Stack) -> None:
    """A program that leaves by itself with a code is reported with that code."""
    stack.program("raise SystemExit(3)")
    run = stack.up(check=False)
    assert not run.ok
    assert "program exited with non-zero exit code: 3" in run.output


def test_a_dynamic_provider_works(stack: Stack) -> None:
    """A dynamic resource is made, read and deleted."""
    stack.file("notes.py", NOTES)
    stack.program("import pulumi\nfrom notes import Note\nNote('n', text='hello')")
    stack.up()
    (note,) = stack.resources("dynamic:Resource")
    assert (note["id"], note["outputs"]["text"]) == ("n1", "HELLO")
    stack.refresh()
    stack.destroy()


def test_a_policy_pack_refuses(stack: Stack) -> None:
    """A policy pack runs through the same host, lets a good resource pass and names the broken rule of a bad one."""
    stack.file("notes.py", NOTES)
    stack.file("policy/PulumiPolicy.yaml", "runtime: python\n")
    stack.file("policy/__main__.py", POLICY)
    stack.program("from notes import Note\nNote('n', text='hello')")
    assert stack.preview("--policy-pack", "policy").ok
    stack.program("from notes import Note\nNote('n', text='hello!')")
    run = stack.preview("--policy-pack", "policy", check=False)
    assert not run.ok
    assert "Notes do not shout." in run.output
    assert "Traceback" not in run.output


def test_the_virtual_environment_of_the_project_is_used(stack: Stack) -> None:
    """With `virtualenv` in Pulumi.yaml the program runs there."""
    choose(stack, "{virtualenv: venv}")
    (stack.folder / "venv").symlink_to(sys.prefix)
    stack.program("import os, sys\nprint('in', sys.executable, os.environ['VIRTUAL_ENV'])")
    folder = stack.folder / "venv"
    assert f"in {folder / 'bin' / 'python'} {folder}" in stack.up().output


def test_a_folder_that_is_no_environment_is_named(stack: Stack) -> None:
    """Nothing is made in a folder that holds something else, and nothing runs."""
    choose(stack, "{virtualenv: venv}")
    stack.file("venv/notes.txt", "mine")
    run = stack.preview(check=False)
    folder = stack.folder / "venv"
    assert not run.ok
    assert f"calling `{folder}/bin/python -m pip list --format json`" in run.output
    assert sorted(path.name for path in folder.iterdir()) == ["notes.txt"]


def test_an_environment_without_pip_is_refused(stack: Stack) -> None:
    """Its packages cannot be listed, so the program does not run, though it would."""
    venv.create(stack.folder / "bare", with_pip=False)
    choose(stack, "{virtualenv: bare}")
    run = stack.preview(check=False)
    python = stack.folder / "bare" / "bin" / "python"
    trouble = f"calling `{python} -m pip list --format json`: exit status 1"
    assert f"failed to discover package requirements: {trouble}" in run.output


@pytest.mark.parametrize("option", ["toolchain: conda", "typechecker: flake8"])
def test_an_option_that_nobody_knows_is_named(option: str, stack: Stack) -> None:
    """Before anything runs."""
    choose(stack, f"{{{option}}}")
    name, _, value = option.partition(": ")
    assert f"unsupported {name} option: {value}" in stack.preview(check=False).output


def test_uv_lists_what_its_lock_has(stack: Stack) -> None:
    """With the toolchain uv a lock file is needed; where one lies by the program, uv is what is used."""
    choose(stack, "{toolchain: uv}")
    assert "could not find uv.lock" in stack.preview(check=False).output
    choose(stack, "{}")
    stack.file("uv.lock", UV_LOCK)
    assert plugins_asked_for(stack) == {"resource something v1.2.0"}


def test_a_package_named_like_pulumis_asks_for_its_plugin(stack: Stack) -> None:
    """A distribution `pulumi-something` is taken for a Pulumi package, and the engine is to have its plugin."""
    install_something(stack)
    assert plugins_asked_for(stack) == {"resource something v1.2.0"}


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ('{"resource": false}', set()),
        ('{"resource": true, "name": "other", "version": "3.0.0"}', {"resource other v3.0.0"}),
    ],
)
def test_the_plugin_file_of_a_package_decides(text: str, asked: set[str], stack: Stack) -> None:
    """It may say that there is no plugin, or name another one."""
    install_something(stack, text)
    assert plugins_asked_for(stack) == asked


def test_this_package_asks_for_no_plugin(stack: Stack) -> None:
    """An environment that has this package installed, as the tests' own, needs no plugin."""
    assert plugins_asked_for(stack) == set()


def test_about_names_the_environment(stack: Stack) -> None:
    """Interpreter, version, and the packages that the program can use."""
    about = json.loads(stack.stdout("about", "--json"))
    assert about["runtime"]["language"] == "python"
    assert about["runtime"]["version"] == platform.python_version()
    assert "pulumi-policy" in {package["name"] for package in about["dependencies"]}


@pytest.mark.parametrize("elsewhere", [False, True])
def test_packages_are_what_pip_lists(stack: Stack, *, elsewhere: bool) -> None:
    """Of the Python that runs the stand-in, which answers for itself, and of any other, which is asked; plugins too."""
    install_something(stack, '{"resource": true, "name": "other", "version": "3.0.0"}')
    if elsewhere:
        (stack.folder / "venv").symlink_to(sys.prefix)
        choose(stack, "{virtualenv: venv}")
    command = [sys.executable, "-m", "pip", "list", "--format", "json"]
    listed = json.loads(subprocess.run(command, env=stack.env, capture_output=True, check=True).stdout)
    info = language_pb2.ProgramInfo(root_directory=str(stack.folder), program_directory=str(stack.folder))
    info.options.update({"virtualenv": "venv"} if elsewhere else {})
    with started_host(stack) as host:
        asked = language_pb2.GetProgramDependenciesRequest(info=info, transitiveDependencies=True)
        found = {(one.name, one.version) for one in host.GetProgramDependencies(asked).dependencies}
        (plugin,) = host.GetRequiredPackages(language_pb2.GetRequiredPackagesRequest(info=info)).packages
    assert found == {(re.sub(r"[-_.]+", "-", one["name"].lower()), one["version"]) for one in listed}
    assert ("pulumi-something", "1.2") in found
    assert (plugin.name, plugin.version) == ("other", "v3.0.0")


def plugins_asked_for(stack: Stack) -> set[str]:
    """What the stand-in answers when the engine asks for the plugins of the project."""
    info = language_pb2.ProgramInfo(root_directory=str(stack.folder), program_directory=str(stack.folder))
    with started_host(stack) as host:
        answer = host.GetRequiredPackages(language_pb2.GetRequiredPackagesRequest(info=info))
    return {f"{package.kind} {package.name} {package.version}" for package in answer.packages}


@contextmanager
def started_host(stack: Stack) -> Iterator[Any]:
    """The stand-in as the engine starts it."""
    command = shutil.which("pulumi-language-python", path=stack.env["PATH"])
    assert command
    with subprocess.Popen([command, "127.0.0.1:1"], env=stack.env, stdout=subprocess.PIPE) as process:
        assert process.stdout
        with grpc.insecure_channel(f"127.0.0.1:{int(process.stdout.readline())}") as channel:
            yield language_pb2_grpc.LanguageRuntimeStub(channel)
        process.terminate()


def choose(stack: Stack, options: str) -> None:
    """Write the runtime options."""
    stack.file("Pulumi.yaml", f"name: shares\nruntime: {{name: python, options: {options}}}\n")


def install_something(stack: Stack, plugin_file: str = "") -> None:
    """A distribution `pulumi-something` in the program's environment, with or without a plugin file."""
    stack.file("site/pulumi_something/__init__.py", "")
    stack.file(
        "site/pulumi_something-1.2.dist-info/METADATA", "Metadata-Version: 2.1\nName: pulumi-something\nVersion: 1.2\n"
    )
    if plugin_file:
        stack.file("site/pulumi_something/pulumi-plugin.json", plugin_file)
    stack.env["PYTHONPATH"] = str(stack.folder / "site")


def test_an_interrupt_ends_the_program(stack: Stack) -> None:
    """Ctrl-C ends a program that hangs, in seconds, and leaves no process; a traceback is the program's own at most."""
    process = _start_hanging(stack)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    assert process.returncode != 0
    assert "Traceback" not in Run(process.returncode, output).of_resources
    _until(lambda: not _program_lives(stack))


def test_a_killed_engine_leaves_no_program(stack: Stack) -> None:
    """An engine that is killed without a word takes its host and the host's program along."""
    process = _start_hanging(stack)
    process.kill()
    process.communicate(timeout=30)
    _until(lambda: not _program_lives(stack))


def test_a_kill_takes_all(stack: Stack) -> None:
    """The driver's kill ends the engine with everything that it started, and the stack goes on after `cancel`."""
    stack.kill(_start_hanging(stack))
    _until(lambda: not _program_lives(stack))
    stack.program("")
    assert "locked" in stack.up(check=False).output
    stack.cancel()
    stack.up()


def _start_hanging(stack: Stack) -> subprocess.Popen[str]:
    """A program that holds a lock on a file while it lives."""
    stack.program("import fcntl, time\nlock = open('alive', 'w')\nfcntl.flock(lock, fcntl.LOCK_EX)\ntime.sleep(600)")
    process = stack.start("up", "--yes", "--skip-preview")
    _until(lambda: _program_lives(stack))
    return process


def _program_lives(stack: Stack) -> bool:
    with (stack.folder / "alive").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline, "not within 30 s"
        time.sleep(0.1)
