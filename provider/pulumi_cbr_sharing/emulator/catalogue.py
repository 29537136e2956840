"""The errors of the emulated cloud: status, code, message in English and in Chinese.

Source: the error code tables of the CBR API reference and of the gateway. Rows marked (inferred) are not documented,
and were not compared with a live account.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


MINUTE = 60


@dataclass(frozen=True)
class Row:
    """One error.

    Attributes:
        code: `BackupService.NNNN` of the service, `APIGW.NNNN` of the gateway; "" if the answer has none, but status
            and message under the key `wrapped`.
    """

    status: int
    code: str
    english: str
    chinese: str = "请求失败"
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


def _cbr(status: int, number: str, english: str, chinese: str) -> Row:
    return Row(status, f"BackupService.{number}", english, chinese)


VAULT_NOT_FOUND = _cbr(404, "6105", "The vault does not exist.", "存储库不存在")
VAULT_TOO_SMALL = _cbr(400, "6114", "The vault capacity is insufficient.", "存储库容量不足")  # (inferred)
BACKUP_NOT_FOUND = _cbr(404, "6200", "The backup does not exist.", "备份不存在")
BACKUP_HAS_IMAGE = _cbr(400, "6204", "An image was registered from the backup.", "备份已注册镜像")
KIND_NOT_SHAREABLE = _cbr(400, "6700", "Backups of this type cannot be shared.", "该类型备份不支持共享")
TOO_MANY_MEMBERS = _cbr(400, "6701", "The number of members exceeds the limit.", "成员数超过上限")
NOT_AVAILABLE = _cbr(400, "6702", "The backup status does not allow sharing.", "备份状态不允许共享")
ALREADY_SHARED = _cbr(400, "6703", "The backup has been shared with the project.", "备份已共享给该项目")
BAD_RECIPIENT = _cbr(400, "6704", "The project cannot be a member.", "该项目不能成为成员")  # (inferred)
MEMBER_NOT_FOUND = _cbr(404, "6705", "The backup member does not exist.", "备份成员不存在")
BAD_ANSWER = _cbr(400, "6706", "The member cannot be updated this way.", "更新成员参数错误")
SHARING_FORBIDDEN = _cbr(400, "6707", "Sharing is not allowed.", "不允许共享")
ANSWER_FAILED = _cbr(400, "6708", "Failed to update the backup member.", "更新成员失败")  # by a Fault only
ENCRYPTED = _cbr(400, "6709", "Backups of encrypted disks cannot be shared.", "加密盘备份不支持共享")
IMAGE_REGISTERED = _cbr(400, "6710", "Failed to cancel backup sharing: an image exists.", "取消共享失败")
CANCEL_FAILED = _cbr(400, "6711", "Failed to delete the backup member.", "删除成员失败")  # by a Fault only
VAULT_STATUS = _cbr(400, "6712", "The vault status does not allow it.", "存储库状态不允许")  # (inferred)
VAULT_KIND = _cbr(400, "6713", "The vault type does not match the backup.", "存储库类型不匹配")  # (inferred)
RECEIVED_BACKUP = _cbr(400, "6714", "A shared backup cannot be shared again.", "共享的备份不能再次共享")
MALFORMED = _cbr(400, "9900", "The request parameters are invalid.", "参数无效")

NO_SUCH_API = Row(404, "APIGW.0101", "The API does not exist or has not been published in the environment.")
BAD_SIGNATURE = Row(401, "APIGW.0301", "Incorrect IAM authentication information: verify aksk signature fail")
KEY_LOCKED = Row(401, "APIGW.0301", "Incorrect IAM authentication information: AK access failed to reach the limit")
WRONG_PROJECT = Row(403, "APIGW.0302", "The IAM user is not authorized for this project.")
TOKEN_EXPIRED = Row(401, "APIGW.0307", "The token must be updated.")
THROTTLED = Row(429, "APIGW.0308", "The throttling threshold has been reached")

# Seen by another client: list and get of a backup that does not exist.
MALFORMED_URL = Row(401, "", "Malformed request url", wrapped="unauthorized")
BAD_DURATION = Row(400, "", "The duration of a temporary key is 900 to 86400 seconds.", wrapped="error")  # (inferred)
# IAM's own shape, not the gateway's. (inferred)
WRONG_PASSWORD = Row(401, "", "The username or password is wrong.", wrapped="error")
WRONG_TOKEN = Row(401, "", "The token is wrong or has expired.", wrapped="error")  # (inferred)
TOKEN_NOT_FOUND = Row(404, "", "Could not find token.", wrapped="error")  # (inferred)
NO_SUCH_IDP = Row(404, "", "Could not find the identity provider.", wrapped="error")  # (inferred)
WRONG_ID_TOKEN = Row(401, "", "The ID token is wrong or has expired.", wrapped="error")  # (inferred)

# The security token service: both codes were seen by other clients, the third is inferred.
STS_DISTRUST = Row(403, "STS5.1001", "The trust policy of the agency does not allow sts:agencies:assumeWithOIDC.")
STS_AUDIENCE = Row(403, "STS5.2001", "The audience of the ID token is not a client ID of the identity provider.")
STS_MALFORMED = Row(400, "STS5.0001", "The request parameters are invalid.")

# The metadata service answers plain text; the first is what the vendor's SDK looks for.
NO_AGENCY = Row(401, "", "Please configure Cloud Service Agency first", plain=True)
METADATA_DENIED = Row(401, "", "Unauthorized", plain=True)
METADATA_UNKNOWN = Row(404, "", "Not Found", plain=True)
METADATA_MALFORMED = Row(400, "", "Bad Request", plain=True)


def denied(action: str) -> Row:
    """The answer to a missing permission."""
    return Row(403, "", f"Policy doesn't allow {action} to be performed.", wrapped="forbidden")


def throttled(limit: int, seconds: float) -> Row:
    """The answer to a request above the limit; for a limit per minute, in the words that were seen."""
    time = "1 minute" if seconds == MINUTE else f"{seconds:g} seconds"
    return replace(THROTTLED, english=f"{THROTTLED.english}: policy user over ratelimit,limit:{limit},time:{time}")


def row_of(code: str) -> Row:
    """The row of a code; KeyError if there is none."""
    found = next((row for row in globals().values() if isinstance(row, Row) and row.code == code), None)
    if found is None or not code:
        raise KeyError(code)
    return found
