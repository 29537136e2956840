"""Takes the allowed recipients from `cbr-sharing.yaml`, which the audit uses, too.

The pack reads it once, before the program starts, and passes its content to the rule as `recipients`.
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
    """Replace every `recipients_file` in a configuration by its content.

    Args:
        content: a configuration that is valid otherwise.
        folder: the folder of the configuration file, for relative paths; None if it is not known.

    Raises:
        ConfigError: the file does not exist or is not valid; says where.
    """
    return {
        name: _read(name, long_form(given), folder) if _has_file(given) else given for name, given in content.items()
    }


def _has_file(given: Any) -> bool:
    return FILE in long_form(given)


def _read(name: str, given: dict[str, Any], folder: Path | None) -> dict[str, Any]:
    path = Path(given.pop(FILE))
    if folder is None and not path.is_absolute():
        raise ConfigError(
            f"{name}.{FILE} must be an absolute path, because the folder of the configuration is not known"
        )
    try:
        file = read_recipients_file((folder or Path()) / path)
    except (SettingsError, ValueError) as error:  # a path with a NUL is a ValueError
        raise ConfigError(f"{name}.{FILE}: {error}") from None
    if file.recipients is None:
        raise ConfigError(f"{name}.{FILE}: {file.path} has no recipients: list the projects that may receive backups")
    return {**given, LIST: [*given.get(LIST, ()), *map(_entry, file.recipients.values())]}


def _entry(recipient: Recipient) -> dict[str, str]:
    return {"project_id": recipient.project_id, "note": f"{recipient.name}, owned by {recipient.owner}"}
