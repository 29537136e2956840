"""An emulated Cloud Backup and Recovery: the members API with all its awkward cases, backups, vaults, and its IAM.

    with serve() as cloud:
        requests.get(f"{cloud.url}/v3/{project}/backups/{backup}/members", …)

It is faithful where users of shares meet it: signatures and tokens are verified, every documented refusal has its
code, both dialects are spoken. It was written from the CBR and IAM API references and never held against a live
account; what they leave open is marked "(inferred)" in the code.

It does not emulate restores, replication, policies, billing, how backups expire, sharing with whole accounts
(`domains`), unsigned payloads, other signature algorithms, more than one project or user an account, and more than
one region. Errors 6708 and 6711 have no documented cause, so they come from a `Fault.refusal` only. It binds to this
machine only.
"""

try:
    import flask as _flask  # noqa: F401
    import re2 as _re2  # noqa: F401
except ImportError as error:
    missing = "Flask" if error.name == "flask" else "RE2"
    raise ImportError(f"the emulator needs {missing}: install pulumi-cbr-sharing[emulator]") from None

from pulumi_cbr_sharing.emulator.accounts import Account
from pulumi_cbr_sharing.emulator.cloud import Emulator
from pulumi_cbr_sharing.emulator.faults import Fault
from pulumi_cbr_sharing.emulator.records import Backup, Member, Vault
from pulumi_cbr_sharing.emulator.requestlog import Recorded
from pulumi_cbr_sharing.emulator.server import serve


__all__ = ["Account", "Backup", "Emulator", "Fault", "Member", "Recorded", "Vault", "serve"]
