"""From an emulated account to the names that a user would set."""

from __future__ import annotations

from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from pulumi_cbr_sharing.emulator import Emulator


def environment(emulator: Emulator, account: str = "sharer", prefix: str = "") -> dict[str, str]:
    """The environment variables that sign in to an account with its access key."""
    owner = emulator.account(account)
    return {
        f"{prefix}HW_ACCESS_KEY": owner.access_key,
        f"{prefix}HW_SECRET_KEY": owner.secret_key,
        f"{prefix}HW_REGION_NAME": owner.region,
        f"{prefix}HW_PROJECT_ID": owner.project_id,
        f"{prefix}HW_CBR_ENDPOINT": emulator.url,
        f"{prefix}HW_IAM_ENDPOINT": emulator.iam_url,
    }


def stack_config(emulator: Emulator, account: str = "sharer", namespace: str = "huaweicloud") -> dict[str, str]:
    """The same as stack configuration; the endpoints are left to the environment."""
    owner = emulator.account(account)
    return {
        f"{namespace}:accessKey": owner.access_key,
        f"{namespace}:secretKey": owner.secret_key,
        f"{namespace}:region": owner.region,
        f"{namespace}:projectId": owner.project_id,
    }
