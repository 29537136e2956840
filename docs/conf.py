"""The site of the guides: `make docs` builds it, warnings are errors."""

from __future__ import annotations

import re
import sys

from pathlib import Path
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from sphinx.application import Sphinx

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

project = PROJECT["name"]
version = release = PROJECT["version"]
html_title = f"{project} {version}"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
# The pages of the Pulumi Registry are in its own form, for its own generator.
exclude_patterns = ["_index.md", "installation-configuration.md"]
html_theme = "furo"
html_theme_options = {
    "source_repository": PROJECT["urls"]["Repository"],
    "source_branch": "main",
    "source_directory": "docs/",
}
myst_heading_anchors = 3
default_role = "code"  # docstrings quote code with one backtick
napoleon_use_ivar = True
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_class_signature = "mixed"
nitpicky = False


def setup(app: Sphinx) -> None:
    """Links to files beside `docs/` lead to the repository, on the site."""
    app.connect("source-read", _link_to_the_repository)


def _link_to_the_repository(_app: Sphinx, _page: str, source: list[str]) -> None:
    source[0] = re.sub(r"\]\(\.\./", f"]({PROJECT['urls']['Repository']}/blob/main/", source[0])
