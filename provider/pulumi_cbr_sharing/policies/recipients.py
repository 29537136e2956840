"""The allowed recipients out of `cbr-sharing.yaml`, the file of the audit: one list for both.

The pack reads it once, before the program starts, and hands the rule its content as `recipients`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.errors import SettingsError
from pulumi_cbr_sharing.policies.whole import FILE, LIST, ConfigError, long_form
from pulumi_cbr_sharing.recipients_file import read_recipients_file


if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_cbr_sharing.recipients_file import Recipient


def with_recipients(content: Mapping[str, Any], folder: Path | None) -> dict[str, Any]:
    """A configuration in which every file of recipients has been read.

    Args:
        content: a configuration in which nothing else is wrong.
        folder: what a relative path is relative to, that of the configuration file; None where nobody can tell.

    Raises:
        ConfigError: there is no such file, or something is wrong in it; says where.
    """
    return {
        name: _read(name, long_form(given), folder) if _has_file(given) else given for name, given in content.items()
    }


def _has_file(given: Any) -> bool:
    return FILE in long_form(given)


def _read(name: str, given: dict[str, Any], folder: Path | None) -> dict[str, Any]:
    path = Path(given.pop(FILE))
    if folder is None and not path.is_absolute():
        raise ConfigError(f"{name}.{FILE} must be an absolute path, as nobody can tell where the configuration is")
    try:
        file = read_recipients_file((folder or Path()) / path)
    except (SettingsError, ValueError) as error:  # a path that no system has is a ValueError
        raise ConfigError(f"{name}.{FILE}: {error}") from None
    if file.recipients is None:
        raise ConfigError(f"{name}.{FILE}: {file.path} has no recipients: list those who may get backups")
    return {**given, LIST: [*given.get(LIST, ()), *map(_entry, file.recipients.values())]}


def _entry(recipient: Recipient) -> dict[str, str]:
    return {"project_id": recipient.project_id, "note": f"{recipient.name}, owned by {recipient.owner}"}
