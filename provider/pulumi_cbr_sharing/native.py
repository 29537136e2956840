"""The resources of the native plugin, for Python programs that want import, time-outs and cancellation.

    from pulumi_cbr_sharing.native import BackupShareMember

They take the same arguments as those of `pulumi_cbr_sharing`, but an account is a `Provider`, not a `Connection`. A
stack moves from one to the other, and back, by a change of the import.
"""

from __future__ import annotations

import json

from dataclasses import fields
from importlib.metadata import metadata
from typing import TYPE_CHECKING, Any, TypeVar

import pulumi

from pulumi import runtime

from pulumi_cbr_sharing.cbr.backups import Backup
from pulumi_cbr_sharing.cbr.members import Member
from pulumi_cbr_sharing.cbr.projects import Project
from pulumi_cbr_sharing.cbr.vaults import Vault
from pulumi_cbr_sharing.plugin.semver import own_version
from pulumi_cbr_sharing.sharing.acceptance import Acceptance
from pulumi_cbr_sharing.sharing.member import Share
from pulumi_cbr_sharing.sharing.recipient_set import RecipientSet


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from typing_extensions import Self


T = TypeVar("T")
PACKAGE = "cbr-sharing"
SECRETS = ("secret_key", "security_token", "password", "token")


class Provider(pulumi.ProviderResource):
    """An account in one cloud; each setting that is not given comes from the environment or from files.

    Args:
        resource_name: the name of the provider in the program.
        opts: Pulumi's options.
        settings: `region`, `project_id`, `access_key`, `secret_key`, `endpoints` …: those of the stack's configuration
            `cbr-sharing:…`, in Python's form.
    """

    def __init__(
        self, resource_name: str, opts: pulumi.ResourceOptions | None = None, **settings: pulumi.Input[Any]
    ) -> None:
        given = {_camel(name): _setting(name, value) for name, value in settings.items() if value is not None}
        super().__init__(PACKAGE, resource_name, given, pulumi.ResourceOptions.merge(_defaults(), opts))


class _Native(pulumi.CustomResource):
    """Base of the resources: their tokens, versions, names on the wire, and the other door's type as an alias."""

    _state: type[Any]

    def __init__(self, resource_name: str, inputs: Mapping[str, Any], opts: pulumi.ResourceOptions | None) -> None:
        kind = next(one.__name__ for one in type(self).__mro__ if _Native in one.__bases__)
        outputs = dict.fromkeys(field.name for field in fields(self._state))
        options = _defaults(pulumi.Alias(type_=f"pulumi-python:dynamic/huaweicloud/cbr:{kind}"))
        super().__init__(
            f"{PACKAGE}:index:{kind}",
            resource_name,
            {**outputs, **inputs},
            pulumi.ResourceOptions.merge(options, opts),
        )

    @classmethod
    def get(cls, resource_name: str, id: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None) -> Self:  # noqa: A002
        """A resource that something else manages, by its id."""
        made = cls.__new__(cls)
        _Native.__init__(made, resource_name, {}, pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(id=id)))
        return made

    def translate_input_property(self, prop: str) -> str:
        """The name on the wire."""
        return _camel(prop)

    def translate_output_property(self, prop: str) -> str:
        """The name in Python."""
        return _snake(prop)


