"""The errors of the emulated cloud: status, code, message in English and in Chinese, and the source of each.

Documented are the error code tables of the CBR API reference and of the gateway; seen is what is in the code or in
reports of other clients. Nothing was compared with a live account.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal


MINUTE = 60


Source = Literal["documented", "seen", "inferred"]
DOCUMENTED: Source = "documented"
SEEN: Source = "seen"
INFERRED: Source = "inferred"


@dataclass(frozen=True)
class Row:
    """One error.

    Attributes:
        code: `BackupService.NNNN` of the service, `APIGW.NNNN` of the gateway; "" if the answer has none, but status
            and message under the key `wrapped`, or the message as plain text.
        source: where it is known from.
        other: what may be answered instead, if it is inferred.
    """

    status: int
    code: str
    english: str
    chinese: str = "请求失败"
    source: Source = DOCUMENTED
    other: Row | None = None
    wrapped: str = ""
    plain: bool = False

    @property
    def is_of_gateway(self) -> bool:
        """Whether it is the gateway's or STS's, which answer in English only, with the request id in the body."""
        return self.code.startswith(("APIGW.", "STS5."))


class Refusal(Exception):
    """An error to answer; `app.py` catches it."""

    def __init__(self, row: Row) -> None:
        super().__init__(row.code)
        self.row = row


def _cbr(status: int, number: str, english: str, chinese: str, other: Row | None = None) -> Row:
    return Row(status, f"BackupService.{number}", english, chinese, INFERRED if other else DOCUMENTED, other)


def _iam(status: int, english: str, other: Row) -> Row:
    """An error of IAM, in its own shape; that it is this one is inferred."""
    return Row(status, "", english, wrapped="error", source=INFERRED, other=other)


def _metadata(status: int, english: str) -> Row:
    """An answer of the metadata service, as the vendor's SDK expects it."""
    return Row(status, "", english, source=SEEN, plain=True)


NO_SUCH_API = Row(404, "APIGW.0101", "The API does not exist or has not been published in the environment.")
BAD_SIGNATURE = Row(401, "APIGW.0301", "Incorrect IAM authentication information: verify aksk signature fail")
KEY_LOCKED = Row(401, "APIGW.0301", "Incorrect IAM authentication information: AK access failed to reach the limit")
WRONG_PROJECT = Row(403, "APIGW.0302", "The IAM user is not authorized for this project.")
TOKEN_EXPIRED = Row(401, "APIGW.0307", "The token must be updated.")
THROTTLED = Row(429, "APIGW.0308", "The throttling threshold has been reached")

MALFORMED = _cbr(400, "9900", "The request parameters are invalid.", "参数无效")
BACKUP_NOT_FOUND = _cbr(404, "6200", "The backup does not exist.", "备份不存在")
BACKUP_HAS_IMAGE = _cbr(400, "6204", "An image was registered from the backup.", "备份已注册镜像")
KIND_NOT_SHAREABLE = _cbr(400, "6700", "Backups of this type cannot be shared.", "该类型备份不支持共享")
TOO_MANY_MEMBERS = _cbr(400, "6701", "The number of members exceeds the limit.", "成员数超过上限")
NOT_AVAILABLE = _cbr(400, "6702", "The backup status does not allow sharing.", "备份状态不允许共享")
ALREADY_SHARED = _cbr(400, "6703", "The backup has been shared with the project.", "备份已共享给该项目")
BAD_RECIPIENT = _cbr(400, "6704", "The project cannot be a member.", "该项目不能成为成员", MALFORMED)
MEMBER_NOT_FOUND = _cbr(404, "6705", "The backup member does not exist.", "备份成员不存在")
BAD_ANSWER = _cbr(400, "6706", "The member cannot be updated this way.", "更新成员参数错误")
SHARING_FORBIDDEN = _cbr(400, "6707", "Sharing is not allowed.", "不允许共享")
ANSWER_FAILED = _cbr(400, "6708", "Failed to update the backup member.", "更新成员失败")
ENCRYPTED = _cbr(400, "6709", "Backups of encrypted disks cannot be shared.", "加密盘备份不支持共享")
IMAGE_REGISTERED = _cbr(400, "6710", "Failed to cancel backup sharing: an image exists.", "取消共享失败")
CANCEL_FAILED = _cbr(400, "6711", "Failed to delete the backup member.", "删除成员失败")  # by a Fault only
RECEIVED_BACKUP = _cbr(400, "6714", "A shared backup cannot be shared again.", "共享的备份不能再次共享")
VAULT_NOT_FOUND = _cbr(404, "6105", "The vault does not exist.", "存储库不存在")
VAULT_TOO_SMALL = _cbr(400, "6114", "The vault capacity is insufficient.", "存储库容量不足", ANSWER_FAILED)
VAULT_STATUS = _cbr(400, "6712", "The vault status does not allow it.", "存储库状态不允许", ANSWER_FAILED)
VAULT_KIND = _cbr(400, "6713", "The vault type does not match the backup.", "存储库类型不匹配", ANSWER_FAILED)
POLICY_NOT_FOUND = _cbr(404, "6001", "The policy does not exist.", "策略不存在", MALFORMED)

