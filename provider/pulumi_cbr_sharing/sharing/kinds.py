"""The kinds of resources, for both doors: their verbs, and the dataclasses of their inputs and their state."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.errors import Refused
from pulumi_cbr_sharing.ids import BACKUP, PROJECT
from pulumi_cbr_sharing.sharing import acceptance, member, recipient_set
from pulumi_cbr_sharing.sharing.acceptance import Acceptance
from pulumi_cbr_sharing.sharing.inputs import AcceptanceInputs, Inputs, MemberInputs, SetInputs, camel, known
from pulumi_cbr_sharing.sharing.member import Share
from pulumi_cbr_sharing.sharing.recipient_set import RecipientSet


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import ModuleType


# The types of resources begin so. They are in every state, so they must not change.
DYNAMIC = "pulumi-python:dynamic/huaweicloud/cbr:"
NATIVE = "cbr-sharing:index:"
COMPONENT = "huaweicloud:cbr:"  # in the dynamic door; the SDK takes the package from a token of three parts


@dataclass(frozen=True)
class Kind:
    """A kind of resource.

    Attributes:
        verbs: the module with what Pulumi's verbs mean for it.
        inputs_type, state_type: what a program gives, and what the state records.
        id_parts: the outputs that make the resource's id; those that are inputs, too, replace it if they change.
        drift: the outputs that an update changes; those that are inputs, too, first.
        owner: the output that names the project of the settings.
    """

    verbs: ModuleType
    inputs_type: type[Inputs]
    state_type: type[Any]
    id_parts: Sequence[str]
    drift: Sequence[str]
    owner: str = "owner_project_id"

    @property
    def names(self) -> list[str]:
        """The names of the inputs on the wire."""
        return [camel(field.name) for field in fields(self.inputs_type)]

    @property
    def replaced_by(self) -> list[str]:
        """The inputs whose change replaces the resource."""
        return [name for name in self.id_parts if hasattr(self.inputs_type, name)]

    @property
    def imported(self) -> list[str]:
        """The inputs that an import finds out; the others are as their defaults."""
        return [name for name in self.outputs if hasattr(self.inputs_type, name)]

    @property
    def outputs(self) -> list[str]:
        """The names of the outputs in Python."""
        return [field.name for field in fields(self.state_type)]

    def given(self, properties: Mapping[str, Any]) -> Any:
        """What a program gives, from properties."""
        return known(self.inputs_type, properties)

    def recorded(self, properties: Mapping[str, Any]) -> Any:
        """What a state records, from properties."""
        return known(self.state_type, properties)

    def replaces(self, recorded: Any, inputs: Any) -> list[str]:
        """The inputs that replace the resource now."""
        return _differing(self.replaced_by, recorded, inputs)

    def changed(self, recorded: Any, inputs: Any) -> list[str]:
        """The outputs that an update changes now: inputs that differ, else what was found in the cloud."""
        if not self.verbs.is_changed(recorded, inputs):
            return []
        given = [name for name in self.drift if hasattr(inputs, name)]
        return _differing(given, recorded, inputs) or [self.drift[-1]]

    def id_of(self, made: Any) -> str:
        """The id of a resource."""
        return "/".join(getattr(made, name) for name in self.id_parts)

    def at(self, id_: str) -> Any:
        """As much of a state as an id tells.

        Raises:
            Refused: it is no id of this kind.
        """
        parts = id_.split("/")
        shapes = {"backup_id": BACKUP, "dest_project_id": PROJECT, "recipient_project_id": PROJECT}
        wrong = [shapes[name].trouble_with(part) for name, part in zip(self.id_parts, parts, strict=False)]
        if len(parts) != len(self.id_parts) or any(wrong):
            form = "/".join(f"{{{camel(name)}}}" for name in self.id_parts)
            raise Refused(f"the id {id_!r} is not of the form {form}")
        return self.state_type(**dict(zip(self.id_parts, parts, strict=True)))


KINDS: Mapping[str, Kind] = {
    "BackupShareMember": Kind(member, MemberInputs, Share, ("backup_id", "dest_project_id"), drift=("status",)),
    "BackupShare": Kind(recipient_set, SetInputs, RecipientSet, ("backup_id",), drift=("dest_project_ids", "statuses")),
    "BackupShareAccepter": Kind(
        acceptance,
        AcceptanceInputs,
        Acceptance,
        ("backup_id", "recipient_project_id"),
        drift=("vault_id", "status"),
        owner="recipient_project_id",
    ),
}


def _differing(names: Sequence[str], recorded: Any, inputs: Any) -> list[str]:
    return [name for name in names if getattr(recorded, name) != getattr(inputs, name)]


def kind_of(token: str) -> Kind:
    """The kind of a resource by its type, in either door."""
    return KINDS[token.rpartition(":")[2]]
