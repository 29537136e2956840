"""Makes the environment of this policy pack, apart from that of any program; needs Python 3.10 or newer and no Pulumi.

    python3 install.py                              # environment/, from requirements.lock if it is there, with its
                                                    # hashes, else from requirements.txt
    python3 install.py --find-links dist            # likewise; further words are options of `pip install`
    python3 install.py --environment /opt/policies  # an environment that exists, in an image for one

The engine starts `isolated/bin/python`. It hands the pack an empty environment and starts Python with `-I`, so that
PYTHONPATH, a user's site-packages and the secrets of the stack's configuration end there.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

from pathlib import Path


PACK = Path(__file__).resolve().parent
ENVIRONMENT = PACK / "environment"


def main() -> None:
    """Make the environment, or link to the one that is named, and try it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--environment", type=Path, help="a virtual environment that has the requirements")
    known, options = parser.parse_known_args()
    if ENVIRONMENT.is_symlink():
        ENVIRONMENT.unlink()
    if known.environment:
        ENVIRONMENT.symlink_to(known.environment.absolute(), target_is_directory=True)
    else:
        _make(options)
    subprocess.run([PACK / "isolated" / "bin" / "python", "-c", "import pulumi_cbr_sharing.policies"], check=True)
    print(f"{PACK.name} runs in {ENVIRONMENT.resolve()}")


def _make(options: list[str]) -> None:
    subprocess.run([sys.executable, "-I", "-m", "venv", "--clear", ENVIRONMENT], check=True)
    install = [ENVIRONMENT / "bin" / "python", "-I", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    lock = PACK / "requirements.lock"
    packages = ["--require-hashes", "--requirement", lock] if lock.exists() else ["-r", PACK / "requirements.txt"]
    subprocess.run([*install, *packages, *options], check=True)


if __name__ == "__main__":
    main()
