from __future__ import annotations

import copy
import pickle

from typing import TYPE_CHECKING

import dill
import pytest

from pulumi_cbr_sharing.settings.connection import Agency
from pulumi_cbr_sharing.settings.credentials import AccessKey, Password, Secret, Token, secrets_of


if TYPE_CHECKING:
    from collections.abc import Callable


PLANTED = "planted-secret"
OTHER = "planted-token"
CREDENTIALS = [
    AccessKey("AK", Secret(PLANTED), Secret(OTHER), "environment HW_ACCESS_KEY"),
    AccessKey("AK", Secret(PLANTED), None, "environment HW_ACCESS_KEY"),
    Token(Secret(PLANTED), "environment HW_AUTH_TOKEN"),
    Password("user", None, "account", None, Secret(PLANTED), "environment HW_USER_PASSWORD"),
]


@pytest.mark.parametrize(
    "show",
    [repr, str, "{}".format, "{!r:>20}".format, lambda secret: f"{[secret]}", lambda secret: f"{secret}"],
    ids=["repr", "str", "format", "format repr", "in a list", "f-string"],
)
def test_a_secret_shows_itself_to_nobody_who_prints_it(show: Callable[[object], str]) -> None:
    """No way of printing a Secret shows its text."""
    assert PLANTED not in show(Secret(PLANTED))


def test_a_secret_is_revealed_when_asked() -> None:
    """`reveal` returns the text unchanged."""
    assert Secret(PLANTED).reveal() == PLANTED


@pytest.mark.parametrize("dumps", [pickle.dumps, dill.dumps], ids=["pickle", "dill"])
@pytest.mark.parametrize(
    "wrap", [lambda it: it, lambda it: [it], lambda it: Token(it, "here")], ids=["bare", "list", "token"]
)
def test_a_secret_is_never_pickled(dumps: Callable[[object], bytes], wrap: Callable[[Secret], object]) -> None:
    """A pickle ends up in the state of a stack."""
    with pytest.raises(TypeError, match="a Secret is never pickled: it would end up in the state of a stack") as caught:
        dumps(wrap(Secret(PLANTED)))
    assert PLANTED not in str(caught.value)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_no_protocol_of_pickle_gets_at_a_secret(protocol: int) -> None:
    """All protocols of pickle are refused."""
    with pytest.raises(TypeError, match="never pickled"):
        pickle.dumps(Secret(PLANTED), protocol)


@pytest.mark.parametrize("clone", [copy.copy, copy.deepcopy], ids=["copy", "deepcopy"])
def test_a_secret_is_not_copied(clone: Callable[[object], object]) -> None:
    """`copy` uses pickle's protocol, so it is refused, too, without showing the text."""
    with pytest.raises(TypeError) as caught:
        clone(Secret(PLANTED))
    assert PLANTED not in str(caught.value)


def test_secrets_are_equal_by_value() -> None:
    """Settings with the same secret are equal, and can be the key of a dict."""
    assert Secret("a") == Secret("a")
    assert hash(Secret("a")) == hash(Secret("a"))
    assert Secret("a") != Secret("b")


@pytest.mark.parametrize("credential", CREDENTIALS, ids=lambda credential: type(credential).__name__)
def test_no_credential_shows_its_secret(credential: AccessKey | Token | Password) -> None:
    """A credential in a log or a traceback shows no secret."""
    shown = f"{credential} {credential!r}"
    assert PLANTED not in shown
    assert OTHER not in shown


@pytest.mark.parametrize(
    ("credential", "secrets"),
    list(zip(CREDENTIALS, [[PLANTED, OTHER], [PLANTED], [PLANTED], [PLANTED]], strict=True)),
    ids=["temporary key", "key", "token", "password"],
)
def test_a_credential_names_what_no_message_may_show(
    credential: AccessKey | Token | Password, secrets: list[str]
) -> None:
    """`secrets` lists all of them."""
    assert secrets_of(credential) == secrets


def test_an_agency_is_a_value_that_may_be_pickled() -> None:
    """It holds names only, and is part of a Connection."""
    agency = Agency("admin", domain_name="other-account")
    assert pickle.loads(pickle.dumps(agency)) == agency
