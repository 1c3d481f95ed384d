"""This kernel's own BTF agrees with the table of C types."""

from __future__ import annotations

from pathlib import Path

import pytest

from xtrace.core.c_types import LATER_TYPEDEFS, TYPEDEFS
from xtrace.core.facts.btf import Btf
from xtrace.core.facts.types import BtfTypes
from xtrace.core.types import Bool, Int

BTF = Path("/sys/kernel/btf/vmlinux")

pytestmark = [pytest.mark.live, pytest.mark.skipif(not BTF.exists(), reason="needs a kernel with BTF")]


def test_the_kernel_has_the_same_sizes_and_signs() -> None:
    types = BtfTypes(Btf(BTF.read_bytes(), str(BTF)))
    found = {name: types.typedef(name) for name in (*TYPEDEFS, *LATER_TYPEDEFS)}
    known = {name: kind for name, kind in found.items() if isinstance(kind, (Int, Bool))}
    assert len(known) > 30
    assert known == {name: kind for name, kind in {**TYPEDEFS, **LATER_TYPEDEFS}.items() if name in known}
