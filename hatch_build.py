"""README as the package index shows it: its links lead to the repository, as there are no files beside it there."""

from __future__ import annotations

import re

from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class ReadmeHook(MetadataHookInterface):
    """Gives `readme`."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set the text, with links to files made whole."""
        repository = metadata["urls"]["Repository"]
        text = re.sub(
            r"(!?)\[([^]]*)\]\((?!https:|#)",
            rf"\1[\2]({repository}/blob/main/",
            Path(self.root, "README.md").read_text(),
        )
        metadata["readme"] = {
            "content-type": "text/markdown",
            "text": re.sub(rf"(!\[[^]]*\]\({repository})/blob/", r"\1/raw/", text),
        }
