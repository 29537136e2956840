"""VaultShare and ReceivedBackups for programs in every language: what is in the window, declared as children."""

from __future__ import annotations

import json

from dataclasses import fields
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.errors import Refused
from pulumi_cbr_sharing.plugin.construct import Child, Component
from pulumi_cbr_sharing.plugin.settings import schema, wrong_names
from pulumi_cbr_sharing.sharing.inputs import NOT_KNOWN, Problem, camel
from pulumi_cbr_sharing.sharing.kinds import NATIVE
from pulumi_cbr_sharing.sharing.received import to_accept
from pulumi_cbr_sharing.sharing.window import OFFER_WAIT, Window, accepter_name, share_name, to_share
from pulumi_cbr_sharing.timestamps import duration, moment


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pulumi_cbr_sharing.sharing.session import Session
    from pulumi_cbr_sharing.sharing.window import Chosen


def problems_with(token: str, given: Mapping[str, Any]) -> Iterator[Problem]:
    """Arguments that a component does not have, or misses; the engine checks none of them."""
    kind = schema()["resources"][token]
    return wrong_names(given, kind["inputProperties"], "property", kind["requiredInputs"])


def vault_share(session: Session, component: Component, window: Window, name: str) -> dict[str, Any]:
    """Share what is in the window; returns the outputs."""
    projects = component.inputs["destProjectIds"]
    found = to_share(
        session.client,
        window,
        vault_id=component.inputs["vaultId"],
        dest_project_ids=projects,
        resource_ids=component.inputs.get("resourceIds"),
    )
    children = {
        f"{backup.id}/{project}": Child(
            "BackupShareMember",
            share_name(name, backup, project),
            {"backupId": backup.id, "destProjectId": project},
        )
        for backup in found.backups
        for project in projects
    }
    return {"shares": _declared(session, component, window, found, children), **_seen(found)}


def received_backups(session: Session, component: Component, window: Window, name: str) -> dict[str, Any]:
    """Accept what is in the window; returns the outputs."""
    found = to_accept(
        session.client,
        window,
        vault_id=component.inputs["vaultIds"],
        owner_project_ids=component.inputs["ownerProjectIds"],
        resource_ids=component.inputs.get("resourceIds"),
    )
    children = {
        backup.id: Child(
            "BackupShareAccepter",
            accepter_name(name, backup),
            {
                "backupId": backup.id,
                "vaultId": backup.vault_id,
                "waitForOffer": OFFER_WAIT,
                **({"pending": True} if backup.id in found.pending else {}),
            },
        )
        for backup in found.backups
    }
    return {"accepted": _declared(session, component, window, found, children), **_seen(found)}


COMPONENTS: Mapping[str, Callable[[Session, Component, Window, str], dict[str, Any]]] = {
    f"{NATIVE}VaultShare": vault_share,
    f"{NATIVE}ReceivedBackups": received_backups,
}


def constructed(session: Session, component: Component, token: str, name: str) -> Any:
    """Look up what is in the window of a component, and declare it."""
    if NOT_KNOWN in json.dumps(component.inputs):
        session.say(
            "warning: an argument is not known yet, so this preview cannot show what is in the window, and lists what "
            "is there as to be deleted: the update knows it, and deletes only what left the window"
        )
        return component.finished(dict.fromkeys(schema()["resources"][token]["properties"], NOT_KNOWN))
    return component.finished(COMPONENTS[token](session, component, _window(component.inputs), name))


def _declared(
    session: Session, component: Component, window: Window, found: Chosen, children: Mapping[str, Child]
) -> dict[str, str]:
    """Declare the children, and tell what there is to tell; returns their statuses."""
    for warning in found.warnings:
        session.say(f"warning: {warning}")
    statuses = component.declare(children, "status")
    if found.stale and window.on_stale == "error":
        raise Refused("; ".join(found.stale))
    for sentence in found.stale:
        session.say(f"warning: {sentence}")
    return statuses


def _seen(found: Chosen) -> dict[str, Any]:
    return {"backupIds": found.backup_ids, "newestAt": found.newest_at}


def _window(inputs: Mapping[str, Any]) -> Window:
    """The rules of a window, from what can be written in every language.

    Raises:
        Refused: a time or an age has another form.
    """
    given = {one.name: inputs.get(camel(one.name)) for one in fields(Window) if one.init}
    rules = {name: value for name, value in given.items() if value is not None}
    if isinstance(keep := rules.get("keep"), float) and keep.is_integer():
        rules["keep"] = int(keep)
    for name in ("older_than", "newer_than", "max_age"):
        if name in rules:
            rules[name] = _time(name, rules[name])
    if isinstance(rules.get("max_age"), timedelta) or "max_age" not in rules:
        return Window(**rules)
    raise Refused("max_age is a time: give an age such as 26h")


def _time(name: str, text: Any) -> datetime | timedelta:
    found: datetime | timedelta | None = duration(str(text))
    if found is None and (found := moment(text)) is None:
        raise Refused(f"{name} is {text!r}: give a time such as 2026-01-31T00:00:00Z, or an age such as 36h or 7d")
    return found
