"""The emulated cloud as a test or a tool holds it in its hands: seeds, changes behind the caller's back, the truth."""

from __future__ import annotations

import threading

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from pulumi_cbr_sharing.emulator.accounts import TOKEN_SECONDS, Account, Accounts, made_up_uuid
from pulumi_cbr_sharing.emulator.faults import Fault, Faults
from pulumi_cbr_sharing.emulator.gate import Gate, Limit
from pulumi_cbr_sharing.emulator.records import Backup, Member, Vault, moment, new_id, now
from pulumi_cbr_sharing.emulator.state import State


if TYPE_CHECKING:
    from pulumi_cbr_sharing.emulator.dialects import Dialect
    from pulumi_cbr_sharing.emulator.requestlog import Recorded


OfferShown = Literal["empty vault", "no vault"]
SEED_ACCOUNTS = ("sharer", "recipient", "bystander")
SEED_BACKUP = "9ee6e4bd-5c7d-4c3a-a1f0-2f6c1d1b7a10"


class Emulator:
    """A CBR with its IAM, in one process; `serve()` puts it on a port.

    Attributes:
        url: CBR's endpoint, without version; IAM's is `iam_url`.
        dialect: `huawei` or `otc`; may be changed at any time.
        latency: seconds that pass before every request is carried out.
        quirk_malformed_url: answer 401 instead of 404 where a backup does not exist, as one client has seen.
        quirk_wrong_project: give the same answer where the project in the address is not the caller's, as the service's
            ancestor does.
        offer_shown: whether GET of a backup shows a pending one to its recipient, and how: no document says.
        ignores_member_status: list backups whatever the status of their share; no page says that the filter counts.
        delete_seconds, checkpoint_seconds: how long it takes until a backup is gone, or is made.
        token_seconds: how long tokens that are issued from now on live.
        temporary_key_seconds: how long an agency's keys live; None: as long as was asked for.
    """

    def __init__(self, dialect: Dialect = "huawei") -> None:
        self.url = ""
        self.dialect: Dialect = dialect
        self.stopping = threading.Event()
        self.lock = threading.RLock()
        self.reset()

    def reset(self) -> None:
        """Back to the seed: three accounts with a vault each, and one backup of the first."""
        with self.lock:
            self.latency, self.ignores_member_status = 0.0, False
            self.quirk_malformed_url = self.quirk_wrong_project = False
            self.checkpoint_seconds = self.delete_seconds = 0.0
            self.offer_shown: OfferShown | None = None
            self.token_seconds: float = TOKEN_SECONDS
            self.temporary_key_seconds: float | None = None
            self.log: list[Recorded] = []
            self.faults, self.accounts, self.gate = Faults(), Accounts(), Gate()
            self.state = State(lambda project: self.accounts.of_project(project) is not None)
            for name in SEED_ACCOUNTS:
                self.add_account(name)
            resource, checkpoint = (made_up_uuid("sharer", what) for what in ("server", "checkpoint"))
            self.add_backup("sharer", id=SEED_BACKUP, name="nightly", resource_id=resource, checkpoint_id=checkpoint)

    @property
    def iam_url(self) -> str:
        """IAM's endpoint, with its version."""
        return f"{self.url}/v3"

    @property
    def backup(self) -> Backup:
        """The seeded backup of the sharer."""
        return self.state.backups[SEED_BACKUP]

    def account(self, name: str) -> Account:
        """An account by name."""
        return self.accounts.get(name)

    def add_account(self, name: str) -> Account:
        """Make an account with a vault for servers; the ids of both follow from the name."""
        with self.lock:
            account = self.accounts.add(name)
            self.add_vault(account=name, id=made_up_uuid(name, "vault"))
            return account

    def token(self, name: str) -> str:
        """A valid token for an account's project."""
        with self.lock:
            return self.accounts.issue_token(self.account(name).name, self.token_seconds)[0]

    def revoke_tokens(self) -> None:
        """End all tokens: their next use is told to renew them."""
        with self.lock:
            self.accounts.revoke_tokens()

    def rotate_key(self, name: str) -> Account:
        """Give an account a new access key, and refuse the old one."""
        with self.lock:
            return self.accounts.rotate(name)

    def deny(self, account: str, action: str) -> None:
        """Take an IAM action such as `cbr:member:create` from an account."""
        with self.lock:
            self.gate.deny(self.account(account).name, action)

    def allow(self, account: str, action: str) -> None:
        """Give it back."""
        with self.lock:
            self.gate.allow(self.account(account).name, action)

    def throttle(self, limit: int, window: float = 60.0, retry_after: float | None = None) -> None:
        """Let each account make `limit` requests in any `window` seconds; 0 lifts the limit.

        A `Retry-After` of so many seconds goes with the refusal only if it is asked for: none was ever seen.
        """
        with self.lock:
            self.gate.throttle(Limit(limit, window, retry_after) if limit else None)

    def add_backup(self, account: str = "sharer", **fields: Any) -> Backup:
        """Make a backup; `fields` are those of `state.Backup`, moments also as texts in ISO 8601."""
        with self.lock:
            fields = {name: moment(name, value) for name, value in fields.items() if value is not None}
            vault = fields.pop("vault_id", None) or self.vault(account).id
            backup = Backup(self.account(account).project_id, vault, **fields)
            self.state.backups[backup.id] = backup
            return backup

    def set_backup_status(self, backup_id: str, status: str) -> None:
        """Change a backup's status; it stays so until it is changed again."""
        with self.lock:
            backup = self.state.backups[backup_id]
            backup.status, backup.ready_at, backup.gone_at = status, None, None

    def complete_checkpoints(self) -> None:
        """Finish all backups that checkpoints are making."""
        with self.lock:
            for backup in self.state.backups.values():
                backup.ready_at = None if backup.ready_at is None else 0.0
            self.state.settle()

    def back_up(self, account: str = "sharer", vault_id: str | None = None) -> list[Backup]:
        """Back up all resources of a vault now, the account's first one unless it is given."""
        with self.lock:
            vault = self.state.vaults[vault_id] if vault_id else self.vault(account)
            return self.state.back_up(vault, self.checkpoint_seconds)[1]

    def pass_time(self, *, days: float = 0, hours: float = 0, seconds: float = 0) -> None:
        """Let time pass: backups are made and expire, and all records become older.

        The present stays, since who asks tells ages by a clock that no test can move. Tokens and limits do not age.
        """
        with self.lock:
            self.state.age(timedelta(days=days, hours=hours, seconds=seconds))

    def room(self, account: str) -> int:
        """GB that are left in an account's first vault."""
        with self.lock:
            vault = self.vault(account)
            return vault.size - self.state.used(vault)

    def remove_backup(self, backup_id: str) -> None:
        """Let a backup expire: its shares and the recipients' view of it go with it."""
        with self.lock:
            del self.state.backups[backup_id]

    def vault(self, account: str) -> Vault:
        """The first vault of an account."""
        project = self.account(account).project_id
        return next(vault for vault in self.state.vaults.values() if vault.project_id == project)

    def add_vault(self, *, account: str, **fields: Any) -> Vault:
        """Make a vault; `fields` are those of `state.Vault`."""
        with self.lock:
            vault = Vault(self.account(account).project_id, **fields)
            self.state.vaults[vault.id] = vault
            return vault

    def members(self, backup_id: str) -> dict[str, Member]:
        """Who a backup is shared with, by project: the truth."""
        with self.lock:
            self.state.settle()
            backup = self.state.backups.get(backup_id)
            return dict(backup.members) if backup else {}

    def add_member(self, backup_id: str, project_id: str, status: str = "pending") -> Member:
        """Share a backup by hand, whatever the rules say; accepted ones are in the recipient's first vault."""
        with self.lock:
            member = self.state.backups[backup_id].members[project_id] = Member(backup_id, project_id)
            return member if status == "pending" else self.answer(backup_id, project_id, status)

    def remove_member(self, backup_id: str, project_id: str) -> None:
        """Cancel a share by hand."""
        with self.lock:
            del self.state.backups[backup_id].members[project_id]

    def answer(self, backup_id: str, project_id: str, status: str, vault_id: str | None = None) -> Member:
        """Answer as the recipient; the vault is its first one unless it is given."""
        with self.lock:
            member = self.state.backups[backup_id].members[project_id]
            owner = self.accounts.of_project(project_id)
            vault = vault_id or (self.vault(owner.name).id if owner else new_id())
            member.status, member.vault_id = status, vault if status == "accepted" else None
            member.updated_at = now()
            return member

    def register_image(self, backup_id: str, project_id: str) -> str:
        """Let the recipient register an image from the backup; returns its id."""
        with self.lock:
            member = self.state.backups[backup_id].members[project_id]
            member.image_id = new_id()
            return member.image_id

    def visible_to(self, project_id: str) -> set[str]:
        """The backups that a project can read now: its own, and those it accepted."""
        with self.lock:
            return {backup.id for backup in self.state.backups_of(project_id, "all_granted", "accepted")}

    @property
    def requests(self) -> list[Recorded]:
        """What came in so far, secrets masked, in the order of the answers; requests under `/_emulator/` apart."""
        with self.lock:
            return list(self.log)

    def clear_requests(self) -> None:
        """Forget what came in so far."""
        with self.lock:
            self.log.clear()

    def add_fault(self, fault: Fault) -> None:
        """Script a fault. It is copied, so one `Fault` can be added many times."""
        self.faults.add(replace(fault))

    @property
    def unused_faults(self) -> list[Fault]:
        """Faults that no request has met yet."""
        return self.faults.unused

    def clear_faults(self) -> None:
        """Forget all faults."""
        self.faults.clear()

    def pause(self, seconds: float) -> None:
        """Wait as an answer does; the end of the server ends it."""
        if seconds > 0:
            self.stopping.wait(seconds)
