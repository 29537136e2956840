"""Every error that a user can meet. The error codes of the API are in `http/codes.py`."""

from __future__ import annotations

import re

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from typing_extensions import Self  # in typing itself from Python 3.11


# The guide has an entry for each class and each code; a test holds that, and that the address is the project's.
GUIDE = "https://pulumi-cbr-sharing.github.io/pulumi-cbr-sharing/troubleshooting.html"
_OF_THE_API = re.compile(r"(BackupService|APIGW?)\.\d{4}")


class CbrSharingError(Exception):
    """One line for the user, without secrets: what was being done, why it failed, and what to do.

    Attributes:
        unsure: whether it may be done all the same: no answer told, and perhaps no look either.
        made: what was made all the same, or may have been, as the state would record it.
        left: what the state does not record although it may be there, and what to do.
    """

    unsure: bool = False
    made: Any = None
    left: str = ""

    def again(self, **changed: Any) -> Self:
        """The same error with other attributes; several threads may be given one error."""
        error = type(self).__new__(type(self), *self.args)
        vars(error).update({**vars(self), **changed})
        return error

    @property
    def told(self) -> str:
        """The line as users see it, which ends with the address of the error's entry in the guide."""
        return f"{'; '.join(filter(None, (str(self), self.left)))} ({GUIDE}#{self.entry})"

    @property
    def entry(self) -> str:
        """The anchor of the entry in the guide: the class."""
        return type(self).__name__.lower()


class SettingsError(CbrSharingError):
    """Settings are missing, not valid, or contradict each other; nothing was sent."""


class WrongProject(CbrSharingError):
    """The credential belongs to another project or region than the state records or the settings name."""


class Refused(CbrSharingError):
    """The program itself does not allow it, for example by `adopt=False`."""


class WaitTimeout(CbrSharingError):
    """Something did not become ready in time."""


class Stopped(CbrSharingError):
    """The run was cancelled, or the time that the program allows for it is over."""


@dataclass(eq=False, repr=False)
class Unreachable(CbrSharingError):
    """There was no answer.

    Attributes:
        doing, trouble: what was being done, and the message without it.
        sent: False only if nothing of the request can have reached the service.
        lasting: whether a retry cannot help, as with TLS errors.
    """

    doing: str
    trouble: str
    _: KW_ONLY
    sent: bool
    lasting: bool = False

    def __str__(self) -> str:
        return f"{self.doing}: {self.trouble}"


class UnexpectedAnswer(CbrSharingError):
    """The answer is not one of the API, so nothing can be concluded from it: a proxy's page, half a JSON document."""


@dataclass(eq=False, repr=False)
class ApiError(CbrSharingError):
    """The service, or the API gateway in front of it, refused the request.

    Attributes:
        doing: what was being done.
        reason: why it failed.
        remedy: what to do, or "".
        status: the HTTP status.
        code: `BackupService.NNNN`, `APIGW.NNNN`, or "" if the answer has none.
        request_id: for the vendor's support, or "".
        retry_after: the seconds that the answer asks to wait, if it does.
    """

    doing: str
    reason: str
    remedy: str = ""
    _: KW_ONLY
    status: int = 0
    code: str = ""
    request_id: str = ""
    retry_after: float | None = None

    def __str__(self) -> str:
        code = "" if self.code == str(self.status) else self.code
        status = f"HTTP {self.status}" if self.status else ""
        known = ", ".join(filter(None, (code, status, self.request_id and f"request {self.request_id}")))
        remedy = f": {self.remedy}" if self.remedy else ""
        return f"{self.doing}: {self.reason}{f' ({known})' if known else ''}{remedy}"

    @property
    def entry(self) -> str:
        """By the code if it is one of the API, else by the class."""
        return self.code.lower().replace(".", "-") if _OF_THE_API.fullmatch(self.code) else super().entry


class NotFound(ApiError):
    """The resource definitely does not exist."""


class BackupNotFound(NotFound):
    """The backup does not exist in the caller's project, and neither do its shares."""


class MemberNotFound(NotFound):
    """The backup is not shared with that project."""


class AlreadyShared(ApiError):
    """The backup is already shared with that project, in any status."""


class TooManyRecipients(ApiError):
    """The backup is already shared with ten projects."""


class WrongRecipient(ApiError):
    """The recipient's project does not exist in the region, or owns the backup (inferred)."""


class BackupNotAvailable(ApiError):
    """The backup is not in the status `available`."""


class ImageRegistered(ApiError):
    """The share cannot be cancelled until the recipient deletes the image registered from the backup."""


class MalformedUrl(ApiError):
    """401 `Malformed request url`: the backup does not exist, or the project is not the credential's."""


class CredentialRefused(ApiError):
    """The credential was refused. It is not sent again: more than five wrong signatures in a row lock an access key."""


class PermissionDenied(ApiError):
    """An IAM action is not granted, or the account may not do this here."""


class Throttled(ApiError):
    """Too many requests."""


class ServerFault(ApiError):
    """The service failed (408 or 5xx); the request may or may not have had an effect."""


def one_line(text: Any, limit: int = 300) -> str:
    """Make foreign text fit for a message: one line of at most `limit` characters, valid UTF-8.

    Characters that cannot be printed (escape sequences, zero-width and bidirectional controls) become blanks, and the
    marks of build server commands (`::error::`, `##[error]`) are split up; `OS::Nova::Server` stays as it is.
    """
    line = " ".join("".join(char if char.isprintable() else " " for char in str(text)).split())
    line = re.sub(r"(?<![A-Za-z0-9]):(?=:)|#(?=#)", r"\g<0> ", line)
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
