"""Asks for confirmation of a removal: at a terminal, or by `--yes`."""

from __future__ import annotations

import sys

from typing import TYPE_CHECKING

import click


if TYPE_CHECKING:
    from collections.abc import Callable


def ask(question: str, *, yes: bool, details: Callable[[], None] = lambda: None) -> None:
    """Ask the user to confirm; return if they do.

    Args:
        question: what is about to be done.
        yes: whether it was confirmed by `--yes`.
        details: prints what is affected; called before the question.

    Raises:
        ClickException: the user does not confirm, or there is no terminal; nothing was changed.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.ClickException(f"{question} There is no terminal to confirm this: use --yes; nothing was changed")
    details()
    if not click.confirm(question, err=True):
        raise click.ClickException("nothing was changed")
