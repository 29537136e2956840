"""Consent to what takes something away: by a person at a terminal, or by `--yes`."""

from __future__ import annotations

import sys

from typing import TYPE_CHECKING

import click


if TYPE_CHECKING:
    from collections.abc import Callable


def ask(question: str, *, yes: bool, details: Callable[[], None] = lambda: None) -> None:
    """Return if the user consents.

    Args:
        question: what is to be done.
        yes: the consent was given with the command.
        details: shows what the question is about; called if somebody is asked.

    Raises:
        ClickException: the user does not, or there is nobody to ask; nothing was changed.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.ClickException(f"{question} There is no terminal to ask at: give --yes; nothing was changed")
    details()
    if not click.confirm(question, err=True):
        raise click.ClickException("nothing was changed")