class BackupShareMember(_Native):
    """One backup shared with one project; see `pulumi_cbr_sharing.BackupShareMember`. Its id: `backup/project`."""

    _state = Share
    backup_id: pulumi.Output[str]
    dest_project_id: pulumi.Output[str]
    status: pulumi.Output[str]
    share_id: pulumi.Output[str]
    owner_project_id: pulumi.Output[str]
    region: pulumi.Output[str | None]
    endpoint: pulumi.Output[str]
    vault_id: pulumi.Output[str | None]
    image_id: pulumi.Output[str | None]
    created_at: pulumi.Output[str | None]
    updated_at: pulumi.Output[str | None]

    def __init__(
        self,
        resource_name: str,
        *,
        backup_id: pulumi.Input[str],
        dest_project_id: pulumi.Input[str] | None = None,
        dest_account: pulumi.Input[str] | None = None,
        adopt: pulumi.Input[bool] | None = None,
        wait_for_backup: pulumi.Input[int] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        inputs = {
            "backup_id": backup_id,
            "dest_project_id": dest_project_id,
            "dest_account": dest_account,
            "adopt": adopt,
            "wait_for_backup": wait_for_backup,
        }
        super().__init__(resource_name, inputs, opts)


class BackupShare(_Native):
    """One backup shared with exactly these projects; see `pulumi_cbr_sharing.BackupShare`. Its id: the backup's."""

    _state = RecipientSet
    backup_id: pulumi.Output[str]
    dest_project_ids: pulumi.Output[list[str]]
    statuses: pulumi.Output[dict[str, str]]
    share_ids: pulumi.Output[dict[str, str]]
    declared: pulumi.Output[list[str]]
    owner_project_id: pulumi.Output[str]
    region: pulumi.Output[str | None]
    endpoint: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        backup_id: pulumi.Input[str],
        dest_project_ids: pulumi.Input[Sequence[pulumi.Input[str]]],
        wait_for_backup: pulumi.Input[int] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        inputs = {"backup_id": backup_id, "dest_project_ids": dest_project_ids, "wait_for_backup": wait_for_backup}
        super().__init__(resource_name, inputs, opts)


class BackupShareAccepter(_Native):
    """A share accepted into a vault; see `pulumi_cbr_sharing.BackupShareAccepter`. Its id: `backup/recipient`."""

    _state = Acceptance
    backup_id: pulumi.Output[str]
    vault_id: pulumi.Output[str]
    status: pulumi.Output[str]
    owner_project_id: pulumi.Output[str]
    recipient_project_id: pulumi.Output[str]
    region: pulumi.Output[str | None]
    endpoint: pulumi.Output[str]
    backup_name: pulumi.Output[str]
    resource_type: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        backup_id: pulumi.Input[str],
        vault_id: pulumi.Input[str],
        wait_for_offer: pulumi.Input[int] | None = None,
        pending: pulumi.Input[bool] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        inputs = {"backup_id": backup_id, "vault_id": vault_id, "wait_for_offer": wait_for_offer, "pending": pending}
        super().__init__(resource_name, inputs, opts)


def get_backups(opts: pulumi.InvokeOutputOptions | None = None, **filters: Any) -> pulumi.Output[list[Backup]]:
    """The backups that match all filters, newest first; see `pulumi_cbr_sharing.get_backups`."""
    return _looked_up("getBackups", filters, opts, lambda found: [_row(Backup, one) for one in found["backups"]])


def get_backup(backup_id: pulumi.Input[str], opts: pulumi.InvokeOutputOptions | None = None) -> pulumi.Output[Backup]:
    """One backup, own or received."""
    return _looked_up("getBackup", {"backup_id": backup_id}, opts, lambda found: _row(Backup, found["backup"]))


def get_share_members(
    backup_id: pulumi.Input[str], opts: pulumi.InvokeOutputOptions | None = None
) -> pulumi.Output[list[Member]]:
    """The recipients of a backup, sorted by project id; also those that others declared or added."""
    given = {"backup_id": backup_id}
    return _looked_up("getShareMembers", given, opts, lambda found: [_row(Member, one) for one in found["members"]])


def get_vaults(
    name: pulumi.Input[str] | None = None, opts: pulumi.InvokeOutputOptions | None = None
) -> pulumi.Output[list[Vault]]:
    """The vaults of the project, or those with this name, sorted by name."""
    return _looked_up("getVaults", {"name": name}, opts, lambda found: [_row(Vault, one) for one in found["vaults"]])


def get_projects(
    account: pulumi.Input[str], opts: pulumi.InvokeOutputOptions | None = None
) -> pulumi.Output[list[Project]]:
    """The projects of an account in the region of the settings, sorted by name."""
    given = {"account": account}
    return _looked_up("getProjects", given, opts, lambda found: [_row(Project, one) for one in found["projects"]])


def _looked_up(
    name: str, given: Mapping[str, Any], opts: pulumi.InvokeOutputOptions | None, read: Callable[[Any], T]
) -> pulumi.Output[T]:
    args = {_camel(key): value for key, value in given.items() if value is not None}
    default = pulumi.InvokeOutputOptions(version=own_version(), plugin_download_url=_download_url())
    merged = pulumi.InvokeOutputOptions.merge(default, opts)
    return runtime.invoke_output(f"{PACKAGE}:index:{name}", args, merged).apply(read)


def _row(kind: type[T], found: Mapping[str, Any]) -> T:
    """One of the records that the lookups of the other door return, too."""
    values = {_snake(name): int(value) if isinstance(value, float) else value for name, value in found.items()}
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})


def _defaults(*aliases: pulumi.Alias) -> pulumi.ResourceOptions:
    """Where the engine finds the plugin of this version, if it has none."""
    return pulumi.ResourceOptions(version=own_version(), plugin_download_url=_download_url(), aliases=list(aliases))


def _download_url() -> str | None:
    """The folder of the plugin in the repository that the package names, if it names one."""
    named = metadata("pulumi-cbr-sharing").get_all("Project-URL") or []
    urls = dict(one.split(", ", 1) for one in named)
    return f"git://{urls['Repository'].partition('://')[2]}/plugin" if "Repository" in urls else None


def _setting(name: str, value: pulumi.Input[Any]) -> pulumi.Input[Any]:
    """A setting as the engine takes it: text, or JSON."""
    text: pulumi.Output[str] = pulumi.Output.from_input(value).apply(
        lambda known: known if isinstance(known, str) else json.dumps(known)
    )
    return pulumi.Output.secret(text) if name in SECRETS else text


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
