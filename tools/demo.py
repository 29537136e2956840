"""Shows sharing from end to end, as a story: a real Pulumi engine, an emulated cloud, every command before its output.

Everything happens in a scratch folder: nothing is left running, and nothing in the user's Pulumi home or backend.
With `--svg FILE` the story is also drawn, as a terminal would show it.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from pulumi_cbr_sharing.emulator import serve


if TYPE_CHECKING:
    from pulumi_cbr_sharing.emulator import Emulator


ROOT = Path(__file__).parent.parent
PROJECT = ("Pulumi.yaml", "examples/share_member/__main__.py")
WIDTH = 112  # columns of the drawing
INTERRUPTED = 130  # as a shell has it
FOREIGN = ("HW_", "OS_", "HUAWEICLOUD_", "PULUMI_")
# What Pulumi prints while it works: headings, things that begin, its own stack, how long it took.
PROGRESS = re.compile(
    r"(Previewing|Updating|Destroying|Duration|Diagnostics|@ ).*|\.+|.*ing( \(\d+s\))?\s*|.*pulumi:pulumi:Stack.*|\s*"
)
FAREWELL = re.compile(r"\nThe resources in the stack have been deleted.*", re.DOTALL)


class StepFailed(Exception):
    """A step did not end as it should; the message says which, and why."""


def main(*words: str) -> int:
    """Run the demonstration; returns the exit code."""
    story = Story()
    try:
        with tempfile.TemporaryDirectory(prefix="cbr-sharing-demo-") as scratch, serve() as emulator:
            Demo(Path(scratch), emulator, story).run()
    except (StepFailed, OSError) as failure:
        print(f"\nThe demonstration ends here, at: {story.chapter}\n{failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    if words[:1] == ("--svg",):
        Path(words[1]).write_text(story.drawing())
    return 0


class Story:
    """What is told: to the terminal at once, and as a drawing in the end."""

    def __init__(self) -> None:
        self.chapter = "its start"
        self._paper = Console(record=True, file=io.StringIO(), width=WIDTH, color_system="truecolor")

    def begin(self, chapter: str) -> None:
        """A new chapter; what fails, fails in the last one."""
        self.chapter = chapter
        self.tell(f"\n# {chapter}", "bold bright_blue")

    def tell(self, text: str, style: str = "") -> None:
        """One or more lines."""
        print(text, flush=True)
        self._paper.print(Text(text, style), no_wrap=True, overflow="ellipsis")

    def drawing(self) -> str:
        """All of it, as SVG, with the fonts of the reader's machine."""
        drawn = self._paper.export_svg(title="make demo", unique_id="demo")
        drawn = re.sub(r"@font-face \{.*?\}\n", "", drawn, flags=re.DOTALL)
        drawn = drawn.replace("Fira Code, monospace", "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace")
        return re.sub(r"[ \t]+$", "", drawn, flags=re.MULTILINE)


class Demo:
    """A scratch copy of the root project, and the emulated cloud that it works on."""

    def __init__(self, scratch: Path, emulator: Emulator, story: Story) -> None:
        self._emulator, self._story, self._folder = emulator, story, scratch / "project"
        for name in PROJECT:
            target = self._folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target)
        for made in ("state", "tmp"):
            (scratch / made).mkdir()
        self._env = {name: text for name, text in os.environ.items() if not name.startswith(FOREIGN)} | {
            "PULUMI_BACKEND_URL": (scratch / "state").as_uri(),
            "PULUMI_HOME": str(scratch / "home"),
            "TMPDIR": str(scratch / "tmp"),  # where a run tells its processes what it declares
            "PULUMI_CONFIG_PASSPHRASE": "demo",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "COLUMNS": str(WIDTH),
        }

    def run(self) -> None:
        """The story.

        Raises:
            StepFailed: a step did not end as it should; none follows it.
        """
        begin, backup = self._story.begin, self._emulator.backup.id
        recipient, vault = self._emulator.account("recipient").project_id, self._emulator.vault("recipient").id

        begin("You own a backup, and another account should be able to recover from it")
        self.type("cbr-sharing whoami")
        self.type(f"cat {PROJECT[1]}")

        begin("Share it")
        for command in ("stack init demo", f"config set backupId {backup}", f"config set destProjectId {recipient}"):
            self.type(f"pulumi {command}")
        self.type("pulumi up --yes --skip-preview")

        begin("The other account, signed in with a key of its own, sees the offer and accepts it into its vault")
        self.type("cbr-sharing offers", account="recipient")
        self.type(f"cbr-sharing accept {backup} --vault {vault}", account="recipient")

        begin("One day, somebody cancels the share by hand")
        self.type(f"cbr-sharing unshare {backup} {recipient} --yes")

        begin("The nightly pipeline finds out: it expected no changes, so it fails")
        self.type("pulumi preview --refresh --expect-no-changes", fails=True)

        begin("Repair it")
        self.type("pulumi up --refresh --yes --skip-preview")
        if not self._emulator.members(backup):
            raise StepFailed("the share was not made again")
        self.type(f"cbr-sharing members {backup}")

        begin("Take it back")
        self.type("pulumi destroy --yes --skip-preview")
        self.type(f"cbr-sharing members {backup}")
        if left := self._emulator.members(backup):
            raise StepFailed(f"the backup is still shared with {', '.join(left)}")
        self._story.tell("\nThe backup is shared with nobody now. Every step ended as it should.")

    def type(self, command: str, account: str = "sharer", *, fails: bool = False) -> None:
        """Run a command as an account, and tell what changed; it should succeed, or fail."""
        self._story.tell(f"{'' if account == 'sharer' else account}$ {command}", "bold")
        program, *words = shlex.split(command)
        words = [*(["--non-interactive", "--color", "never"] if program == "pulumi" else []), *words]
        own = Path(sys.executable).with_name(program)
        run = subprocess.run(
            [str(own) if own.exists() else program, *words],
            cwd=self._folder,
            env=self._env | self._emulator.environment(account),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if said := (what_changed(run.stdout) if program == "pulumi" else run.stdout.rstrip()):
            self._story.tell(said)
        if bool(run.returncode) is not fails:
            raise StepFailed(f"`{command}` ended with exit code {run.returncode}")
        if fails:
            self._story.tell(f"(exit code {run.returncode})", "red")


def what_changed(printed: str) -> str:
    """What Pulumi says of resources, outputs and errors, without its progress."""
    lines = FAREWELL.sub("", printed).splitlines()
    return "\n".join(line.rstrip() for line in lines if not PROGRESS.fullmatch(line))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
