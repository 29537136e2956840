"""From the name of a recipient's account to its project, at every run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.errors import CbrSharingError, CredentialRefused, Refused, SettingsError
from pulumi_cbr_sharing.ids import trouble_with_account
from pulumi_cbr_sharing.resources.dynamic import UNKNOWN, is_unknown
from pulumi_cbr_sharing.sharing.session import say


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def project_of_recipient(lookup: Callable[[str], str], news: Mapping[str, Any], olds: Mapping[str, Any]) -> str:
    """The project that `dest_account` stands for.

    A share that exists does not move because nobody could be asked: while the lookup fails, it keeps its project.

    Args:
        lookup: from the name of an account to the id of its project.
        news: the inputs of the program, `dest_account` among them.
        olds: those that the state records; empty for a new share.

    Returns:
        The project's id, or the marker for unknown values if the name is not known yet.

    Raises:
        Refused: it is no name, is given together with `dest_project_id`, or stands for no project or several.
        CbrSharingError: the lookup's other reasons.
    """
    account = news["dest_account"]
    if news.get("dest_project_id") is not None:
        raise Refused("it is given together with dest_project_id: give one of the two")
    if is_unknown(account):
        return UNKNOWN
    if trouble := trouble_with_account(account):
        raise Refused(f"it {trouble}")
    known = olds.get("dest_project_id") if olds.get("dest_account") == account else None
    try:
        return lookup(account)
    except CbrSharingError as error:
        if not known or isinstance(error, (SettingsError, CredentialRefused)):
            raise
        say(f"warning: {error}; the share stays with project {known}")
        return str(known)
