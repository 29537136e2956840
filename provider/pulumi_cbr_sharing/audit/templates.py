"""Makes texts from the templates in this folder; only those of HTML escape by themselves."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape


def rendered(template: str, **values: Any) -> str:
    """The text of a template with these values."""
    environment = Environment(
        loader=PackageLoader("pulumi_cbr_sharing", "audit"),
        autoescape=select_autoescape(["html.j2"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(template).render(values)
