"""The lab's pytest option."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--lab-long``; pytest knows it when tests/lab is on its command line."""
    parser.addoption("--lab-long", action="store_true", help="run the lab's long cases too")
