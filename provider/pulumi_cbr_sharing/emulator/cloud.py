"""The emulated cloud as tests and tools use it: to set it up, change it, and ask what is true."""

from __future__ import annotations

import threading

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.emulator.accounts import AUDIENCE, Account, Accounts, Limit, Permissions, made_up_uuid
from pulumi_cbr_sharing.emulator.behaviours import Switches
from pulumi_cbr_sharing.emulator.keys import Keys, TemporaryKey
from pulumi_cbr_sharing.emulator.records import Backup, Dialect, Member, Vault, new_id, now, parsed
from pulumi_cbr_sharing.emulator.request import Fault, Faults
from pulumi_cbr_sharing.emulator.state import State


if TYPE_CHECKING:
    from pulumi_cbr_sharing.emulator.app import Recorded


SEED_ACCOUNTS = ("sharer", "recipient", "bystander")
SEED_BACKUP = "9ee6e4bd-5c7d-4c3a-a1f0-2f6c1d1b7a10"


class Emulator(Switches):
    """A CBR with its IAM, in this process; `serve()` gives it a port.

    Attributes:
        url: CBR's endpoint, without version; IAM's is `iam_url`.
        connections: how many connections were made to it.
    """

    def __init__(self, dialect: Dialect = "huawei") -> None:
        self.url, self.connections = "", 0
        self.dialect = dialect
        self.stopping = threading.Event()
        self.lock = threading.RLock()
        self.reset()

    def reset(self) -> None:
        """Reset to the first state: three accounts with a vault each, and one backup of the first."""
        with self.lock:
            Switches.__init__(self, self.dialect)
            self.log: list[Recorded] = []
            self.faults, self.accounts, self.permissions = Faults(), Accounts(self.dialect), Permissions()
            self.keys = Keys(self.accounts)
            self.state = State(lambda project: self.accounts.of_project(project) is not None, self)
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
        """The first backup of the account `sharer`."""
        return self.state.backups[SEED_BACKUP]

    def account(self, name: str) -> Account:
        """An account by name."""
        return self.accounts.get(name)

    def environment(self, account: str = "sharer", namespace: str | None = None) -> dict[str, str]:
        """The environment variables that sign in to an account; of a named namespace, with its prefix."""
        owner, prefix = self.account(account), f"{namespace.upper()}_" if namespace else ""
        return {
            f"{prefix}HW_ACCESS_KEY": owner.access_key,
            f"{prefix}HW_SECRET_KEY": owner.secret_key,
            f"{prefix}HW_REGION_NAME": owner.region,
            f"{prefix}HW_PROJECT_ID": owner.project_id,
            f"{prefix}HW_CBR_ENDPOINT": self.url,
            f"{prefix}HW_IAM_ENDPOINT": self.iam_url,
        }

    def add_account(self, name: str) -> Account:
        """Create an account with a vault for servers; the same name gives the same ids."""
        with self.lock:
            account = self.accounts.add(name)
            self.keys.take(account)
            self.add_vault(account=name, id=made_up_uuid(name, "vault"))
            return account

    def add_project(self, account: str, name: str) -> str:
        """Give an account a project, such as that of another region, or `eu-de_shop`; returns its id."""
        with self.lock:
            return self.accounts.add_project(account, name)

    def token(self, name: str, project: str | None = None) -> str:
        """Issue a token for a project of an account, by default the main one."""
        with self.lock:
            return self.keys.issue_token(self.account(name).name, self._project(name, project), self.token_seconds)

    def revoke_tokens(self) -> None:
        """Revoke all tokens: their next use is answered 401 APIGW.0307."""
        with self.lock:
            self.keys.revoke_tokens()

    def rotate_key(self, name: str) -> Account:
        """Give an account a new access key, and refuse the old one."""
        with self.lock:
            self.keys.refuse(self.account(name).access_key)
            self.keys.take(self.accounts.rotate(name))
            return self.account(name)

    def temporary_key(self, name: str, seconds: float = 900.0) -> TemporaryKey:
        """Issue a temporary key for an account, as single sign-on or the console does."""
        with self.lock:
            return self.keys.issue_temporary_key(self.account(name).name, seconds)

    def add_agency(self, account: str, name: str, trusts: str | None = None) -> None:
        """Let another account, by default all, assume an agency of an account; `backup-admin` is one of each."""
        with self.lock:
            self.accounts.add_agency(account, name, trusts)

    def add_identity_provider(self, account: str, name: str, audience: str = AUDIENCE) -> None:
        """Let an account take the identity tokens of a provider, for one audience."""
        with self.lock:
            self.accounts.add_identity_provider(account, name, audience)

    def id_token(self, provider: str, audience: str = AUDIENCE, seconds: float = 300.0) -> str:
        """Issue an identity token of a provider, as a pipeline gets it."""
        with self.lock:
            return self.keys.issue_id_token(provider, audience, seconds)

    def add_passcode(self, account: str, passcode: str) -> None:
        """Demand a one-time password of an account from now on; each is right once."""
        with self.lock:
            self.accounts.add_passcode(account, passcode)

    def confine(self, account: str, enterprise_project_id: str) -> None:
        """Let an account see one enterprise project alone, and list it only if it names it."""
        with self.lock:
            self.permissions.confined[self.account(account).name] = enterprise_project_id

    def deny(self, account: str, action: str) -> None:
        """Take an IAM action such as `cbr:member:create` from an account."""
        with self.lock:
            self.permissions.denied[self.account(account).name].add(action)

    def allow(self, account: str, action: str) -> None:
        """Give the action back."""
        with self.lock:
            self.permissions.denied[self.account(account).name].discard(action)

    def throttle(self, limit: int, window: float = 60.0, retry_after: float | None = None) -> None:
        """Limit each account to `limit` requests in any `window` seconds; 0 removes the limit.

        A 429 has a `Retry-After` only if `retry_after` is given: the service was never seen to send it.
        """
        with self.lock:
            self.permissions.throttle(Limit(limit, window, retry_after) if limit else None)

    def add_backup(self, account: str = "sharer", project: str | None = None, **fields: Any) -> Backup:
        """Create a backup; `fields` are those of `Backup`, times may be texts in ISO 8601."""
        with self.lock:
            vault = fields.pop("vault_id", None) or self.vault(account).id
            backup = Backup(self._project(account, project), vault, **_parsed(fields))
            self.state.backups[backup.id] = backup
            return backup

    def set_backup_status(self, backup_id: str, status: str) -> None:
        """Set the status of a backup, which then does not change by itself."""
        with self.lock:
            backup = self.state.backups[backup_id]
            backup.status, backup.ready_at, backup.gone_at = status, None, None

    def complete_checkpoints(self) -> None:
        """Finish all backups that are being made."""
        with self.lock:
            for backup in self.state.backups.values():
                backup.ready_at = None if backup.ready_at is None else 0.0
            self.state.settle()

    def back_up(self, account: str = "sharer", vault_id: str | None = None) -> list[Backup]:
        """Back up all resources of a vault, by default the account's first one, as its policies do."""
        with self.lock:
            vault = self.state.vaults[vault_id] if vault_id else self.vault(account)
            made = self.state.back_up(vault, self.checkpoint_seconds)[1]
            self.state.retain(vault)
            return made

    def pass_time(self, *, days: float = 0, hours: float = 0, seconds: float = 0) -> None:
        """Let time pass: backups are made and expire, and all records become older.

        The records' times are moved back, because clients tell ages by their own clock. Tokens and limits do not age.
        """
        with self.lock:
            self.state.age(timedelta(days=days, hours=hours, seconds=seconds))

    def room(self, account: str) -> int:
        """The free capacity of an account's first vault, in GB."""
        with self.lock:
            vault = self.vault(account)
            return vault.size - self.state.used(vault)

    def remove_backup(self, backup_id: str) -> None:
        """Delete a backup at once, with its shares and the recipients' copies."""
        with self.lock:
            del self.state.backups[backup_id]

    def vault(self, account: str) -> Vault:
        """The first vault of an account."""
        project = self.account(account).project_id
        return next(vault for vault in self.state.vaults.values() if vault.project_id == project)

    def _project(self, account: str, name: str | None) -> str:
        owner = self.account(account)
        return owner.projects[name] if name else owner.project_id

    def add_vault(self, *, account: str, project: str | None = None, **fields: Any) -> Vault:
        """Create a vault; `fields` are those of `Vault`."""
        with self.lock:
            vault = Vault(self._project(account, project), **_parsed(fields))
            self.state.vaults[vault.id] = vault
            return vault

    def members(self, backup_id: str) -> dict[str, Member]:
        """The members of a backup, by project."""
        with self.lock:
            self.state.settle()
            backup = self.state.backups.get(backup_id)
            return dict(backup.members) if backup else {}

    def add_member(self, backup_id: str, project_id: str, status: str = "pending") -> Member:
        """Add a member without any checks; an accepted one is in the recipient's first vault."""
        with self.lock:
            member = self.state.backups[backup_id].members[project_id] = Member(backup_id, project_id)
            return member if status == "pending" else self.answer(backup_id, project_id, status)

    def remove_member(self, backup_id: str, project_id: str) -> None:
        """Remove a member without any checks."""
        with self.lock:
            del self.state.backups[backup_id].members[project_id]

    def answer(self, backup_id: str, project_id: str, status: str, vault_id: str | None = None) -> Member:
        """Answer as the recipient; by default into its first vault."""
        with self.lock:
            member = self.state.backups[backup_id].members[project_id]
            owner = self.accounts.of_project(project_id)
            vault = vault_id or (self.vault(owner.name).id if owner else new_id())
            member.status, member.vault_id = status, vault if status == "accepted" else None
            member.updated_at = now()
            return member

    def register_image(self, backup_id: str, project_id: str) -> str:
        """Register an image from the backup as the recipient; returns its id."""
        with self.lock:
            member = self.state.backups[backup_id].members[project_id]
            member.image_id = new_id()
            return member.image_id

    def visible_to(self, project_id: str) -> set[str]:
        """The ids of the backups that a project can read: its own, and those it has accepted."""
        with self.lock:
            return {backup.id for backup in self.state.backups_of(project_id, "all_granted", "accepted")}

    @property
    def requests(self) -> list[Recorded]:
        """The requests so far, secrets masked, in the order of the answers; without those under `/_emulator/`."""
        with self.lock:
            return list(self.log)

    def clear_requests(self) -> None:
        """Forget the requests so far."""
        with self.lock:
            self.log.clear()

    def add_fault(self, fault: Fault) -> None:
        """Add a fault. It is copied, so one `Fault` can be added many times."""
        self.faults.add(replace(fault))

    @property
    def unused_faults(self) -> list[Fault]:
        """The faults that have not hit all their requests yet."""
        return self.faults.unused

    def clear_faults(self) -> None:
        """Remove all faults."""
        self.faults.clear()

    def pause(self, seconds: float) -> None:
        """Wait before an answer; ends when the server ends."""
        if seconds > 0:
            self.stopping.wait(seconds)


def _parsed(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        name: parsed(text) if text and name in ("created_at", "expired_at") else text for name, text in fields.items()
    }
