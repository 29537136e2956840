"""Every error that a user can meet, and the sentence that it says.

The tree, by what the caller does next:

    CbrSharingError             one line for the user: what was being done, why not, what to do
    ├── SettingsError           settings are missing or contradict each other: nothing was sent
    ├── WrongProject            the credentials are of another project than the state, or than the settings say
    ├── Refused                 the caller's own rules forbid it (adopt=False, …)
    ├── WaitTimeout             something did not become ready in time
    ├── Unreachable             no answer; `sent` tells whether the request may have had an effect
    ├── UnexpectedAnswer        an answer that nobody can read: a page of a proxy, half a JSON, a wrong shape
    └── ApiError                an answer that says no; has `code`, `status` and `request_id`
        ├── NotFound            what was asked for is definitely not there
        │   ├── BackupNotFound
        │   └── MemberNotFound
        ├── AlreadyShared       the share is there already
        ├── TooManyRecipients   the backup is shared with ten projects already
        ├── BackupNotAvailable  the backup is not in the status `available`
        ├── ImageRegistered     the recipient made an image from it, so the share cannot be cancelled
        ├── MalformedUrl        401: no such backup, or a project that is not the credential's: cbr/ tells them apart
        ├── CredentialRefused   401: sending it again would only lock the key
        ├── PermissionDenied    403: an IAM action is missing
        ├── Throttled           429: later, and slower
        └── ServerFault         408 and 5xx: it may or may not have happened

What the service's codes mean, and what to do about each, is the table in `codes.py`.
"""

from __future__ import annotations

import re

from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from typing_extensions import Self  # in typing itself from Python 3.11


class CbrSharingError(Exception):
    """An error whose text is written for the user: one line, complete, and free of secrets."""


class SettingsError(CbrSharingError):
    """Settings are missing, malformed, or contradict each other."""


class WrongProject(CbrSharingError):
    """The credentials belong to another project or region than the one that the state records or the settings name."""


class Refused(CbrSharingError):
    """The program's own rules forbid what the cloud would allow."""


class WaitTimeout(CbrSharingError):
    """Something did not become ready in the time it was given."""


class Unreachable(CbrSharingError):
    """No answer came.

    Attributes:
        trouble: what is wrong, without what was being done.
        sent: False only if nothing of the request can have reached the service.
        lasting: True if trying again cannot help (TLS, a malformed address).
    """

    def __init__(self, doing: str, trouble: str, *, sent: bool, lasting: bool = False) -> None:
        super().__init__(f"{doing}: {trouble}")
        self.trouble = trouble
        self.sent = sent
        self.lasting = lasting

    def skipped(self, doing: str) -> Self:
        """The same failure, for a call that is skipped."""
        return type(self)(doing, self.trouble, sent=False, lasting=True)


class UnexpectedAnswer(CbrSharingError):
    """An answer came that is not of the API's shape, so that nothing can be concluded from it."""


class ApiError(CbrSharingError):
    """The service, or the gateway in front of it, said no.

    Attributes:
        status: the HTTP status.
        code: `BackupService.NNNN`, `APIGW.NNNN`, or "" if the answer had none.
        request_id: what the vendor's support asks for, or "".
        retry_after: seconds that the answer asks to wait, if it does.
    """

    def __init__(
        self,
        doing: str,
        reason: str,
        remedy: str = "",
        *,
        status: int = 0,
        code: str = "",
        request_id: str = "",
        retry_after: float | None = None,
    ) -> None:
        self.doing, self.reason, self.remedy = doing, reason, remedy
        self.status, self.code, self.request_id, self.retry_after = status, code, request_id, retry_after
        super().__init__(self._line())

    def _line(self) -> str:
        code = "" if self.code == str(self.status) else self.code
        facts = [code, f"HTTP {self.status}" if self.status else ""]
        facts += [f"request {self.request_id}" if self.request_id else ""]
        known = ", ".join(filter(None, facts))
        remedy = f": {self.remedy}" if self.remedy else ""
        return f"{self.doing}: {self.reason}{f' ({known})' if known else ''}{remedy}"

    def again(self, *, doing: str | None = None, remedy: str | None = None) -> Self:
        """The same refusal of another call, or with a better remedy."""
        return type(self)(
            self.doing if doing is None else doing,
            self.reason,
            self.remedy if remedy is None else remedy,
            status=self.status,
            code=self.code,
            request_id=self.request_id,
            retry_after=self.retry_after,
        )


class NotFound(ApiError):
    """What was asked for is definitely not there."""


class BackupNotFound(NotFound):
    """The backup does not exist in the caller's project, so neither do its shares."""


class MemberNotFound(NotFound):
    """The backup is not shared with that project."""


class AlreadyShared(ApiError):
    """The backup is shared with that project already, in whatever status."""


class TooManyRecipients(ApiError):
    """The backup has all the recipients that it can have."""


class BackupNotAvailable(ApiError):
    """The backup is not in the status `available`."""


class ImageRegistered(ApiError):
    """The recipient registered an image from the backup; the share cannot be cancelled before it goes."""


class MalformedUrl(ApiError):
    """The service calls the address malformed: the backup does not exist, or the project is not the credential's."""


class CredentialRefused(ApiError):
    """The credential was refused; more than five wrong signatures in a row lock an access key."""


class PermissionDenied(ApiError):
    """An IAM action is missing, or the account may not do this here."""


class Throttled(ApiError):
    """Too many requests."""


class ServerFault(ApiError):
    """The service failed; whether the request had an effect is open."""


def one_line(text: Any, limit: int = 300) -> str:
    """Foreign text made fit for a message: one line, bounded, valid UTF-8, and harmless to terminals and build logs.

    What cannot be printed (escape sequences, zero-width and bidirectional controls) becomes a blank. The marks of
    commands to a build server (`::error::`, `##[error]`) are taken apart; `OS::Nova::Server` is none.
    """
    line = " ".join("".join(char if char.isprintable() else " " for char in str(text)).split())
    line = re.sub(r"(?<![A-Za-z0-9]):(?=:)|#(?=#)", r"\g<0> ", line)
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
