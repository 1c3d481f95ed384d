"""Numbers of control groups on this host."""

from __future__ import annotations

from pathlib import Path

import pytest

from xtrace.core.facts.cgroup_ids import cgroup_id

ROOT = next(
    (root for root in ("/sys/fs/cgroup/unified", "/sys/fs/cgroup") if Path(root, "cgroup.controllers").exists()), ""
)


@pytest.mark.skipif(not ROOT, reason="no cgroup hierarchy of version 2 is mounted")
def test_a_groups_number_is_its_inode_on_kernels_of_today() -> None:
    assert cgroup_id(ROOT) == Path(ROOT).stat().st_ino


def test_other_directories_have_none(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(OSError, match=str(tmp_path)):
            cgroup_id(str(path))