# Seen by another client: list and get of a backup that does not exist.
MALFORMED_URL = Row(401, "", "Malformed request url", wrapped="unauthorized", source=SEEN)
WRONG_PASSWORD = _iam(401, "The username or password is wrong.", BAD_SIGNATURE)
UNKNOWN_PROJECT = _iam(401, "The project cannot be found.", NO_SUCH_API)
WRONG_TOKEN = _iam(401, "The token is wrong or has expired.", NO_SUCH_API)
TOKEN_NOT_FOUND = _iam(404, "Could not find token.", WRONG_TOKEN)
NO_SUCH_IDP = _iam(404, "Could not find the identity provider.", WRONG_TOKEN)
WRONG_ID_TOKEN = _iam(401, "The ID token is wrong or has expired.", WRONG_PROJECT)
BAD_DURATION = _iam(400, "The duration of a temporary key is 900 to 86400 seconds.", WRONG_PROJECT)
ACCOUNT_NOT_FOUND = _iam(404, "Could not find the account.", NO_SUCH_API)
AGENCY_REFUSED = Row(403, "APIGW.0302", WRONG_PROJECT.english, source=INFERRED, other=ACCOUNT_NOT_FOUND)
STS_DISTRUST = Row(403, "STS5.1001", "The agency's trust policy allows no sts:agencies:assumeWithOIDC.", source=SEEN)
STS_AUDIENCE = Row(403, "STS5.2001", "The audience of the ID token is no client ID of its provider.", source=SEEN)
STS_MALFORMED = Row(400, "STS5.0001", "The request parameters are invalid.", source=INFERRED, other=STS_DISTRUST)
NO_AGENCY = _metadata(401, "Please configure Cloud Service Agency first")
METADATA_DENIED = _metadata(401, "Unauthorized")
METADATA_UNKNOWN = _metadata(404, "Not Found")
METADATA_MALFORMED = _metadata(400, "Bad Request")


def denied(action: str) -> Row:
    """The answer to a missing permission."""
    return Row(403, "", f"Policy doesn't allow {action} to be performed.", wrapped="forbidden")


def throttled(limit: int, seconds: float) -> Row:
    """The answer to a request above the limit; for a limit per minute, in the words that were seen."""
    time = "1 minute" if seconds == MINUTE else f"{seconds:g} seconds"
    return replace(THROTTLED, english=f"{THROTTLED.english}: policy user over ratelimit,limit:{limit},time:{time}")


def rows() -> list[Row]:
    """All rows."""
    return [row for row in globals().values() if isinstance(row, Row)]


def row_of(code: str) -> Row:
    """The row of a code; KeyError if there is none."""
    found = next((row for row in rows() if row.code == code), None)
    if found is None or not code:
        raise KeyError(code)
    return found
