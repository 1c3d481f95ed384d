"""What can go wrong around the guests."""

from __future__ import annotations


class LabError(Exception):
    """The lab itself failed: an image, a boot, a module. Never a failing case."""
