"""Makes the environment of this policy pack, apart from that of any program; needs Python 3.10 or newer and no Pulumi.

    python3 install.py                              # environment/, from requirements.txt
    python3 install.py --find-links dist            # likewise; further words are options of `pip install`
    python3 install.py --environment /opt/policies  # an environment that exists, in an image for one

What the engine starts is `isolated/bin/python`. It hands the pack an empty environment and starts Python with `-I`,
so that PYTHONPATH, a user's site-packages and the secrets of the stack's configuration end there.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys

from pathlib import Path


PACK = Path(__file__).resolve().parent
LAUNCHER = """\
#!/bin/sh
exec /usr/bin/env -i PATH=/usr/bin:/bin LC_ALL=C.UTF-8 {python} -I "$@"
"""


def main() -> None:
    """Make the environment, if none is named, and the launcher that leads to it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--environment", type=Path, help="a virtual environment that has the requirements")
    known, options = parser.parse_known_args()
    environment = known.environment.absolute() if known.environment else _made(PACK / "environment", options)
    launcher = PACK / "isolated" / "bin" / "python"
    launcher.parent.mkdir(parents=True, exist_ok=True)
    launcher.unlink(missing_ok=True)
    launcher.write_text(LAUNCHER.format(python=shlex.quote(str(environment / "bin" / "python"))))
    launcher.chmod(0o755)
    subprocess.run([launcher, "-c", "import pulumi_cbr_sharing.policies"], check=True)
    print(f"{PACK.name} runs in {environment}")


def _made(environment: Path, options: list[str]) -> Path:
    subprocess.run([sys.executable, "-I", "-m", "venv", "--clear", environment], check=True)
    install = [environment / "bin" / "python", "-I", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, "--requirement", PACK / "requirements.txt", *options], check=True)
    return environment


if __name__ == "__main__":
    main()
