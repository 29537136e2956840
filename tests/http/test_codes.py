from __future__ import annotations

import pytest

from pulumi_cbr_sharing.errors import (
    AlreadyShared,
    ApiError,
    BackupNotAvailable,
    BackupNotFound,
    CredentialRefused,
    ImageRegistered,
    MemberNotFound,
    NotFound,
    PermissionDenied,
    ServerFault,
    Throttled,
    TooManyRecipients,
    WrongRecipient,
)
from pulumi_cbr_sharing.http.codes import CODES, Meaning, meaning_of


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (404, "BackupService.6105", NotFound),
        (400, "BackupService.6114", ApiError),
        (404, "BackupService.6200", BackupNotFound),
        (400, "BackupService.6700", ApiError),
        (400, "BackupService.6701", TooManyRecipients),
        (400, "BackupService.6702", BackupNotAvailable),
        (400, "BackupService.6703", AlreadyShared),
        (400, "BackupService.6704", WrongRecipient),
        (404, "BackupService.6705", MemberNotFound),
        (400, "BackupService.6706", ApiError),
        (400, "BackupService.6707", ApiError),
        (400, "BackupService.6708", ApiError),
        (400, "BackupService.6709", ApiError),
        (400, "BackupService.6710", ImageRegistered),
        (400, "BackupService.6711", ApiError),
        (400, "BackupService.6712", ApiError),
        (400, "BackupService.6713", ApiError),
        (400, "BackupService.6714", ApiError),
        (400, "BackupService.9900", ApiError),
        (404, "APIGW.0101", ApiError),
        (400, "APIGW.0201", ApiError),
        (413, "APIGW.0201", ApiError),
        (502, "APIGW.0201", ServerFault),
        (504, "APIGW.0203", ServerFault),
        (401, "APIGW.0301", CredentialRefused),
        (403, "APIGW.0302", PermissionDenied),
        (401, "APIGW.0303", CredentialRefused),
        (403, "APIGW.0306", PermissionDenied),
        (401, "APIGW.0307", CredentialRefused),
        (429, "APIGW.0308", Throttled),
        (403, "APIGW.0310", PermissionDenied),
        (502, "APIGW.0610", ServerFault),
        (503, "APIGW.0613", ServerFault),
        (403, "APIGW.0802", PermissionDenied),
        (401, "APIG.0307", CredentialRefused),
        (429, "APIG.0308", Throttled),
    ],
)
def test_every_documented_code_has_its_class(status: int, code: str, error: type[ApiError]) -> None:
    """Resources decide by these classes."""
    assert meaning_of(status, code).error is error


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        pytest.param(400, "BackupService.6705", ApiError, id="a share that is gone, with 400"),
        pytest.param(403, "BackupService.6705", PermissionDenied, id="a share that is gone, with 403"),
        pytest.param(401, "BackupService.6705", CredentialRefused, id="a share that is gone, with 401"),
        pytest.param(400, "BackupService.6200", ApiError, id="a backup that is gone, with 400"),
        pytest.param(400, "BackupService.6105", ApiError, id="a vault that is gone, with 400"),
        pytest.param(400, "APIGW.0308", ApiError, id="throttled, with 400"),
        pytest.param(400, "APIGW.0307", ApiError, id="expired, with 400"),
        pytest.param(403, "APIGW.0301", PermissionDenied, id="wrong signature, with 403"),
        pytest.param(404, "APIGW.0302", ApiError, id="forbidden, with 404"),
    ],
)
def test_a_code_with_a_status_that_is_not_its_own_means_the_status(
    status: int, code: str, error: type[ApiError]
) -> None:
    """A share is gone, or a call throttled, only if code and status both say so."""
    assert meaning_of(status, code).error is error


@pytest.mark.parametrize("status", [500, 501, 502, 503, 504, 599])
@pytest.mark.parametrize("code", ["", "BackupService.6703", "BackupService.6705", "APIGW.0101", "APIGW.0308"])
def test_a_fault_of_the_server_outweighs_any_code(status: int, code: str) -> None:
    """The codes of a failing service are not believed."""
    assert meaning_of(status, code).error is ServerFault


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, ApiError),
        (401, CredentialRefused),
        (403, PermissionDenied),
        (404, ApiError),
        (405, ApiError),
        (408, ServerFault),
        (409, ApiError),
        (418, ApiError),
        (429, Throttled),
    ],
)
@pytest.mark.parametrize(
    "code",
    [
        "",
        "401",
        "BackupService.0000",
        "BackupService.",
        ".6705",
        "6705",
        "Other.6705",
        "backupservice.6705",
        "EVS.6200",
    ],
)
def test_without_a_code_that_is_known_the_status_decides(status: int, error: type[ApiError], code: str) -> None:
    """The codes of other services do not count."""
    assert meaning_of(status, code).error is error


@pytest.mark.parametrize("meaning", CODES.values(), ids=CODES.keys())
def test_every_sentence_fits_into_a_line(meaning: Meaning) -> None:
    """Reason and remedy are parts of one line, so neither ends with a full stop."""
    for text in (meaning.reason, meaning.remedy):
        assert text.isprintable()
        assert text == text.strip(" .:;")
        assert len(text) < 200


@pytest.mark.parametrize(
    "error", [BackupNotFound, MemberNotFound, NotFound, CredentialRefused, PermissionDenied, Throttled]
)
def test_what_is_acted_upon_is_bound_to_a_status(error: type[ApiError]) -> None:
    """A code alone never means an error that resources or retries act upon."""
    codes = [code for code, meaning in CODES.items() if meaning.error is error]
    bound = [{status for status in range(400, 600) if meaning_of(status, code).error is error} for code in codes]
    by_status_alone = {status for status in range(400, 600) if meaning_of(status).error is error}
    assert codes
    assert all(len(statuses | by_status_alone) == 1 for statuses in bound)
