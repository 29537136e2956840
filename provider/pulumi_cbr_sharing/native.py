"""The resources of the native plugin, for Python programs that want import, time-outs and cancellation.

    from pulumi_cbr_sharing.native import BackupShareMember

They take the same arguments as those of `pulumi_cbr_sharing`, but an account is a `Provider`, not a `Connection`. A
stack moves from one to the other, and back, by a change of the import. Lookups are those of `pulumi_cbr_sharing`.
"""

from __future__ import annotations

import json

from datetime import datetime, timedelta
from functools import cache
from importlib.metadata import metadata
from typing import TYPE_CHECKING, Any

import pulumi

from pulumi_cbr_sharing.plugin.semver import own_version
from pulumi_cbr_sharing.plugin.wire import snake
from pulumi_cbr_sharing.settings.connection import ACCOUNT, LOOKED_UP, NATIVE_NAMESPACE, Connection
from pulumi_cbr_sharing.sharing.inputs import camel
from pulumi_cbr_sharing.sharing.kinds import COMPONENT, DYNAMIC, KINDS, NATIVE


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from typing_extensions import Self


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
        given = {camel(name): _setting(name, value) for name, value in settings.items() if value is not None}
        super().__init__(NATIVE_NAMESPACE, resource_name, given, pulumi.ResourceOptions.merge(_defaults(), opts))


class _Named(pulumi.Resource):
    """What all of them are: their tokens, versions, names on the wire, and the other door's type as an alias."""

    _outputs: Sequence[str]

    @classmethod
    def _given(
        cls, base: type[_Named], other: str, inputs: Mapping[str, Any], opts: pulumi.ResourceOptions | None
    ) -> tuple[str, dict[str, Any], pulumi.ResourceOptions]:
        """The token, the properties and the options for the SDK."""
        kind = next(one.__name__ for one in cls.__mro__ if base in one.__bases__)  # also of a user's subclass
        default = Connection() in LOOKED_UP and (opts is None or (opts.provider is None and opts.parent is None))
        account = {ACCOUNT: LOOKED_UP[Connection()]} if default else {}  # of the look-ups
        options = _defaults(pulumi.Alias(type_=f"{other}{kind}"))
        given = {name: value for name, value in inputs.items() if value is not None}
        names = {**dict.fromkeys(cls._outputs), **given, **account}
        return f"{NATIVE}{kind}", names, pulumi.ResourceOptions.merge(options, opts)

    def translate_input_property(self, prop: str) -> str:
        """The name on the wire."""
        return prop if prop == ACCOUNT else camel(prop)

    def translate_output_property(self, prop: str) -> str:
        """The name in Python."""
        return snake(prop)


class _Native(_Named, pulumi.CustomResource):
    """Base of the resources."""

    def _declare(self, resource_name: str, inputs: Mapping[str, Any], opts: pulumi.ResourceOptions | None) -> None:
        """Called by a subclass to begin. The SDK takes what is above the third `__init__` for the program's line."""
        token, names, options = self._given(_Native, DYNAMIC, inputs, opts)
        super().__init__(token, resource_name, names, options)

    @classmethod
    def get(cls, resource_name: str, id: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None) -> Self:  # noqa: A002
        """A resource that something else manages, by its id."""
        made = cls.__new__(cls)
        _Native._declare(made, resource_name, {}, pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(id=id)))
        return made


class BackupShareMember(_Native):
    """One backup shared with one project; see `pulumi_cbr_sharing.BackupShareMember`. Its id: `backup/project`."""

    _outputs = KINDS["BackupShareMember"].outputs
    if TYPE_CHECKING:  # the SDK would evaluate them for each resource
        backup_id: pulumi.Output[str]
        dest_project_id: pulumi.Output[str]
        status: pulumi.Output[str]
        share_id: pulumi.Output[str | None]
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
        self._declare(resource_name, inputs, opts)


class BackupShare(_Native):
    """One backup shared with exactly these projects; see `pulumi_cbr_sharing.BackupShare`. Its id: the backup's."""

    _outputs = KINDS["BackupShare"].outputs
    if TYPE_CHECKING:  # the SDK would evaluate them for each resource
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
        self._declare(resource_name, inputs, opts)


class BackupShareAccepter(_Native):
    """A share accepted into a vault; see `pulumi_cbr_sharing.BackupShareAccepter`. Its id: `backup/recipient`."""

    _outputs = KINDS["BackupShareAccepter"].outputs
    if TYPE_CHECKING:  # the SDK would evaluate them for each resource
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
        self._declare(resource_name, inputs, opts)


class _Component(_Named, pulumi.ComponentResource):
    """Base of the components: the plugin declares their children, below the provider that constructs them."""

    if TYPE_CHECKING:  # the SDK would evaluate them for each resource
        backup_ids: pulumi.Output[list[str]]
        newest_at: pulumi.Output[dict[str, str]]

    def _declare(self, resource_name: str, inputs: Mapping[str, Any], opts: pulumi.ResourceOptions | None) -> None:
        given = {name: _rule(value) for name, value in inputs.items()}
        token, names, options = self._given(_Component, COMPONENT, given, opts)
        super().__init__(token, resource_name, names, options, remote=True)


class VaultShare(_Component):
    """The newest backups in a vault, shared with projects; see `pulumi_cbr_sharing.VaultShare`.

    Its children are this door's. An age may also be a text such as `26h`.
    """

    _outputs = ("backup_ids", "newest_at", "shares")
    if TYPE_CHECKING:  # the SDK would evaluate them for each resource
        shares: pulumi.Output[dict[str, str]]

    def __init__(
        self,
        resource_name: str,
        *,
        vault_id: pulumi.Input[str],
        dest_project_ids: pulumi.Input[Sequence[pulumi.Input[str]]],
        opts: pulumi.ResourceOptions | None = None,
        **rules: Any,
    ) -> None:
        inputs = {"vault_id": vault_id, "dest_project_ids": dest_project_ids, **rules}
        self._declare(resource_name, inputs, opts)


class ReceivedBackups(_Component):
    """The newest backups that named owners share, accepted; see `pulumi_cbr_sharing.ReceivedBackups`.

    Its children are this door's. An age may also be a text such as `26h`.
    """

    _outputs = ("backup_ids", "newest_at", "accepted")
    if TYPE_CHECKING:  # the SDK would evaluate them for each resource
        accepted: pulumi.Output[dict[str, str]]

    def __init__(
        self,
        resource_name: str,
        *,
        vault_id: pulumi.Input[str] | Sequence[pulumi.Input[str]],
        owner_project_ids: pulumi.Input[Sequence[pulumi.Input[str]]],
        opts: pulumi.ResourceOptions | None = None,
        **rules: Any,
    ) -> None:
        vaults = vault_id if isinstance(vault_id, (list, tuple)) else [vault_id]
        inputs = {"vault_ids": vaults, "owner_project_ids": owner_project_ids, **rules}
        self._declare(resource_name, inputs, opts)


def _defaults(*aliases: pulumi.Alias) -> pulumi.ResourceOptions:
    """Where the engine finds the plugin of this version, if it has none."""
    return pulumi.ResourceOptions(version=own_version(), plugin_download_url=_download_url(), aliases=list(aliases))


@cache
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


def _rule(value: Any) -> Any:
    """A rule of a window as every language writes it."""
    if isinstance(value, timedelta):
        if value % timedelta(hours=1):
            raise pulumi.RunError(f"{value} is no whole number of hours, which an age has to be")
        return f"{value // timedelta(hours=1)}h"
    return value.isoformat() if isinstance(value, datetime) else value
