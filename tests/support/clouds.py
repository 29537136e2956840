"""From an emulated account to the names that a user would set."""

from __future__ import annotations

from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from pulumi_cbr_sharing.emulator import Emulator


def environment(emulator: Emulator, account: str = "sharer", prefix: str = "") -> dict[str, str]:
    """The environment variables that sign in to an account with its access key."""
    return {f"{prefix}{name}": text for name, text in emulator.environment(account).items()}


def stack_config(emulator: Emulator, account: str = "sharer", namespace: str = "huaweicloud") -> dict[str, str]:
    """The same as stack configuration; the endpoints are left to the environment."""
    owner = emulator.account(account)
    return {
        f"{namespace}:accessKey": owner.access_key,
        f"{namespace}:secretKey": owner.secret_key,
        f"{namespace}:region": owner.region,
        f"{namespace}:projectId": owner.project_id,
    }
