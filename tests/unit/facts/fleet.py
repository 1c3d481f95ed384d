"""Where the recorded hosts are: XTRACE_HOSTS, or ../shared/hosts beside the repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

HOSTS = Path(os.environ.get("XTRACE_HOSTS") or Path(__file__).parents[4] / "shared" / "hosts")
needs_hosts = pytest.mark.skipif(not HOSTS.is_dir(), reason=f"no recorded hosts at {HOSTS} (set XTRACE_HOSTS)")
