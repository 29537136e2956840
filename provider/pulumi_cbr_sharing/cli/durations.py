"""Durations in options: `7` and `7d` are days, `12h` hours, `2w` weeks."""

from __future__ import annotations

import re

from datetime import timedelta

import click


UNITS = {"": "days", "d": "days", "h": "hours", "w": "weeks"}


def duration(text: str) -> timedelta:
    """Parse a duration; without a unit it is in days.

    Raises:
        BadParameter: it is not a duration.
    """
    match = re.fullmatch(r"(\d{1,5})([dhw]?)", text.strip(), re.ASCII)
    if not match:
        raise click.BadParameter(f"{text!r} is not a duration such as 7, 7d, 12h or 2w")
    return timedelta(**{UNITS[match[2]]: int(match[1])})
