"""From the name of a recipient's account to its project, at every run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.errors import CbrSharingError, CredentialRefused, Refused, SettingsError
from pulumi_cbr_sharing.sharing.inputs import UNKNOWN, Unknown, is_unknown


if TYPE_CHECKING:
    from pulumi_cbr_sharing.sharing.session import Session


def project_of_recipient(session: Session, account: Any, known: str | None, *, planning: bool) -> str | Unknown:
    """The project that an account stands for.

    A share that exists does not move because nobody could be asked: while the look-up fails, it keeps its project.
    A plan does not fail for want of an answer either, and asks nothing where plan checks are switched off.

    Args:
        session: whose cloud and region it is.
        account: the name; unknown in a preview, perhaps.
        known: the project that it stood for when the share was made; None for a new share.
        planning: whether a plan is being made.

    Raises:
        Refused: the account has no project in the region, or several.
        CbrSharingError: it cannot be told.
    """
    if is_unknown(account):
        return UNKNOWN
    if (planning or known) and not session.settings.plan_checks:
        return known or UNKNOWN
    try:
        return session.project_of(account, client=session.client.brief if planning or known else None)
    except (SettingsError, CredentialRefused):
        raise
    except CbrSharingError as error:
        if not known and (not planning or isinstance(error, Refused)):
            raise
        session.say(f"warning: {error}; " + (f"the share stays with project {known}" if known else "the plan goes on"))
        return known or UNKNOWN
