"""The project that a client's calls are made in."""

from __future__ import annotations

import threading

from typing import TYPE_CHECKING

from pulumi_cbr_sharing.errors import (
    ApiError,
    CbrSharingError,
    CredentialRefused,
    ServerFault,
    SettingsError,
    Throttled,
    one_line,
)
from pulumi_cbr_sharing.http.messages import Call, lacking, rows
from pulumi_cbr_sharing.ids import trouble_with_project_id


if TYPE_CHECKING:
    from pulumi_cbr_sharing.http.auth import Auth, Send
    from pulumi_cbr_sharing.http.retry import Clock
    from pulumi_cbr_sharing.settings.resolve import Settings


REMEMBERED_FOR = 300.0  # seconds in which a failed look-up is not repeated
_MAY_PASS = (ServerFault, Throttled, CredentialRefused)  # a refused credential is remembered by its circuit breaker


class ProjectLookup:
    """Finds the project id once; safe for many threads.

    Attributes:
        known: the project id, if it is set or has been found.
    """

    def __init__(self, settings: Settings, auth: Auth, clock: Clock) -> None:
        self.known = settings.project_id
        self._name = settings.project_name or settings.region or ""
        self._auth, self._clock = auth, clock
        self._failure: CbrSharingError | None = None
        self._failed_at, self._lock = 0.0, threading.Lock()

    def find(self, send: Send) -> str:
        """The project id: as set, as the credential's token says, or looked up by name.

        Raises:
            SettingsError: there is no such project, or there are several.
        """
        with self._lock:
            if self._failure and self._clock.now() < self._failed_at + REMEMBERED_FOR:
                raise self._failure
            try:
                self.known = self.known or self._auth.project_id(send) or look_up_project(send, self._auth, self._name)
            except (SettingsError, ApiError) as error:
                if not isinstance(error, _MAY_PASS):
                    self._failure, self._failed_at = error, self._clock.now()
                raise
            return self.known


# GET {iam}/projects?name={name} → 200 {"projects": [{"id", "name", …}]}
def look_up_project(send: Send, auth: Auth, name: str) -> str:
    """The id of the caller's project of this name; a region's main project is called like the region.

    Raises:
        SettingsError: there is none, or there are several.
        UnexpectedAnswer: the answer has an id of another shape.
    """
    call = Call(
        "GET",
        "/v3/projects",
        doing=f"looking up the project named {name}",
        action="iam:projects:list",
        query=(("name", name),),
        service="iam",
    )
    reply = send(call, auth=auth)
    ids = [row.get("id") for row in rows(call, reply, "projects")]
    if len(ids) != 1:
        listed = one_line(", ".join(map(str, ids))) or "none"
        raise SettingsError(
            f"{call.doing}: one was expected, {len(ids)} were found ({listed}): "
            "set the project id (stack config huaweicloud:projectId, environment HW_PROJECT_ID)"
        )
    if trouble_with_project_id(ids[0]):
        raise lacking(call, reply, "a project id of 32 hexadecimal digits")
    return str(ids[0])
