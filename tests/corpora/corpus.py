"""The bpftrace tools that Debian's releases ship, kept outside the repository: real programs of four vintages."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Release:
    """`version` is that of bpftrace in the release, as its tools' authors count."""

    suite: str
    version: str

    @property
    def folder(self) -> Path:
        return folder() / self.suite

    def tools(self) -> list[Path]:
        """Its tools by name; empty where the release has not been fetched."""
        return sorted(self.folder.glob("*.bt"))


RELEASES = (
    Release("bullseye", "0.11"),
    Release("bookworm", "0.17"),
    Release("trixie", "0.23"),
    Release("forky", "0.27"),
)


def folder() -> Path:
    """Where the corpora are: $XTRACE_CORPORA, or a folder of the user's cache."""
    return Path(os.environ.get("XTRACE_CORPORA") or Path.home() / ".cache" / "xtrace-corpora").absolute()
