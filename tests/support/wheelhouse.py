"""A folder of wheels that pip finds: this package as users get it, and the stand-in for the vendor's SDK."""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import sys
import zipfile

from pathlib import Path
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    import pytest


ROOT = Path(__file__).parent.parent.parent
SUPPORT = Path(__file__).parent
UV = Path(sys.executable).with_name("uv")
SDK = "pulumi_huaweicloud"
SDK_VERSION = "0.0.12+stand.in"
# pip's own settings are the tester's: they lead to the index, here or wherever that is.
PIP = re.compile(r"PIP_\w+|\w+_(?i:proxy)|SSL_CERT_FILE|REQUESTS_CA_BUNDLE")
QUICK = {"PIP_NO_COMPILE": "true"}  # most modules are never imported


def wheelhouse(factory: pytest.TempPathFactory) -> Path:
    """The folder; built once a session, however many processes run the tests."""
    worker = "PYTEST_XDIST_WORKER" in os.environ
    folder = (factory.getbasetemp().parent if worker else factory.getbasetemp()) / "wheelhouse"
    folder.mkdir(exist_ok=True)
    with (folder / "wheels.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not list(folder.glob("*.whl")):
            _build(folder)
    return folder


def own_wheel(folder: Path) -> Path:
    """The wheel of this package."""
    (wheel,) = folder.glob("pulumi_cbr_sharing-*.whl")
    return wheel


def pip_environment(folder: Path) -> dict[str, str]:
    """Variables with which pip takes this package from the folder, and all else in the versions of the lock."""
    constraints = folder / "constraints.txt"
    pinned = re.findall(r"^[\w.-]+==[^\\\n]+", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    pinned = [line for line in pinned if not line.startswith("setuptools==")]  # an example needs an older one
    constraints.write_text("\n".join([*pinned, f"{SDK}=={SDK_VERSION}", ""]))
    own = {name: value for name, value in os.environ.items() if PIP.fullmatch(name)}
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    found = " ".join(filter(None, [own.get("PIP_FIND_LINKS"), str(folder)]))
    user = Path.home() / ".config" / "pip" / "pip.conf"
    config = {"PIP_CONFIG_FILE": str(user)} if user.exists() else {}
    return (
        config
        | own
        | {"PIP_FIND_LINKS": found, "PIP_CONSTRAINT": str(constraints), "PIP_CACHE_DIR": f"{cache}/pip"}
        | QUICK
    )


def _build(folder: Path) -> None:
    python = ["--no-build-isolation", "--python", sys.executable]
    subprocess.run([UV, "build", "--quiet", "--wheel", *python, "--out-dir", folder, ROOT], check=True)
    source, info = SUPPORT / "huaweicloud_stand_in" / SDK, f"{SDK}-{SDK_VERSION}.dist-info"
    with zipfile.ZipFile(folder / f"{SDK}-{SDK_VERSION}-py3-none-any.whl", "w") as wheel:
        for file in source.glob("*.py"):
            wheel.write(file, f"{SDK}/{file.name}")
        wheel.writestr(f"{SDK}/pulumi-plugin.json", '{"resource": false}')
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {SDK}\nVersion: {SDK_VERSION}\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
