"""Lists of functions are searched as the kernel prints them."""

from __future__ import annotations

from xtrace.core.facts.function_list import FunctionList

LISTED = FunctionList(b"vfs_read\nvfs_read_iter\next4_map_blocks [ext4]\n")


def test_whole_names_only() -> None:
    assert "vfs_read" in LISTED and "vfs_read_iter" in LISTED and "ext4_map_blocks" in LISTED
    assert "vfs" not in LISTED and "read" not in LISTED and "ext4" not in LISTED and "" not in LISTED


def test_names_and_count() -> None:
    assert LISTED.names == {"vfs_read", "vfs_read_iter", "ext4_map_blocks"}
    assert (len(LISTED), len(FunctionList(b"")), len(FunctionList(b"a"))) == (3, 0, 1)
