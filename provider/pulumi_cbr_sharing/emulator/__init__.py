"""An emulated Cloud Backup and Recovery: the members API with all its awkward cases, backups, vaults, and its IAM.

    with serve() as cloud:
        requests.get(f"{cloud.url}/v3/{project}/backups/{backup}/members", …)

It is faithful where users of shares meet it: signatures and tokens are verified, every documented refusal has its
code, both dialects are spoken. It does not emulate restores, replication, billing, policies, the lifetime of
backups, enterprise projects, and more than one project or user an account. It binds to this machine only.
"""

try:
    import flask as _flask  # noqa: F401
except ImportError as error:
    raise ImportError("the emulator needs Flask: install pulumi-cbr-sharing[emulator]") from error

from pulumi_cbr_sharing.emulator.cloud import Emulator
from pulumi_cbr_sharing.emulator.faults import Fault
from pulumi_cbr_sharing.emulator.server import serve


__all__ = ["Emulator", "Fault", "serve"]
