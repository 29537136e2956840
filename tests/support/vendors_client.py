"""Huawei Cloud's own client, `huaweicloudsdkcbr`, for an account of the emulator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from huaweicloudsdkcbr.v1 import CbrClient
from huaweicloudsdkcore.auth.credentials import BasicCredentials


if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_cbr_sharing.emulator import Account, Emulator


def huawei(test: Callable[..., None]) -> Callable[..., None]:
    """Ignore two warnings of the vendor's client.

    Its signer asks for the time in the way that Python 3.12 and newer warn of; without dateutil, which it does not
    ask for, it leaves moments as texts and warns of it each time.
    """
    test = pytest.mark.filterwarnings("ignore:datetime.datetime.utc:DeprecationWarning")(test)
    quiet: Callable[..., None] = pytest.mark.filterwarnings("ignore:Unable to convert string to date:ImportWarning")(
        test
    )
    return quiet


def vendor(emulator: Emulator, account: Account, secret: str | None = None) -> Any:
    """The vendor's client with an account's key."""
    keys = BasicCredentials(account.access_key, secret or account.secret_key, account.project_id)
    return CbrClient.new_builder().with_credentials(keys).with_endpoint(emulator.url).build()
