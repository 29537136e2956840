"""An emulated Cloud Backup and Recovery (CBR): members, backups and vaults, and the IAM that it needs.

    with serve() as cloud:
        requests.get(f"{cloud.url}/v3/{project}/backups/{backup}/members", …)

It verifies signatures and tokens, answers every documented error with its code, and knows the dialects of Huawei Cloud
and Open Telekom Cloud. It was written from the CBR and IAM API references and never compared with a live account: the
ledger in `behaviours.py` has the source of each behaviour, and a switch for each that is a guess.

It does not emulate restores, replication, billing, sharing with whole accounts (`domains`), unsigned
payloads, other signature algorithms, several users in an account, and several regions. Errors 6708 and 6711
have no documented cause, so only a `Fault.refusal` answers them. It binds to this machine only.
"""

try:
    import flask as _flask  # noqa: F401
    import re2 as _re2  # noqa: F401
except ImportError as error:
    missing = "Flask" if error.name == "flask" else "RE2"
    raise ImportError(f"the emulator needs {missing}: install pulumi-cbr-sharing[emulator]") from None

from pulumi_cbr_sharing.emulator.accounts import Account
from pulumi_cbr_sharing.emulator.app import Recorded
from pulumi_cbr_sharing.emulator.cloud import Emulator
from pulumi_cbr_sharing.emulator.http_server import serve
from pulumi_cbr_sharing.emulator.keys import TemporaryKey
from pulumi_cbr_sharing.emulator.records import Backup, Member, Vault
from pulumi_cbr_sharing.emulator.request import Fault


__all__ = ["Account", "Backup", "Emulator", "Fault", "Member", "Recorded", "TemporaryKey", "Vault", "serve"]
